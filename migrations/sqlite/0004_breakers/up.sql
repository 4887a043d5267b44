-- Circuit breakers that are known to have left their first state: they are kept through restarts.

CREATE TABLE actor_server_breakers (
    dependency TEXT    NOT NULL PRIMARY KEY,
    state      TEXT    NOT NULL,
    until      TEXT,
    failures   INTEGER NOT NULL DEFAULT 0,
    successes  INTEGER NOT NULL DEFAULT 0,
    credential TEXT,
    revision   INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT    NOT NULL
);
