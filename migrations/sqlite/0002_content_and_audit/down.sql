DROP TABLE actor_server_audit;
DROP TABLE actor_server_content;
