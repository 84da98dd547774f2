DROP VIEW IF EXISTS loans_readable;
CREATE VIEW loans_readable AS
SELECT loan_id, borrower_id, amount_qirat / 1000000.0 AS amount_gx,
    outstanding_qirat / 1000000.0 AS outstanding_gx, duration_days, purpose, state, decided_by,
    reject_reason, to_timestamp(applied_at_ms / 1000.0) AS applied_at,
    to_timestamp(lapses_at_ms / 1000.0) AS lapses_at,
    to_timestamp(approved_at_ms / 1000.0) AS approved_at,
    to_timestamp(due_at_ms / 1000.0) AS due_at,
    to_timestamp(closed_at_ms / 1000.0) AS closed_at
FROM loans;
CREATE VIEW escrows_readable AS
SELECT escrow_id, payer_id, payee_id, arbiter_id, amount_qirat / 1000000.0 AS amount_gx,
    fee_qirat / 1000000.0 AS fee_gx, remark, state,
    to_timestamp(opened_at_ms / 1000.0) AS opened_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(settled_at_ms / 1000.0) AS settled_at, settled_by
FROM escrows;
