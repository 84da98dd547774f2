CREATE VIEW key_resets_readable AS
SELECT ordered_tx, user_id, public_key, order_hash,
    to_timestamp(ordered_at_ms / 1000.0) AS ordered_at,
    to_timestamp(completable_at_ms / 1000.0) AS completable_at, state,
    to_timestamp(ended_at_ms / 1000.0) AS ended_at
FROM key_resets;
