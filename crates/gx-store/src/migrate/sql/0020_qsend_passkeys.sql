-- Requests for a payment that are shown as a QR code. Writer: identity; the housekeeper notes what
-- came of a payment before its command is forgotten.
-- That a request has expired is written nowhere: it follows from expires_at_ms. What came of the
-- payment that command_id names is read from the command's outcome, and stands in paid_at_ms once
-- that is no longer kept. payer and command_id of a payment that the ledger has refused are left to
-- whoever pays next.
CREATE TABLE qsend_requests (
    request_id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    creator TEXT NOT NULL,
    account_id TEXT NOT NULL,
    amount_qirat BIGINT NOT NULL,
    description TEXT,
    reference TEXT,
    qr_data TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    cancelled_at_ms BIGINT,
    payer TEXT,
    command_id TEXT,
    paid_at_ms BIGINT
);
CREATE INDEX qsend_requests_creator_idx ON qsend_requests (creator, created_at_ms, request_id);
CREATE INDEX qsend_requests_payer_idx ON qsend_requests (payer, created_at_ms, request_id);
CREATE INDEX qsend_requests_command_idx ON qsend_requests (command_id);

-- Passkeys: public keys of authenticators. Writers: identity for users.
-- credential_id and public_key are base64url; state is what changes with each use, the counter of
-- signatures among it, in hexadecimal digits.
CREATE TABLE passkeys (
    passkey_id TEXT NOT NULL PRIMARY KEY,
    credential_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    public_key TEXT NOT NULL,
    transports BIGINT NOT NULL,
    state TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT
);
CREATE INDEX passkeys_subject_idx ON passkeys (kind, subject, created_at_ms, passkey_id);

-- Ceremonies that wait for an authenticator. purpose: REGISTER or LOGIN; whoever logs in is not
-- known before. The challenge is a hash, and what the server has to remember of it is sealed.
CREATE TABLE passkey_challenges (
    challenge_hash TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT,
    state TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_expires_idx ON passkey_challenges (expires_at_ms);
