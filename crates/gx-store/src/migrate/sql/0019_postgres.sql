CREATE VIEW documents_readable AS
SELECT document_id, owner, application_id, document_type, side, media_type, size_bytes, scan,
    to_timestamp(uploaded_at_ms / 1000.0) AS uploaded_at
FROM documents;
CREATE VIEW kyc_applications_readable AS
SELECT kyc_id, owner, status, document_type, expires_on,
    to_timestamp(submitted_at_ms / 1000.0) AS submitted_at, reason, decided_by,
    to_timestamp(decided_at_ms / 1000.0) AS decided_at
FROM kyc_applications;
