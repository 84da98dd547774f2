-- What the ledger says of organizations since they outlive their stakeholders. Writer: the
-- projector.

-- From when on the organization can pay from the treasury, and the hash of the document by which
-- the treasury was given to another one than at first.
ALTER TABLE treasuries ADD COLUMN payable_from_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE treasuries ADD COLUMN order_hash TEXT;

-- A change of stakeholders that waits for approvals, as JSON, and when it lapses.
ALTER TABLE organizations ADD COLUMN stakeholder_change TEXT;
ALTER TABLE organizations ADD COLUMN change_expires_at_ms BIGINT;

-- What an account has paid since a day.
CREATE INDEX pending_transactions_paid_idx ON pending_transactions (from_id, settled_at_ms)
    WHERE fee_qirat IS NOT NULL;
