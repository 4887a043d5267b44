-- State, ledger, posts and replicas. Times are UTC text that sorts: YYYY-MM-DD HH:MM:SS.ffffff+00:00

CREATE TABLE actor_server_meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Drawn once; keeps the nonces of two databases apart.
INSERT INTO actor_server_meta (key, value) VALUES ('database_id', lower(hex(randomblob(16))));

CREATE TABLE actor_server_state (
    task_id              TEXT    NOT NULL PRIMARY KEY,
    actor_name           TEXT    NOT NULL,
    schedule             TEXT,
    anchor               TEXT    NOT NULL,
    last_run             TEXT,
    next_run             TEXT,
    consecutive_failures INTEGER NOT NULL DEFAULT 0 CHECK (consecutive_failures >= 0),
    runs                 INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0),
    is_paused            BOOLEAN NOT NULL DEFAULT FALSE,
    hold_kind            TEXT CHECK (hold_kind IN ('manual', 'failures', 'refused', 'given_up', 'invalid')),
    hold_reason          TEXT,
    hold_until           TEXT,
    hold_by              TEXT,
    removed              BOOLEAN NOT NULL DEFAULT FALSE,
    metadata             TEXT    NOT NULL DEFAULT '{}',
    created_at           TEXT    NOT NULL,
    updated_at           TEXT    NOT NULL,
    CHECK (is_paused = (hold_kind IS NOT NULL))
);

CREATE INDEX actor_server_state_by_next_run ON actor_server_state (next_run);
CREATE INDEX actor_server_state_by_name ON actor_server_state (actor_name);

-- AUTOINCREMENT: an id is never used again, because posts outlive their ledger rows.
CREATE TABLE actor_server_executions (
    id               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    task_id          TEXT    NOT NULL,
    actor_name       TEXT    NOT NULL,
    trigger          TEXT    NOT NULL CHECK (trigger IN ('schedule', 'manual', 'event')),
    scheduled_for    TEXT,
    slots            INTEGER NOT NULL DEFAULT 1 CHECK (slots >= 1),
    slot_last        TEXT,
    status           TEXT    NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'timed_out', 'panicked',
                                                        'cancelled', 'abandoned', 'skipped', 'missed')),
    reason           TEXT,
    attempt          INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    replica          TEXT,
    started_at       TEXT,
    completed_at     TEXT,
    success          BOOLEAN,
    skills_succeeded INTEGER NOT NULL DEFAULT 0,
    skills_failed    INTEGER NOT NULL DEFAULT 0,
    skills_skipped   INTEGER NOT NULL DEFAULT 0,
    error_message    TEXT,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    metadata         TEXT    NOT NULL DEFAULT '{}',
    created_at       TEXT    NOT NULL,
    UNIQUE (task_id, scheduled_for),
    CHECK ((trigger = 'schedule') = (scheduled_for IS NOT NULL)),
    CHECK (slot_last IS NULL OR slot_last >= scheduled_for),
    CHECK (reason IS NULL OR status IN ('skipped', 'missed')),
    CHECK (status <> 'running' OR (completed_at IS NULL AND success IS NULL AND replica IS NOT NULL))
);

CREATE INDEX actor_server_executions_by_bot ON actor_server_executions (task_id, started_at DESC);
CREATE INDEX actor_server_executions_by_start ON actor_server_executions (started_at DESC);
CREATE INDEX actor_server_executions_running ON actor_server_executions (task_id) WHERE status = 'running';
CREATE INDEX actor_server_executions_cancel ON actor_server_executions (replica) WHERE status = 'running' AND cancel_requested;

CREATE TABLE actor_server_posts (
    id                  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    execution_id        INTEGER NOT NULL,
    task_id             TEXT    NOT NULL,
    position            INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0),
    platform            TEXT    NOT NULL,
    destination         TEXT    NOT NULL,
    body                TEXT    NOT NULL,
    options             TEXT    NOT NULL DEFAULT '{}',
    nonce               TEXT    NOT NULL UNIQUE,
    status              TEXT    NOT NULL CHECK (status IN ('pending', 'sent', 'failed', 'dead')),
    attempts            INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    platform_message_id TEXT,
    error_message       TEXT,
    created_at          TEXT    NOT NULL,
    posted_at           TEXT,
    UNIQUE (execution_id, position)
);

CREATE INDEX actor_server_posts_pending ON actor_server_posts (id) WHERE status = 'pending';
CREATE INDEX actor_server_posts_by_bot ON actor_server_posts (task_id, posted_at DESC);

CREATE TABLE actor_server_replicas (
    id         TEXT NOT NULL PRIMARY KEY,
    address    TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_at TEXT NOT NULL,
    last_seen  TEXT NOT NULL
);
