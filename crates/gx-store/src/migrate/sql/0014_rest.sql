-- The tax's timers, on the clock that stands still during pauses, and who speaks for accounts
-- without a key. Writer: the projector.

-- What the pauses that have ended took together: added to a point of that clock it gives the time
-- of day.
ALTER TABLE system ADD COLUMN paused_ms BIGINT NOT NULL DEFAULT 0;

-- For how long a balance had been large when its account was frozen or locked; taxable_since_ms is
-- NULL then.
ALTER TABLE balances ADD COLUMN taxable_for_ms BIGINT;
CREATE INDEX balances_taxable_for_idx ON balances (taxable_for_ms)
    WHERE taxable_for_ms IS NOT NULL;

-- Periods of the tax before they were shortened, which timers keep that had started by until_ms.
CREATE TABLE tax_periods (
    until_ms BIGINT NOT NULL,
    days BIGINT NOT NULL,
    PRIMARY KEY (until_ms, days)
);

-- The organization that speaks for a user's account while it has no key, and whom it is offered to.
ALTER TABLE accounts ADD COLUMN custodian TEXT;
ALTER TABLE accounts ADD COLUMN custody_offered_to TEXT;
