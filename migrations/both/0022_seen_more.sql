-- Who wrote a status down: a process that counts takes over what others saw, and knows what it saw itself.
ALTER TABLE seen_statuses ADD COLUMN seen_by TEXT NOT NULL DEFAULT '';

-- Files of open statuses that rules want hashes of. The files themselves are kept nowhere.
CREATE TABLE seen_media (
    server     TEXT NOT NULL,
    status_id  TEXT NOT NULL,
    file       TEXT NOT NULL,                   -- where the server keeps it
    preview    TEXT NOT NULL,                   -- a small picture of it; '' for none
    account_id TEXT NOT NULL,
    state      TEXT NOT NULL,                   -- wanted, known, failed
    hashes     JSONB NOT NULL,                  -- sha256:…, md5:…, pdq:…
    tries      BIGINT NOT NULL,
    look_at    TIMESTAMPTZ,                     -- when to try, while it is wanted
    note       TEXT,                            -- why it failed
    seen_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, status_id, file)
);
CREATE INDEX seen_media_wanted ON seen_media (server, look_at) WHERE state = 'wanted';
CREATE INDEX seen_media_by_file ON seen_media (server, file);
CREATE INDEX seen_media_by_age ON seen_media (seen_at);

-- Whom the server's own people wrote to, by open statuses: whoever was written to is no stranger to them.
CREATE TABLE wrote_to (
    server  TEXT NOT NULL,
    acct    TEXT NOT NULL,                      -- one of the server's own
    to_acct TEXT NOT NULL,                      -- user, or user@domain; lower case
    at      TIMESTAMPTZ NOT NULL,               -- last
    PRIMARY KEY (server, to_acct, acct)
);
CREATE INDEX wrote_to_by_age ON wrote_to (at);

-- How hard a domain should be blocked, by whoever took the finding for a blocklist.
ALTER TABLE domain_findings ADD COLUMN severity TEXT;
