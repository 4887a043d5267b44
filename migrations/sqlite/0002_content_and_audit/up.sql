-- Knowledge items that bots choose from, and the record of who changed what.

CREATE TABLE actor_server_content (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    table_name   TEXT    NOT NULL,
    item_key     TEXT    NOT NULL,
    title        TEXT,
    body         TEXT    NOT NULL,
    source       TEXT,
    tags         TEXT    NOT NULL DEFAULT '[]',
    priority     REAL    NOT NULL DEFAULT 0.5,
    metadata     TEXT    NOT NULL DEFAULT '{}',
    published_at TEXT,
    created_at   TEXT    NOT NULL,
    UNIQUE (table_name, item_key)
);

CREATE INDEX actor_server_content_by_age ON actor_server_content (table_name, created_at DESC);

CREATE TABLE actor_server_audit (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at         TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    role       TEXT,
    action     TEXT    NOT NULL,
    target     TEXT,
    remote     TEXT,
    request_id TEXT,
    before     TEXT,
    after      TEXT,
    outcome    TEXT    NOT NULL
);

CREATE INDEX actor_server_audit_by_time ON actor_server_audit (at DESC);
