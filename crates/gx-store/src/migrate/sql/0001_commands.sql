-- The way of a command up to the ledger.

-- Writer: submit(). Rows are inserted once and never changed.
CREATE TABLE outbox (
    seq BIGINT NOT NULL PRIMARY KEY,
    command_id TEXT NOT NULL UNIQUE,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    function TEXT NOT NULL,
    args TEXT NOT NULL,
    service TEXT NOT NULL,
    traceparent TEXT,
    created_at_ms BIGINT NOT NULL
);

-- Writer: the submitter. One row: everything up to last_seq was taken, but for the gaps, a JSON
-- list of [first, last, xmax]: numbers that were not visible, and the transaction id that decides
-- them.
CREATE TABLE submission (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last_seq BIGINT NOT NULL,
    gaps TEXT NOT NULL,
    last_batch_no BIGINT NOT NULL,
    answered_batch_no BIGINT NOT NULL
);
INSERT INTO submission (id, last_seq, gaps, last_batch_no, answered_batch_no)
VALUES (1, 0, '[]', 0, 0);

-- Writer: the submitter. All ranges of a batch lie from first_seq to last_seq.
CREATE TABLE batches (
    batch_no BIGINT NOT NULL PRIMARY KEY,
    batch_id TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    command_count BIGINT NOT NULL,
    submitted_at_ms BIGINT NOT NULL
);

-- Writer: the submitter. The rows of a batch as ranges of outbox numbers; ranges never overlap.
CREATE TABLE batch_ranges (
    first_seq BIGINT NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL,
    batch_no BIGINT NOT NULL
);

-- Writer: the submitter. Commands that can't be sent; they belong to no batch.
CREATE TABLE dead_commands (
    seq BIGINT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- Writers: whoever takes a lease over, and its holder. An epoch is never used twice.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
){clustered};
