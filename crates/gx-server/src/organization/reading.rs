//! Organizations as those see them who stand for them, who are asked to, and administrators. For
//! everybody else they do not exist.

use axum::extract::State;
use gx_contract::organization::{
    OrganizationKind, OrganizationStatus, ProposedChange, ProposedLadder,
};
use gx_store::Store;
use gx_store::organization::organizations::{self, Filter, Organization, Stakeholder};
use gx_store::tokenomics::treasuries::{self, Treasury};
use gx_types::{AccountId, AccountType, Amount, CountryCode, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{RuleReply, org_id, rules};
use crate::api::Route;
use crate::auth::{Caller, Permission};
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Page, Read, View};
use crate::http::extract::{After, Path, Query};
use crate::http::fields::{contract_fields, request};
use crate::http::paging::{Cursor, Limit, Part};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/organizations", list)
            .summary("The caller's organizations, newest first; all of them for administrators")
            .fails(&[(400, "invalid_cursor"), (403, "forbidden"), (409, "not_on_ledger")]),
        Route::get("/api/v1/organizations/{orgId}", get)
            .summary("One organization with its rules, and the treasuries that these govern")
            .fails(&[(403, "forbidden")]),
    ]
}

contract_fields! {
    OrganizationStatus: "invalid_status", "must be PENDING_ENDORSEMENT, ACTIVE or LOCKED";
}

request! {
    /// Which organizations, newest first.
    pub(crate) struct OrganizationsQuery {
        status as "status": Option<OrganizationStatus>,
        country as "countryCode": Option<CountryCode>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Cursor>,
        limit as "limit": Option<Limit>,
    }
}

/// An organization.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationReply {
    #[schemars(with = "String")]
    id: AccountId,
    name: String,
    #[serde(rename = "type")]
    kind: OrganizationKind,
    #[schemars(with = "String")]
    country_code: CountryCode,
    #[schemars(with = "String")]
    account_type: AccountType,
    status: OrganizationStatus,
    stakeholders: Vec<StakeholderReply>,
    /// How many must approve the smallest payment.
    approval_threshold: usize,
    /// In force, by amount; none means that every stakeholder approves every payment.
    rules: Vec<RuleReply>,
    rules_since: Option<String>,
    /// Rules that not every stakeholder has approved yet.
    proposed_rules: Option<ProposedRulesReply>,
    /// Others who are to stand for it, when not all have approved that yet.
    stakeholder_change: Option<ChangeReply>,
    /// Absent for those who are asked to stand for it and do not yet.
    balance: Option<String>,
    currency: &'static str,
    /// By this and its amount a payment's rule is found. Absent as the balance is.
    paid_since_yesterday: Option<String>,
    /// `user:` or `admin:` and the id.
    proposed_by: String,
    created_at: String,
    activated_at: Option<String>,
}

/// Somebody who stands for an organization.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StakeholderReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    /// When they have endorsed it.
    joined_at: Option<String>,
}

/// Rules that wait for approvals.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProposedRulesReply {
    rules: Vec<RuleReply>,
    #[schemars(with = "Vec<String>")]
    approved_by: Vec<AccountId>,
}

/// A change of stakeholders that waits for approvals.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeReply {
    #[schemars(with = "Vec<String>")]
    add: Vec<AccountId>,
    #[schemars(with = "Vec<String>")]
    remove: Vec<AccountId>,
    /// Absent when the rules stay, less who leaves.
    rules: Option<Vec<RuleReply>>,
    #[schemars(with = "String")]
    proposed_by: AccountId,
    #[schemars(with = "Vec<String>")]
    approved_by: Vec<AccountId>,
    expires_at: String,
}

/// A treasury that an organization's rules govern.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GovernedReply {
    #[schemars(with = "String")]
    country_code: CountryCode,
    balance: String,
    currency: &'static str,
    /// From then on the organization can pay from it.
    payable_from: Option<String>,
    paid_since_yesterday: String,
}

/// An organization, and what its rules govern besides its own account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationDetail {
    #[serde(flatten)]
    organization: OrganizationReply,
    treasuries: Vec<GovernedReply>,
}

/// How much somebody is shown of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// With its money.
    Whole,
    /// What somebody needs who decides whether to come.
    Invited,
}

impl Sight {
    fn money(self, amount: Amount) -> Option<String> {
        (self == Self::Whole).then(|| amount.to_gx())
    }
}

/// What the caller may see of an organization, if anything.
fn sight(caller: &Caller, organization: &Organization) -> Result<Option<Sight>> {
    let user = match caller {
        Caller::Admin(admin) if admin.may(Permission::UserView) => return Ok(Some(Sight::Whole)),
        Caller::Admin(_) => return Err(Error::forbidden()),
        Caller::User(user) => user.account,
    };
    let Some(account) = user else { return Ok(None) };
    let stands = |one: &Stakeholder| one.stakeholder_id == account;
    if organization.stakeholders.iter().any(stands) {
        return Ok(Some(Sight::Whole));
    }
    let change = organization.change.as_ref();
    let comes = change.is_some_and(|(change, _)| change.add.contains(&account));
    Ok(comes.then_some(Sight::Invited))
}

/// An organization that the caller may see.
pub(super) async fn visible(
    view: &mut View,
    caller: &Caller,
    id: &str,
) -> Result<(Organization, Sight)> {
    let missing = || Error::not_found("Organization");
    let found = organizations::get(&mut view.snapshot, &org_id(id)?).await?.ok_or_else(missing)?;
    let sight = sight(caller, &found)?.ok_or_else(missing)?;
    Ok((found, sight))
}

fn time(at: TimeMs) -> String {
    rfc3339(at.0)
}

impl From<Stakeholder> for StakeholderReply {
    fn from(row: Stakeholder) -> Self {
        Self { user_id: row.stakeholder_id, joined_at: row.endorsed_at.map(time) }
    }
}

impl From<ProposedLadder> for ProposedRulesReply {
    fn from(proposed: ProposedLadder) -> Self {
        Self { rules: rules(proposed.ladder), approved_by: proposed.approved_by }
    }
}

impl From<(ProposedChange, TimeMs)> for ChangeReply {
    fn from((change, expires_at): (ProposedChange, TimeMs)) -> Self {
        Self {
            add: change.add,
            remove: change.remove,
            rules: change.new_ladder.map(rules),
            proposed_by: change.proposed_by,
            approved_by: change.approved_by,
            expires_at: time(expires_at),
        }
    }
}

impl From<Treasury> for GovernedReply {
    fn from(row: Treasury) -> Self {
        Self {
            country_code: row.country,
            balance: row.balance.to_gx(),
            currency: CURRENCY,
            payable_from: row.payable_from.map(time),
            paid_since_yesterday: row.paid_since_yesterday.to_gx(),
        }
    }
}

impl OrganizationReply {
    fn of(row: Organization, sight: Sight) -> Self {
        let first = row.ladder.first().map(|rule| usize::from(rule.required_approvers));
        Self {
            id: row.org_id,
            name: row.name,
            kind: row.kind,
            country_code: row.country,
            account_type: row.account_type,
            status: row.status,
            approval_threshold: first.unwrap_or(row.stakeholders.len()),
            stakeholders: row.stakeholders.into_iter().map(Into::into).collect(),
            rules: rules(row.ladder),
            rules_since: row.ladder_since.map(time),
            proposed_rules: row.proposed.map(Into::into),
            stakeholder_change: row.change.map(Into::into),
            balance: sight.money(row.balance),
            currency: CURRENCY,
            paid_since_yesterday: sight.money(row.paid_since_yesterday),
            proposed_by: row.proposed_by.to_string(),
            created_at: time(row.proposed_at),
            activated_at: row.activated_at.map(time),
        }
    }
}

/// Whose organizations the caller is shown: their own, or those of everybody.
fn whose(caller: &Caller) -> Result<Option<AccountId>> {
    match caller {
        Caller::User(user) => user.own_account().map(Some),
        Caller::Admin(admin) if admin.may(Permission::UserView) => Ok(None),
        Caller::Admin(_) => Err(Error::forbidden()),
    }
}

/// `GET /organizations`
async fn list(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Query(query): Query<OrganizationsQuery>,
) -> Result<Read<Page<OrganizationReply>>> {
    let (status, country) = (query.status, query.country);
    let filter = Filter { stakeholder: whose(&caller)?, status, country };
    let part = Part::new(query.cursor, query.limit)?;
    let mut view = View::open(&store).await?;
    let rows = organizations::page(&mut view.snapshot, &filter, part.before, part.more()).await?;
    let page = Page::of(rows, part.limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| Ok(OrganizationReply::of(row, Sight::Whole)))?))
}

/// `GET /organizations/{orgId}`
async fn get(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<OrganizationDetail>> {
    let mut view = View::open(&store).await?;
    let (found, sight) = visible(&mut view, &caller, &id).await?;
    let governed = match sight {
        Sight::Whole => treasuries::governed_by(&mut view.snapshot, &found.org_id).await?,
        Sight::Invited => Vec::new(),
    };
    let treasuries = governed.into_iter().map(Into::into).collect();
    let organization = OrganizationReply::of(found, sight);
    Ok(view.read(OrganizationDetail { organization, treasuries }))
}
