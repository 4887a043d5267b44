ALTER TABLE actor_server_state DROP COLUMN last_success;
