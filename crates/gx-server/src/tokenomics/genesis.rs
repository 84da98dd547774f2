//! Genesis for users who did not get it when their account was opened.

use std::collections::HashMap;

use axum::extract::State;
use gx_contract::tokenomics::{AttestedAge, DistributeGenesis};
use gx_contract::{Attested, Purpose};
use gx_store::Store;
use gx_store::identity::users::{self, User};
use gx_types::{AccountId, TimeMs};

use crate::api::Route;
use crate::attester::Attester;
use crate::auth::{May, grant};
use crate::calendar::{Date, now_ms};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::extract::Body;
use crate::http::fields::{List, request};

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/genesis", distribute)
        .summary("Grants genesis to users who did not get it with their account")
        .sample(r#"{"userId": "{ledgerId}"}"#)
        .concerns("users")
        .fails(&[(404, "not_found"), (409, "attester_not_configured")])]
}

request! {
    /// Who receives genesis. Ages are computed from the birth dates that were given.
    pub(crate) struct GenesisBody {
        /// One user, by the id on the ledger.
        user_id as "userId": Option<AccountId>,
        /// Up to 1000 users, by their ids on the ledger.
        user_ids as "userIds": Option<List<AccountId, 1, 1000>>,
    }
    any_of ["userId", "userIds"]
}

/// `POST /genesis`
async fn distribute(
    commands: Commands<May<grant::TreasuryTransfer>>,
    State(store): State<Store>,
    State(attester): State<Attester>,
    Body(body): Body<GenesisBody>,
) -> Result<Accepted<DistributeGenesis>> {
    let mut ids = body.user_ids.map_or_else(Vec::new, |ids| ids.0);
    ids.extend(body.user_id);
    if ids.is_empty() {
        return Err(Error::field("userId", "required", "is required, or userIds"));
    }
    commands.give(DistributeGenesis { users: attested(&store, &attester, ids).await? }).await
}

async fn attested(
    store: &Store,
    attester: &Attester,
    ids: Vec<AccountId>,
) -> Result<Vec<AttestedAge>> {
    let now = TimeMs(now_ms());
    let today = Date::of_ms(now.0);
    let rows = users::by_ledger_ids(store, &ids).await?;
    let found = rows.into_iter().filter_map(|row| Some((row.ledger_id?, row)));
    let found: HashMap<AccountId, User> = found.collect();
    let attest = |user_id: AccountId| {
        let row = found.get(&user_id).ok_or_else(|| Error::not_found("User"))?;
        let damaged = |what: &str| Error::internal(format!("user {}: {what}", row.user_id));
        let born: Date = row.date_of_birth.parse().map_err(|()| damaged("no birth date"))?;
        let identity_hash = row.identity_hash.parse().map_err(|_| damaged("no identity hash"))?;
        let (age, country, purpose) = (born.age_on(today), row.country, Purpose::Genesis);
        let said = Attested { purpose, user_id, identity_hash, country, age };
        Ok(AttestedAge { user_id, age, attestation: attester.attest(&said, now)? })
    };
    ids.into_iter().map(attest).collect()
}
