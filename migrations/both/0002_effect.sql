-- The ledger: every write on somebody else's server, from the wish to the answer.
CREATE TABLE effects (
    id         TEXT NOT NULL PRIMARY KEY,       -- UUID v7
    feature    TEXT NOT NULL,
    server     TEXT NOT NULL,
    kind       TEXT NOT NULL,                   -- domain_block.create, …
    key        TEXT NOT NULL,                   -- what it is about: the same for the same wish
    intent     JSONB NOT NULL,                  -- what is sent
    reason     JSONB NOT NULL,                  -- rule, list, evidence, who agreed
    state      TEXT NOT NULL,                   -- rehearsed, held, intended, done, failed, undone
    note       TEXT,
    result     JSONB,                           -- what came back
    planned_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);
-- One wish, one living effect: the index is the guarantee, not the code that asks before it inserts.
CREATE UNIQUE INDEX effects_alive ON effects (feature, server, kind, key) WHERE state IN ('held', 'intended', 'done');
-- A rehearsal repeated every few minutes for months stays one row.
CREATE UNIQUE INDEX effects_rehearsed ON effects (feature, server, kind, key) WHERE state = 'rehearsed';
CREATE INDEX effects_by_state ON effects (state, id);
CREATE INDEX effects_by_feature ON effects (feature, state, changed_at);

-- At most one row; while it is there, no effect of any feature is sent.
CREATE TABLE panic_stops (
    id     TEXT NOT NULL PRIMARY KEY CHECK (id = 'all'),
    who    TEXT NOT NULL,
    set_at TIMESTAMPTZ NOT NULL
);
