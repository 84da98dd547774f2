-- What an administrator may do beside the role, or may not although the role says so. Writer:
-- admin. A row whose time is over counts for nothing.
CREATE TABLE admin_permissions (
    admin_id TEXT NOT NULL,
    permission TEXT NOT NULL,
    effect TEXT NOT NULL,
    reason TEXT,
    expires_at_ms BIGINT,
    set_by TEXT NOT NULL,
    set_at_ms BIGINT NOT NULL,
    PRIMARY KEY (admin_id, permission)
){clustered};

-- Companies whose programs act for users who have agreed to it. Writer: admin. Scopes are words
-- between spaces.
CREATE TABLE partners (
    partner_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    contact TEXT,
    status TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

-- What partners' programs show, by the part of it that everybody may see. Writer: admin. Of the
-- secret there is a hash under the server's key; networks are texts between spaces, none for all.
CREATE TABLE partner_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    partner_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    label TEXT,
    scopes TEXT NOT NULL,
    networks TEXT NOT NULL,
    requests_per_minute BIGINT,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT,
    last_used_at_ms BIGINT
);
CREATE INDEX partner_keys_partner_idx ON partner_keys (partner_id, created_at_ms, key_id);

-- What users let partners do for them. Writer: identity; the last payment is noted by whoever
-- accepts it, which also makes payments under one consent wait for each other.
CREATE TABLE partner_consents (
    user_id TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    payment_max_qirat BIGINT,
    day_max_qirat BIGINT,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    last_payment_at_ms BIGINT,
    PRIMARY KEY (user_id, partner_id)
){clustered};
CREATE INDEX partner_consents_partner_idx ON partner_consents (partner_id);

-- Commands that partners have given for users. Writer: whoever accepts one, with its row in the
-- outbox; they are removed with that.
CREATE TABLE partner_payments (
    command_id TEXT NOT NULL PRIMARY KEY,
    partner_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX partner_payments_user_idx ON partner_payments (user_id, partner_id, created_at_ms);
CREATE INDEX partner_payments_created_idx ON partner_payments (created_at_ms);
