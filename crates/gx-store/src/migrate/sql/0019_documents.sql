-- Documents that people show, and their applications to have their identity accepted. Writer of
-- both: identity; admin writes what was decided about an application.

-- details is sealed by the server, whose key the database does not have: number, country and dates
-- of the document. number_hash is keyed by the same, so that one number is found twice and none is
-- read. application_id is absent until the document was submitted. received_sha256 is of what came,
-- sha256 of what is kept of it.
CREATE TABLE documents (
    document_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    application_id TEXT,
    document_type TEXT NOT NULL,
    side TEXT,
    object_key TEXT NOT NULL UNIQUE,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    received_sha256 TEXT NOT NULL,
    details TEXT NOT NULL,
    number_hash TEXT,
    scan TEXT NOT NULL,
    uploaded_at_ms BIGINT NOT NULL
);
CREATE INDEX documents_owner_idx ON documents (owner, uploaded_at_ms, document_id);
CREATE INDEX documents_application_idx ON documents (application_id);
CREATE INDEX documents_number_idx ON documents (number_hash);

-- Objects of the document store that are no document's: not yet, or not any more. A row stands here
-- before its object is written and until it is deleted, so that none is forgotten; after due_at_ms
-- whoever looks deletes the object.
CREATE TABLE loose_objects (
    object_key TEXT NOT NULL PRIMARY KEY,
    due_at_ms BIGINT NOT NULL
);
CREATE INDEX loose_objects_due_idx ON loose_objects (due_at_ms);

-- expires_on is the day on which the document that was shown ends, YYYY-MM-DD.
CREATE TABLE kyc_applications (
    kyc_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    status TEXT NOT NULL,
    document_type TEXT,
    details TEXT NOT NULL,
    number_hash TEXT,
    expires_on TEXT,
    evidence_hash TEXT,
    evidence_size BIGINT,
    evidence_mime TEXT,
    submitted_at_ms BIGINT NOT NULL,
    reason TEXT,
    decided_by TEXT,
    decided_at_ms BIGINT
);
CREATE UNIQUE INDEX kyc_applications_open_idx ON kyc_applications (owner) WHERE status = 'PENDING';
CREATE INDEX kyc_applications_owner_idx ON kyc_applications (owner, submitted_at_ms, kyc_id);
CREATE INDEX kyc_applications_status_idx ON kyc_applications (status, submitted_at_ms, kyc_id);
CREATE INDEX kyc_applications_number_idx ON kyc_applications (number_hash);

-- Who has the same identity is asked for each application.
CREATE INDEX users_identity_idx ON users (identity_hash);

-- When a second factor was last checked in a session; absent when it never was.
ALTER TABLE sessions ADD COLUMN second_factor_at_ms BIGINT;
