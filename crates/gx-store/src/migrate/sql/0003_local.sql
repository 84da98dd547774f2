-- What only the platform knows. Each table's service writes it.

-- Writer: identity. status is what people have decided; whether somebody is on the ledger, or
-- frozen there, is read from accounts and never written here. Texts that must be unique are folded.
CREATE TABLE users (
    user_id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    phone TEXT UNIQUE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    country TEXT NOT NULL,
    gender TEXT,
    date_of_birth TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    ledger_id TEXT UNIQUE,
    identity_hash TEXT NOT NULL,
    failed_logins BIGINT NOT NULL,
    locked_until_ms BIGINT,
    last_login_at_ms BIGINT,
    password_changed_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX users_status_idx ON users (status, created_at_ms, user_id);

-- Writer: admin.
CREATE TABLE admins (
    admin_id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    ledger_id TEXT UNIQUE,
    password_hash TEXT NOT NULL,
    must_change_password BIGINT NOT NULL,
    failed_logins BIGINT NOT NULL,
    locked_until_ms BIGINT,
    last_login_at_ms BIGINT,
    password_changed_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

-- Writers: identity for users, admin for admins. A session is one login; its refresh tokens follow
-- one another.
CREATE TABLE sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    revoke_reason TEXT,
    client_address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    device TEXT
);
CREATE INDEX sessions_subject_idx ON sessions (kind, subject);
CREATE INDEX sessions_expires_idx ON sessions (expires_at_ms);

CREATE TABLE refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    replaced_by TEXT
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);

-- Writer: audit::append. Each row's hash covers the row and the hash before it.
CREATE TABLE audit_log (
    seq BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    request_id TEXT NOT NULL,
    details TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);

-- The end of the chain; its row is locked by who appends.
CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Writer: the service that the request came to. status is absent while the request is in flight.
CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    claimed_at_ms BIGINT NOT NULL,
    in_flight_until_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    status BIGINT,
    headers TEXT,
    body TEXT,
    PRIMARY KEY (scope, key)
){clustered};
CREATE INDEX idempotency_expires_idx ON idempotency (expires_at_ms);
