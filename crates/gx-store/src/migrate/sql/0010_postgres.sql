CREATE VIEW parameter_schedules_readable AS
SELECT param_id, old_value, new_value, to_timestamp(scheduled_at_ms / 1000.0) AS scheduled_at,
    to_timestamp(effective_at_ms / 1000.0) AS effective_at, ending,
    to_timestamp(ended_at_ms / 1000.0) AS ended_at, ended_by
FROM parameter_schedules;
DROP VIEW IF EXISTS pending_actions_readable;
CREATE VIEW pending_actions_readable AS
SELECT action_id, function, args, proposed_by,
    to_timestamp(proposed_at_ms / 1000.0) AS proposed_at,
    to_timestamp(expires_at_ms / 1000.0) AS expires_at,
    to_timestamp(alone_from_ms / 1000.0) AS alone_from, approved_by,
    to_timestamp(approved_at_ms / 1000.0) AS approved_at, closed_by,
    to_timestamp(closed_at_ms / 1000.0) AS closed_at
FROM pending_actions;
