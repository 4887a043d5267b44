-- Posts in the order in which they go out, those that never went out, and what is needed to tell posts apart.

-- The place in the line of its destination, for a post that was resent by hand: behind all that waited then. Else its id.
ALTER TABLE actor_server_posts ADD COLUMN turn bigint;

CREATE INDEX actor_server_posts_waiting ON actor_server_posts (platform, destination, coalesce(turn, id))
    WHERE status = 'pending';
CREATE INDEX actor_server_posts_unsent ON actor_server_posts (status, id) WHERE status IN ('failed', 'dead');
CREATE INDEX actor_server_posts_of_bot ON actor_server_posts (task_id, id);
CREATE INDEX actor_server_posts_arrived ON actor_server_posts (destination, posted_at) WHERE posted_at IS NOT NULL;
