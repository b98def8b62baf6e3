-- A FIRES log is read on from where it was left, and now and then from its beginning: a tombstone changes the past.
ALTER TABLE block_sources ADD COLUMN cursor TEXT;           -- where the next changes are
ALTER TABLE block_sources ADD COLUMN whole_at TIMESTAMPTZ;  -- last read from its beginning

-- A block waits softer than wanted until those whose follows it would end could hear of it.
ALTER TABLE block_entries ADD COLUMN told_at TIMESTAMPTZ;   -- since when they can

-- Lists and policies as the job last used them, for pages: one row.
CREATE TABLE block_config (
    id       TEXT NOT NULL PRIMARY KEY,                     -- 'blocklists'
    config   JSONB NOT NULL,
    saved_at TIMESTAMPTZ NOT NULL
);
