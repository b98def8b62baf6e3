-- The words of each status, by its id. They come folded and cut from our own code, so that both engines agree on what
-- a word is; the tokenizer only splits at blanks. Words are not kept twice: what is shown comes from the status.
CREATE VIRTUAL TABLE archive_search USING fts5 (
    words, facets, content = '', contentless_delete = 1, tokenize = 'ascii'
);
