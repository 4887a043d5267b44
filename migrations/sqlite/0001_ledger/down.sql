DROP TABLE actor_server_replicas;
DROP TABLE actor_server_posts;
DROP TABLE actor_server_executions;
DROP TABLE actor_server_state;
DROP TABLE actor_server_meta;
