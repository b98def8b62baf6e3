-- What the scheduler knows. A row is written when a run starts and once more when it ends; a row that says
-- `running` while nobody holds its lease belongs to a process that died.
CREATE TABLE job_runs (
    id          TEXT NOT NULL PRIMARY KEY,      -- UUID v7: sorts by time, so it is the page cursor too
    job         TEXT NOT NULL,                  -- feature.noun
    scope       TEXT NOT NULL,                  -- server/login, a server's host, or '' for the daemon
    holder      TEXT NOT NULL,                  -- which process
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    outcome     TEXT NOT NULL,
    counters    JSONB NOT NULL,                 -- what it did: {"replies": 12}
    requests    JSONB NOT NULL,                 -- what it cost: {"mastodon.example": 40}
    error       TEXT
);
CREATE INDEX job_runs_by_scope ON job_runs (job, scope, id);
CREATE INDEX job_runs_by_job ON job_runs (job, id);
CREATE INDEX job_runs_by_end ON job_runs (finished_at);
CREATE INDEX job_runs_running ON job_runs (job, scope) WHERE outcome = 'running';

-- What people and features told the scheduler. A missing row means: neither paused, nor wanted now, nor resting.
CREATE TABLE job_states (
    job        TEXT NOT NULL,
    scope      TEXT NOT NULL,                   -- '' for all scopes of the job
    paused     BOOLEAN NOT NULL,
    wake_at    TIMESTAMPTZ,                     -- somebody asked for a run at this time; taken back by its start
    rests      TEXT,                            -- why the job waits for the operator
    changed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (job, scope)
);

-- How far each job has come. The value is the job's own and opaque to everybody else.
CREATE TABLE cursors (
    job        TEXT NOT NULL,
    scope      TEXT NOT NULL,
    value      TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (job, scope)
);

-- One owner per name. A row that was given back stays, with an empty holder, because its fence must never
-- fall: it is how a late writer finds out that it is no longer the owner.
CREATE TABLE leases (
    name       TEXT NOT NULL PRIMARY KEY,
    holder     TEXT NOT NULL,
    fence      BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
