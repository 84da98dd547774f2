-- Registration in steps, what people tell of themselves, and how far mail and text messages have
-- come. Writers: identity; the couriers write the delivery of what lies in the mailbox.

-- Who is about to register, until it is done or its day is over. registration_id is the hash of
-- what the client holds, code_hash that of a code under the server's key. What was done keeps no
-- personal data.
CREATE TABLE registrations (
    registration_id TEXT NOT NULL PRIMARY KEY,
    step TEXT NOT NULL,
    email TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    country TEXT,
    date_of_birth TEXT,
    gender TEXT,
    password_hash TEXT,
    phone TEXT,
    code_hash TEXT,
    code_expires_at_ms BIGINT,
    code_attempts BIGINT NOT NULL,
    codes_sent BIGINT NOT NULL,
    code_sent_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX registrations_email_idx ON registrations (email);
CREATE INDEX registrations_phone_idx ON registrations (phone);
CREATE INDEX registrations_expires_idx ON registrations (expires_at_ms);

-- Since when it is known that mail and text messages reach a user.
ALTER TABLE users ADD COLUMN email_verified_at_ms BIGINT;
ALTER TABLE users ADD COLUMN phone_verified_at_ms BIGINT;

-- What users tell of themselves beyond what somebody approves.
CREATE TABLE user_details (
    user_id TEXT NOT NULL PRIMARY KEY,
    middle_name TEXT,
    language TEXT,
    place_of_birth TEXT,
    address_line1 TEXT,
    address_line2 TEXT,
    city TEXT,
    state_province TEXT,
    postal_code TEXT,
    address_country TEXT,
    employment_status TEXT,
    job_title TEXT,
    company_name TEXT,
    industry TEXT,
    work_email TEXT,
    work_phone TEXT,
    is_pep BIGINT,
    pep_details TEXT,
    updated_at_ms BIGINT NOT NULL
);

-- A message waits until it is delivered, given up, or its time is over. failure says why the last
-- attempt failed; the body goes with the delivery.
ALTER TABLE mailbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'MAIL';
ALTER TABLE mailbox ADD COLUMN state TEXT NOT NULL DEFAULT 'WAITING';
ALTER TABLE mailbox ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN next_attempt_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN failure TEXT;
CREATE INDEX mailbox_waiting_idx ON mailbox (channel, state, created_at_ms, mail_id);
