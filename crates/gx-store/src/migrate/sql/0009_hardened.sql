-- What the ledger says since its rules were hardened. Writer: the projector.

-- Who ended an action that has not run: its proposer, or an admin who could have approved it.
ALTER TABLE pending_actions ADD COLUMN closed_by TEXT;
ALTER TABLE pending_actions ADD COLUMN closed_at_ms BIGINT;

-- Coins that two super admins have moved by order; order_hash is that of the document.
CREATE TABLE order_transfers (
    tx_no BIGINT NOT NULL PRIMARY KEY,
    from_id TEXT NOT NULL,
    to_id TEXT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    reason TEXT NOT NULL,
    order_hash TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- Who has paid: the borrower, or somebody for them.
ALTER TABLE loan_repayments ADD COLUMN paid_by TEXT NOT NULL DEFAULT '';
UPDATE loan_repayments SET paid_by =
    (SELECT l.borrower_id FROM loans l WHERE l.loan_id = loan_repayments.loan_id);

-- The key that an administrator signs with, and since when.
ALTER TABLE ledger_admins ADD COLUMN public_key TEXT;
ALTER TABLE ledger_admins ADD COLUMN key_since_ms BIGINT;

-- Confirmations of the ledger's clock are looked for while everything else waits for them; there is
-- hardly ever one. The outbox's writer is accept().
CREATE INDEX outbox_confirmations_idx ON outbox (seq)
    WHERE function = 'AdminContract:ConfirmClock';
