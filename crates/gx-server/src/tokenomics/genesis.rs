//! Genesis for users who did not get it when their account was opened, and frozen wallets.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::Response;
use gx_contract::tokenomics::{AttestedAge, DistributeGenesis, FreezeWallet, UnfreezeWallet};
use gx_store::identity::users;
use gx_types::AccountId;

use crate::admin::system::NoBody;
use crate::admin::users::{FreezeBody, account_of};
use crate::app::App;
use crate::auth::Admin;
use crate::calendar::{Date, now_ms};
use crate::commands::{Audited, Order, accept_audited, actor_of_admin};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::extract::{Body, Key, Path, Wait};
use crate::http::fields::{At, Faults, request};
use crate::service::Service;

request! {
    /// Who receives genesis. Ages are computed from the birth dates that were given.
    pub(crate) struct GenesisBody {
        /// One user, by the id on the ledger.
        user_id as "userId": Option<AccountId>,
        /// Up to 1000 users, by their ids on the ledger.
        user_ids as "userIds": Option<Vec<AccountId>>,
    }
}

/// `POST /genesis`
pub(crate) async fn distribute(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    (key, wait): (Key, Wait),
    Body(body): Body<GenesisBody>,
) -> Result<Response<HttpBody>> {
    let mut ids = body.user_ids.unwrap_or_default();
    ids.extend(body.user_id);
    if ids.is_empty() || ids.len() > 1000 {
        let mut faults = Faults::default();
        faults.add(At::Key(&At::Root, "userIds"), "list_invalid", "must have 1 to 1000 users");
        return Err(Error::invalid(faults.0));
    }
    let today = Date::of_ms(now_ms());
    let mut attested = Vec::with_capacity(ids.len());
    for user_id in ids {
        let row = users::by_ledger_id(app.store(), &user_id).await?;
        let row = row.ok_or_else(|| Error::not_found("User"))?;
        let born: Date = row
            .date_of_birth
            .parse()
            .map_err(|()| Error::internal(format!("user {}: no birth date", row.user_id)))?;
        attested.push(AttestedAge { user_id, age: born.age_on(today) });
    }
    let command = DistributeGenesis { users: attested }.into();
    let actor = actor_of_admin(&admin)?;
    let order = Order { actor, key, command, service: Service::Tokenomics };
    accept_audited(
        &app,
        &context,
        order,
        Audited { admin: &admin, target: "users", notes: None },
        wait,
    )
    .await
}

/// `POST /wallets/{userId}/freeze`
pub(crate) async fn freeze(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    (Path(id), key, wait): (Path<String>, Key, Wait),
    Body(body): Body<FreezeBody>,
) -> Result<Response<HttpBody>> {
    let user_id = account_of(&app, &id).await?;
    let notes = body.notes.as_ref().map(|notes| notes.0.as_str());
    let command = FreezeWallet { user_id, reason: body.reason }.into();
    let actor = actor_of_admin(&admin)?;
    let order = Order { actor, key, command, service: Service::Tokenomics };
    accept_audited(&app, &context, order, Audited { admin: &admin, target: &id, notes }, wait).await
}

/// `POST /wallets/{userId}/unfreeze`
pub(crate) async fn unfreeze(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    (Path(id), key, wait): (Path<String>, Key, Wait),
    Body(NoBody {}): Body<NoBody>,
) -> Result<Response<HttpBody>> {
    let user_id = account_of(&app, &id).await?;
    let command = UnfreezeWallet { user_id }.into();
    let actor = actor_of_admin(&admin)?;
    let order = Order { actor, key, command, service: Service::Tokenomics };
    accept_audited(&app, &context, order, Audited { admin: &admin, target: &id, notes: None }, wait)
        .await
}
