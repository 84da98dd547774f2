//! Which organization speaks for an account without a key: the present one offers it, and another
//! takes it, each by its own service.

use axum::extract::State;
use gx_contract::custody::{AcceptCustody, TransferCustody};
use gx_store::Store;
use gx_types::MspId;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::extract::{Body, Path};
use crate::http::fields::{NoBody, contract_fields, request};
use crate::identity::account_of;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::post("/api/v1/admin/users/{id}/custody/offer", offer)
            .summary("Offers an account without a key to another organization of the ledger")
            .sample(r#"{"organization": "Org2MSP"}"#),
        Route::post("/api/v1/admin/users/{id}/custody/accept", accept)
            .summary("Takes over an account that was offered to the organization of this service")
            .sample("{}"),
    ]
}

contract_fields! {
    MspId: "invalid_organization", "must be an MSP id of 1 to 64 letters, digits, ., - or _";
}

request! {
    /// Who may speak for an account instead.
    pub(crate) struct OfferBody {
        to as "organization": MspId,
    }
}

/// `POST /admin/users/{id}/custody/offer`
async fn offer(
    commands: Commands<May<grant::UserUnfreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<OfferBody>,
) -> Result<Accepted<TransferCustody>> {
    let user_id = account_of(&store, &id).await?;
    commands.give(TransferCustody { user_id, to: body.to }).await
}

/// `POST /admin/users/{id}/custody/accept`
async fn accept(
    commands: Commands<May<grant::UserUnfreeze>>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<AcceptCustody>> {
    commands.give(AcceptCustody { user_id: account_of(&store, &id).await? }).await
}
