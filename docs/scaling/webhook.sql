-- What one pushed event asks of Postgres, from its arrival to its claim: see ../scaling.md.
\set nth random(1, 1000000000000)
INSERT INTO webhook_events (id, server, event, object_id, digest, body, received_at, job) VALUES ('bench' || :nth || '-' || :client_id, 'bench' || :client_id, 'account.created', '' || :nth, md5(:nth || '-' || :client_id), repeat('x', 1500), clock_timestamp(), 'bench') ON CONFLICT (server, digest, job) DO NOTHING;
WITH open (open_id) AS MATERIALIZED (SELECT id FROM webhook_events WHERE done_at IS NULL AND server = 'bench' || :client_id AND job = 'bench' AND (claimed_until IS NULL OR claimed_until <= clock_timestamp()) ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED) UPDATE webhook_events SET claimed_by = 'bench', claimed_until = clock_timestamp() + interval '60 s' FROM open WHERE id = open_id RETURNING id, body;
UPDATE webhook_events SET body = '', done_at = clock_timestamp(), claimed_by = NULL, claimed_until = NULL WHERE id = 'bench' || :nth || '-' || :client_id;
