CREATE VIEW attesters_readable AS
SELECT attester_id, public_key, daily_max, countries,
    to_timestamp(registered_at_ms / 1000.0) AS registered_at,
    to_timestamp(removed_at_ms / 1000.0) AS removed_at, attested_count,
    date '1970-01-01' + CAST(day AS INTEGER) AS day, day_count
FROM attesters;
