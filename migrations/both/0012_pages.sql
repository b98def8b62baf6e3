-- The dashboard's lists of statuses and threads, newest first, for the servers that its reader may see: in the index's
-- own order to the last column, so that a page of 200 reads 200 rows. Without the uri each page sorted all rows of one
-- moment, and whole batches end at one moment.
DROP INDEX wanted_newest;
CREATE INDEX wanted_newest ON wanted (server, state, (COALESCE(ended_at, found_at)) DESC, uri);
DROP INDEX threads_by_visit;
CREATE INDEX threads_by_visit ON threads (server, visited_at DESC, uri);
