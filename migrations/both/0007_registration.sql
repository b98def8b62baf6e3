-- What servers push to us, kept until whoever wants it has looked. A note is a hint and proves nothing but that it was
-- sent: what counts is asked for anew. Redeliveries are byte for byte the same, hence the digest.
CREATE TABLE webhook_events (
    id            TEXT NOT NULL PRIMARY KEY,    -- UUID v7: sorts by arrival
    server        TEXT NOT NULL,
    event         TEXT NOT NULL,                -- account.created, report.updated, …
    object_id     TEXT NOT NULL,                -- '' where the object names none
    digest        TEXT NOT NULL,                -- SHA-256 of the body as it came
    body          TEXT NOT NULL,                -- emptied once done: it holds addresses and private words
    received_at   TIMESTAMPTZ NOT NULL,
    claimed_by    TEXT,
    claimed_until TIMESTAMPTZ,                  -- past it, anybody may claim the row again
    done_at       TIMESTAMPTZ
);
CREATE UNIQUE INDEX webhook_events_once ON webhook_events (server, digest);
CREATE INDEX webhook_events_open ON webhook_events (server, event, id) WHERE done_at IS NULL;
CREATE INDEX webhook_events_by_age ON webhook_events (received_at);

-- Everybody who asked for an account, what was thought of it and how it ended. Whoever is in the list of a server is
-- written here before anything is decided, so that no crash can lose them.
CREATE TABLE applicants (
    server       TEXT NOT NULL,
    account_id   TEXT NOT NULL,
    username     TEXT NOT NULL,
    email        TEXT,                          -- lower case, for searching; NULL once it was forgotten
    email_hash   TEXT NOT NULL,                 -- of the address as the server takes it for one person's; '' once forgotten
    domain       TEXT NOT NULL,                 -- normalised; '' when unreadable
    network      TEXT NOT NULL,                 -- /24 or /64 of the sign-up; '' when unknown
    reason_hash  TEXT NOT NULL,                 -- '' for a reason too short to mean anything
    facts        JSONB NOT NULL,                -- as last read
    state        TEXT NOT NULL,                 -- waiting, hold, veto, ready, approved, rejected, gone, ignored
    verdict      TEXT NOT NULL,                 -- what the rules say, whatever the state
    rule         TEXT,
    why          TEXT NOT NULL,
    ruleset      TEXT NOT NULL,                 -- hash of the rules that judged
    stopped      TEXT,                          -- why only a person moves it on: person, burst, changed
    asked        TEXT,                          -- what a person wants: approve, reject, hold, judge
    asked_by     TEXT,
    asked_at     TIMESTAMPTZ,
    asked_hash   TEXT,                          -- the address that person saw
    act_at       TIMESTAMPTZ,                   -- end of the veto window
    signed_up_at TIMESTAMPTZ NOT NULL,
    seen_at      TIMESTAMPTZ NOT NULL,          -- last seen waiting on the server
    judged_at    TIMESTAMPTZ,
    ended_at     TIMESTAMPTZ,
    ended_by     TEXT,                          -- egret, a person's name, or elsewhere
    look_at      TIMESTAMPTZ,                   -- when to look again after an approval
    looks        BIGINT NOT NULL,
    flag         TEXT,                          -- what was odd after the approval
    forgotten_at TIMESTAMPTZ,
    PRIMARY KEY (server, account_id)
);
CREATE INDEX applicants_open ON applicants (server, state, seen_at) WHERE ended_at IS NULL;
CREATE INDEX applicants_asked ON applicants (server, asked_at) WHERE asked IS NOT NULL;
CREATE INDEX applicants_look ON applicants (server, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX applicants_ended ON applicants (server, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX applicants_by_network ON applicants (server, network, signed_up_at) WHERE network <> '';
CREATE INDEX applicants_by_address ON applicants (server, email_hash) WHERE email_hash <> '';
CREATE INDEX applicants_by_reason ON applicants (server, reason_hash) WHERE reason_hash <> '';
CREATE INDEX applicants_by_age ON applicants (server, signed_up_at, account_id);

-- What happened to each of them. Lines are added and never changed, but for what has to be forgotten.
CREATE TABLE applicant_events (
    id         TEXT NOT NULL PRIMARY KEY,       -- UUID v7
    server     TEXT NOT NULL,
    account_id TEXT NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    kind       TEXT NOT NULL,                   -- judged, asked, ended, changed, looked, mailed, forgotten
    by         TEXT NOT NULL,                   -- egret, or a person
    detail     JSONB NOT NULL,
    inputs     JSONB                            -- what a verdict was made from; NULL once forgotten
);
CREATE INDEX applicant_events_of ON applicant_events (server, account_id, id);

-- Rules added on the page, beside those of the config.
CREATE TABLE applicant_rules (
    name       TEXT NOT NULL PRIMARY KEY,
    rule       JSONB NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);

-- Published lists that rules name, as last read well: a source that fails or shrinks keeps its last good text.
CREATE TABLE applicant_lists (
    source     TEXT NOT NULL PRIMARY KEY,
    body       TEXT NOT NULL,
    names      BIGINT NOT NULL,
    etag       TEXT,
    fetched_at TIMESTAMPTZ,                     -- last read well
    checked_at TIMESTAMPTZ NOT NULL,
    trouble    TEXT
);

-- Letters to those who were turned away. The address goes as soon as the letter went.
CREATE TABLE applicant_mails (
    id          TEXT NOT NULL PRIMARY KEY,      -- UUID v7; also in the letter's Message-ID
    server      TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL,                  -- waiting, sent, failed
    tries       BIGINT NOT NULL,
    next_try_at TIMESTAMPTZ NOT NULL,
    note        TEXT,
    queued_at   TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ
);
CREATE UNIQUE INDEX applicant_mails_once ON applicant_mails (server, account_id);
CREATE INDEX applicant_mails_due ON applicant_mails (next_try_at) WHERE state = 'waiting';
