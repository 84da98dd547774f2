-- Writer: the submitter. A lane for each role: its batches are answered one after the other, and
-- one that the ledger does not answer holds up no other lane. Why a lane is stuck stands here for
-- all processes.
CREATE TABLE lanes (
    role TEXT NOT NULL PRIMARY KEY,
    last_batch_no BIGINT NOT NULL,
    answered_batch_no BIGINT NOT NULL,
    stuck_since_ms BIGINT,
    stuck_class TEXT,
    stuck_reason TEXT
){clustered};
INSERT INTO lanes (role, last_batch_no, answered_batch_no)
SELECT r.role, r.last_batch_no,
    CASE WHEN r.last_batch_no < s.answered_batch_no THEN r.last_batch_no
        ELSE s.answered_batch_no END
FROM (
    SELECT n.role, COALESCE((SELECT MAX(b.batch_no) FROM batches b WHERE b.role = n.role), 0)
        AS last_batch_no
    FROM (SELECT 'gx_super_admin' AS role UNION ALL SELECT 'gx_admin'
        UNION ALL SELECT 'gx_partner_api') n
) r CROSS JOIN submission s;
ALTER TABLE submission DROP COLUMN answered_batch_no;

-- Writer: the submitter. Commands behind its cursor whose lane was stuck when it came by: they are
-- the next of their lane.
CREATE TABLE deferred_commands (
    role TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (role, seq)
){clustered};
