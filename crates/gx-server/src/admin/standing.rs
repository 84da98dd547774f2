//! What administrators decide about somebody's account on the ledger: whether its holder may act,
//! and which key it has when the holder's is lost.

use axum::extract::State;
use gx_contract::admin::OrderHash;
use gx_contract::identity::{AccountStatus, CompleteKeyReset, ResetKeyByOrder, SetUserStatus};
use gx_contract::{PublicKey, SignatureBytes};
use gx_store::Store;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::extract::{Body, Path};
use crate::http::fields::{NoBody, Written, contract_fields, request};
use crate::identity::account_of;

pub(super) fn routes() -> [Route; 3] {
    [
        Route::post("/api/v1/admin/users/{id}/status", set_status)
            .summary("Locks somebody's account or ends that; by order, finds the holder deceased")
            .sample(r#"{"status": "ACTIVE", "notes": "The inquiry is over"}"#),
        Route::post("/api/v1/admin/users/{id}/key-reset", reset)
            .summary("Proposes another key for an account whose key is lost; it may veto")
            .sample(concat!(
                r#"{"publicKey": "#,
                r#""50584106c66171dbe6901bd187252a0d704a02a1080f80c486575d07e5e4b4fe", "#,
                r#""proof": "1d84c09c915b1e355f4130b3950f6754270b37696f36f1b6ca5d4a9b4cf48860"#,
                r#"dfc9572b83d93754b64da4a45a9ca419345c336f9798d93f9e24816af8091d0d", "#,
                r#""orderHash": "#,
                r#""0000000000000000000000000000000000000000000000000000000000000009"}"#
            )),
        Route::post("/api/v1/admin/users/{id}/key-reset/complete", complete)
            .summary("Sets the key that was ordered, when nobody has vetoed for 7 days")
            .sample("{}"),
    ]
}

contract_fields! {
    AccountStatus: "invalid_status", "must be ACTIVE, LOCKED or DECEASED";
}

request! {
    /// Whether somebody may act on the ledger.
    pub(crate) struct AccountStatusBody {
        status as "status": AccountStatus,
        /// Of the document; needed for `DECEASED` and to undo it, which two super admins decide.
        order_hash as "orderHash": Option<OrderHash>,
        notes as "notes": Option<Written<0, 500>>,
    }
}

request! {
    /// Another key for somebody.
    pub(crate) struct KeyResetBody {
        /// The key that they have made instead of the one that is lost.
        public_key as "publicKey": PublicKey,
        /// By that key, with the id of this command and the account as its holder.
        proof as "proof": SignatureBytes,
        /// Of the document that the two have seen.
        order_hash as "orderHash": OrderHash,
    }
}

/// `POST /admin/users/{id}/status`
async fn set_status(
    commands: Commands<May<grant::UserUnfreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<AccountStatusBody>,
) -> Result<Accepted<SetUserStatus>> {
    let AccountStatusBody { status, order_hash, notes } = body;
    let user_id = account_of(&store, &id).await?;
    let commands = commands.noting(notes.map(|notes| notes.0));
    commands.give(SetUserStatus { user_id, status, order_hash }).await
}

/// `POST /admin/users/{id}/key-reset`
async fn reset(
    commands: Commands<May<grant::TreasuryTransfer>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<KeyResetBody>,
) -> Result<Accepted<ResetKeyByOrder>> {
    let KeyResetBody { public_key: new_key, proof, order_hash } = body;
    let user_id = account_of(&store, &id).await?;
    commands.give(ResetKeyByOrder { user_id, new_key, proof, order_hash }).await
}

/// `POST /admin/users/{id}/key-reset/complete`
async fn complete(
    commands: Commands<May<grant::UserUnfreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<CompleteKeyReset>> {
    commands.give(CompleteKeyReset { user_id: account_of(&store, &id).await? }).await
}
