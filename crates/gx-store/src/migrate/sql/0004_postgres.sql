-- For people: times and amounts as they are read. Programs use the tables.
CREATE VIEW relationships_readable AS
SELECT relationship_id, kind, subject_id, object_id, state,
    to_timestamp(since_ms / 1000.0) AS since, ended_by
FROM relationships;
CREATE VIEW recoveries_readable AS
SELECT r.recovery_id, r.user_id, r.state, r.initiated_by,
    to_timestamp(r.initiated_at_ms / 1000.0) AS initiated_at,
    to_timestamp(r.expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(r.completable_at_ms / 1000.0) AS completable_at,
    (SELECT COUNT(g.confirmed_tx) FROM recovery_guardians g
        WHERE g.recovery_id = r.recovery_id) AS confirmations,
    (SELECT COUNT(*) FROM recovery_guardians g
        WHERE g.recovery_id = r.recovery_id) AS guardians
FROM recoveries r;
CREATE VIEW organizations_readable AS
SELECT o.org_id, o.name, o.kind, o.country, o.account_type, o.status, o.proposed_by,
    to_timestamp(o.proposed_at_ms / 1000.0) AS proposed_at,
    to_timestamp(o.activated_at_ms / 1000.0) AS activated_at,
    b.balance_qirat / 1000000.0 AS balance_gx, o.ladder, o.proposed_ladder, o.ladder_approved_by
FROM organizations o
LEFT JOIN accounts a ON a.account_id = o.org_id
LEFT JOIN balances b ON b.account_no = a.account_no;
CREATE VIEW pending_transactions_readable AS
SELECT p.pending_tx_id, p.org_id, p.from_id, p.to_id, p.amount_qirat / 1000000.0 AS amount_gx,
    p.fee_qirat / 1000000.0 AS fee_gx, p.remark, p.state, p.failure, p.required,
    (SELECT COUNT(*) FROM pending_transaction_approvers a
        WHERE a.pending_tx_id = p.pending_tx_id AND a.decision = 'APPROVED') AS approvals,
    to_timestamp(p.initiated_at_ms / 1000.0) AS initiated_at,
    to_timestamp(p.expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(p.settled_at_ms / 1000.0) AS settled_at
FROM pending_transactions p;
CREATE VIEW loans_readable AS
SELECT loan_id, borrower_id, amount_qirat / 1000000.0 AS amount_gx,
    outstanding_qirat / 1000000.0 AS outstanding_gx, duration_days, purpose, state, decided_by,
    reject_reason, to_timestamp(applied_at_ms / 1000.0) AS applied_at,
    to_timestamp(approved_at_ms / 1000.0) AS approved_at,
    to_timestamp(due_at_ms / 1000.0) AS due_at,
    to_timestamp(closed_at_ms / 1000.0) AS closed_at
FROM loans;
CREATE VIEW proposals_readable AS
SELECT proposal_id, param_id, old_value, new_value, title, proposed_by, status, failure, votes_for,
    votes_against, votes_abstain, quorum, approval_percent,
    to_timestamp(submitted_at_ms / 1000.0) AS submitted_at,
    to_timestamp(ends_at_ms / 1000.0) AS ends_at
FROM proposals;
CREATE VIEW parameter_changes_readable AS
SELECT change_no, param_id, old_value, new_value, to_timestamp(at_ms / 1000.0) AS at
FROM parameter_changes;
CREATE VIEW tax_assessments_readable AS
SELECT account_id, to_timestamp(at_ms / 1000.0) AS at, country,
    taxed_balance_qirat / 1000000.0 AS taxed_balance_gx, rate_bps,
    amount_qirat / 1000000.0 AS amount_gx, treasury_qirat / 1000000.0 AS treasury_gx,
    charitable_qirat / 1000000.0 AS charitable_gx,
    to_timestamp(was_taxable_since_ms / 1000.0) AS was_taxable_since
FROM tax_assessments;
CREATE VIEW disbursements_readable AS
SELECT pool_id, recipient_id, amount_qirat / 1000000.0 AS amount_gx, purpose,
    to_timestamp(at_ms / 1000.0) AS at
FROM disbursements;
CREATE VIEW ledger_admins_readable AS
SELECT admin_id, level, account_id, to_timestamp(appointed_at_ms / 1000.0) AS appointed_at,
    to_timestamp(removed_at_ms / 1000.0) AS removed_at
FROM ledger_admins;
CREATE VIEW pending_actions_readable AS
SELECT action_id, function, args, proposed_by,
    to_timestamp(proposed_at_ms / 1000.0) AS proposed_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at, approved_by,
    to_timestamp(approved_at_ms / 1000.0) AS approved_at
FROM pending_actions;
