//! Freezing accounts and ending that. Administration serves the same routes under its own paths.

use axum::extract::State;
use gx_contract::tokenomics::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_store::Store;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::extract::{Body, Path};
use crate::http::fields::{NoBody, Written, contract_fields, request};
use crate::identity::account_of;

/// Freezing and its end; the account may be named by either of its ids.
pub(crate) fn routes() -> [Route; 2] {
    [
        Route::post("/api/v1/wallets/{userId}/freeze", freeze)
            .summary("Freezes an account; tokens of its user stop working")
            .sample(r#"{"reason": "USER_REQUEST"}"#),
        Route::post("/api/v1/wallets/{userId}/unfreeze", unfreeze)
            .summary("Ends a freeze")
            .sample("{}"),
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

/// `POST /wallets/{userId}/freeze`
async fn freeze(
    commands: Commands<May<grant::UserFreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<FreezeBody>,
) -> Result<Accepted<FreezeWallet>> {
    let user_id = account_of(&store, &id).await?;
    let commands = commands.noting(body.notes.map(|notes| notes.0));
    commands.give(FreezeWallet { user_id, reason: body.reason }).await
}

/// `POST /wallets/{userId}/unfreeze`
async fn unfreeze(
    commands: Commands<May<grant::UserUnfreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<UnfreezeWallet>> {
    commands.give(UnfreezeWallet { user_id: account_of(&store, &id).await? }).await
}
