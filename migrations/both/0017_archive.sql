-- What people wrote and marked, kept for them. One row per status, whatever it was met as.
CREATE TABLE archive_statuses (
    id           BIGINT PRIMARY KEY,            -- made from created_at and uri: sorts by time, so newest first needs no sort
    uri          TEXT NOT NULL,
    url          TEXT,
    author       TEXT NOT NULL,                 -- user@domain, lower case
    author_name  TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    version_at   TIMESTAMPTZ NOT NULL,          -- edited_at, else created_at: of what stands in body
    visibility   TEXT NOT NULL,
    language     TEXT,
    in_reply_to  TEXT,                          -- the parent's id on `server`
    server       TEXT NOT NULL,                 -- that spelled body; empty where an import did
    server_id    TEXT NOT NULL,                 -- the status's id there
    digest       TEXT NOT NULL,                 -- of what people wrote: counters do not change it
    body         TEXT NOT NULL,                 -- the server's own JSON, as it came
    first_seen   TIMESTAMPTZ NOT NULL,
    checked_at   TIMESTAMPTZ NOT NULL,          -- last seen as it is, or asked for
    history_due  BOOLEAN NOT NULL,              -- edited: its versions are still to be asked for
    context_due  BOOLEAN NOT NULL,              -- its parents are still to be asked for
    poll_ends_at TIMESTAMPTZ,                   -- its poll is to be read again after this
    gone_at      TIMESTAMPTZ                    -- noticed to be deleted
);
CREATE UNIQUE INDEX archive_statuses_uri ON archive_statuses (uri);
CREATE INDEX archive_statuses_author ON archive_statuses (author, id);
CREATE INDEX archive_statuses_reply ON archive_statuses (server, in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX archive_statuses_check ON archive_statuses (server, checked_at) WHERE gone_at IS NULL;
CREATE INDEX archive_statuses_history ON archive_statuses (server, id) WHERE history_due;
CREATE INDEX archive_statuses_context ON archive_statuses (server, id) WHERE context_due;
CREATE INDEX archive_statuses_poll ON archive_statuses (server, poll_ends_at) WHERE poll_ends_at IS NOT NULL;

-- The same status at each of our servers.
CREATE TABLE archive_ids (
    server    TEXT NOT NULL,
    server_id TEXT NOT NULL,
    id        BIGINT NOT NULL,
    PRIMARY KEY (server, server_id)
);
CREATE INDEX archive_ids_status ON archive_ids (id);

-- What a login has to do with a status. Taken back, it has an end; done again, it is a second row.
CREATE TABLE archive_activities (
    login       TEXT NOT NULL,                  -- server/login
    kind        TEXT NOT NULL,                  -- post, boost, favourite, bookmark, mention, poll, conversation, parent, link, thread
    status      BIGINT NOT NULL,
    noticed_at  TIMESTAMPTZ NOT NULL,
    at          TIMESTAMPTZ,                    -- when it was done, where the server tells
    activity_id TEXT,                           -- of the boost, the notification, the conversation
    visibility  TEXT,                           -- of a boost
    ended_at    TIMESTAMPTZ,                    -- noticed to be taken back
    PRIMARY KEY (login, kind, status, noticed_at)
);
CREATE UNIQUE INDEX archive_activities_open ON archive_activities (login, kind, status) WHERE ended_at IS NULL;
CREATE INDEX archive_activities_status ON archive_activities (status, login);

-- What a status said before, or says by its history.
CREATE TABLE archive_versions (
    status     BIGINT NOT NULL,
    version_at TIMESTAMPTZ NOT NULL,
    digest     TEXT NOT NULL,
    body       TEXT NOT NULL,                   -- a Status or a StatusEdit
    seen_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (status, version_at)
);

-- Pictures and the like by address, and what became of each.
CREATE TABLE archive_files (
    url         TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,                  -- own, other, avatar, emoji, card
    fallback    TEXT,                           -- the same at its origin
    blob        TEXT,                           -- SHA-256 in hex, once kept
    tries       BIGINT NOT NULL,
    reason      TEXT,                           -- why the last try failed
    next_try_at TIMESTAMPTZ                     -- empty: kept, or given up
);
CREATE INDEX archive_files_due ON archive_files (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX archive_files_blob ON archive_files (blob);

-- Who shows a file.
CREATE TABLE archive_file_uses (
    status BIGINT NOT NULL,
    url    TEXT NOT NULL,
    PRIMARY KEY (status, url)
);
CREATE INDEX archive_file_uses_url ON archive_file_uses (url);

-- Bytes on disk, once each.
CREATE TABLE archive_blobs (
    blob    TEXT PRIMARY KEY,
    bytes   BIGINT NOT NULL,
    type    TEXT NOT NULL,
    kept_at TIMESTAMPTZ NOT NULL
);

-- Followers, mutes, filters and the like: who or what was on which list from when to when.
CREATE TABLE archive_entries (
    login TEXT NOT NULL,
    list  TEXT NOT NULL,                        -- followers, following, mutes, blocks, domain_blocks, list:TITLE, …
    entry TEXT NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    until TIMESTAMPTZ,
    body  TEXT NOT NULL,
    PRIMARY KEY (login, list, entry, since)
);
CREATE UNIQUE INDEX archive_entries_open ON archive_entries (login, list, entry) WHERE until IS NULL;

-- Each reading of a whole list.
CREATE TABLE archive_snapshots (
    login    TEXT NOT NULL,
    list     TEXT NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    entries  BIGINT NOT NULL,
    added    BIGINT NOT NULL,
    removed  BIGINT NOT NULL,
    PRIMARY KEY (login, list, taken_at)
);
