-- Loans, escrows and taxes as the hardened rules have them. Writer: the projector.

-- When an application lapses that nobody has decided on.
ALTER TABLE loans ADD COLUMN lapses_at_ms BIGINT NOT NULL DEFAULT 0;
UPDATE loans SET lapses_at_ms = applied_at_ms + 2592000000;

-- Coins that wait between two accounts, or have. state: OPEN, RELEASED or REFUNDED.
CREATE TABLE escrows (
    escrow_id TEXT NOT NULL PRIMARY KEY,
    payer_id TEXT NOT NULL,
    payee_id TEXT NOT NULL,
    arbiter_id TEXT,
    amount_qirat BIGINT NOT NULL,
    fee_qirat BIGINT NOT NULL,
    remark TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    settled_by TEXT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX escrows_payer_idx ON escrows (payer_id, created_tx);
CREATE INDEX escrows_payee_idx ON escrows (payee_id, created_tx);
CREATE INDEX escrows_arbiter_idx ON escrows (arbiter_id, created_tx);
CREATE INDEX escrows_open_idx ON escrows (expires_at_ms) WHERE settled_by IS NULL;

-- What of an account waits in escrow: beside the balance, and taxed with it.
ALTER TABLE balances ADD COLUMN escrowed_qirat BIGINT NOT NULL DEFAULT 0;

-- What an owner lets leave the account in a day, and what holds instead from a time on.
CREATE TABLE spending_limits (
    account_id TEXT NOT NULL PRIMARY KEY,
    per_day_qirat BIGINT,
    next_per_day_qirat BIGINT,
    next_from_ms BIGINT
);
