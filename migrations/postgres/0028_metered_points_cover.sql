-- A year of one account is rows that were written on 365 days, each on another page of the table: among a hundred million
-- 46 ms, nearly all of it waiting for pages. In the index they lie side by side, so it carries them whole; it costs about as
-- much again as the table, which only the index is read for.
ALTER TABLE metered_points DROP CONSTRAINT metered_points_pkey;
ALTER TABLE metered_points ADD CONSTRAINT metered_points_pkey PRIMARY KEY (account, slot)
    INCLUDE (lag, span, points, step, followers, following, statuses, last_status, gap);
