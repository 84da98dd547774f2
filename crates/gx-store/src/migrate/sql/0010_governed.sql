-- What the ledger says of administrators and parameters since it takes time. Writer: the projector.

-- Changes of parameters that two super admins have decided on, by the approval. What is still to
-- come has no end: TAKEN_EFFECT, CALLED_OFF, SUPERSEDED or PARAMETERS_INCONSISTENT.
CREATE TABLE parameter_schedules (
    tx_no BIGINT NOT NULL PRIMARY KEY,
    param_id TEXT NOT NULL,
    old_value BIGINT NOT NULL,
    new_value BIGINT NOT NULL,
    scheduled_at_ms BIGINT NOT NULL,
    effective_at_ms BIGINT NOT NULL,
    ending TEXT,
    ended_at_ms BIGINT,
    ended_by TEXT
);

-- From when on who proposed it may approve an action alone; absent if never.
ALTER TABLE pending_actions ADD COLUMN alone_from_ms BIGINT;
