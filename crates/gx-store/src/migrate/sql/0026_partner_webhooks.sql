-- Whose endpoint it is: a partner's, or the platform's own where there is none. A partner's is told
-- of what concerns users who have agreed to it, and of nothing else. Writers: admin, for partners
-- as well.
ALTER TABLE webhooks ADD COLUMN partner_id TEXT;
