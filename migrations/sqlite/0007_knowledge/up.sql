-- What bots have used of the knowledge tables, what feeds have brought, and how items are found in their order.

ALTER TABLE actor_server_posts ADD COLUMN content_id INTEGER;
-- The item's own text, where the post says something else.
ALTER TABLE actor_server_posts ADD COLUMN content_text TEXT;
DROP INDEX actor_server_posts_by_bot;
CREATE INDEX actor_server_posts_by_bot ON actor_server_posts (task_id, coalesce(posted_at, created_at))
    WHERE status <> 'failed';

-- A bot posts an item once.
CREATE TABLE actor_server_content_uses (
    task_id      TEXT    NOT NULL,
    content_id   INTEGER NOT NULL REFERENCES actor_server_content (id) ON DELETE CASCADE,
    execution_id INTEGER NOT NULL,
    used_at      TEXT    NOT NULL,
    PRIMARY KEY (task_id, content_id)
) WITHOUT ROWID;
CREATE INDEX actor_server_content_uses_item ON actor_server_content_uses (content_id);

-- The two orders in which items are looked at; each has all that says whether one may be posted.
DROP INDEX actor_server_content_by_age;
DROP INDEX actor_server_content_page;
CREATE INDEX actor_server_content_by_priority
    ON actor_server_content (table_name, priority DESC, id, not_before, expires_at);
CREATE INDEX actor_server_content_by_id ON actor_server_content (table_name, id, not_before, expires_at);

-- Grows with whatever may make an item of the table one to be chosen.
CREATE TABLE actor_server_content_tables (
    table_name TEXT    NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO actor_server_content_tables (table_name) SELECT DISTINCT table_name FROM actor_server_content;

-- Where in an order nothing is to be found: a memory that may be emptied at any time. With an empty task_id for all bots.
CREATE TABLE actor_server_content_stretches (
    table_name TEXT    NOT NULL,
    task_id    TEXT    NOT NULL,
    walk       INTEGER NOT NULL,
    from_rank  REAL    NOT NULL,
    from_key   INTEGER NOT NULL,
    to_rank    REAL    NOT NULL,
    to_key     INTEGER NOT NULL,
    since      TEXT,
    until      TEXT,
    items      INTEGER NOT NULL,
    PRIMARY KEY (table_name, task_id, walk, from_rank, from_key)
) WITHOUT ROWID;

CREATE TABLE actor_server_feeds (
    table_name    TEXT NOT NULL,
    feed_key      TEXT NOT NULL,
    url           TEXT NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    read_at       TEXT,
    PRIMARY KEY (table_name, feed_key)
) WITHOUT ROWID;

-- Entries that a table was ever given: one that has been removed does not come again.
CREATE TABLE actor_server_feed_entries (
    table_name TEXT NOT NULL,
    item_key   TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    PRIMARY KEY (table_name, item_key)
) WITHOUT ROWID;
