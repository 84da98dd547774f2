CREATE VIEW second_factors_readable AS
SELECT kind, subject, to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(confirmed_at_ms / 1000.0) AS confirmed_at
FROM second_factors;
CREATE VIEW mailbox_readable AS
SELECT mail_id, recipient, title, to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at
FROM mailbox;
