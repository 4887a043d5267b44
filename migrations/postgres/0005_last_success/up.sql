-- When a bot last did what it is there for, so that silence can be noticed.

ALTER TABLE actor_server_state ADD COLUMN last_success timestamptz;

-- From the ledger, as far as it goes back; a dry run, or a run whose post has not gone out, tells nothing of the bot.
UPDATE actor_server_state s SET last_success = e.newest
FROM (
    SELECT task_id, max(completed_at) AS newest FROM actor_server_executions
    WHERE status = 'succeeded' AND NOT metadata @> '{"dry_run": true}' AND NOT metadata @> '{"post_waits": true}'
    GROUP BY task_id
) e
WHERE e.task_id = s.task_id;
