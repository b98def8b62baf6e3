-- How alike applicants are is counted from these alone, without a look at the rows: a page of the list asks 200 times.
DROP INDEX applicants_by_network;
DROP INDEX applicants_by_address;
DROP INDEX applicants_by_reason;
CREATE INDEX applicants_by_network ON applicants (server, network, signed_up_at, account_id) WHERE network <> '';
CREATE INDEX applicants_by_address ON applicants (server, email_hash, state, account_id) WHERE email_hash <> '';
CREATE INDEX applicants_by_reason ON applicants (server, reason_hash, account_id) WHERE reason_hash <> '';
