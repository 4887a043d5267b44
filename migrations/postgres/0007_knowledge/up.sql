-- What bots have used of the knowledge tables, what feeds have brought, and how items are found in their order.

ALTER TABLE actor_server_posts ADD COLUMN content_id bigint;
-- The item's own text, where the post says something else.
ALTER TABLE actor_server_posts ADD COLUMN content_text text;
DROP INDEX actor_server_posts_by_bot;
CREATE INDEX actor_server_posts_by_bot ON actor_server_posts (task_id, (coalesce(posted_at, created_at)))
    WHERE status <> 'failed';

-- A bot posts an item once.
CREATE TABLE actor_server_content_uses (
    task_id      text        NOT NULL,
    content_id   bigint      NOT NULL REFERENCES actor_server_content (id) ON DELETE CASCADE,
    execution_id bigint      NOT NULL,
    used_at      timestamptz NOT NULL,
    PRIMARY KEY (task_id, content_id)
);
CREATE INDEX actor_server_content_uses_item ON actor_server_content_uses (content_id);

-- The two orders in which items are looked at; each has all that says whether one may be posted.
DROP INDEX actor_server_content_by_age;
DROP INDEX actor_server_content_page;
CREATE INDEX actor_server_content_by_priority
    ON actor_server_content (table_name, (-priority), id) INCLUDE (priority, not_before, expires_at);
CREATE INDEX actor_server_content_by_id ON actor_server_content (table_name, id) INCLUDE (not_before, expires_at);

-- Grows with whatever may make an item of the table one to be chosen; whoever does that waits for the row.
CREATE TABLE actor_server_content_tables (
    table_name text   NOT NULL PRIMARY KEY,
    revision   bigint NOT NULL DEFAULT 0
);
INSERT INTO actor_server_content_tables (table_name) SELECT DISTINCT table_name FROM actor_server_content;

-- Where in an order nothing is to be found: a memory that may be emptied at any time. With an empty task_id for all bots.
CREATE TABLE actor_server_content_stretches (
    table_name text             NOT NULL,
    task_id    text             NOT NULL,
    walk       integer          NOT NULL,
    from_rank  double precision NOT NULL,
    from_key   bigint           NOT NULL,
    to_rank    double precision NOT NULL,
    to_key     bigint           NOT NULL,
    since      timestamptz,
    until      timestamptz,
    items      bigint           NOT NULL,
    PRIMARY KEY (table_name, task_id, walk, from_rank, from_key)
);

CREATE TABLE actor_server_feeds (
    table_name    text NOT NULL,
    feed_key      text NOT NULL,
    url           text NOT NULL,
    etag          text,
    last_modified text,
    read_at       timestamptz,
    PRIMARY KEY (table_name, feed_key)
);

-- Entries that a table was ever given: one that has been removed does not come again.
CREATE TABLE actor_server_feed_entries (
    table_name text        NOT NULL,
    item_key   text        NOT NULL,
    first_seen timestamptz NOT NULL,
    PRIMARY KEY (table_name, item_key)
);
