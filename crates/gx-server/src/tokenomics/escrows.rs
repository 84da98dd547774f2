//! Coins that wait between a payer and a payee, perhaps for an arbiter's word.

use axum::extract::State;
use gx_contract::escrow::{EscrowState, OpenEscrow, RefundEscrow, ReleaseEscrow};
use gx_store::Store;
use gx_store::tokenomics::escrows::{self, Escrow};
use gx_types::{AccountId, EscrowId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::Remark;
use crate::api::Route;
use crate::auth::{Caller, Permission, User};
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Page, Read, View};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{GxAmount, Instant, NoBody, request};
use crate::http::paging::{ListQuery, Part};

pub(super) fn routes() -> [Route; 5] {
    [
        Route::get("/api/v1/escrows", list)
            .summary("Escrows that the caller pays, is paid by or decides on, newest first")
            .fails(&[(400, "invalid_cursor"), (409, "not_on_ledger")]),
        Route::post("/api/v1/escrows", open)
            .summary("Takes coins from the caller's account and has them wait for the payee")
            .sample(
                r#"{"toUserId": "IN 7K3 ABC123 0WXYZ 1234", "amount": "1.00",
                    "expiresAt": "2035-12-31T23:59:59Z", "remark": "A used bicycle"}"#,
            ),
        Route::get("/api/v1/escrows/{escrowId}", get)
            .summary("One escrow, for its parties and administrators")
            .fails(&[(403, "forbidden")]),
        Route::post("/api/v1/escrows/{escrowId}/release", release)
            .summary("Pays the payee: by the payer, or by the arbiter before it expires")
            .sample("{}"),
        Route::post("/api/v1/escrows/{escrowId}/refund", refund)
            .summary("Gives the coins back: by payee or arbiter, by anybody once it has expired")
            .sample("{}"),
    ]
}

request! {
    /// Coins that are to wait. The payer pays the fee on top, and gets it back with a refund.
    pub(crate) struct EscrowBody {
        /// The payee: a user or an organization.
        to as "toUserId": AccountId,
        amount as "amount": GxAmount,
        /// From then on anybody may give the coins back: 1 hour to 365 days from now.
        expires_at as "expiresAt": Instant,
        /// A user who may release and refund as well.
        arbiter as "arbiterId": Option<AccountId>,
        /// Readable by everybody on the ledger.
        remark as "remark": Option<Remark>,
    }
}

/// Coins that wait, or have waited.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EscrowReply {
    #[schemars(with = "String")]
    escrow_id: EscrowId,
    #[schemars(with = "String")]
    payer_id: AccountId,
    #[schemars(with = "String")]
    payee_id: AccountId,
    #[schemars(with = "Option<String>")]
    arbiter_id: Option<AccountId>,
    /// What the payee gets.
    amount: String,
    /// What waits beside it.
    fee: String,
    currency: &'static str,
    remark: String,
    status: EscrowState,
    opened_at: String,
    expires_at: String,
    /// When it was released or refunded.
    settled_at: Option<String>,
    #[schemars(with = "Option<String>")]
    settled_by: Option<AccountId>,
}

impl From<Escrow> for EscrowReply {
    fn from(row: Escrow) -> Self {
        Self {
            escrow_id: row.escrow_id,
            payer_id: row.payer_id,
            payee_id: row.payee_id,
            arbiter_id: row.arbiter_id,
            amount: row.amount.to_gx(),
            fee: row.fee.to_gx(),
            currency: CURRENCY,
            remark: row.remark,
            status: row.state,
            opened_at: rfc3339(row.opened_at.0),
            expires_at: rfc3339(row.expires_at.0),
            settled_at: row.settled.map(|(at, _)| rfc3339(at.0)),
            settled_by: row.settled.map(|(_, by)| by),
        }
    }
}

/// `GET /escrows`
async fn list(
    user: User,
    State(store): State<Store>,
    _: After,
    Query(query): Query<ListQuery>,
) -> Result<Read<Page<EscrowReply>>> {
    let (own, part) = (user.own_account()?, Part::new(query.cursor, query.limit)?);
    let mut view = View::open(&store).await?;
    let rows = escrows::of_party(&mut view.snapshot, &own, part.before, part.more()).await?;
    let page = Page::of(rows, part.limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| Ok(EscrowReply::from(row)))?))
}

fn escrow_id(text: &str) -> Result<EscrowId> {
    text.parse().map_err(|_| Error::not_found("Escrow"))
}

/// Whether the caller may see it.
fn may_see(caller: &Caller, escrow: &Escrow) -> Result<bool> {
    match caller {
        Caller::Admin(admin) if admin.may(Permission::UserView) => Ok(true),
        Caller::Admin(_) => Err(Error::forbidden()),
        Caller::User(user) => Ok(user.account.is_some_and(|own| {
            own == escrow.payer_id || own == escrow.payee_id || escrow.arbiter_id == Some(own)
        })),
    }
}

/// `GET /escrows/{escrowId}`
async fn get(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<EscrowReply>> {
    let missing = || Error::not_found("Escrow");
    let mut view = View::open(&store).await?;
    let found = escrows::get(&mut view.snapshot, escrow_id(&id)?).await?;
    let found = found.ok_or_else(missing)?;
    if !may_see(&caller, &found)? {
        return Err(missing());
    }
    Ok(view.read(found.into()))
}

/// `POST /escrows`
async fn open(
    commands: Commands<User>,
    Body(body): Body<EscrowBody>,
) -> Result<Accepted<OpenEscrow>> {
    let EscrowBody { to, amount, expires_at, arbiter: arbiter_id, remark } = body;
    let (amount, expires_at) = (amount.0, TimeMs(expires_at.0));
    let remark = remark.map(|remark| remark.0).unwrap_or_default();
    commands.give(OpenEscrow { to, amount, expires_at, arbiter_id, remark }).await
}

/// `POST /escrows/{escrowId}/release`
async fn release(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ReleaseEscrow>> {
    commands.give(ReleaseEscrow { escrow_id: escrow_id(&id)? }).await
}

/// `POST /escrows/{escrowId}/refund`
async fn refund(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<RefundEscrow>> {
    commands.give(RefundEscrow { escrow_id: escrow_id(&id)? }).await
}
