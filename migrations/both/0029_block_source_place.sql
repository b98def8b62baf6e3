-- A list's ETag and cursor are of one place: where the config names another, they say nothing about what is there.
ALTER TABLE block_sources ADD COLUMN place TEXT;            -- SHA-256 of where it was last read
