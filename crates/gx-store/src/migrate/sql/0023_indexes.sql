-- Lists come from indexes, in their order, however long they have become.

-- Users: all of them, those of a country, and those whose names or ledger id begin with a text. The
-- e-mail address has an index by itself, and is folded.
CREATE INDEX IF NOT EXISTS users_created_idx ON users (created_at_ms, user_id);
CREATE INDEX IF NOT EXISTS users_country_idx ON users (country, created_at_ms, user_id);
CREATE INDEX IF NOT EXISTS users_first_name_idx ON users (lower(first_name), user_id);
CREATE INDEX IF NOT EXISTS users_last_name_idx ON users (lower(last_name), user_id);
CREATE INDEX IF NOT EXISTS users_ledger_id_idx ON users (lower(ledger_id), user_id);

-- Few accounts are frozen.
CREATE INDEX IF NOT EXISTS accounts_frozen_idx ON accounts (account_no) WHERE frozen IS NOT NULL;

-- Users whose account is to be opened. Set with the ledger id; the housekeeper takes it away when
-- the account is there, which alone says where somebody stands.
ALTER TABLE users ADD COLUMN awaits_account BIGINT NOT NULL DEFAULT 0;
UPDATE users SET awaits_account = 1 WHERE ledger_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.account_id = users.ledger_id);
CREATE INDEX IF NOT EXISTS users_awaiting_idx ON users (status, created_at_ms, user_id)
    WHERE awaits_account = 1;

-- Devices of somebody by name, and sessions in the order in which they are removed.
CREATE INDEX IF NOT EXISTS sessions_device_idx ON sessions (kind, subject, device, session_id);
CREATE INDEX IF NOT EXISTS sessions_ended_idx ON sessions (expires_at_ms, session_id);
DROP INDEX IF EXISTS sessions_expires_idx;

-- What is on its way, found from its lane; what is deferred, in the order of the outbox.
CREATE INDEX IF NOT EXISTS batches_role_idx ON batches (role, batch_no);
CREATE INDEX IF NOT EXISTS batch_ranges_batch_idx ON batch_ranges (batch_no, first_seq);
CREATE INDEX IF NOT EXISTS deferred_commands_seq_idx ON deferred_commands (seq);

-- Accounts whose tax rests, in the order of the list of what is due.
CREATE INDEX IF NOT EXISTS balances_resting_idx ON balances (taxable_for_ms DESC, account_no)
    WHERE taxable_for_ms IS NOT NULL;
DROP INDEX IF EXISTS balances_taxable_for_idx;

-- Few payments by multi-signature are open, and few wait for an approver.
CREATE INDEX IF NOT EXISTS pending_transactions_open_idx ON pending_transactions
    (org_id, created_tx) WHERE settled_tx IS NULL;
CREATE INDEX IF NOT EXISTS pending_transaction_approvers_open_idx
    ON pending_transaction_approvers (approver_id, created_tx) WHERE decision IS NULL;

-- Objects to delete, and deliveries that are due or old, in their whole order.
CREATE INDEX IF NOT EXISTS loose_objects_order_idx ON loose_objects (due_at_ms, object_key);
DROP INDEX IF EXISTS loose_objects_due_idx;
CREATE INDEX IF NOT EXISTS webhook_deliveries_next_idx
    ON webhook_deliveries (webhook_id, next_at_ms, message_id) WHERE state = 'PENDING';
DROP INDEX IF EXISTS webhook_deliveries_due_idx;
CREATE INDEX IF NOT EXISTS webhook_deliveries_old_idx
    ON webhook_deliveries (created_at_ms, webhook_id, message_id);
DROP INDEX IF EXISTS webhook_deliveries_age_idx;
