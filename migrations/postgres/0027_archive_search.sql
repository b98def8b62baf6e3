-- The words of each status, by its id. They come folded and cut from our own code, so that both engines agree on what
-- a word is. Facets are lexemes that begin with `=`, which no word does.
CREATE TABLE archive_search (
    id    BIGINT PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX archive_search_words ON archive_search USING GIN (words) WITH (fastupdate = off);
