-- What the origin listed when a thread was last compared with our server: the same list again needs no comparing.
ALTER TABLE threads ADD COLUMN digest TEXT;

-- Who is at a thread now, so that two jobs that meet the same thread do not both visit it. A short hold, renewed while
-- its holder lives.
CREATE TABLE visits (
    server     TEXT NOT NULL,                   -- ours
    uri        TEXT NOT NULL,
    holder     TEXT NOT NULL,                   -- the run
    held_until TIMESTAMPTZ NOT NULL,            -- past it, anybody may visit
    PRIMARY KEY (server, uri)
);
CREATE INDEX visits_by_holder ON visits (holder);

-- How far the listing of a long thread has come whose origin has to be asked branch by branch. Gone once it is whole.
CREATE TABLE walks (
    server     TEXT NOT NULL,
    uri        TEXT NOT NULL,
    state      TEXT NOT NULL,                   -- ours to read: JSON, megabytes for the longest
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, uri)
);

-- A run renews all that it holds in one statement.
CREATE INDEX wanted_by_holder ON wanted (claimed_by) WHERE claimed_by IS NOT NULL;
