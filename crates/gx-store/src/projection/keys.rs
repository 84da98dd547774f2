//! Keys that two super admins order for accounts.

use gx_contract::identity::{KeyResetCompleted, KeyResetOrdered, KeyResetState};
use gx_types::AccountId;

use crate::Error;
use crate::projection::identity;
use crate::projection::state::{At, Projection};
use crate::sql::{name_of, sql};

pub(super) fn reset_ordered(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &KeyResetOrdered,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO key_resets (ordered_tx, user_id, public_key, order_hash,
            ordered_at_ms, completable_at_ms, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(at.tx_no)
    .bind(&event.user_id)
    .bind(event.public_key.to_string())
    .bind(event.order_hash.to_string())
    .bind(at.time())
    .bind(event.completable_at)
    .bind(name_of(&KeyResetState::Open));
    projection.write(at, statement);
    Ok(())
}

/// What came of the last order for an account; orders before it may have lapsed.
pub(super) fn reset_ended(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    user_id: &AccountId,
    state: KeyResetState,
) {
    let statement = sql("UPDATE key_resets SET state = $1, ended_at_ms = $2
        WHERE ordered_tx = (SELECT MAX(ordered_tx) FROM key_resets WHERE user_id = $3)")
    .bind(name_of(&state))
    .bind(at.time())
    .bind(user_id);
    projection.update(at, statement);
}

pub(super) fn reset_completed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &KeyResetCompleted,
) -> Result<(), Error> {
    reset_ended(projection, at, &event.user_id, KeyResetState::Completed);
    identity::key(projection, at, &event.user_id, event.public_key)
}
