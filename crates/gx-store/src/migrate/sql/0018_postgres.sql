CREATE VIEW registrations_readable AS
SELECT registration_id, step, country, code_attempts, codes_sent,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at
FROM registrations;
CREATE OR REPLACE VIEW mailbox_readable AS
SELECT mail_id, recipient, title, to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at, channel, state, attempts, failure
FROM mailbox;
