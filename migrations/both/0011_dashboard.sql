-- What a run had to say, kept with its row in job_runs: a list of lines, the oldest cut off where there were many.
CREATE TABLE run_logs (
    run   TEXT NOT NULL PRIMARY KEY,
    lines JSONB NOT NULL                        -- [{"at": …, "level": "info", "text": …}]
);

-- Modes that somebody switched while the daemon ran: they outweigh the config until they are taken back.
CREATE TABLE modes (
    feature TEXT NOT NULL PRIMARY KEY,
    mode    TEXT NOT NULL,                      -- observe, act
    who     TEXT NOT NULL,
    set_at  TIMESTAMPTZ NOT NULL
);

-- The dashboard counts and lists statuses by what became of them, newest first, among millions.
CREATE INDEX wanted_by_server ON wanted (server, state);
CREATE INDEX wanted_newest ON wanted (state, (COALESCE(ended_at, found_at)));
-- Runs of a job's scope and effects of a server, newest first.
CREATE INDEX effects_by_server ON effects (server, id);
