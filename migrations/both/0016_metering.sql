-- Accounts measured over time, and what happened to them. The points themselves are in 0026, once for each engine.
CREATE TABLE metered_accounts (
    id            BIGINT NOT NULL PRIMARY KEY,  -- ours, for people and for the points
    uri           TEXT NOT NULL UNIQUE,         -- the actor: stays when the account is renamed
    url           TEXT NOT NULL,                -- the page for people
    acct          TEXT NOT NULL,                -- user@domain, lower case
    name          TEXT NOT NULL,                -- as it calls itself
    host          TEXT NOT NULL,                -- who is asked
    remote_id     TEXT,                         -- its id there, where there is an API
    state         TEXT NOT NULL,                -- tracked, archived (gone at its server), removed (by us)
    condition     TEXT NOT NULL,                -- empty, suspended, gone
    moved_to      TEXT,                         -- the actor it moved to
    source        TEXT NOT NULL,                -- hand, import, server, followed, moved
    measured_slot BIGINT NOT NULL,              -- the last slot that has a point, in seconds since 1970
    newest        BIGINT NOT NULL,              -- slot of its newest row in metered_points; 0 for none
    tried_slot    BIGINT NOT NULL,              -- the last slot in which it could not be measured
    tries         BIGINT NOT NULL,              -- in that slot
    trouble       TEXT,                         -- why not
    gone_at       TIMESTAMPTZ,                  -- when its server first said that it is gone
    next_try_at   TIMESTAMPTZ,
    added_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX metered_accounts_by_host ON metered_accounts (host, id) WHERE state = 'tracked';
CREATE INDEX metered_accounts_by_acct ON metered_accounts (acct);
CREATE INDEX metered_accounts_again ON metered_accounts (next_try_at) WHERE next_try_at IS NOT NULL;

CREATE TABLE metered_groups (
    name    TEXT NOT NULL,
    account BIGINT NOT NULL,
    PRIMARY KEY (name, account)
);
CREATE INDEX metered_groups_by_account ON metered_groups (account);

CREATE TABLE metered_events (
    id      TEXT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    at      TIMESTAMPTZ NOT NULL,
    kind    TEXT NOT NULL,                      -- renamed, moved, suspended, deleted, returned, milestone, …
    was     TEXT,
    became  TEXT
);
CREATE INDEX metered_events_by_account ON metered_events (account, at);

-- Accounts that somebody asked for and nobody has looked up yet, and what came of it.
CREATE TABLE metered_wishes (
    id         TEXT NOT NULL PRIMARY KEY,
    address    TEXT NOT NULL,                   -- as it was given: @user@host, a page
    groups     JSONB NOT NULL,                  -- ["friends"]
    source     TEXT NOT NULL,
    state      TEXT NOT NULL,                   -- asked, done, refused
    account    BIGINT,                          -- once done
    reason     TEXT,                            -- once refused
    tries      BIGINT NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    asked_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX metered_wishes_due ON metered_wishes (not_before) WHERE state = 'asked';

-- Hosts that do not answer for several accounts at once: asked again after a day.
CREATE TABLE metered_hosts (
    host         TEXT NOT NULL PRIMARY KEY,
    single_until TIMESTAMPTZ NOT NULL
);

-- What servers count of themselves, over time.
CREATE TABLE measures (
    server TEXT NOT NULL,
    key    TEXT NOT NULL,                       -- users, statuses, domains, active_month, week.logins, admin.new_users, …
    at     BIGINT NOT NULL,                     -- seconds since 1970; the start of the week or day where it is of one
    value  BIGINT NOT NULL,
    PRIMARY KEY (server, key, at)
);

-- Who follows the owner of a login, and who did.
CREATE TABLE metered_followers (
    login      TEXT NOT NULL,
    account_id TEXT NOT NULL,                   -- on the login's server
    acct       TEXT NOT NULL,
    uri        TEXT NOT NULL,
    seen       BIGINT NOT NULL,                 -- the walk that saw them last
    came_at    TIMESTAMPTZ,                     -- none for those of the first walk
    left_at    TIMESTAMPTZ,
    PRIMARY KEY (login, account_id)
);
CREATE INDEX metered_followers_came ON metered_followers (login, came_at) WHERE came_at IS NOT NULL;
CREATE INDEX metered_followers_left ON metered_followers (login, left_at) WHERE left_at IS NOT NULL;

-- Recent statuses of the owners of logins, and what they brought, as last seen.
CREATE TABLE metered_statuses (
    login      TEXT NOT NULL,
    status_id  TEXT NOT NULL,
    url        TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    tags       JSONB NOT NULL,                  -- ["caturday"]
    replies    BIGINT NOT NULL,
    reblogs    BIGINT NOT NULL,
    favourites BIGINT NOT NULL,
    seen_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (login, status_id)
);
CREATE INDEX metered_statuses_by_time ON metered_statuses (login, created_at);

-- And over time: a row where one of the three changed.
CREATE TABLE metered_status_points (
    login      TEXT NOT NULL,
    status_id  TEXT NOT NULL,
    at         BIGINT NOT NULL,
    replies    BIGINT NOT NULL,
    reblogs    BIGINT NOT NULL,
    favourites BIGINT NOT NULL,
    PRIMARY KEY (login, status_id, at)
);
