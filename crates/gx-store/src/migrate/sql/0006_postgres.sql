CREATE VIEW users_readable AS
SELECT u.user_id, u.email, u.phone, u.first_name, u.last_name, u.country, u.status, u.ledger_id,
    a.account_id IS NOT NULL AS on_ledger, a.frozen, c.failed_logins,
    to_timestamp(c.locked_until_ms / 1000.0) AS locked_until,
    to_timestamp(c.last_login_at_ms / 1000.0) AS last_login_at,
    to_timestamp(u.created_at_ms / 1000.0) AS created_at
FROM users u
LEFT JOIN accounts a ON a.account_id = u.ledger_id
LEFT JOIN credentials c ON c.kind = 'USER' AND c.subject = u.user_id;
