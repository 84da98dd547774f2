-- Loans, escrows and taxes as the hardened rules have them. Writer: the projector.

-- When an application lapses that nobody has decided on.
ALTER TABLE loans ADD COLUMN lapses_at_ms BIGINT NOT NULL DEFAULT 0;
UPDATE loans SET lapses_at_ms = applied_at_ms + 2592000000;
