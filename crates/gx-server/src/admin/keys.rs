//! The keys that administrators sign with on the ledger.

use gx_contract::admin::{RegisterAdminKey, RotateAdminKey};
use gx_contract::{PublicKey, SignatureBytes};

use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::extract::Body;
use crate::http::fields::request;

/// A key that is one, with a proof that fits nothing.
const SAMPLE: &str = concat!(
    r#"{"publicKey": "50584106c66171dbe6901bd187252a0d704a02a1080f80c486575d07e5e4b4fe", "#,
    r#""proof": "1d84c09c915b1e355f4130b3950f6754270b37696f36f1b6ca5d4a9b4cf48860"#,
    r#"dfc9572b83d93754b64da4a45a9ca419345c336f9798d93f9e24816af8091d0d"}"#
);

pub(super) fn routes() -> [Route; 2] {
    [
        Route::post("/api/v1/admin/keys", register)
            .summary("Gives the caller a first key on the ledger")
            .sample(SAMPLE)
            .concerns("key"),
        Route::post("/api/v1/admin/keys/rotate", rotate)
            .summary("Replaces the caller's key on the ledger")
            .sample(SAMPLE)
            .concerns("key"),
    ]
}

request! {
    /// A key for the caller.
    pub(crate) struct AdminKeyBody {
        public_key as "publicKey": PublicKey,
        /// By that key, as `gx key prove` makes it.
        proof as "proof": SignatureBytes,
    }
}

/// `POST /admin/keys`
async fn register(
    commands: Commands<May<grant::SystemStatusRead>>,
    Body(body): Body<AdminKeyBody>,
) -> Result<Accepted<RegisterAdminKey>> {
    let AdminKeyBody { public_key, proof } = body;
    commands.give(RegisterAdminKey { public_key, proof }).await
}

/// `POST /admin/keys/rotate`
async fn rotate(
    commands: Commands<May<grant::SystemStatusRead>>,
    Body(body): Body<AdminKeyBody>,
) -> Result<Accepted<RotateAdminKey>> {
    let AdminKeyBody { public_key, proof } = body;
    commands.give(RotateAdminKey { public_key, proof }).await
}
