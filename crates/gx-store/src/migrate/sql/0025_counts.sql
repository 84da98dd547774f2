-- Counts that would else read whole tables. A process of the version before does not keep them: its
-- processes are stopped before this runs.

-- How many people there are, by what was decided about them. Writer: identity, in the transaction
-- that registers somebody or decides about them.
CREATE TABLE user_tallies (
    status TEXT NOT NULL PRIMARY KEY,
    people BIGINT NOT NULL
);
INSERT INTO user_tallies (status, people)
SELECT status, COUNT(*) FROM users GROUP BY status;

-- Writer: the projector, as of the other counts of the row.
ALTER TABLE projection ADD COLUMN organization_count BIGINT NOT NULL DEFAULT 0;
UPDATE projection SET organization_count = (SELECT COUNT(*) FROM organizations);
