//! Recovery of a lost key: whom somebody has named to vouch for them, and what these do.

use axum::extract::State;
use gx_contract::identity::{
    CancelRecovery, CompleteRecovery, ConfirmRecovery, InitiateRecovery, NominateGuardians,
    RecoveryState,
};
use gx_contract::{PublicKey, SignatureBytes};
use gx_store::Store;
use gx_store::identity::recovery::{self, Guardian, Recovery};
use gx_types::{AccountId, RecoveryId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::User;
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Page, Read, View};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{List, NoBody, request};
use crate::http::paging::Limit;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/recovery", overview)
            .summary("The caller's guardians, and recoveries that are open with the caller's part")
            .fails(&[(409, "not_on_ledger")]),
        Route::get("/api/v1/recovery/wards", wards)
            .summary("Who has named the caller as a guardian")
            .fails(&[(409, "not_on_ledger")]),
        Route::post("/api/v1/recovery/guardians", nominate)
            .summary("Names those who together can give the caller's account another key")
            .sample(
                r#"{"guardians": ["IN 7K3 ABC123 0WXYZ 1234", "IN 8K3 ABC123 0WXYZ 1235",
                    "IN 9K3 ABC123 0WXYZ 1236"]}"#,
            ),
        Route::post("/api/v1/recovery/initiate", initiate)
            .summary("Begins, as a guardian, the recovery of an account whose key is lost")
            .sample(concat!(
                r#"{"userId": "IN 7K3 ABC123 0WXYZ 1234", "#,
                r#""publicKey": "#,
                r#""50584106c66171dbe6901bd187252a0d704a02a1080f80c486575d07e5e4b4fe", "#,
                r#""proof": "1d84c09c915b1e355f4130b3950f6754270b37696f36f1b6ca5d4a9b4cf48860"#,
                r#"dfc9572b83d93754b64da4a45a9ca419345c336f9798d93f9e24816af8091d0d"}"#
            )),
        Route::get("/api/v1/recovery/{recoveryId}", get)
            .summary("One recovery, for the owner of the account and the guardians")
            .fails(&[(409, "not_on_ledger")]),
        Route::post("/api/v1/recovery/{recoveryId}/confirm", confirm)
            .summary("Agrees, as a guardian; more than half have to")
            .sample("{}"),
        Route::post("/api/v1/recovery/{recoveryId}/cancel", cancel)
            .summary("Vetoes a recovery of the caller's own account; the present key signs it")
            .sample("{}"),
        Route::post("/api/v1/recovery/{recoveryId}/complete", complete)
            .summary("Sets the new key, as a guardian, when the time to veto is over")
            .sample("{}"),
    ]
}

request! {
    /// The whole list, which replaces the one before.
    pub(crate) struct GuardiansBody {
        /// Other users on the ledger.
        guardians as "guardians": List<AccountId, 3, 20>,
    }
}

request! {
    /// Who has lost the key, and what it is to be.
    pub(crate) struct InitiateBody {
        user as "userId": AccountId,
        /// The key that they have made instead.
        public_key as "publicKey": PublicKey,
        /// By that key, the holder being who has lost theirs, as `gx key prove` makes it.
        proof as "proof": SignatureBytes,
    }
}

request! {
    /// Which part of the list, in the order of the ids.
    pub(crate) struct WardsQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<AccountId>,
        limit as "limit": Option<Limit>,
    }
}

/// Whom somebody has named.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    since: String,
}

/// Somebody who has named the caller.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WardReply {
    #[schemars(with = "String")]
    user_id: AccountId,
}

/// A guardian of a recovery.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuardianReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    confirmed_at: Option<String>,
}

/// A recovery, with the guardians as they were when it began.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryReply {
    #[schemars(with = "String")]
    recovery_id: RecoveryId,
    /// Whose key is lost.
    #[schemars(with = "String")]
    user_id: AccountId,
    /// What it is to be.
    public_key: PublicKey,
    status: RecoveryState,
    /// Whether it can still come to something.
    is_open: bool,
    #[schemars(with = "String")]
    initiated_by: AccountId,
    initiated_at: String,
    /// Until when guardians may confirm.
    expires_at: String,
    /// From then on it may be completed, for 30 days; absent until more than half have confirmed.
    completable_at: Option<String>,
    /// When it was completed or cancelled.
    ended_at: Option<String>,
    guardians: Vec<GuardianReply>,
}

/// What somebody has to do with recoveries.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryOverview {
    /// Those who together can give the caller's account another key.
    guardians: Vec<NamedReply>,
    /// Open ones of the caller's own account, which a signature by the present key ends.
    own: Vec<RecoveryReply>,
    /// Open ones that the caller is a guardian of.
    as_guardian: Vec<RecoveryReply>,
}

/// Until when a recovery that was agreed on can be completed, counted from when it first can.
const COMPLETABLE_FOR_DAYS: u32 = 30;

fn is_open(row: &Recovery, now: TimeMs) -> bool {
    let until = match row.completable_at {
        Some(from) => from.plus_days(COMPLETABLE_FOR_DAYS),
        None => row.expires_at,
    };
    match row.state {
        RecoveryState::Pending | RecoveryState::Confirmed => now < until,
        RecoveryState::Cancelled | RecoveryState::Completed => false,
    }
}

impl From<Guardian> for GuardianReply {
    fn from(row: Guardian) -> Self {
        let confirmed_at = row.confirmed_at.map(|at| rfc3339(at.0));
        Self { user_id: row.guardian_id, confirmed_at }
    }
}

impl RecoveryReply {
    fn of(row: Recovery, now: TimeMs) -> Self {
        Self {
            is_open: is_open(&row, now),
            recovery_id: row.recovery_id,
            user_id: row.user_id,
            public_key: row.public_key,
            status: row.state,
            initiated_by: row.initiated_by,
            initiated_at: rfc3339(row.initiated_at.0),
            expires_at: rfc3339(row.expires_at.0),
            completable_at: row.completable_at.map(|at| rfc3339(at.0)),
            ended_at: row.ended_at.map(|at| rfc3339(at.0)),
            guardians: row.guardians.into_iter().map(Into::into).collect(),
        }
    }
}

/// Those that can still come to something.
fn open(rows: Vec<Recovery>, now: TimeMs) -> Vec<RecoveryReply> {
    let open = rows.into_iter().filter(|row| is_open(row, now));
    open.map(|row| RecoveryReply::of(row, now)).collect()
}

/// The newest recoveries among which open ones are looked for: they end within weeks.
const LOOKED_AT: u32 = 100;

/// `GET /recovery`
async fn overview(
    user: User,
    State(store): State<Store>,
    _: After,
) -> Result<Read<RecoveryOverview>> {
    let own = user.own_account()?;
    let mut view = View::open(&store).await?;
    let now = view.now();
    let named = recovery::guardians(&mut view.snapshot, &own).await?;
    let mine = recovery::of_user(&mut view.snapshot, &own, None, LOOKED_AT).await?;
    let others = recovery::of_guardian(&mut view.snapshot, &own, None, LOOKED_AT).await?;
    let named = named.into_iter().map(|(user_id, at)| NamedReply { user_id, since: rfc3339(at.0) });
    let (guardians, own) = (named.collect(), open(mine, now));
    Ok(view.read(RecoveryOverview { guardians, own, as_guardian: open(others, now) }))
}

/// `GET /recovery/wards`
async fn wards(
    user: User,
    State(store): State<Store>,
    _: After,
    Query(query): Query<WardsQuery>,
) -> Result<Read<Page<WardReply>>> {
    let (own, limit) = (user.own_account()?, query.limit.map_or(20, |limit| limit.0));
    let mut view = View::open(&store).await?;
    let (after, more) = (query.cursor.as_ref(), limit.saturating_add(1));
    let mut ids = recovery::wards(&mut view.snapshot, &own, after, more).await?;
    let has_more = ids.len() > limit as usize;
    ids.truncate(limit as usize);
    let next_cursor = ids.last().filter(|_| has_more).map(ToString::to_string);
    let data = ids.into_iter().map(|user_id| WardReply { user_id }).collect();
    Ok(view.read(Page { data, has_more, next_cursor }))
}

fn recovery_id(text: &str) -> Result<RecoveryId> {
    text.parse().map_err(|_| Error::not_found("Recovery"))
}

/// `GET /recovery/{recoveryId}`
async fn get(
    user: User,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<RecoveryReply>> {
    let (own, id) = (user.own_account()?, recovery_id(&id)?);
    let mut view = View::open(&store).await?;
    let found = recovery::get(&mut view.snapshot, id).await?;
    let is_party = |row: &Recovery| {
        row.user_id == own || row.guardians.iter().any(|one| one.guardian_id == own)
    };
    let row = found.filter(is_party).ok_or_else(|| Error::not_found("Recovery"))?;
    Ok(view.read(RecoveryReply::of(row, view.now())))
}

/// `POST /recovery/guardians`
async fn nominate(
    commands: Commands<User>,
    Body(GuardiansBody { guardians }): Body<GuardiansBody>,
) -> Result<Accepted<NominateGuardians>> {
    let user_id = commands.by.own_account()?;
    commands.give(NominateGuardians { user_id, guardians: guardians.0 }).await
}

/// `POST /recovery/initiate`
async fn initiate(
    commands: Commands<User>,
    Body(InitiateBody { user, public_key, proof }): Body<InitiateBody>,
) -> Result<Accepted<InitiateRecovery>> {
    commands.give(InitiateRecovery { user_id: user, public_key, proof }).await
}

/// `POST /recovery/{recoveryId}/confirm`
async fn confirm(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ConfirmRecovery>> {
    commands.give(ConfirmRecovery { recovery_id: recovery_id(&id)? }).await
}

/// `POST /recovery/{recoveryId}/cancel`
async fn cancel(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<CancelRecovery>> {
    commands.give(CancelRecovery { recovery_id: recovery_id(&id)? }).await
}

/// `POST /recovery/{recoveryId}/complete`
async fn complete(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<CompleteRecovery>> {
    commands.give(CompleteRecovery { recovery_id: recovery_id(&id)? }).await
}
