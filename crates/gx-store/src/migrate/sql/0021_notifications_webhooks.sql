-- What people are told of what the ledger did, and what other systems are told.

-- How far the ledger's blocks have been told of, none before the platform has begun to, and the
-- newest number of a notification. Whoever writes one holds this row until its commit, so that
-- numbers become visible in their order. No read model: filling those anew tells nobody again.
-- Writers: the notifier; whoever tells of something else, of newest_no.
CREATE TABLE notification_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    block BIGINT,
    newest_no BIGINT NOT NULL
);
INSERT INTO notification_head (id, block, newest_no) VALUES (1, NULL, 0);

-- kind and subject say who is told, as with sessions. The id says block, command and event, so
-- that nobody is told twice of one. in_app is 0 where it goes by mail alone; mail_due is 1 until
-- the mail is written. Writers: the notifier and the messenger; identity and admin note in
-- read_at_ms that it was read.
CREATE TABLE notifications (
    notification_no BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    notification_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    resource_type TEXT,
    resource_id TEXT,
    action_required BIGINT NOT NULL,
    in_app BIGINT NOT NULL,
    mail_due BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    read_at_ms BIGINT,
    UNIQUE (kind, subject, notification_id)
);
CREATE INDEX notifications_subject_idx ON notifications (kind, subject, notification_no);
CREATE INDEX notifications_unread_idx ON notifications (kind, subject)
    WHERE read_at_ms IS NULL AND in_app = 1;
CREATE INDEX notifications_mail_idx ON notifications (notification_no) WHERE mail_due = 1;
CREATE INDEX notifications_created_idx ON notifications (created_at_ms);

-- How somebody wants to be told of a topic, where that is not the default. Writers: identity for
-- users, admin for admins.
CREATE TABLE notification_preferences (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    topic TEXT NOT NULL,
    in_app BIGINT NOT NULL,
    by_mail BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, topic)
){clustered};

-- Where other systems are told of events. events is a JSON list of their types. The secrets are
-- sealed by the server; the previous one signs beside the present one for a while. Writers: admin;
-- the messenger notes how it fares, and disables what fails for too long.
CREATE TABLE webhooks (
    webhook_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    disabled_reason TEXT,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until_ms BIGINT,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    last_triggered_at_ms BIGINT,
    last_success_at_ms BIGINT,
    last_failure_at_ms BIGINT,
    failure_count BIGINT NOT NULL
);
CREATE INDEX webhooks_created_idx ON webhooks (created_at_ms, webhook_id);

-- What an endpoint is told. data is the JSON of the message; attempts end at until_ms. Writers:
-- the notifier makes rows, the messenger notes attempts, admin has one sent again.
CREATE TABLE webhook_deliveries (
    webhook_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    data TEXT NOT NULL,
    occurred_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    next_at_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    last_at_ms BIGINT,
    last_status BIGINT,
    last_error TEXT,
    delivered_at_ms BIGINT,
    PRIMARY KEY (webhook_id, message_id)
);
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (webhook_id, next_at_ms)
    WHERE state = 'PENDING';
CREATE INDEX webhook_deliveries_created_idx
    ON webhook_deliveries (webhook_id, created_at_ms, message_id);
CREATE INDEX webhook_deliveries_age_idx ON webhook_deliveries (created_at_ms);
