CREATE VIEW approvals_readable AS
SELECT approval_id, kind, target, role, action, reason, requester, status,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at, decided_by,
    to_timestamp(decided_at_ms / 1000.0) AS decided_at, executed_by,
    to_timestamp(executed_at_ms / 1000.0) AS executed_at
FROM approvals;
CREATE VIEW dead_decisions_readable AS
SELECT seq, decision, note, decided_by, to_timestamp(decided_at_ms / 1000.0) AS decided_at,
    to_timestamp(sent_at_ms / 1000.0) AS sent_at
FROM dead_decisions;
CREATE VIEW rebuilds_readable AS
SELECT rebuild_no, requested_by, reason, to_timestamp(requested_at_ms / 1000.0) AS requested_at,
    to_timestamp(started_at_ms / 1000.0) AS started_at, target_block,
    to_timestamp(finished_at_ms / 1000.0) AS finished_at
FROM rebuilds;
