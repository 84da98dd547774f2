-- Second factors, the step of a log-in that asks for one, and the way back for whoever has
-- forgotten the password. Writers: identity for users, admin for admins.

-- secret is sealed by the server, whose key the database does not have. It counts from
-- confirmed_at_ms on; last_step is the last step of 30 seconds since 1970 of which a code was
-- taken, so that none is taken twice.
CREATE TABLE second_factors (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    confirmed_at_ms BIGINT,
    last_step BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
){clustered};

-- Codes for whoever has lost the device, as hashes under the server's key.
CREATE TABLE recovery_codes (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    used_at_ms BIGINT,
    PRIMARY KEY (kind, subject, code_hash)
){clustered};

-- Log-ins whose password was right and whose second factor is still to come.
CREATE TABLE login_challenges (
    challenge_hash TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    device TEXT,
    attempts BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX login_challenges_subject_idx ON login_challenges (kind, subject);
CREATE INDEX login_challenges_expires_idx ON login_challenges (expires_at_ms);

-- Tokens that set another password once. A request for an address that nobody has leaves a row
-- without a subject, so that it costs the same.
CREATE TABLE password_resets (
    token_hash TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX password_resets_subject_idx ON password_resets (kind, subject);
CREATE INDEX password_resets_expires_idx ON password_resets (expires_at_ms);

-- Mail to people, for as long as what it offers is good for something. The body is sealed.
CREATE TABLE mailbox (
    mail_id TEXT NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX mailbox_created_idx ON mailbox (created_at_ms, mail_id);
CREATE INDEX mailbox_expires_idx ON mailbox (expires_at_ms);

-- Sessions of somebody in the order of their log-ins, which is the order of their pages.
DROP INDEX IF EXISTS sessions_subject_idx;
CREATE INDEX sessions_opened_idx ON sessions (kind, subject, created_at_ms, session_id);
