//! Users, their keys, relationships, guardians and recoveries.

use gx_contract::PublicKey;
use gx_contract::custody::{CustodyOffered, CustodyTransferred};
use gx_contract::identity::{
    AccountStatus, GuardiansNominated, RecoveryCancelled, RecoveryCompleted, RecoveryConfirmed,
    RecoveryInitiated, RecoveryState, RelationshipConfirmed, RelationshipEnded,
    RelationshipRejected, RelationshipRequested, RelationshipState, TrustScore, UserCreated,
    UserStatusSet,
};
use gx_contract::state::AccountKind;
use gx_types::AccountId;

use crate::Error;
use crate::projection::attesters;
use crate::projection::state::{At, NewAccount, Projection, country, known, open};
use crate::projection::tokenomics::set_genesis;
use crate::sql::{name_of, sql};

pub(super) fn open_user(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &UserCreated,
) -> Result<(), Error> {
    let account = NewAccount::of(AccountKind::User, event.user_id, event.account_type);
    let (country, genesis) = (Some(event.country), Some(event.genesis));
    let standing = Some((AccountStatus::Active, event.trust_score));
    let custodian = Some(event.custodian);
    open(projection, at, NewAccount { country, genesis, standing, custodian, ..account })
}

/// Another organization may take over speaking for the account.
pub(super) fn custody_offered(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &CustodyOffered,
) -> Result<(), Error> {
    let statement = sql("UPDATE accounts SET custody_offered_to = $1 WHERE account_id = $2")
        .bind(event.to.as_str())
        .bind(&event.user_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn custody_transferred(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &CustodyTransferred,
) -> Result<(), Error> {
    let statement = sql("UPDATE accounts SET custodian = $1, custody_offered_to = NULL
        WHERE account_id = $2")
    .bind(event.to.as_str())
    .bind(&event.user_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn created(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &UserCreated,
) -> Result<(), Error> {
    let country = country(projection, at, event.country)?;
    country.users = country.users.saturating_add(1);
    attesters::count(projection, at, event.attested_by);
    set_genesis(projection, at, &event.user_id, event.genesis)
}

pub(super) fn key(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    user_id: &AccountId,
    key: PublicKey,
) -> Result<(), Error> {
    let statement = sql("UPDATE accounts SET public_key = $1, key_since_ms = $2
        WHERE account_id = $3 AND kind = 'USER'")
    .bind(key.to_string())
    .bind(at.time())
    .bind(user_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn status(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &UserStatusSet,
) -> Result<(), Error> {
    standing(projection, at, &event.user_id, event.status)
}

/// Whether an account may act; the tax's timer rests while it may not. Of organizations only that
/// they are locked, or have been, is known.
pub(super) fn standing(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: &AccountId,
    status: AccountStatus,
) -> Result<(), Error> {
    let taxation = projection.taxation;
    let state = known(projection, at, id)?;
    state.inactive = status != AccountStatus::Active;
    state.find(taxation, at.time());
    let statement = sql("UPDATE accounts SET status = $1 WHERE account_id = $2")
        .bind(name_of(&status))
        .bind(id);
    projection.update(at, statement);
    Ok(())
}

/// The trust scores that an event has led to.
pub(super) fn trust<'t>(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    scores: impl IntoIterator<Item = &'t TrustScore>,
) {
    for TrustScore { user_id, trust_score } in scores {
        let statement = sql("UPDATE accounts SET trust_score = $1
            WHERE account_id = $2 AND kind = 'USER'")
        .bind(*trust_score)
        .bind(user_id);
        projection.update(at, statement);
    }
}

/// A relationship that was rejected or has ended can be asked for again, by the other side too.
pub(super) fn requested(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RelationshipRequested,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO relationships (relationship_id, kind, subject_id, object_id,
            state, since_ms, created_tx)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (relationship_id) DO UPDATE SET subject_id = excluded.subject_id,
            object_id = excluded.object_id, state = excluded.state, since_ms = excluded.since_ms,
            askable_from_ms = NULL, ended_by = NULL, created_tx = excluded.created_tx")
    .bind(event.relationship_id.to_string())
    .bind(name_of(&event.kind))
    .bind(&event.subject_id)
    .bind(&event.object_id)
    .bind(name_of(&RelationshipState::PendingConfirmation))
    .bind(at.time())
    .bind(at.tx_no);
    projection.write(at, statement);
    Ok(())
}

pub(super) fn confirmed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RelationshipConfirmed,
) -> Result<(), Error> {
    let statement = sql("UPDATE relationships SET state = $1, since_ms = $2
        WHERE relationship_id = $3")
    .bind(name_of(&RelationshipState::Confirmed))
    .bind(at.time())
    .bind(event.relationship_id.to_string());
    projection.update(at, statement);
    trust(projection, at, &event.trust);
    Ok(())
}

pub(super) fn rejected(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RelationshipRejected,
) -> Result<(), Error> {
    let statement = sql("UPDATE relationships SET state = $1, since_ms = $2, askable_from_ms = $3
        WHERE relationship_id = $4")
    .bind(name_of(&RelationshipState::Rejected))
    .bind(at.time())
    .bind(event.askable_from)
    .bind(event.relationship_id.to_string());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn ended(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RelationshipEnded,
) -> Result<(), Error> {
    let statement = sql("UPDATE relationships SET state = $1, since_ms = $2, ended_by = $3
        WHERE relationship_id = $4")
    .bind(name_of(&RelationshipState::Ended))
    .bind(at.time())
    .bind(&event.ended_by)
    .bind(event.relationship_id.to_string());
    projection.update(at, statement);
    trust(projection, at, &event.trust);
    Ok(())
}

/// The user has no guardians any more.
pub(super) fn dropped(projection: &mut Projection<'_>, at: At<'_, '_>, user_id: &AccountId) {
    projection.write(at, sql("DELETE FROM guardians WHERE user_id = $1").bind(user_id));
}

/// The whole list is replaced.
pub(super) fn nominated(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &GuardiansNominated,
) -> Result<(), Error> {
    dropped(projection, at, &event.user_id);
    for (place, guardian_id) in (0_i64..).zip(&event.guardians) {
        let statement = sql("INSERT INTO guardians (user_id, guardian_id, place, since_ms)
            VALUES ($1, $2, $3, $4)")
        .bind(&event.user_id)
        .bind(guardian_id)
        .bind(place)
        .bind(at.time());
        projection.write(at, statement);
    }
    Ok(())
}

/// Who begins it has confirmed by that.
pub(super) fn recovery_initiated(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RecoveryInitiated,
) -> Result<(), Error> {
    let id = event.recovery_id.to_string();
    let statement = sql("INSERT INTO recoveries (recovery_id, user_id, public_key, initiated_by,
            initiated_at_ms, expires_at_ms, state, created_tx)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(id.as_str())
    .bind(&event.user_id)
    .bind(event.public_key.to_string())
    .bind(&event.initiated_by)
    .bind(at.time())
    .bind(event.expires_at)
    .bind(name_of(&RecoveryState::Pending))
    .bind(at.tx_no);
    projection.write(at, statement);
    for (place, guardian_id) in (0_i64..).zip(&event.guardians) {
        let confirmed = (*guardian_id == event.initiated_by).then_some(at.tx_no);
        let statement = sql("INSERT INTO recovery_guardians (recovery_id, guardian_id, place,
                confirmed_tx, created_tx)
            VALUES ($1, $2, $3, $4, $5)")
        .bind(id.as_str())
        .bind(guardian_id)
        .bind(place)
        .bind(confirmed)
        .bind(at.tx_no);
        projection.write(at, statement);
    }
    Ok(())
}

pub(super) fn recovery_confirmed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RecoveryConfirmed,
) -> Result<(), Error> {
    let id = event.recovery_id.to_string();
    // A guardian says it again when a death has made it enough.
    let statement = sql("UPDATE recovery_guardians SET confirmed_tx = COALESCE(confirmed_tx, $1)
        WHERE recovery_id = $2 AND guardian_id = $3")
    .bind(at.tx_no)
    .bind(id.as_str())
    .bind(&event.guardian_id);
    projection.update(at, statement);
    let statement = sql("UPDATE recoveries SET state = $1, completable_at_ms = $2
        WHERE recovery_id = $3")
    .bind(name_of(&event.state))
    .bind(event.completable_at)
    .bind(id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn recovery_cancelled(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RecoveryCancelled,
) -> Result<(), Error> {
    let statement =
        sql("UPDATE recoveries SET state = $1, ended_at_ms = $2 WHERE recovery_id = $3")
            .bind(name_of(&RecoveryState::Cancelled))
            .bind(at.time())
            .bind(event.recovery_id.to_string());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn recovery_completed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &RecoveryCompleted,
) -> Result<(), Error> {
    let statement = sql("UPDATE recoveries SET state = $1, ended_at_ms = $2, completed_by = $3
        WHERE recovery_id = $4")
    .bind(name_of(&RecoveryState::Completed))
    .bind(at.time())
    .bind(&event.completed_by)
    .bind(event.recovery_id.to_string());
    projection.update(at, statement);
    key(projection, at, &event.user_id, event.public_key)
}
