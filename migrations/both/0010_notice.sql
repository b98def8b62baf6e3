-- What somebody should hear of: a quota used up, a token refused, a job that rests. Told once per subject and day,
-- however often it happens; shown on the pages until it was seen, delivered by whoever delivers.
CREATE TABLE notices (
    id           TEXT NOT NULL PRIMARY KEY,     -- UUID v7: sorts by time, so it is the page cursor too
    feature      TEXT NOT NULL,
    kind         TEXT NOT NULL,                 -- quota, token, rest, …
    about        TEXT NOT NULL,                 -- which login, job and scope, …; '' for the whole feature
    day          TEXT NOT NULL,                 -- 2026-03-01, UTC
    severity     TEXT NOT NULL,                 -- info, warning, error
    text         TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    seen_at      TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ
);
-- The index is the guarantee of "once", not the code that asks before it inserts: several processes may notice.
CREATE UNIQUE INDEX notices_once ON notices (feature, kind, about, day);
CREATE INDEX notices_undelivered ON notices (id) WHERE delivered_at IS NULL;
CREATE INDEX notices_unseen ON notices (id) WHERE seen_at IS NULL;
