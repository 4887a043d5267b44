-- What the control API asks for: pages of the ledger, repeated wishes recognised, items with a time and media.

-- A hash of what a repeated wish for a run is recognised by.
ALTER TABLE actor_server_executions ADD COLUMN event_key TEXT;
CREATE UNIQUE INDEX actor_server_executions_wish ON actor_server_executions (task_id, event_key)
    WHERE event_key IS NOT NULL;

-- Pages go from the newest id down. A claim (status running) is in as few of these as can be, because it is on the way
-- of every run; the rowid, which is the id, is the last column of each.
CREATE INDEX actor_server_executions_bot_page ON actor_server_executions (task_id);
-- Made anew, because of two indexes that fit alike SQLite takes the younger: open rows of a bot are found by this one.
DROP INDEX actor_server_executions_running;
CREATE INDEX actor_server_executions_running ON actor_server_executions (task_id) WHERE status = 'running';
CREATE INDEX actor_server_executions_status_page ON actor_server_executions (status) WHERE status <> 'running';
CREATE INDEX actor_server_executions_trigger_page ON actor_server_executions (trigger) WHERE trigger <> 'schedule';
CREATE INDEX actor_server_executions_by_time
    ON actor_server_executions (coalesce(slot_last, started_at, scheduled_for, created_at));

ALTER TABLE actor_server_content ADD COLUMN not_before TEXT;
ALTER TABLE actor_server_content ADD COLUMN expires_at TEXT;
ALTER TABLE actor_server_content ADD COLUMN media TEXT NOT NULL DEFAULT '[]';
CREATE INDEX actor_server_content_page ON actor_server_content (table_name);
