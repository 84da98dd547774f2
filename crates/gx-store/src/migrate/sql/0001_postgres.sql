-- A sequence, because numbers are drawn by processes side by side.
CREATE SEQUENCE outbox_seq AS BIGINT OWNED BY outbox.seq;

-- For people: times and amounts as they are read. Programs use the tables.
CREATE VIEW outbox_readable AS
SELECT seq, command_id, actor, role, function, args, service, traceparent,
    to_timestamp(created_at_ms / 1000.0) AS created_at
FROM outbox;
CREATE VIEW batches_readable AS
SELECT batch_no, batch_id, role, command_count, first_seq, last_seq,
    to_timestamp(submitted_at_ms / 1000.0) AS submitted_at
FROM batches;
CREATE VIEW leases_readable AS
SELECT name, holder, epoch, to_timestamp(expires_at_ms / 1000.0) AS expires_at FROM leases;
