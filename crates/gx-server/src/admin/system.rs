//! The system as a whole: bootstrap, countries, pause, and how it stands.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::Response;
use gx_contract::admin::{
    BootstrapSystem, CountryWeight, InitializeCountryData, PauseSystem, ResumeSystem,
};
use gx_store::tokenomics::supply;
use gx_types::{AdminId, CountryCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::auth::Admin;
use crate::calendar::rfc3339;
use crate::commands::{Audited, Order, accept_audited, actor_of_admin};
use crate::error::{Error, Result};
use crate::http::answer::View;
use crate::http::context::Context;
use crate::http::extract::{After, Body, Key, Wait};
use crate::http::fields::{Written, request};
use crate::service::Service;

request! {
    /// Who will be the first super admin on the ledger; by default the caller.
    pub(crate) struct BootstrapBody {
        first as "firstSuperAdmin": Option<AdminId>,
    }
}

request! {
    /// Countries to add. They may come in parts; the set is complete at a weight of 100,000,000.
    pub(crate) struct CountriesBody {
        countries as "countries": Vec<CountryBody>,
    }
}

request! {
    /// A country's share of the genesis slots.
    pub(crate) struct CountryBody {
        code as "countryCode": CountryCode,
        /// Parts per 100,000,000.
        weight as "weight": u32,
    }
}

request! {
    /// Why everything stops.
    pub(crate) struct PauseBody {
        reason as "reason": Written<10, 500>,
    }
}

request! {
    /// Nothing has to be said.
    pub(crate) struct NoBody {
    }
}

/// How the system stands.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SystemReply {
    /// `NOT_BOOTSTRAPPED`, `ACTIVE` or `PAUSED`.
    status: &'static str,
    is_paused: bool,
    paused_since: Option<String>,
    pause_reason: Option<String>,
    bootstrapped_at: Option<String>,
    first_super_admin: Option<String>,
    countries: u64,
    /// Whether the set of countries is complete.
    countries_sealed: bool,
    accounts: u64,
    commands: u64,
    refused: u64,
}

/// `POST /admin/bootstrap`
pub(crate) async fn bootstrap(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    key: Key,
    wait: Wait,
    Body(body): Body<BootstrapBody>,
) -> Result<Response<HttpBody>> {
    let actor = actor_of_admin(&admin)?;
    let first = body.first.or(admin.ledger_id).ok_or_else(Error::forbidden)?;
    let network_id = app.config().network;
    let command = BootstrapSystem { first_super_admin: first, network_id }.into();
    let order = Order { actor, key, command, service: Service::Admin };
    accept_audited(
        &app,
        &context,
        order,
        Audited { admin: &admin, target: "system", notes: None },
        wait,
    )
    .await
}

/// `POST /admin/countries/initialize`
pub(crate) async fn initialize_countries(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    key: Key,
    wait: Wait,
    Body(body): Body<CountriesBody>,
) -> Result<Response<HttpBody>> {
    let country =
        |country: CountryBody| CountryWeight { country_code: country.code, weight: country.weight };
    let countries = body.countries.into_iter().map(country).collect();
    let command = InitializeCountryData { countries }.into();
    let order = Order { actor: actor_of_admin(&admin)?, key, command, service: Service::Admin };
    accept_audited(
        &app,
        &context,
        order,
        Audited { admin: &admin, target: "countries", notes: None },
        wait,
    )
    .await
}

/// `POST /admin/system/pause`
pub(crate) async fn pause(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    key: Key,
    wait: Wait,
    Body(body): Body<PauseBody>,
) -> Result<Response<HttpBody>> {
    let command = PauseSystem { reason: body.reason.0 }.into();
    let order = Order { actor: actor_of_admin(&admin)?, key, command, service: Service::Admin };
    accept_audited(
        &app,
        &context,
        order,
        Audited { admin: &admin, target: "system", notes: None },
        wait,
    )
    .await
}

/// `POST /admin/system/resume`
pub(crate) async fn resume(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    key: Key,
    wait: Wait,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Response<HttpBody>> {
    let command = ResumeSystem {}.into();
    let order = Order { actor: actor_of_admin(&admin)?, key, command, service: Service::Admin };
    accept_audited(
        &app,
        &context,
        order,
        Audited { admin: &admin, target: "system", notes: None },
        wait,
    )
    .await
}

/// `GET /admin/system/status`
pub(crate) async fn status(State(app): State<App>, _: After) -> Result<Response<HttpBody>> {
    let mut view = View::open(&app).await?;
    let system = supply::system(&mut view.snapshot).await?;
    let totals = view.position.totals;
    let (status, paused) = match &system {
        None => ("NOT_BOOTSTRAPPED", None),
        Some(system) => match &system.paused {
            Some(paused) => ("PAUSED", Some(paused)),
            None => ("ACTIVE", None),
        },
    };
    let reply = SystemReply {
        status,
        is_paused: paused.is_some(),
        paused_since: paused.map(|(since, _)| rfc3339(since.0)),
        pause_reason: paused.map(|(_, reason)| reason.clone()),
        bootstrapped_at: system.as_ref().map(|system| rfc3339(system.bootstrapped_at.0)),
        first_super_admin: system.as_ref().map(|system| system.first_super_admin.to_string()),
        countries: system.as_ref().map_or(0, |system| system.countries),
        countries_sealed: system
            .as_ref()
            .is_some_and(|system| system.total_weight == u64::from(gx_contract::TOTAL_WEIGHT)),
        accounts: totals.accounts,
        commands: totals.commands,
        refused: totals.refused,
    };
    Ok(view.answer(&reply))
}
