-- What accounts had, over time. A row is a run: the same counts at every slot from `slot` to `slot + span`, so an account
-- that does not change costs a row a month. A hundred million of these must stay cheap: there is no row id beside the
-- key, which is why this table is written once for each engine.
CREATE TABLE metered_points (
    account     INTEGER NOT NULL,
    slot        INTEGER NOT NULL,               -- when it was to be measured, in seconds since 1970
    lag         INTEGER NOT NULL,               -- seconds after `slot` at which it was
    span        INTEGER NOT NULL,               -- seconds from the first slot of the run to its last
    points      INTEGER NOT NULL,               -- slots in the run
    step        INTEGER NOT NULL,               -- seconds to the next slot, as planned then
    followers   INTEGER,
    following   INTEGER,
    statuses    INTEGER,
    last_status INTEGER,                        -- days since 1970
    gap         TEXT,                           -- why a count is missing
    PRIMARY KEY (account, slot)
) WITHOUT ROWID;
