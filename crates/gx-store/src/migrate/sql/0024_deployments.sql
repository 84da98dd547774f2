-- Promotions of an image from one network to the next. Writers: admin asks, decides, and has it
-- carried out or taken back; the promoter notes how far it is. That the time to decide is over is
-- written when somebody asks anew: until then it follows from expires_at_ms.
CREATE TABLE deployments (
    deployment_id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    git_commit TEXT,
    reason TEXT NOT NULL,
    requester TEXT NOT NULL,
    status TEXT NOT NULL,
    gates TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    decided_by TEXT,
    decided_at_ms BIGINT,
    executed_by TEXT,
    executed_at_ms BIGINT,
    step TEXT,
    step_since_ms BIGINT,
    previous_image TEXT,
    previous_min_ready_seconds BIGINT,
    failure TEXT,
    taken_back_by TEXT,
    taken_back_reason TEXT,
    finished_at_ms BIGINT
);
CREATE INDEX deployments_created_idx ON deployments (created_at_ms, deployment_id);
CREATE INDEX deployments_service_idx ON deployments (service, target, created_at_ms, deployment_id);
CREATE INDEX deployments_executed_idx ON deployments (target, service, executed_at_ms);

-- One is open for a service of a network at a time.
CREATE UNIQUE INDEX deployments_open_idx ON deployments (target, service)
    WHERE finished_at_ms IS NULL;

-- Those that the promoter has to look after.
CREATE INDEX deployments_running_idx ON deployments (deployment_id)
    WHERE finished_at_ms IS NULL AND step IS NOT NULL;

-- What has happened in a promotion, step by step. Writers: admin and the promoter, each with the
-- row above, which it locks.
CREATE TABLE deployment_logs (
    deployment_id TEXT NOT NULL,
    log_no BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    level TEXT NOT NULL,
    step TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (deployment_id, log_no)
);
