-- Keys that two super admins have ordered for accounts. Writer: the projector.
-- order_hash is that of the document; until completable_at_ms the present key may veto.
CREATE TABLE key_resets (
    ordered_tx BIGINT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    order_hash TEXT NOT NULL,
    ordered_at_ms BIGINT NOT NULL,
    completable_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    ended_at_ms BIGINT
);
CREATE INDEX key_resets_user_idx ON key_resets (user_id, ordered_tx);
