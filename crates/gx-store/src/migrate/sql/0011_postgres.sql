DROP VIEW IF EXISTS organizations_readable;
CREATE VIEW organizations_readable AS
SELECT o.org_id, o.name, o.kind, o.country, o.account_type, o.status, o.proposed_by,
    to_timestamp(o.proposed_at_ms / 1000.0) AS proposed_at,
    to_timestamp(o.activated_at_ms / 1000.0) AS activated_at,
    b.balance_qirat / 1000000.0 AS balance_gx, o.ladder, o.proposed_ladder, o.ladder_approved_by,
    o.stakeholder_change, to_timestamp(o.change_expires_at_ms / 1000.0) AS change_expires_at
FROM organizations o
LEFT JOIN accounts a ON a.account_id = o.org_id
LEFT JOIN balances b ON b.account_no = a.account_no;
