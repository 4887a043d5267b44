DROP INDEX actor_server_posts_arrived;
DROP INDEX actor_server_posts_of_bot;
DROP INDEX actor_server_posts_unsent;
DROP INDEX actor_server_posts_waiting;
ALTER TABLE actor_server_posts DROP COLUMN turn;
