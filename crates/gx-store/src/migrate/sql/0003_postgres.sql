-- For people: times as they are read, and nothing secret. Programs use the tables.
CREATE VIEW users_readable AS
SELECT u.user_id, u.email, u.phone, u.first_name, u.last_name, u.country, u.status, u.ledger_id,
    a.account_id IS NOT NULL AS on_ledger, a.frozen, u.failed_logins,
    to_timestamp(u.locked_until_ms / 1000.0) AS locked_until,
    to_timestamp(u.last_login_at_ms / 1000.0) AS last_login_at,
    to_timestamp(u.created_at_ms / 1000.0) AS created_at
FROM users u LEFT JOIN accounts a ON a.account_id = u.ledger_id;
CREATE VIEW sessions_readable AS
SELECT session_id, kind, subject, client_address, user_agent, device, revoke_reason,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(last_used_at_ms / 1000.0) AS last_used_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(revoked_at_ms / 1000.0) AS revoked_at
FROM sessions;
CREATE VIEW audit_log_readable AS
SELECT seq, to_timestamp(at_ms / 1000.0) AS at, actor, action, target, request_id, details
FROM audit_log;
