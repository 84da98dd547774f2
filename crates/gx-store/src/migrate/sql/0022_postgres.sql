CREATE VIEW admin_permissions_readable AS
SELECT admin_id, permission, effect, reason, to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    set_by, to_timestamp(set_at_ms / 1000.0) AS set_at
FROM admin_permissions;
CREATE VIEW partners_readable AS
SELECT partner_id, name, contact, status, scopes, created_by,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(updated_at_ms / 1000.0) AS updated_at
FROM partners;
CREATE VIEW partner_keys_readable AS
SELECT key_id, partner_id, label, scopes, networks, requests_per_minute, created_by,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(revoked_at_ms / 1000.0) AS revoked_at,
    to_timestamp(last_used_at_ms / 1000.0) AS last_used_at
FROM partner_keys;
CREATE VIEW partner_consents_readable AS
SELECT user_id, partner_id, scopes, payment_max_qirat / 1000000.0 AS payment_max_gx,
    day_max_qirat / 1000000.0 AS day_max_gx, to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(last_payment_at_ms / 1000.0) AS last_payment_at
FROM partner_consents;
CREATE VIEW partner_payments_readable AS
SELECT command_id, partner_id, user_id, amount_qirat / 1000000.0 AS amount_gx,
    to_timestamp(created_at_ms / 1000.0) AS created_at
FROM partner_payments;
