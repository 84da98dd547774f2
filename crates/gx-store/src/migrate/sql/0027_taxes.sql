-- Taxes of all accounts, newest first, for who asks what other rates would have made of them.
CREATE INDEX IF NOT EXISTS tax_assessments_newest_idx ON tax_assessments (tx_no, account_id);
