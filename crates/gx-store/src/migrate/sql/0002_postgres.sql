-- Balances change in place: room on each page keeps the new version beside the old one.
ALTER TABLE balances SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- For people: times and amounts as they are read. Programs use the tables.
CREATE VIEW blocks_readable AS
SELECT number, hash, to_timestamp(at_ms / 1000.0) AS at, role, batch_id, command_count,
    refused_count
FROM blocks;
CREATE VIEW accounts_readable AS
SELECT a.account_no, a.account_id, a.kind, a.country, a.account_type,
    b.balance_qirat / 1000000.0 AS balance_gx, a.frozen, a.genesis, a.genesis_phase,
    a.genesis_qirat / 1000000.0 AS genesis_gx, b.entry_count
FROM accounts a JOIN balances b ON b.account_no = a.account_no;
CREATE VIEW entries_readable AS
SELECT e.entry_no, a.account_id, e.kind, c.account_id AS counterparty,
    e.change_qirat / 1000000.0 AS change_gx, e.fee_qirat / 1000000.0 AS fee_gx,
    e.balance_qirat / 1000000.0 AS balance_gx, e.remark, t.command_id, k.number AS block,
    to_timestamp(k.at_ms / 1000.0) AS at
FROM entries e
JOIN accounts a ON a.account_no = e.account_no
LEFT JOIN accounts c ON c.account_no = e.counterparty_no
JOIN transactions t ON t.tx_no = e.tx_no
JOIN blocks k ON k.number = e.entry_no >> 24;
CREATE VIEW transactions_readable AS
SELECT t.tx_no, t.command_id, t.actor, t.function, t.state, t.code, t.detail, k.number AS block,
    to_timestamp(k.at_ms / 1000.0) AS at
FROM transactions t JOIN blocks k ON k.number = t.tx_no >> 24;
CREATE VIEW projection_readable AS
SELECT p.block, to_timestamp(p.at_ms / 1000.0) AS at, h.tip_block,
    h.tip_block - p.block AS lag_blocks, to_timestamp(h.seen_at_ms / 1000.0) AS seen_at,
    p.account_count, p.command_count, p.refused_count, p.entry_count
FROM projection p LEFT JOIN heartbeat h ON h.id = 1;
