CREATE VIEW deployments_readable AS
SELECT deployment_id, service, source, target, image, git_commit, reason, requester, status,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at, decided_by,
    to_timestamp(decided_at_ms / 1000.0) AS decided_at, executed_by,
    to_timestamp(executed_at_ms / 1000.0) AS executed_at, step,
    to_timestamp(step_since_ms / 1000.0) AS step_since, previous_image, failure, taken_back_by,
    taken_back_reason, to_timestamp(finished_at_ms / 1000.0) AS finished_at
FROM deployments;
CREATE VIEW deployment_logs_readable AS
SELECT deployment_id, log_no, to_timestamp(at_ms / 1000.0) AS at, level, step, message
FROM deployment_logs;
