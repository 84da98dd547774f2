-- Drops columns that the version before reads: its processes are stopped before this runs.
-- What a log-in checks, for every kind of subject in one table. Writers: identity for users, admin
-- for admins.
CREATE TABLE credentials (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    must_change_password BIGINT NOT NULL,
    failed_logins BIGINT NOT NULL,
    locked_until_ms BIGINT,
    last_login_at_ms BIGINT,
    password_changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
){clustered};
INSERT INTO credentials (kind, subject, password_hash, must_change_password, failed_logins,
    locked_until_ms, last_login_at_ms, password_changed_at_ms)
SELECT 'USER', user_id, password_hash, 0, failed_logins, locked_until_ms, last_login_at_ms,
    password_changed_at_ms
FROM users;
INSERT INTO credentials (kind, subject, password_hash, must_change_password, failed_logins,
    locked_until_ms, last_login_at_ms, password_changed_at_ms)
SELECT 'ADMIN', admin_id, password_hash, must_change_password, failed_logins, locked_until_ms,
    last_login_at_ms, password_changed_at_ms
FROM admins;

-- The view is made again where there is one.
DROP VIEW IF EXISTS users_readable;
ALTER TABLE users DROP COLUMN password_hash;
ALTER TABLE users DROP COLUMN failed_logins;
ALTER TABLE users DROP COLUMN locked_until_ms;
ALTER TABLE users DROP COLUMN last_login_at_ms;
ALTER TABLE users DROP COLUMN password_changed_at_ms;
ALTER TABLE admins DROP COLUMN password_hash;
ALTER TABLE admins DROP COLUMN must_change_password;
ALTER TABLE admins DROP COLUMN failed_logins;
ALTER TABLE admins DROP COLUMN locked_until_ms;
ALTER TABLE admins DROP COLUMN last_login_at_ms;
ALTER TABLE admins DROP COLUMN password_changed_at_ms;
