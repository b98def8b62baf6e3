-- A note that a server pushed may be for several jobs: each has a row of its own, since whoever is done empties it.
ALTER TABLE webhook_events ADD COLUMN job TEXT NOT NULL DEFAULT 'registrations.pending';
DROP INDEX webhook_events_once;
CREATE UNIQUE INDEX webhook_events_once ON webhook_events (server, digest, job);
DROP INDEX webhook_events_open;
CREATE INDEX webhook_events_open ON webhook_events (server, job, id) WHERE done_at IS NULL;

-- Notes that were signed well and could not be read: a template in the webhook, mostly. No word of them is kept.
CREATE TABLE webhook_letters (
    id          TEXT NOT NULL PRIMARY KEY,      -- UUID v7
    server      TEXT NOT NULL,
    event       TEXT NOT NULL,                  -- as far as it could be told
    why         TEXT NOT NULL,
    size        BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX webhook_letters_by_age ON webhook_letters (received_at);

-- Accounts as they were last seen: what is public of them, never an address nor where they came from.
CREATE TABLE seen_accounts (
    server     TEXT NOT NULL,
    account_id TEXT NOT NULL,
    acct       TEXT NOT NULL,
    domain     TEXT NOT NULL,                   -- '' for the server's own people
    facts      JSONB NOT NULL,
    digest     TEXT NOT NULL,                   -- of the profile: the same means judged already
    ruleset    BIGINT NOT NULL,                 -- by which version
    first_at   TIMESTAMPTZ NOT NULL,
    seen_at    TIMESTAMPTZ NOT NULL,
    judged_at  TIMESTAMPTZ,
    looked_at  TIMESTAMPTZ,                     -- when its statuses were last asked for
    PRIMARY KEY (server, account_id)
);
CREATE INDEX seen_accounts_by_age ON seen_accounts (seen_at);
CREATE INDEX seen_accounts_by_domain ON seen_accounts (domain, server);

-- Open statuses as they were last seen, for rules that count and for trying rules on the past.
CREATE TABLE seen_statuses (
    server     TEXT NOT NULL,
    status_id  TEXT NOT NULL,
    account_id TEXT NOT NULL,
    facts      JSONB NOT NULL,
    digest     TEXT NOT NULL,
    text_hash  TEXT NOT NULL,                   -- of the words alone; '' for too few
    created_at TIMESTAMPTZ NOT NULL,            -- never later than it was seen
    edited_at  TIMESTAMPTZ,
    seen_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, status_id)
);
CREATE INDEX seen_statuses_of ON seen_statuses (server, account_id, created_at);
CREATE INDEX seen_statuses_by_age ON seen_statuses (seen_at, server, status_id);
CREATE INDEX seen_statuses_by_text ON seen_statuses (server, text_hash, created_at) WHERE text_hash <> '';

-- Every set of rules there ever was. The highest version is in place.
CREATE TABLE rulesets (
    version BIGINT NOT NULL PRIMARY KEY,
    digest  TEXT NOT NULL,
    rules   TEXT NOT NULL,                      -- TOML
    note    TEXT NOT NULL,                      -- what changed
    by      TEXT NOT NULL,                      -- files, or a person
    at      TIMESTAMPTZ NOT NULL
);

-- How far each rule is trusted, by the rule as it is written: another text is another rule.
CREATE TABLE rule_standings (
    name     TEXT NOT NULL,
    digest   TEXT NOT NULL,
    standing TEXT NOT NULL,                     -- shadow, live, off
    why      TEXT NOT NULL,                     -- backtested, or who overrode that and why
    backtest TEXT,
    by       TEXT NOT NULL,
    at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name, digest)
);

-- What a rule matched. A hit is a hit once, however often the same words are judged.
CREATE TABLE rule_hits (
    id         TEXT NOT NULL PRIMARY KEY,       -- UUID v7
    server     TEXT NOT NULL,
    account_id TEXT NOT NULL,
    acct       TEXT NOT NULL,
    domain     TEXT NOT NULL,
    status_id  TEXT NOT NULL,                   -- '' for the profile
    digest     TEXT NOT NULL,                   -- of what was judged
    rule       TEXT NOT NULL,
    standing   TEXT NOT NULL,                   -- live, shadow, exempt, immune
    weight     DOUBLE PRECISION NOT NULL,
    ruleset    BIGINT NOT NULL,
    evidence   JSONB NOT NULL,                  -- '{}' once it was forgotten
    case_id    TEXT,
    at         TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX rule_hits_once ON rule_hits (server, account_id, status_id, digest, rule);
CREATE INDEX rule_hits_by_rule ON rule_hits (rule, id);
CREATE INDEX rule_hits_by_case ON rule_hits (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX rule_hits_by_age ON rule_hits (at);

-- An account that rules or people have something against. One that is not over per account, whatever happens.
CREATE TABLE cases (
    id           TEXT NOT NULL PRIMARY KEY,     -- UUID v7
    reference    TEXT NOT NULL,                 -- short, in the report's comment: by it a report is known again
    server       TEXT NOT NULL,
    account_id   TEXT NOT NULL,
    acct         TEXT NOT NULL,
    domain       TEXT NOT NULL,
    state        TEXT NOT NULL,                 -- open, ready, reported, resolved, dismissed, gone
    score        DOUBLE PRECISION NOT NULL,
    rules        JSONB NOT NULL,                -- names, the weightiest first
    statuses     JSONB NOT NULL,                -- ids that go into the report
    category     TEXT NOT NULL,
    rule_ids     JSONB NOT NULL,                -- of the server's own rules
    forward      BOOLEAN NOT NULL,
    actions      JSONB NOT NULL,                -- what rules want done beyond the report
    why          TEXT NOT NULL,                 -- why it waits, for people
    stopped      TEXT,                          -- why only a person moves it on: review, burst, reported, escalated
    asked        TEXT,                          -- approve, dismiss, escalate, exempt
    asked_by     TEXT,
    asked_at     TIMESTAMPTZ,
    report_id    TEXT,
    reported_at  TIMESTAMPTZ,
    verdict      TEXT,                          -- confirmed, rejected: what people thought of it
    ruleset      BIGINT NOT NULL,
    opened_at    TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    look_at      TIMESTAMPTZ,                   -- when to try, or to ask how the report fares
    ended_at     TIMESTAMPTZ,
    ended_by     TEXT
);
CREATE UNIQUE INDEX cases_one ON cases (server, account_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX cases_by_reference ON cases (reference);
CREATE INDEX cases_by_state ON cases (state, id);
CREATE INDEX cases_due ON cases (server, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX cases_asked ON cases (server, asked_at) WHERE asked IS NOT NULL;
CREATE INDEX cases_by_account ON cases (server, account_id, id);
CREATE INDEX cases_by_report ON cases (server, report_id) WHERE report_id IS NOT NULL;
CREATE INDEX cases_by_domain ON cases (domain, opened_at) WHERE domain <> '';

-- What happened, to cases and to rules. Lines are added and never changed.
CREATE TABLE case_events (
    id      TEXT NOT NULL PRIMARY KEY,          -- UUID v7
    case_id TEXT,
    server  TEXT NOT NULL,                      -- '' for all
    at      TIMESTAMPTZ NOT NULL,
    kind    TEXT NOT NULL,                      -- opened, merged, asked, reported, acted, ended, rules, standing, exempted, …
    by      TEXT NOT NULL,                      -- egret, or a person
    detail  JSONB NOT NULL
);
CREATE INDEX case_events_of ON case_events (case_id, id) WHERE case_id IS NOT NULL;

-- Whom rules leave alone, all of them or one. A person who took an action back, or resolved a report without one, makes
-- an exemption that ends.
CREATE TABLE exemptions (
    id         TEXT NOT NULL PRIMARY KEY,       -- UUID v7
    server     TEXT NOT NULL,                   -- '' for all
    account_id TEXT NOT NULL,                   -- '' for a whole domain
    domain     TEXT NOT NULL,
    rule       TEXT NOT NULL,                   -- '' for all
    until      TIMESTAMPTZ,
    why        TEXT NOT NULL,
    by         TEXT NOT NULL,
    at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX exemptions_of ON exemptions (server, account_id);

-- Actions that end by themselves. A row stays until its server says that it is over.
CREATE TABLE reversals (
    id          TEXT NOT NULL PRIMARY KEY,      -- UUID v7
    case_id     TEXT NOT NULL,
    server      TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    action      TEXT NOT NULL,                  -- silence, sensitive, suspend
    due_at      TIMESTAMPTZ NOT NULL,
    state       TEXT NOT NULL,                  -- waiting, done, over (somebody else ended it)
    tries       BIGINT NOT NULL,
    next_try_at TIMESTAMPTZ NOT NULL,
    note        TEXT,
    ended_at    TIMESTAMPTZ
);
CREATE UNIQUE INDEX reversals_one ON reversals (case_id, action);
CREATE INDEX reversals_due ON reversals (server, next_try_at) WHERE state = 'waiting';

-- Rules tried on the past.
CREATE TABLE backtests (
    id       TEXT NOT NULL PRIMARY KEY,         -- UUID v7
    state    TEXT NOT NULL,                     -- asked, done, failed
    rules    TEXT NOT NULL,                     -- TOML
    digests  JSONB NOT NULL,                    -- of each rule, by name
    since    TIMESTAMPTZ NOT NULL,
    result   JSONB,
    by       TEXT NOT NULL,
    at       TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ
);
CREATE INDEX backtests_asked ON backtests (at) WHERE state = 'asked';

-- Servers of which several accounts were found to be bad: something to think of for a blocklist.
CREATE TABLE domain_findings (
    server   TEXT NOT NULL,                     -- whose people saw it
    domain   TEXT NOT NULL,
    accounts BIGINT NOT NULL,                   -- of which a case was opened
    confirmed BIGINT NOT NULL,                  -- of which people said that it was right
    state    TEXT NOT NULL,                     -- open, taken, dismissed
    by       TEXT,
    first_at TIMESTAMPTZ NOT NULL,
    last_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (server, domain)
);

-- What other features noticed of an account, for people to look at.
CREATE TABLE account_findings (
    id         TEXT NOT NULL PRIMARY KEY,       -- UUID v7
    feature    TEXT NOT NULL,
    server     TEXT NOT NULL,
    account_id TEXT NOT NULL,                   -- on that server
    acct       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    text       TEXT NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    taken_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX account_findings_once ON account_findings (feature, server, account_id, kind, text);
CREATE INDEX account_findings_open ON account_findings (server, id) WHERE taken_at IS NULL;
