-- Who attests how old people are and who they are. Writer: the projector.
-- The key and the countries are absent and empty for devnet's own, which signs nothing and attests
-- anywhere; countries are codes in alphabetical order, separated by blanks. day is the last day by
-- UTC, since 1970, on which the attester has signed for somebody, and day_count for how many.
CREATE TABLE attesters (
    attester_id TEXT NOT NULL PRIMARY KEY,
    public_key TEXT,
    daily_max BIGINT NOT NULL,
    countries TEXT NOT NULL,
    registered_at_ms BIGINT NOT NULL,
    removed_at_ms BIGINT,
    attested_count BIGINT NOT NULL,
    day BIGINT,
    day_count BIGINT NOT NULL
);
