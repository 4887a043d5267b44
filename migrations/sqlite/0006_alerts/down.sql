DROP TABLE actor_server_alerts;
DROP TABLE actor_server_incidents;
