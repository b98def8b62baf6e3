-- Accounts whose posts were asked for at their origin, how far the asking came and when it may begin again.
CREATE TABLE backfills (
    server      TEXT NOT NULL,                  -- ours
    acct        TEXT NOT NULL,                  -- user@domain, lower case, as our server spells it
    source      TEXT NOT NULL,                  -- followings, followers, …; fedifetcher when imported
    cursor      TEXT,                           -- where the origin's list goes on, while a round is under way
    listed      BIGINT NOT NULL,                -- posts the origin listed in this round
    wanted      BIGINT NOT NULL,                -- of those, home lacked
    failures    BIGINT NOT NULL,                -- in a row
    trouble     TEXT,                           -- why the last try ended early: resting, needs a signed fetch, …
    started_at  TIMESTAMPTZ,                    -- of the round under way; empty between rounds
    finished_at TIMESTAMPTZ,                    -- of the last whole round
    next_at     TIMESTAMPTZ,                    -- not before; empty for never again
    PRIMARY KEY (server, acct)
);
CREATE INDEX backfills_by_next ON backfills (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX backfills_by_end ON backfills (finished_at);

-- Addresses that another program had counted as fetched before us. Proof of nothing: they stand in for home's own list
-- of an account's posts where home does not give one.
CREATE TABLE seen_urls (
    server TEXT NOT NULL,
    url    TEXT NOT NULL,
    PRIMARY KEY (server, url)
);

-- Threads that were fetched as somebody's posts and whose replies nobody has listed yet.
CREATE INDEX threads_pending ON threads (server, next_visit_at) WHERE visited_at IS NULL;
