-- Whom users pay often. Writer: identity.
CREATE TABLE beneficiaries (
    beneficiary_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    account_id TEXT NOT NULL,
    name TEXT NOT NULL,
    nickname TEXT,
    favorite BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (owner, account_id)
);
CREATE INDEX beneficiaries_owner_idx ON beneficiaries (owner, created_at_ms, beneficiary_id);

-- What one admin asks for and another decides on, off the ledger. Writer: admin. That the time of
-- an approval is over is written nowhere: it follows from expires_at_ms.
CREATE TABLE approvals (
    approval_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    role TEXT,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    requester TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    decided_by TEXT,
    decided_at_ms BIGINT,
    decision_reason TEXT,
    executed_by TEXT,
    executed_at_ms BIGINT
);
CREATE INDEX approvals_created_idx ON approvals (created_at_ms, approval_id);
CREATE INDEX approvals_requester_idx ON approvals (requester, created_at_ms, approval_id);

-- What operators have decided about commands that are set aside as dead. Writer: admin; the
-- submitter notes in sent_at_ms when it has sent one again, and takes the row away when the command
-- died again. A row whose decision is DISCARD stays for ever, and so does its command.
CREATE TABLE dead_decisions (
    seq BIGINT NOT NULL PRIMARY KEY,
    decision TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at_ms BIGINT NOT NULL,
    sent_at_ms BIGINT
);

-- Rebuilds of the read models. Writers: admin asks, the projector notes how far it is. One is open
-- at a time.
CREATE TABLE rebuilds (
    rebuild_no BIGINT NOT NULL PRIMARY KEY,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_at_ms BIGINT NOT NULL,
    started_at_ms BIGINT,
    target_block BIGINT,
    finished_at_ms BIGINT
);

-- The log is asked for by who has done something and by what it was done to.
CREATE INDEX audit_log_actor_idx ON audit_log (actor, seq);
CREATE INDEX audit_log_target_idx ON audit_log (target, seq);
