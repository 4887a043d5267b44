DROP TABLE actor_server_breakers;
