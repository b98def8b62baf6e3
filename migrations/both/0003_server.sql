-- Servers that we hold a token for, as last seen, for pages and for `check`; the config is what counts.
CREATE TABLE servers (
    host        TEXT NOT NULL PRIMARY KEY,      -- host[:port]
    domain      TEXT NOT NULL,                  -- of its accounts
    version     TEXT NOT NULL,
    api_version BIGINT,
    checked_at  TIMESTAMPTZ NOT NULL
);

-- How each login fares. Never the token: only a masked form that may be shown.
CREATE TABLE logins (
    login      TEXT NOT NULL PRIMARY KEY,       -- server/login
    acct       TEXT,
    masked     TEXT NOT NULL,
    trouble    TEXT,
    checked_at TIMESTAMPTZ NOT NULL
);

-- Origins: what they run and how they fare. Health and software are written by different jobs, each leaving the
-- other's columns alone.
CREATE TABLE hosts (
    host        TEXT NOT NULL PRIMARY KEY,      -- host[:port]
    api_host    TEXT NOT NULL,
    software    TEXT NOT NULL,                  -- lower case, '' if unknown
    version     TEXT NOT NULL,
    checked_at  TIMESTAMPTZ,                    -- nodeinfo last read, or failed to be
    failures    BIGINT NOT NULL,                -- in a row
    rests_until TIMESTAMPTZ,
    last_error  TEXT,
    changed_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX hosts_resting ON hosts (rests_until) WHERE rests_until IS NOT NULL;
