-- What the ledger says, as SQL. Writer of every table here: the projector, and nobody else.
-- Numbers of transactions and entries are the block's number × 2^24 + the place in the block, so
-- that rows are only ever appended, and a number says its block.

-- One row: how far which ledger has been applied, and counters that go with it. origin is the hash
-- that stands before the ledger's first block.
CREATE TABLE projection (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    block BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    account_count BIGINT NOT NULL,
    command_count BIGINT NOT NULL,
    refused_count BIGINT NOT NULL,
    entry_count BIGINT NOT NULL
);

-- One row: when the projector last looked, where the ledger ended, and the time of the oldest
-- block that was not applied. Apart from the blocks, so that an idle ledger does not look like a
-- projector that is stuck.
CREATE TABLE heartbeat (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    tip_block BIGINT,
    behind_since_ms BIGINT,
    seen_at_ms BIGINT NOT NULL
);

CREATE TABLE blocks (
    number BIGINT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    role TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    command_count BIGINT NOT NULL,
    refused_count BIGINT NOT NULL
);
CREATE INDEX blocks_batch_id_idx ON blocks (batch_id);

-- Every command of every block. state: APPLIED, REFUSED or REPEATED.
CREATE TABLE transactions (
    tx_no BIGINT NOT NULL PRIMARY KEY,
    command_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    detail TEXT
);

-- Where the first outcome of an outbox row stands.
CREATE TABLE outcomes (
    seq BIGINT NOT NULL PRIMARY KEY,
    tx_no BIGINT NOT NULL
);

-- What changes seldom about an account. Numbers are given in the order of appearance.
CREATE TABLE accounts (
    account_no BIGINT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    country TEXT,
    account_type TEXT NOT NULL,
    cap_qirat BIGINT,
    frozen TEXT,
    genesis TEXT,
    genesis_phase BIGINT,
    genesis_qirat BIGINT,
    created_tx BIGINT NOT NULL
);

-- What every payment changes, in rows as small as can be: the cost of a block is the number of
-- pages that its accounts lie on. last_entry heads the list of the account's entries; 0 ends it.
CREATE TABLE balances (
    account_no BIGINT NOT NULL PRIMARY KEY,
    balance_qirat BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    entry_count BIGINT NOT NULL
);

-- The history of all accounts in one list that only grows at its end; an account's history is
-- linked through prev_entry, newest first.
CREATE TABLE entries (
    entry_no BIGINT NOT NULL PRIMARY KEY,
    account_no BIGINT NOT NULL,
    prev_entry BIGINT NOT NULL,
    tx_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    counterparty_no BIGINT,
    change_qirat BIGINT NOT NULL,
    fee_qirat BIGINT NOT NULL,
    balance_qirat BIGINT NOT NULL,
    remark TEXT
);

-- Every 256th entry of an account: a way into a long history from its middle.
CREATE TABLE entry_marks (
    account_no BIGINT NOT NULL,
    entry_no BIGINT NOT NULL,
    PRIMARY KEY (account_no, entry_no)
){clustered};

CREATE TABLE countries (
    code TEXT NOT NULL PRIMARY KEY,
    weight BIGINT NOT NULL,
    users BIGINT NOT NULL,
    slots_1 BIGINT NOT NULL,
    slots_2 BIGINT NOT NULL,
    slots_3 BIGINT NOT NULL,
    slots_4 BIGINT NOT NULL,
    slots_5 BIGINT NOT NULL,
    slots_6 BIGINT NOT NULL,
    used_1 BIGINT NOT NULL,
    used_2 BIGINT NOT NULL,
    used_3 BIGINT NOT NULL,
    used_4 BIGINT NOT NULL,
    used_5 BIGINT NOT NULL,
    used_6 BIGINT NOT NULL
);

-- One row once the system is bootstrapped.
CREATE TABLE system (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    bootstrapped_at_ms BIGINT NOT NULL,
    first_super_admin TEXT NOT NULL,
    paused_since_ms BIGINT,
    pause_reason TEXT
);
