-- Statuses whose replies we look after, and what earlier visits found.
CREATE TABLE threads (
    server         TEXT NOT NULL,               -- ours
    uri            TEXT NOT NULL,
    status_id      TEXT NOT NULL,               -- there
    host           TEXT NOT NULL,               -- its origin
    created_at     TIMESTAMPTZ NOT NULL,
    replies_seen   BIGINT,                      -- replies_count at home at the last visit
    origin_replies BIGINT,                      -- replies_count at the origin then
    listed         BIGINT NOT NULL,             -- replies the origin listed then
    missing        BIGINT NOT NULL,             -- of those, not at home before
    quiet_visits   BIGINT NOT NULL,             -- in a row that found nothing new
    visited_at     TIMESTAMPTZ,
    next_visit_at  TIMESTAMPTZ NOT NULL,
    trouble        TEXT,
    PRIMARY KEY (server, uri)
);
CREATE INDEX threads_by_visit ON threads (visited_at);

-- Statuses that a server should have, whoever wants them, and what became of each. `tries` is counted when a row is
-- claimed, before the request goes out, so that a crash cannot hide a try.
CREATE TABLE wanted (
    server        TEXT NOT NULL,
    uri           TEXT NOT NULL,
    host          TEXT NOT NULL,
    feature       TEXT NOT NULL,                -- who wants it
    thread        TEXT,                         -- in whose context it should appear
    in_reply_to   TEXT,
    state         TEXT NOT NULL,                -- wanted, done, failed, gone, blocked
    status_id     TEXT,                         -- on our server, once there
    tries         BIGINT NOT NULL,
    reason        TEXT,
    next_try_at   TIMESTAMPTZ NOT NULL,
    found_at      TIMESTAMPTZ NOT NULL,
    ended_at      TIMESTAMPTZ,
    claimed_by    TEXT,
    claimed_until TIMESTAMPTZ,                  -- past it, anybody may claim the row again
    PRIMARY KEY (server, uri)
);
-- The queue, and the queue of one thread. The uri is left out: two of them would not fit a page of Postgres' index.
CREATE INDEX wanted_due ON wanted (server, next_try_at) WHERE state = 'wanted';
CREATE INDEX wanted_due_by_thread ON wanted (server, thread, next_try_at) WHERE state = 'wanted';
CREATE INDEX wanted_ended ON wanted (state, ended_at);
