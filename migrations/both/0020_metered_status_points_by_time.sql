-- What statuses of a login brought since a moment, without looking through all that it ever wrote.
CREATE INDEX metered_status_points_by_time ON metered_status_points (login, at);
