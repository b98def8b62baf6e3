-- What one run of a job asks of Postgres besides its own work, for `pgbench -n -M prepared -f run.sql`: see ../scaling.md.
\set login random(1, 1000)
\set nth random(1, 1000000000000)
INSERT INTO leases (name, holder, fence, expires_at) VALUES ('bench/' || :login, 'bench' || :client_id, 1, clock_timestamp() + interval '60 s') ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = clock_timestamp() + interval '60 s', fence = leases.fence + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END WHERE leases.expires_at <= clock_timestamp() OR leases.holder = excluded.holder;
SELECT * FROM job_runs WHERE job = 'bench' AND scope = 'login' || :login ORDER BY id DESC LIMIT 1;
UPDATE job_runs SET outcome = 'lost' WHERE job = 'bench' AND scope = 'login' || :login AND holder <> 'bench' || :client_id AND outcome = 'running';
INSERT INTO job_runs (id, job, scope, holder, started_at, finished_at, outcome, counters, requests, error) VALUES ('bench' || :nth || '-' || :client_id, 'bench', 'login' || :login, 'bench' || :client_id, clock_timestamp(), NULL, 'running', '{}', '{}', NULL) ON CONFLICT DO NOTHING;
UPDATE job_states SET wake_at = NULL WHERE job = 'bench' AND scope = 'login' || :login AND wake_at <= clock_timestamp();
SELECT feature, mode, who, set_at FROM modes;
UPDATE job_runs SET finished_at = clock_timestamp(), outcome = 'finished', counters = '{"visited": 12}', requests = '{"mastodon.example": 12}' WHERE id = 'bench' || :nth || '-' || :client_id;
INSERT INTO run_logs (run, lines) VALUES ('bench' || :nth || '-' || :client_id, '[{"at": "2026-03-01T12:00:00Z", "level": "info", "text": "visited 12 threads"}]') ON CONFLICT (run) DO NOTHING;
UPDATE leases SET holder = '', expires_at = to_timestamp(0) WHERE name = 'bench/' || :login AND holder = 'bench' || :client_id;
