-- Who is signed in at the dashboard. The id is a hash of what only the visitor's cookie holds, and their token is
-- sealed with a key made of the same: whoever steals this table can neither visit nor ask a server for anything.
CREATE TABLE sessions (
    id            TEXT NOT NULL PRIMARY KEY,   -- SHA-256 of the cookie's secret, hexadecimal
    name          TEXT NOT NULL,               -- user@host, or local
    server        TEXT,                        -- host[:port]; NULL for whoever came by a one-time link
    rights        TEXT NOT NULL,               -- words, as in scopes of api_tokens
    sealed        TEXT,                        -- the token that the server gave for this person
    created_at    TIMESTAMPTZ NOT NULL,
    seen_at       TIMESTAMPTZ NOT NULL,        -- to the minute
    checked_at    TIMESTAMPTZ NOT NULL,        -- when the server last said what they may
    next_check_at TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_expired ON sessions (expires_at);
CREATE INDEX sessions_named ON sessions (name);

-- Sign-ins that were begun: taken out by the one callback that ends them.
CREATE TABLE sign_ins (
    id          TEXT NOT NULL PRIMARY KEY,     -- SHA-256 of the state that travels through the server
    browser     TEXT NOT NULL,                 -- SHA-256 of the cookie of the browser that began
    server      TEXT NOT NULL,                 -- host[:port]
    sealed      TEXT NOT NULL,                 -- the PKCE verifier, sealed with the cookie
    destination TEXT NOT NULL,                 -- a path of ours
    expires_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_ins_expired ON sign_ins (expires_at);

-- Links that sign the person at this machine in, once.
CREATE TABLE sign_in_links (
    id         TEXT NOT NULL PRIMARY KEY,      -- SHA-256 of the link's secret
    expires_at TIMESTAMPTZ NOT NULL
);

-- How we are registered at each server, by the address that it sends people back to.
CREATE TABLE oauth_apps (
    server        TEXT NOT NULL,               -- host[:port]
    redirect_uri  TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    client_secret TEXT NOT NULL,               -- opens nothing without a person's consent
    scopes        TEXT NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, redirect_uri)
);

-- Tokens for scripts that ask our API. Revoked ones stay, so that a name in the ledger can be explained.
CREATE TABLE api_tokens (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL,                -- HMAC-SHA-256 of the secret part, hexadecimal
    rights       TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,                  -- to the minute
    revoked_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX api_tokens_named ON api_tokens (name) WHERE revoked_at IS NULL;
