-- The hashtags of each status, folded: what somebody writes about, counted.
CREATE TABLE archive_tags (
    status BIGINT NOT NULL,
    tag    TEXT NOT NULL,
    PRIMARY KEY (status, tag)
);

-- A status is called by its page as well as by its uri.
CREATE INDEX archive_statuses_url ON archive_statuses (url) WHERE url IS NOT NULL;

-- What a status quotes, and in which state the quote was from when to when.
CREATE TABLE archive_quotes (
    status BIGINT NOT NULL,
    since  TIMESTAMPTZ NOT NULL,
    uri    TEXT,                                -- of the quoted status, where the server showed it
    state  TEXT NOT NULL,                       -- pending, accepted, revoked, …, in the server's words
    until  TIMESTAMPTZ,
    PRIMARY KEY (status, since)
);
CREATE UNIQUE INDEX archive_quotes_open ON archive_quotes (status) WHERE until IS NULL;
CREATE INDEX archive_quotes_uri ON archive_quotes (uri) WHERE uri IS NOT NULL;

-- Statuses that are known by their address alone: linked to in a kept one, or named in an imported archive. The server
-- is asked for them, and what a login has to do with them is noted then.
CREATE TABLE archive_wanted (
    login       TEXT NOT NULL,
    kind        TEXT NOT NULL,                  -- of the activity: link, boost, favourite, bookmark
    uri         TEXT NOT NULL,
    at          TIMESTAMPTZ,
    visibility  TEXT,
    tries       BIGINT NOT NULL,
    next_try_at TIMESTAMPTZ,                    -- empty: found, or given up
    PRIMARY KEY (login, kind, uri)
);
CREATE INDEX archive_wanted_due ON archive_wanted (login, next_try_at) WHERE next_try_at IS NOT NULL;
