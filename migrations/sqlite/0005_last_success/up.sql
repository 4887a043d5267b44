-- When a bot last did what it is there for, so that silence can be noticed.

ALTER TABLE actor_server_state ADD COLUMN last_success TEXT;

-- From the ledger, as far as it goes back; a dry run, or a run whose post has not gone out, tells nothing of the bot.
UPDATE actor_server_state SET last_success = (
    SELECT max(e.completed_at) FROM actor_server_executions e
    WHERE e.task_id = actor_server_state.task_id AND e.status = 'succeeded'
      AND coalesce(json_extract(e.metadata, '$.dry_run'), 0) = 0
      AND coalesce(json_extract(e.metadata, '$.post_waits'), 0) = 0
);
