//! Identity: registration, log-in and profiles of users.

mod beneficiaries;
pub(crate) mod documents;
pub(crate) mod fields;
mod keys;
pub(crate) mod kyc;
mod login;
mod national_id;
mod partner_grants;
mod passkeys;
mod password;
mod profile;
mod qsend;
mod recovery;
mod register;
mod registration;
mod relationships;
mod second_factor;
mod sessions;
mod trust;
pub(crate) mod upload;

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::users;
use gx_store::tokenomics::accounts;
use gx_types::AccountId;

use crate::api::Route;
use crate::auth::{Jwks, Logins};
use crate::error::{Error, Result};
use crate::http::answer::Json;
use crate::notifications;

/// Where the keys of access tokens stand.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";

pub(crate) use profile::kyc_status;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = Vec::from(login::routes());
    routes.extend(password::routes());
    routes.extend(second_factor::routes());
    routes.extend(passkeys::routes());
    routes.extend(sessions::routes());
    routes.extend(register::routes());
    routes.extend(relationships::routes());
    routes.extend(trust::routes());
    routes.extend(keys::routes());
    routes.extend(recovery::routes());
    routes.extend(beneficiaries::routes());
    routes.extend(partner_grants::routes());
    routes.extend(qsend::routes());
    routes.extend(notifications::of_users());
    routes.extend(documents::routes());
    routes.extend(kyc::routes());
    routes.extend(registration::routes());
    routes.extend(profile::routes());
    routes.push(national_id::route());
    routes.push(Route::get(JWKS_PATH, jwks).summary("The public keys of access tokens"));
    routes
}

/// `GET /.well-known/jwks.json`
async fn jwks(State(logins): State<Logins>) -> Result<Json<Jwks>> {
    Ok(Json(logins.tokens().jwks()))
}

/// An account on the ledger, given by its id; a user's by either id.
pub(crate) async fn account_of(store: &Store, id: &str) -> Result<AccountId> {
    let mut row = None;
    if let Ok(account) = id.parse::<AccountId>() {
        if accounts::get(store, &account).await?.is_some() {
            return Ok(account);
        }
        row = users::by_ledger_id(store, &account).await?;
    }
    if row.is_none() {
        row = users::get(store, id).await?;
    }
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    let missing = "The user's account is not on the ledger yet";
    row.ledger_id.filter(|_| row.on_ledger).ok_or_else(|| Error::conflict("not_on_ledger", missing))
}
