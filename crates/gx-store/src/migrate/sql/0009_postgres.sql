DROP VIEW IF EXISTS pending_actions_readable;
CREATE VIEW pending_actions_readable AS
SELECT action_id, function, args, proposed_by,
    to_timestamp(proposed_at_ms / 1000.0) AS proposed_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at, approved_by,
    to_timestamp(approved_at_ms / 1000.0) AS approved_at, closed_by,
    to_timestamp(closed_at_ms / 1000.0) AS closed_at
FROM pending_actions;
CREATE VIEW order_transfers_readable AS
SELECT tx_no, from_id, to_id, amount_qirat / 1000000.0 AS amount_gx, reason, order_hash,
    to_timestamp(at_ms / 1000.0) AS at
FROM order_transfers;
DROP VIEW IF EXISTS ledger_admins_readable;
CREATE VIEW ledger_admins_readable AS
SELECT admin_id, level, account_id, to_timestamp(appointed_at_ms / 1000.0) AS appointed_at,
    to_timestamp(removed_at_ms / 1000.0) AS removed_at, public_key,
    to_timestamp(key_since_ms / 1000.0) AS key_since
FROM ledger_admins;
