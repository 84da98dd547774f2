//! Freezing accounts and ending that. Administration serves the same routes under its own paths.

use axum::extract::State;
use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_store::Store;
use gx_store::tokenomics::accounts;
use gx_types::AccountId;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::extract::{Body, Path};
use crate::http::fields::{Written, contract_fields, request};
use crate::identity::account_of;

/// Freezing and its end; the account may be named by either of its ids.
pub(crate) fn routes() -> [Route; 2] {
    [
        Route::post("/api/v1/wallets/{userId}/freeze", freeze)
            .summary("Freezes an account; tokens of its user stop working")
            .sample(r#"{"reason": "USER_REQUEST"}"#),
        Route::post("/api/v1/wallets/{userId}/unfreeze", unfreeze)
            .summary("Ends a reason for a freeze; payments pass again when none is left")
            .sample(r#"{"reason": "USER_REQUEST"}"#)
            .fails(&[(409, "not_frozen"), (409, "reason_required")]),
    ]
}

contract_fields! {
    FreezeReason: "invalid_reason",
        "must be ADMIN_ACTION, SUSPICIOUS_ACTIVITY, COMPLIANCE_REVIEW, COURT_ORDER, \
         USER_REQUEST, INACTIVITY or DEBT_COLLECTION";
}

request! {
    /// Why an account is frozen.
    pub(crate) struct FreezeBody {
        reason as "reason": FreezeReason,
        notes as "notes": Option<Written<0, 500>>,
    }
}

request! {
    /// Which reason for a freeze has ended.
    pub(crate) struct UnfreezeBody {
        /// Needed when there are several.
        reason as "reason": Option<FreezeReason>,
    }
}

/// `POST /wallets/{userId}/freeze`
async fn freeze(
    commands: Commands<May<grant::UserFreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<FreezeBody>,
) -> Result<Accepted<FreezeWallet>> {
    let account_id = account_of(&store, &id).await?;
    let commands = commands.noting(body.notes.map(|notes| notes.0));
    commands.give(FreezeWallet { account_id, reason: body.reason }).await
}

/// `POST /wallets/{userId}/unfreeze`
async fn unfreeze(
    commands: Commands<May<grant::UserUnfreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<UnfreezeBody>,
) -> Result<Accepted<UnfreezeWallet>> {
    let account_id = account_of(&store, &id).await?;
    let reason = match body.reason {
        Some(reason) => reason,
        None => only_reason(&store, &account_id).await?,
    };
    commands.give(UnfreezeWallet { account_id, reason }).await
}

/// The reason that is meant when none is named.
async fn only_reason(store: &Store, id: &AccountId) -> Result<FreezeReason> {
    let account = accounts::get(store, id).await?.ok_or_else(|| Error::not_found("Account"))?;
    let mut reasons = account.frozen.iter();
    match (reasons.next(), reasons.next()) {
        (Some(reason), None) => Ok(reason),
        (None, _) => Err(Error::conflict("not_frozen", "The account is not frozen")),
        (Some(_), Some(_)) => {
            let message = "The account is frozen for several reasons: name the one that ends";
            Err(Error::conflict("reason_required", message))
        }
    }
}
