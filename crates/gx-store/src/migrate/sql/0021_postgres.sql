CREATE VIEW notifications_readable AS
SELECT notification_no, kind, subject, notification_id, topic, title,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(read_at_ms / 1000.0) AS read_at
FROM notifications;
CREATE VIEW webhooks_readable AS
SELECT webhook_id, name, url, events, enabled, disabled_reason, created_by, failure_count,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(last_success_at_ms / 1000.0) AS last_success_at,
    to_timestamp(last_failure_at_ms / 1000.0) AS last_failure_at
FROM webhooks;
CREATE VIEW webhook_deliveries_readable AS
SELECT webhook_id, message_id, event_type, state, attempts, last_status, last_error,
    to_timestamp(created_at_ms / 1000.0) AS created_at,
    to_timestamp(next_at_ms / 1000.0) AS next_at,
    to_timestamp(delivered_at_ms / 1000.0) AS delivered_at
FROM webhook_deliveries;
