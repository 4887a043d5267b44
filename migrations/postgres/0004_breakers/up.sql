-- Circuit breakers that are known to have left their first state: kept through restarts, and shared by all processes.

CREATE TABLE actor_server_breakers (
    dependency text        PRIMARY KEY,
    state      text        NOT NULL,
    until      timestamptz,
    failures   bigint      NOT NULL DEFAULT 0,
    successes  bigint      NOT NULL DEFAULT 0,
    credential text,
    revision   bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
