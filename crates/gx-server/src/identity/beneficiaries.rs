//! Whom a user pays often. Everybody sees and changes their own; nobody else's exist for them.

use axum::extract::State;
use axum::http::StatusCode;
use gx_store::Store;
use gx_store::identity::beneficiaries::{self, Beneficiary, OWNERS_ACCOUNT};
use gx_store::tokenomics::accounts;
use gx_types::{AccountId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Failure, Route};
use crate::audit::{Audit, Entry};
use crate::auth::{User, random_id};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Message, Pagination};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{Count, Truth, Written, request};

/// How many somebody may have.
const BENEFICIARIES_MAX: u64 = 500;

/// How an account can't be a beneficiary.
const UNFIT: [Failure; 3] =
    [(404, "account_not_found"), (409, "beneficiary_already_exists"), (409, "own_account")];

pub(super) fn routes() -> [Route; 4] {
    [
        Route::get("/api/v1/beneficiaries", list)
            .summary("Whom the caller pays often, newest first"),
        Route::post("/api/v1/beneficiaries", create)
            .summary("Adds somebody whom the caller pays often")
            .sample(concat!(
                r#"{"name": "Charity", "walletAddress": "SYSTEM_CHARITABLE_POOL", "#,
                r#""nickname": "Wells", "isFavorite": true}"#
            ))
            .fails(&UNFIT)
            .fails(&[(409, "too_many_beneficiaries")]),
        Route::put("/api/v1/beneficiaries/{beneficiaryId}", update)
            .summary("Changes somebody whom the caller pays often")
            .sample(r#"{"name": "Charity", "walletAddress": "SYSTEM_CHARITABLE_POOL"}"#)
            .fails(&UNFIT),
        Route::delete("/api/v1/beneficiaries/{beneficiaryId}", remove)
            .summary("Takes somebody off the list of those whom the caller pays often"),
    ]
}

request! {
    /// Which part of the list.
    pub(crate) struct BeneficiariesQuery {
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Somebody whom the caller pays often.
    pub(crate) struct BeneficiaryBody {
        name as "name": Written<1, 100>,
        /// Id of their account on the ledger.
        account as "walletAddress": AccountId,
        nickname as "nickname": Option<Written<1, 50>>,
        favorite as "isFavorite": Option<Truth>,
    }
}

/// Somebody whom the caller pays often.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BeneficiaryReply {
    id: String,
    name: String,
    wallet_address: String,
    nickname: Option<String>,
    is_favorite: bool,
    created_at: String,
    updated_at: String,
}

impl From<Beneficiary> for BeneficiaryReply {
    fn from(row: Beneficiary) -> Self {
        Self {
            id: row.beneficiary_id,
            name: row.name,
            wallet_address: row.account_id.to_string(),
            nickname: row.nickname,
            is_favorite: row.favorite,
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

/// A page of those whom the caller pays often.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BeneficiariesReply {
    beneficiaries: Vec<BeneficiaryReply>,
    #[serde(flatten)]
    place: Pagination,
}

/// A beneficiary as it is kept now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BeneficiaryKept {
    beneficiary: BeneficiaryReply,
    message: &'static str,
}

/// `GET /beneficiaries`
async fn list(
    user: User,
    State(store): State<Store>,
    Query(query): Query<BeneficiariesQuery>,
) -> Result<Json<BeneficiariesReply>> {
    let (page, limit) = (query.page.map_or(1, |page| page.0), query.limit.map_or(20, |l| l.0));
    let offset = u64::from(page - 1) * u64::from(limit);
    let (rows, total) = beneficiaries::list(&store, user.id(), offset, limit).await?;
    let beneficiaries = rows.into_iter().map(BeneficiaryReply::from).collect();
    let place = Pagination::new(u64::from(page), limit, total);
    Ok(Json(BeneficiariesReply { beneficiaries, place }))
}

/// `POST /beneficiaries`
async fn create(
    user: User,
    audit: Audit,
    State(store): State<Store>,
    Body(body): Body<BeneficiaryBody>,
) -> Result<Created<BeneficiaryKept>> {
    fits(&store, &user, &body.account).await?;
    let row = beneficiary(&user, random_id().map_err(Error::internal)?, body);
    let mut change = audit.begin().await?;
    if !beneficiaries::create(change.tx(), &row, BENEFICIARIES_MAX).await.map_err(taken)? {
        let message = format!("There are {BENEFICIARIES_MAX} beneficiaries already");
        return Err(Error::conflict("too_many_beneficiaries", message));
    }
    let target = row.beneficiary_id.clone();
    change
        .commit(Entry { actor: user.scope(), action: "beneficiary.add", target: &target })
        .await?;
    Ok(Created(BeneficiaryKept { beneficiary: row.into(), message: "Added" }))
}

/// `PUT /beneficiaries/{beneficiaryId}`
async fn update(
    user: User,
    audit: Audit,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<BeneficiaryBody>,
) -> Result<Json<BeneficiaryKept>> {
    let kept = beneficiaries::get(&store, user.id(), &id).await?.ok_or_else(unknown)?;
    fits(&store, &user, &body.account).await?;
    let row = Beneficiary { created_at: kept.created_at, ..beneficiary(&user, id, body) };
    let mut change = audit.begin().await?;
    if !beneficiaries::update(change.tx(), &row).await.map_err(taken)? {
        return Err(unknown());
    }
    let target = row.beneficiary_id.clone();
    let entry = Entry { actor: user.scope(), action: "beneficiary.change", target: &target };
    change.commit(entry).await?;
    Ok(Json(BeneficiaryKept { beneficiary: row.into(), message: "Changed" }))
}

/// `DELETE /beneficiaries/{beneficiaryId}`
async fn remove(user: User, audit: Audit, Path(id): Path<String>) -> Result<Json<Message>> {
    let mut change = audit.begin().await?;
    if !beneficiaries::remove(change.tx(), user.id(), &id).await? {
        return Err(unknown());
    }
    let entry = Entry { actor: user.scope(), action: "beneficiary.remove", target: &id };
    change.commit(entry).await?;
    Ok(Json(Message::done("Removed")))
}

fn beneficiary(user: &User, beneficiary_id: String, body: BeneficiaryBody) -> Beneficiary {
    let now = TimeMs(now_ms());
    Beneficiary {
        beneficiary_id,
        owner: user.id().to_owned(),
        account_id: body.account,
        name: body.name.0,
        nickname: body.nickname.map(|nickname| nickname.0),
        favorite: body.favorite.is_some_and(|favorite| favorite.0),
        created_at: now,
        updated_at: now,
    }
}

/// Whether an account can be paid by the caller: it exists, and is another's.
async fn fits(store: &Store, user: &User, account: &AccountId) -> Result<()> {
    if user.account.as_ref() == Some(account) {
        return Err(Error::conflict("own_account", "It is your own account"));
    }
    if accounts::get(store, account).await?.is_none() {
        let message = "walletAddress is no account on the ledger";
        return Err(Error::new(StatusCode::NOT_FOUND, "account_not_found", message));
    }
    Ok(())
}

fn taken(error: gx_store::Error) -> Error {
    if error.is_unique(OWNERS_ACCOUNT) {
        let message = "The account is on the list of your beneficiaries already";
        Error::conflict("beneficiary_already_exists", message)
    } else {
        error.into()
    }
}

fn unknown() -> Error {
    Error::not_found("Beneficiary")
}
