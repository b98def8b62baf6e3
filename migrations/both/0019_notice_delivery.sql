-- Which notice went to which channel, so that each gets each once, whoever sends and however often it is tried.
CREATE TABLE notice_deliveries (
    notice  TEXT NOT NULL,
    channel TEXT NOT NULL,
    wanted  BOOLEAN NOT NULL,                   -- false: the channel did not ask for it, and it is not looked at again
    sent_at TIMESTAMPTZ NOT NULL,               -- the same for all that went in one message
    PRIMARY KEY (notice, channel)
);
CREATE INDEX notice_deliveries_sent ON notice_deliveries (channel, sent_at);

CREATE TABLE notice_channels (
    channel  TEXT NOT NULL PRIMARY KEY,
    since    TIMESTAMPTZ NOT NULL,              -- what happened before is not told
    failures BIGINT NOT NULL,                   -- in a row
    next_at  TIMESTAMPTZ,                       -- not before
    error    TEXT
);
