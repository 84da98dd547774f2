CREATE VIEW qsend_requests_readable AS
SELECT request_id, creator, account_id, amount_qirat / 1000000.0 AS amount_gx,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(cancelled_at_ms / 1000.0) AS cancelled_at, payer, command_id,
    to_timestamp(paid_at_ms / 1000.0) AS paid_at
FROM qsend_requests;
CREATE VIEW passkeys_readable AS
SELECT passkey_id, kind, subject, to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(last_used_at_ms / 1000.0) AS last_used_at
FROM passkeys;
