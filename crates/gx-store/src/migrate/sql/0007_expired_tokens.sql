-- The housekeeper looks for the oldest refresh tokens.
CREATE INDEX refresh_tokens_expires_idx ON refresh_tokens (expires_at_ms);
