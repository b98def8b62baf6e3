-- What lists said. The body is the last good copy: it counts for as long as a newer one cannot be had or trusted.
CREATE TABLE block_sources (
    name       TEXT NOT NULL PRIMARY KEY,       -- as in the config
    body       TEXT,                            -- NULL: never read
    pending    TEXT,                            -- a newer one that grew too fast: waits for a human
    sha256     TEXT NOT NULL,                   -- of the newest text, '' before the first
    row_count  BIGINT NOT NULL,
    bad_count  BIGINT NOT NULL,
    etag       TEXT,
    modified   TEXT,                            -- Last-Modified, as told
    trouble    TEXT,                            -- why the last fetch did not help
    held       TEXT,                            -- why what it lost is not taken for lost
    failures   BIGINT NOT NULL,                 -- in a row
    checked_at TIMESTAMPTZ NOT NULL,
    good_at    TIMESTAMPTZ,
    changed_at TIMESTAMPTZ                      -- the content
);

-- Rows that a list dropped or weakened lately. They count until the list kept silent for long enough.
CREATE TABLE block_leavings (
    source TEXT NOT NULL,
    domain TEXT NOT NULL,
    said   JSONB NOT NULL,
    missed BIGINT NOT NULL,                     -- good fetches in a row without it
    since  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, domain)
);

-- Blocks on our servers that are ours to change, or deliberately not. What has no row is somebody's own decision.
CREATE TABLE block_entries (
    server       TEXT NOT NULL,
    domain       TEXT NOT NULL,
    state        TEXT NOT NULL,                 -- ours, drifted, dismissed, covered, quarantined
    block_id     TEXT,                          -- there
    written      JSONB,                         -- the block as the server showed it after our last change
    before       JSONB,                         -- the block as it was before our first one; NULL: there was none
    reason       JSONB NOT NULL,                -- who wanted it
    change       TEXT,                          -- the last one, in block_changes
    capped_since TIMESTAMPTZ,                   -- wanted harder, but followed, since
    note         TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    changed_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, domain)
);

-- Every change we made, for `why` and `undo`. The id is the effect's.
CREATE TABLE block_changes (
    id         TEXT NOT NULL PRIMARY KEY,
    run        TEXT NOT NULL,
    server     TEXT NOT NULL,
    domain     TEXT NOT NULL,
    action     TEXT NOT NULL,                   -- create, update, delete
    before     JSONB,
    after      JSONB,
    reason     JSONB NOT NULL,
    follows    BIGINT,                          -- counted before, where counted: what no undo brings back
    who        TEXT NOT NULL,                   -- the job, or who approved
    undone_by  TEXT,                            -- a run
    changed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX block_changes_by_run ON block_changes (run, id);
CREATE INDEX block_changes_by_domain ON block_changes (server, domain, id);

-- Plans as last made: one open plan per server.
CREATE TABLE block_plans (
    server     TEXT NOT NULL,
    hash       TEXT NOT NULL,
    policy     TEXT NOT NULL,
    state      TEXT NOT NULL,                   -- open, approved, dismissed, applied, stale
    plan       JSONB NOT NULL,
    who        TEXT,                            -- approved or dismissed it
    run        TEXT,                            -- applied it
    made_at    TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, hash)
);
CREATE INDEX block_plans_by_time ON block_plans (server, made_at);

-- What we publish.
CREATE TABLE block_outputs (
    name      TEXT NOT NULL PRIMARY KEY,
    kind      TEXT NOT NULL,                    -- media type
    body      TEXT NOT NULL,
    signature TEXT,
    made_at   TIMESTAMPTZ NOT NULL
);
