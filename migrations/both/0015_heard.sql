-- Statuses that arrived at one of our servers while we listened, until a job has visited their threads.
CREATE TABLE heard (
    server     TEXT NOT NULL,                   -- ours
    uri        TEXT NOT NULL,
    status_id  TEXT NOT NULL,                   -- there
    created_at TIMESTAMPTZ NOT NULL,            -- when it was written
    replies    BIGINT,                          -- that our server knew of
    heard_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, uri)
);
CREATE INDEX heard_by_time ON heard (server, heard_at);

-- What origins last said of how many replies a status has, and when they are asked again: the older a thread and the
-- longer it is quiet, the later.
CREATE TABLE reply_counts (
    server     TEXT NOT NULL,                   -- ours
    uri        TEXT NOT NULL,
    replies    BIGINT,                          -- NULL: asked, and not told
    changed_at TIMESTAMPTZ NOT NULL,            -- when the number was first seen to be this
    next_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, uri)
);
CREATE INDEX reply_counts_by_next ON reply_counts (next_at);

-- Domains that lists suspend which the operator wants kept away from altogether: nothing is read there, and nothing of
-- theirs is fetched.
CREATE TABLE shunned (
    source TEXT NOT NULL,                       -- as in the config
    domain TEXT NOT NULL,
    PRIMARY KEY (source, domain)
);
