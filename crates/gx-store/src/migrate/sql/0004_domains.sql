-- What the ledger says beyond payments, and the signatures of commands on their way to it.
-- Writer of every new table: the projector, and nobody else. Rows are keyed by the ledger's own
-- ids. created_tx is the number of the command that made a row, so that lists go from the newest
-- row to the oldest by it; the columns *_tx say the command of a change.

-- Writer: submit(). The signature of the acting account's key as JSON; it is no part of what the
-- command id stands for.
ALTER TABLE outbox ADD COLUMN signature TEXT;

-- Of users: whether they may act, their trust score and key. Of users and organizations: whether
-- they are exempt from the velocity tax.
ALTER TABLE accounts ADD COLUMN status TEXT;
ALTER TABLE accounts ADD COLUMN trust_score BIGINT;
ALTER TABLE accounts ADD COLUMN public_key TEXT;
ALTER TABLE accounts ADD COLUMN key_since_ms BIGINT;
ALTER TABLE accounts ADD COLUMN tax_exempt BIGINT NOT NULL DEFAULT 0;

-- Since when the balance has been large enough for the velocity tax. Payments that leave the timer
-- as it is do not name the column, and so leave its index alone.
ALTER TABLE balances ADD COLUMN taxable_since_ms BIGINT;
CREATE INDEX balances_taxable_idx ON balances (taxable_since_ms, account_no)
    WHERE taxable_since_ms IS NOT NULL;

-- Relationships in whatever state. created_tx is the last request for it.
CREATE TABLE relationships (
    relationship_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    state TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    askable_from_ms BIGINT,
    ended_by TEXT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX relationships_subject_idx ON relationships (subject_id, created_tx);
CREATE INDEX relationships_object_idx ON relationships (object_id, created_tx);

-- Who may vouch for whom; place is the order in which they were named.
CREATE TABLE guardians (
    user_id TEXT NOT NULL,
    guardian_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, guardian_id)
){clustered};
CREATE INDEX guardians_guardian_idx ON guardians (guardian_id, user_id);

CREATE TABLE recoveries (
    recovery_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    initiated_by TEXT NOT NULL,
    initiated_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    completable_at_ms BIGINT,
    state TEXT NOT NULL,
    completed_by TEXT,
    ended_at_ms BIGINT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX recoveries_user_idx ON recoveries (user_id, created_tx);

-- The guardians as they were when the recovery began, and which have confirmed.
CREATE TABLE recovery_guardians (
    recovery_id TEXT NOT NULL,
    guardian_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    confirmed_tx BIGINT,
    created_tx BIGINT NOT NULL,
    PRIMARY KEY (recovery_id, guardian_id)
){clustered};
CREATE INDEX recovery_guardians_guardian_idx ON recovery_guardians (guardian_id, created_tx);

-- Ladders are JSON lists of rules: the one in force, and the one that waits for approvals with
-- those who have approved it.
CREATE TABLE organizations (
    org_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    country TEXT NOT NULL,
    account_type TEXT NOT NULL,
    status TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at_ms BIGINT NOT NULL,
    activated_by TEXT,
    activated_at_ms BIGINT,
    ladder TEXT NOT NULL,
    ladder_since_ms BIGINT,
    proposed_ladder TEXT,
    ladder_approved_by TEXT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX organizations_created_idx ON organizations (created_tx);

CREATE TABLE organization_stakeholders (
    org_id TEXT NOT NULL,
    stakeholder_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    endorsed_tx BIGINT,
    created_tx BIGINT NOT NULL,
    PRIMARY KEY (org_id, stakeholder_id)
){clustered};
CREATE INDEX organization_stakeholders_stakeholder_idx
    ON organization_stakeholders (stakeholder_id, created_tx);

-- Payments by multi-signature. failure is why the last attempt to pay did not go through.
CREATE TABLE pending_transactions (
    pending_tx_id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL,
    from_id TEXT NOT NULL,
    to_id TEXT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    remark TEXT NOT NULL,
    required BIGINT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT,
    fee_qirat BIGINT,
    initiated_by TEXT NOT NULL,
    initiated_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    settled_tx BIGINT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX pending_transactions_org_idx ON pending_transactions (org_id, created_tx);

-- The approvers as they were when the payment was initiated. decision: APPROVED or REJECTED,
-- absent while the approver has not decided.
CREATE TABLE pending_transaction_approvers (
    pending_tx_id TEXT NOT NULL,
    approver_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    decision TEXT,
    decided_tx BIGINT,
    created_tx BIGINT NOT NULL,
    PRIMARY KEY (pending_tx_id, approver_id)
){clustered};
CREATE INDEX pending_transaction_approvers_approver_idx
    ON pending_transaction_approvers (approver_id, created_tx);

CREATE TABLE loans (
    loan_id TEXT NOT NULL PRIMARY KEY,
    borrower_id TEXT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    outstanding_qirat BIGINT NOT NULL,
    collateral_hash TEXT NOT NULL,
    duration_days BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    applied_at_ms BIGINT NOT NULL,
    approved_at_ms BIGINT,
    due_at_ms BIGINT,
    decided_by TEXT,
    reject_reason TEXT,
    closed_at_ms BIGINT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX loans_borrower_idx ON loans (borrower_id, created_tx);
CREATE INDEX loans_state_idx ON loans (state, created_tx);

CREATE TABLE loan_repayments (
    loan_id TEXT NOT NULL,
    tx_no BIGINT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    outstanding_qirat BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (loan_id, tx_no)
){clustered};

-- Values are in the unit of the parameter. status: ACTIVE, EXECUTED or FAILED; failure says why.
CREATE TABLE proposals (
    proposal_id TEXT NOT NULL PRIMARY KEY,
    param_id TEXT NOT NULL,
    old_value BIGINT NOT NULL,
    new_value BIGINT NOT NULL,
    title TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    submitted_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT NOT NULL,
    quorum BIGINT NOT NULL,
    approval_percent BIGINT NOT NULL,
    trust_min BIGINT NOT NULL,
    votes_for BIGINT NOT NULL,
    votes_against BIGINT NOT NULL,
    votes_abstain BIGINT NOT NULL,
    status TEXT NOT NULL,
    failure TEXT,
    decided_at_ms BIGINT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX proposals_status_idx ON proposals (status, created_tx);
CREATE INDEX proposals_created_idx ON proposals (created_tx);

CREATE TABLE votes (
    proposal_id TEXT NOT NULL,
    voter_id TEXT NOT NULL,
    vote TEXT NOT NULL,
    tx_no BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (proposal_id, voter_id)
){clustered};

-- Every change of a parameter, numbered as the ledger counts them.
CREATE TABLE parameter_changes (
    change_no BIGINT NOT NULL PRIMARY KEY,
    param_id TEXT NOT NULL,
    old_value BIGINT NOT NULL,
    new_value BIGINT NOT NULL,
    tx_no BIGINT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- The parameters that were ever changed; the others have their defaults.
CREATE TABLE parameters (
    param_id TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL,
    change_no BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);

-- Velocity tax that was taken.
CREATE TABLE tax_assessments (
    account_id TEXT NOT NULL,
    tx_no BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    country TEXT NOT NULL,
    taxed_balance_qirat BIGINT NOT NULL,
    rate_bps BIGINT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    treasury_qirat BIGINT NOT NULL,
    charitable_qirat BIGINT NOT NULL,
    was_taxable_since_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, tx_no)
){clustered};

-- Accounts that the tax was asked from and that did not owe it; code says why.
CREATE TABLE tax_skips (
    account_id TEXT NOT NULL,
    tx_no BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (account_id, tx_no)
){clustered};

-- Treasuries that an organization's rules govern; all others are locked.
CREATE TABLE treasuries (
    country TEXT NOT NULL PRIMARY KEY,
    treasury_id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    activated_at_ms BIGINT NOT NULL
);

-- What admins have paid out of pools.
CREATE TABLE disbursements (
    tx_no BIGINT NOT NULL PRIMARY KEY,
    pool_id TEXT NOT NULL,
    recipient_id TEXT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- Administrators on the ledger. The platform's own logins of admins are in admins.
CREATE TABLE ledger_admins (
    admin_id TEXT NOT NULL PRIMARY KEY,
    level TEXT NOT NULL,
    account_id TEXT,
    appointed_at_ms BIGINT NOT NULL,
    removed_at_ms BIGINT
);

-- Actions that need two admins. args is the JSON object of the command's arguments.
CREATE TABLE pending_actions (
    action_id TEXT NOT NULL PRIMARY KEY,
    function TEXT NOT NULL,
    args TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    approved_by TEXT,
    approved_at_ms BIGINT,
    created_tx BIGINT NOT NULL
);
CREATE INDEX pending_actions_created_idx ON pending_actions (created_tx);

-- What stood here was made without the columns and tables above. The projector fills all of it
-- again from the first block.
DELETE FROM projection;
DELETE FROM blocks;
DELETE FROM transactions;
DELETE FROM outcomes;
DELETE FROM accounts;
DELETE FROM balances;
DELETE FROM entries;
DELETE FROM entry_marks;
DELETE FROM countries;
DELETE FROM system;
