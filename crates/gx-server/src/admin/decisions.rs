//! What is proposed to a second admin: administrators, parameters, disbursements, treasuries. A
//! committed command of these is an action that waits; `actions` shows it.

use axum::extract::State;
use gx_contract::admin::{
    AppointAdmin, CancelParameterChange, DisburseFromPool, OrderHash, RemoveAdmin, ReplaceAdmin,
    UpdateSystemParameter,
};
use gx_contract::params::{Parameter, ParameterValue, Unit};
use gx_contract::state::AdminLevel;
use gx_contract::treasury::{ActivateTreasuryAccount, ReassignTreasury};
use gx_store::Store;
use gx_store::governance::parameters::{self, InForce};
use gx_types::{AccountId, AdminId, CountryCode, Pool};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Body, Path};
use crate::http::fields::{GxAmount, NoBody, Said, Truth, Written, contract_fields, request};

pub(super) fn routes() -> [Route; 9] {
    [
        Route::get("/api/v1/admin/parameters", parameters)
            .summary("The governable parameters, with their bounds"),
        Route::post("/api/v1/admin/parameters", set_parameter)
            .summary("Proposes another value of a parameter")
            .sample(r#"{"paramId": "votingDays", "newValue": "21"}"#)
            .concerns("parameters"),
        Route::post("/api/v1/admin/parameters/{paramId}/cancel", cancel_change)
            .summary("Calls off a change of a parameter that has not taken effect yet")
            .sample("{}"),
        Route::post("/api/v1/admin/admins/{adminId}/appoint", appoint)
            .summary("Proposes an administrator; the only super admin names the second at once")
            .sample(r#"{"level": "ADMIN", "userId": null}"#),
        Route::post("/api/v1/admin/admins/{adminId}/replace", replace)
            .summary("Proposes somebody else in an administrator's place, with the same level")
            .sample(r#"{"newAdminId": "third", "userId": null}"#),
        Route::post("/api/v1/admin/admins/{adminId}/remove", remove)
            .summary("Proposes to end an administrator's term")
            .sample("{}"),
        Route::post("/api/v1/admin/pools/{poolId}/disburse", disburse)
            .summary("Proposes to pay out of a pool")
            .sample(r#"{"userId": "{ledgerId}", "amount": "1", "purpose": "A well"}"#),
        Route::post("/api/v1/admin/treasury/activate", activate_treasury)
            .summary("Proposes to put a country's treasury under the rules of its government")
            .sample(r#"{"countryCode": "DE", "organizationId": "{ledgerId}"}"#)
            .concerns("treasury"),
        Route::post("/api/v1/admin/treasury/reassign", reassign_treasury)
            .summary("Proposes to give a country's treasury to another organization")
            .sample(
                r#"{"countryCode": "DE", "organizationId": "{ledgerId}", "orderHash":
                    "0000000000000000000000000000000000000000000000000000000000000009"}"#,
            )
            .concerns("treasury"),
    ]
}

contract_fields! {
    AdminLevel: "invalid_level", "must be SUPER_ADMIN or ADMIN";
    Parameter: "invalid_parameter", "must be the id of a parameter, see GET /admin/parameters";
    ParameterValue: "invalid_value", "must be a whole number in the parameter's unit, as text";
}

request! {
    /// Another value of a parameter.
    pub(crate) struct ParameterBody {
        parameter as "paramId": Parameter,
        new_value as "newValue": ParameterValue,
    }
}

request! {
    /// Who is to be an administrator.
    pub(crate) struct AppointBody {
        level as "level": AdminLevel,
        /// The admin's own account, to which they may disburse nothing; `null` says that they have
        /// none.
        account as "userId": Said<AccountId>,
        /// Nobody else is left to decide: the proposer may approve it alone when 30 days are over
        /// and no other super admin has rejected it.
        emergency as "emergency": Option<Truth>,
    }
}

request! {
    /// Who is to be an administrator instead.
    pub(crate) struct ReplaceBody {
        new_admin as "newAdminId": AdminId,
        /// The new admin's own account, to which they may disburse nothing; `null` says that they
        /// have none.
        account as "userId": Said<AccountId>,
    }
}

request! {
    /// Coins for somebody out of a pool.
    pub(crate) struct DisburseBody {
        recipient as "userId": AccountId,
        amount as "amount": GxAmount,
        /// Readable by everybody on the ledger.
        purpose as "purpose": Written<1, 200>,
    }
}

request! {
    /// Which organization is to govern which treasury.
    pub(crate) struct TreasuryBody {
        country as "countryCode": CountryCode,
        organization as "organizationId": AccountId,
    }
}

request! {
    /// Which other organization is to govern which treasury.
    pub(crate) struct ReassignBody {
        country as "countryCode": CountryCode,
        organization as "organizationId": AccountId,
        /// Of the document that orders it.
        order_hash as "orderHash": OrderHash,
    }
}

/// A parameter and the value in force.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParameterReply {
    param_id: &'static str,
    unit: Unit,
    /// Decimal digits in the unit; so are the others.
    value: String,
    default_value: String,
    min: String,
    max: String,
    description: &'static str,
    changed_at: Option<String>,
    /// What two super admins have decided on; until then one of them can call it off.
    scheduled: Option<ScheduledReply>,
}

/// A value that a parameter will have.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduledReply {
    new_value: String,
    /// By the pauses so far.
    effective_at: String,
}

impl From<InForce> for ParameterReply {
    fn from(row: InForce) -> Self {
        let (min, max) = row.parameter.bounds();
        Self {
            param_id: row.parameter.id(),
            unit: row.parameter.unit(),
            value: row.value.to_string(),
            default_value: row.parameter.default_value().to_string(),
            min: min.to_string(),
            max: max.to_string(),
            description: row.parameter.description(),
            changed_at: row.last_change.map(|(_, at)| rfc3339(at.0)),
            scheduled: row.scheduled.map(|(value, at)| ScheduledReply {
                new_value: value.to_string(),
                effective_at: rfc3339(at.0),
            }),
        }
    }
}

/// `GET /admin/parameters`
async fn parameters(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    _: After,
) -> Result<Read<Vec<ParameterReply>>> {
    let mut view = View::open(&store).await?;
    let rows = parameters::all(&mut view.snapshot).await?;
    Ok(view.read(rows.into_iter().map(ParameterReply::from).collect()))
}

/// `POST /admin/parameters`
async fn set_parameter(
    commands: Commands<May<grant::ConfigUpdate>>,
    Body(ParameterBody { parameter, new_value }): Body<ParameterBody>,
) -> Result<Accepted<UpdateSystemParameter>> {
    commands.give(UpdateSystemParameter { param_id: parameter, new_value }).await
}

/// `POST /admin/parameters/{paramId}/cancel`
async fn cancel_change(
    commands: Commands<May<grant::ConfigUpdate>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<CancelParameterChange>> {
    let param_id: Parameter = id.parse().map_err(|_| Error::not_found("Parameter"))?;
    commands.give(CancelParameterChange { param_id }).await
}

fn admin_id(text: &str) -> Result<AdminId> {
    text.parse().map_err(|_| Error::not_found("Admin"))
}

/// `POST /admin/admins/{adminId}/appoint`
async fn appoint(
    commands: Commands<May<grant::AdminCreate>>,
    Path(id): Path<String>,
    Body(AppointBody { level, account: Said(account_id), emergency }): Body<AppointBody>,
) -> Result<Accepted<AppointAdmin>> {
    let (admin_id, emergency) = (admin_id(&id)?, emergency.is_some_and(|given| given.0));
    commands.give(AppointAdmin { admin_id, level, account_id, emergency }).await
}

/// `POST /admin/admins/{adminId}/replace`
async fn replace(
    commands: Commands<May<grant::AdminDelete>>,
    Path(id): Path<String>,
    Body(ReplaceBody { new_admin, account: Said(account_id) }): Body<ReplaceBody>,
) -> Result<Accepted<ReplaceAdmin>> {
    let (old_admin_id, new_admin_id) = (admin_id(&id)?, new_admin);
    commands.give(ReplaceAdmin { old_admin_id, new_admin_id, account_id }).await
}

/// `POST /admin/admins/{adminId}/remove`
async fn remove(
    commands: Commands<May<grant::AdminDelete>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<RemoveAdmin>> {
    commands.give(RemoveAdmin { admin_id: admin_id(&id)? }).await
}

/// `POST /admin/pools/{poolId}/disburse`
async fn disburse(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Path(id): Path<String>,
    Body(body): Body<DisburseBody>,
) -> Result<Accepted<DisburseFromPool>> {
    let pool_id: Pool = id.parse().map_err(|_| Error::not_found("Pool"))?;
    let DisburseBody { recipient, amount, purpose } = body;
    let (recipient_id, amount, purpose) = (recipient, amount.0, purpose.0);
    commands.give(DisburseFromPool { pool_id, recipient_id, amount, purpose }).await
}

/// `POST /admin/treasury/activate`
async fn activate_treasury(
    commands: Commands<May<grant::TreasuryActivate>>,
    Body(body): Body<TreasuryBody>,
) -> Result<Accepted<ActivateTreasuryAccount>> {
    let TreasuryBody { country, organization } = body;
    commands.give(ActivateTreasuryAccount { country_code: country, org_id: organization }).await
}

/// `POST /admin/treasury/reassign`
async fn reassign_treasury(
    commands: Commands<May<grant::TreasuryActivate>>,
    Body(body): Body<ReassignBody>,
) -> Result<Accepted<ReassignTreasury>> {
    let ReassignBody { country, organization, order_hash } = body;
    let (country_code, org_id) = (country, organization);
    commands.give(ReassignTreasury { country_code, org_id, order_hash }).await
}
