//! The key that a user signs with on the ledger, and orders to replace it.

use axum::extract::State;
use gx_contract::admin::OrderHash;
use gx_contract::identity::{KeyResetState, RegisterKey, RotateKey, VetoKeyReset};
use gx_contract::{PublicKey, SignatureBytes};
use gx_store::Store;
use gx_store::identity::profiles;
use gx_store::identity::recovery::{self, KeyReset};
use gx_types::AccountId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::User;
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Body};
use crate::http::fields::{NoBody, request};

/// A key that is one, with a proof that fits nothing.
const SAMPLE: &str = concat!(
    r#"{"publicKey": "50584106c66171dbe6901bd187252a0d704a02a1080f80c486575d07e5e4b4fe", "#,
    r#""proof": "1d84c09c915b1e355f4130b3950f6754270b37696f36f1b6ca5d4a9b4cf48860"#,
    r#"dfc9572b83d93754b64da4a45a9ca419345c336f9798d93f9e24816af8091d0d"}"#
);

pub(super) fn routes() -> [Route; 4] {
    [
        Route::get("/api/v1/keys", get)
            .summary("The caller's key on the ledger, and orders to replace it")
            .fails(&[(404, "not_found"), (409, "not_on_ledger")]),
        Route::post("/api/v1/keys", register)
            .summary("Gives the caller's account a first key: from then on it signs every command")
            .sample(SAMPLE),
        Route::post("/api/v1/keys/rotate", rotate)
            .summary("Replaces the caller's key; the present one signs it")
            .sample(SAMPLE),
        Route::post("/api/v1/keys/reset/veto", veto)
            .summary("Vetoes an order to replace the caller's key; the present one signs it")
            .sample("{}"),
    ]
}

request! {
    /// A key for the caller.
    pub(crate) struct KeyBody {
        public_key as "publicKey": PublicKey,
        /// By that key, as `gx key prove` makes it.
        proof as "proof": SignatureBytes,
    }
}

/// A user's key on the ledger.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    /// Absent while the platform speaks for the account; so is the next.
    public_key: Option<PublicKey>,
    since: Option<String>,
    /// Orders of administrators to replace the key, newest first.
    resets: Vec<ResetReply>,
}

/// A key that two super admins have ordered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResetReply {
    public_key: PublicKey,
    order_hash: OrderHash,
    status: KeyResetState,
    ordered_at: String,
    /// From then on it may be set, for 30 days; until then the present key may veto.
    completable_at: String,
    ended_at: Option<String>,
}

impl From<KeyReset> for ResetReply {
    fn from(row: KeyReset) -> Self {
        Self {
            public_key: row.public_key,
            order_hash: row.order_hash,
            status: row.state,
            ordered_at: rfc3339(row.ordered_at.0),
            completable_at: rfc3339(row.completable_at.0),
            ended_at: row.ended_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// `GET /keys`
async fn get(user: User, State(store): State<Store>, _: After) -> Result<Read<KeyReply>> {
    let user_id = user.own_account()?;
    let mut view = View::open(&store).await?;
    let profile = profiles::get(&mut view.snapshot, &user_id).await?;
    let key = profile.ok_or_else(|| Error::not_found("User"))?.key;
    let resets = recovery::key_resets(&mut view.snapshot, &user_id).await?;
    Ok(view.read(KeyReply {
        user_id,
        public_key: key.map(|(key, _)| key),
        since: key.map(|(_, since)| rfc3339(since.0)),
        resets: resets.into_iter().map(Into::into).collect(),
    }))
}

/// `POST /keys`
async fn register(
    commands: Commands<User>,
    Body(KeyBody { public_key, proof }): Body<KeyBody>,
) -> Result<Accepted<RegisterKey>> {
    let user_id = commands.by.own_account()?;
    commands.give(RegisterKey { user_id, public_key, proof }).await
}

/// `POST /keys/rotate`
async fn rotate(
    commands: Commands<User>,
    Body(KeyBody { public_key, proof }): Body<KeyBody>,
) -> Result<Accepted<RotateKey>> {
    let user_id = commands.by.own_account()?;
    commands.give(RotateKey { user_id, public_key, proof }).await
}

/// `POST /keys/reset/veto`
async fn veto(
    commands: Commands<User>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<VetoKeyReset>> {
    let user_id = commands.by.own_account()?;
    commands.give(VetoKeyReset { user_id }).await
}
