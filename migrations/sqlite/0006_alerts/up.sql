-- What is wrong, until it is over, and the notices about it on their way to the channels.

CREATE TABLE actor_server_incidents (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key          TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    bot          TEXT,
    severity     TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    detail       TEXT    NOT NULL DEFAULT '',
    since        TEXT    NOT NULL,
    reminded_at  TEXT,
    count        INTEGER NOT NULL DEFAULT 1,
    recovered_at TEXT,
    memory       TEXT    NOT NULL DEFAULT '{}',
    revision     INTEGER NOT NULL DEFAULT 1
);
-- The same trouble is raised once.
CREATE UNIQUE INDEX actor_server_incidents_open ON actor_server_incidents (key) WHERE recovered_at IS NULL;
CREATE INDEX actor_server_incidents_over ON actor_server_incidents (recovered_at) WHERE recovered_at IS NOT NULL;

CREATE TABLE actor_server_alerts (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    channel         TEXT    NOT NULL,
    incident        TEXT    NOT NULL,
    stage           TEXT    NOT NULL,
    notice          TEXT    NOT NULL,
    status          TEXT    NOT NULL DEFAULT 'pending',
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT    NOT NULL,
    claimed_by      TEXT,
    claimed_until   TEXT,
    error           TEXT,
    created_at      TEXT    NOT NULL,
    sent_at         TEXT
);
CREATE INDEX actor_server_alerts_pending ON actor_server_alerts (channel, next_attempt_at) WHERE status = 'pending';
CREATE INDEX actor_server_alerts_sent ON actor_server_alerts (channel, sent_at) WHERE status = 'sent';
CREATE INDEX actor_server_alerts_incident ON actor_server_alerts (incident, channel, id);
