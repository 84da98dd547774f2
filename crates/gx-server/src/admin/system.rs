//! The system as a whole: bootstrap, countries, pause, and how it stands.

use axum::extract::State;
use gx_contract::SignatureBytes;
use gx_contract::admin::{
    BootstrapSystem, ClockConfirmation, ConfirmClock, CountryWeight, InitializeCountryData,
    PauseSystem, ResumeSystem,
};
use gx_store::Store;
use gx_store::projection::Totals;
use gx_store::tokenomics::supply::{self, System};
use gx_types::{AccountId, AdminId, CountryCode, NetworkId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Body};
use crate::http::fields::{Count, Instant, List, NoBody, Said, Written, request};

pub(super) fn routes() -> [Route; 6] {
    [
        Route::post("/api/v1/admin/bootstrap", bootstrap)
            .summary("Creates the whole supply in six pools, once")
            .sample(r#"{"userId": null}"#)
            .concerns("system")
            .fails(&[(403, "forbidden")]),
        Route::post("/api/v1/admin/countries/initialize", initialize_countries)
            .summary("Adds countries and their shares of genesis")
            .sample(r#"{"countries": [{"countryCode": "FR", "weight": 1}]}"#)
            .concerns("countries"),
        Route::post("/api/v1/admin/system/pause", pause)
            .summary("Stops everything but resuming and reading")
            .sample(r#"{"reason": "Maintenance of the network"}"#)
            .concerns("system"),
        Route::post("/api/v1/admin/system/resume", resume)
            .summary("Ends a pause")
            .sample("{}")
            .concerns("system"),
        Route::post("/api/v1/admin/system/clock", confirm_clock)
            .summary("Lets a ledger go on whose clock has jumped")
            .sample(CLOCK_SAMPLE)
            .concerns("system"),
        Route::get("/api/v1/admin/system/status", status)
            .summary("Whether the system is bootstrapped, and whether it is paused"),
    ]
}

request! {
    /// Who will be the first super admin on the ledger; by default the caller.
    pub(crate) struct BootstrapBody {
        first as "firstSuperAdmin": Option<AdminId>,
        /// The account that they will open, to which they may disburse nothing; `null` says that
        /// they will have none.
        account as "userId": Said<AccountId>,
    }
}

request! {
    /// Countries to add. They may come in parts; the set is complete at a weight of 100,000,000.
    pub(crate) struct CountriesBody {
        countries as "countries": List<CountryBody, 1, 676>,
    }
}

request! {
    /// A country's share of the genesis slots.
    pub(crate) struct CountryBody {
        code as "countryCode": CountryCode,
        /// Parts per 100,000,000.
        weight as "weight": Count<0, 100_000_000>,
    }
}

request! {
    /// Why everything stops.
    pub struct PauseBody {
        /// Readable by everybody on the ledger.
        reason as "reason": Written<10, 500>,
    }
}

/// Two confirmations; their signatures fit nothing.
const CLOCK_SAMPLE: &str = concat!(
    r#"{"time": "2025-12-31T23:59:59Z", "confirmations": [{"adminId": "root", "signature": ""#,
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000",
    r#""}, {"adminId": "second", "signature": ""#,
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000",
    r#""}]}"#
);

request! {
    /// What the time is, by the word of two super admins.
    pub(crate) struct ClockBody {
        /// To within an hour, and exactly as it was signed.
        time as "time": Instant,
        confirmations as "confirmations": List<ConfirmationBody, 2, 2>,
    }
}

request! {
    /// A super admin's word for what the time is, signed with `gx key confirm-clock`.
    pub(crate) struct ConfirmationBody {
        admin_id as "adminId": AdminId,
        signature as "signature": SignatureBytes,
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
async fn bootstrap(
    commands: Commands<May<grant::SystemBootstrap>>,
    State(network_id): State<NetworkId>,
    Body(body): Body<BootstrapBody>,
) -> Result<Accepted<BootstrapSystem>> {
    let first = body.first.or(commands.by.ledger_id).ok_or_else(Error::forbidden)?;
    let (first_super_admin, Said(account_id)) = (first, body.account);
    let command = BootstrapSystem { first_super_admin, network_id, account_id, key: None };
    commands.give(command).await
}

/// `POST /admin/countries/initialize`
async fn initialize_countries(
    commands: Commands<May<grant::SystemBootstrap>>,
    Body(body): Body<CountriesBody>,
) -> Result<Accepted<InitializeCountryData>> {
    let country = |country: CountryBody| CountryWeight {
        country_code: country.code,
        weight: country.weight.0,
    };
    let countries = body.countries.0.into_iter().map(country).collect();
    commands.give(InitializeCountryData { countries }).await
}

/// `POST /admin/system/pause`
async fn pause(
    commands: Commands<May<grant::SystemPause>>,
    Body(body): Body<PauseBody>,
) -> Result<Accepted<PauseSystem>> {
    commands.give(PauseSystem { reason: body.reason.0 }).await
}

/// `POST /admin/system/resume`
async fn resume(
    commands: Commands<May<grant::SystemResume>>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ResumeSystem>> {
    commands.give(ResumeSystem {}).await
}

/// `POST /admin/system/clock`
async fn confirm_clock(
    commands: Commands<May<grant::SystemResume>>,
    Body(body): Body<ClockBody>,
) -> Result<Accepted<ConfirmClock>> {
    let confirmation = |one: ConfirmationBody| ClockConfirmation {
        admin_id: one.admin_id,
        signature: one.signature,
    };
    let confirmations = body.confirmations.0.into_iter().map(confirmation).collect();
    let time = TimeMs(body.time.0);
    commands.by_system().give(ConfirmClock { time, confirmations }).await
}

/// `GET /admin/system/status`
async fn status(
    _: May<grant::SystemStatusRead>,
    State(store): State<Store>,
    _: After,
) -> Result<Read<SystemReply>> {
    let mut view = View::open(&store).await?;
    let system = supply::system(&mut view.snapshot).await?;
    Ok(view.read(SystemReply::of(system.as_ref(), view.position.totals)))
}

impl SystemReply {
    fn of(system: Option<&System>, totals: Totals) -> Self {
        let paused = system.and_then(|system| system.paused.as_ref());
        Self {
            status: match (system, paused) {
                (None, _) => "NOT_BOOTSTRAPPED",
                (Some(_), Some(_)) => "PAUSED",
                (Some(_), None) => "ACTIVE",
            },
            is_paused: paused.is_some(),
            paused_since: paused.map(|(since, _)| rfc3339(since.0)),
            pause_reason: paused.map(|(_, reason)| reason.clone()),
            bootstrapped_at: system.map(|system| rfc3339(system.bootstrapped_at.0)),
            first_super_admin: system.map(|system| system.first_super_admin.to_string()),
            countries: system.map_or(0, |system| system.countries),
            countries_sealed: system
                .is_some_and(|system| system.total_weight == u64::from(gx_contract::TOTAL_WEIGHT)),
            accounts: totals.accounts,
            commands: totals.commands,
            refused: totals.refused,
        }
    }
}
