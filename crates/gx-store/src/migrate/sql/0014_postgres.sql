CREATE VIEW tax_periods_readable AS
SELECT to_timestamp(until_ms / 1000.0) AS until, days FROM tax_periods;
