-- What was forgotten on request and is not to be kept again, however it is met: a status by its uri, an author by their
-- acct, both as a hash, so that not even the name stays.
CREATE TABLE archive_forgotten (
    what         TEXT PRIMARY KEY,              -- 32 hexadecimal digits
    forgotten_at TIMESTAMPTZ NOT NULL
);
