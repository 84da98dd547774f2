-- When a refresh token was replaced, and with what its successor is derived from it again. Neither
-- is secret: without the token and the network's key the salt gives nothing away.
ALTER TABLE refresh_tokens ADD COLUMN replaced_at_ms BIGINT;
ALTER TABLE refresh_tokens ADD COLUMN successor_salt TEXT;
