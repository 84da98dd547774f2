//! What administrators decide about an organization: who stands for it when its stakeholders can't
//! act, and whether it may pay.

use gx_contract::admin::OrderHash;
use gx_contract::organization::{ChangeStakeholdersByOrder, SetOrganizationStatus};
use gx_types::AccountId;
use schemars::JsonSchema;

use super::fields::{Rules, ladder, org_id};
use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::extract::{Body, Path};
use crate::http::fields::{List, Written, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::post("/api/v1/admin/organizations/{orgId}/stakeholders", change)
            .summary("Proposes to replace stakeholders who can't act, by order")
            .sample(
                r#"{"remove": ["{ledgerId}"], "add": ["IN 7K3 ABC123 0WXYZ 1234"], "orderHash":
                    "0000000000000000000000000000000000000000000000000000000000000009"}"#,
            ),
        Route::post("/api/v1/admin/organizations/{orgId}/status", set_status)
            .summary("Locks an organization, so that it pays nothing, or lets it pay again")
            .sample(r#"{"status": "LOCKED", "notes": "Under inquiry"}"#),
    ]
}

request! {
    /// Who comes in the place of stakeholders who are frozen, locked or deceased.
    pub(crate) struct OrderedStakeholdersBody {
        remove as "remove": List<AccountId, 1, 20>,
        /// Users who come; not the accounts of the two admins.
        add as "add": Option<List<AccountId, 0, 20>>,
        /// Needed when a rule would have fewer approvers left than it requires.
        rules as "rules": Option<Rules>,
        /// Of the document that orders it.
        order_hash as "orderHash": OrderHash,
    }
}

/// What an admin makes of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetStatus {
    Active,
    Locked,
}

impl SetStatus {
    pub(crate) const ALL: [Self; 2] = [Self::Active, Self::Locked];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Locked => "LOCKED",
        }
    }
}

listed_fields! {
    SetStatus: "invalid_status";
}

impl JsonSchema for SetStatus {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SetOrganizationStatus".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Whether an organization may pay.
    pub(crate) struct OrganizationStatusBody {
        status as "status": SetStatus,
        notes as "notes": Option<Written<0, 500>>,
    }
}

/// `POST /admin/organizations/{orgId}/stakeholders`
async fn change(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Path(id): Path<String>,
    Body(body): Body<OrderedStakeholdersBody>,
) -> Result<Accepted<ChangeStakeholdersByOrder>> {
    let (org_id, order_hash) = (org_id(&id)?, body.order_hash);
    let (remove, new_ladder) = (body.remove.0, body.rules.map(ladder));
    let add = body.add.map(|add| add.0).unwrap_or_default();
    let order = ChangeStakeholdersByOrder { org_id, remove, order_hash, add, new_ladder };
    commands.give(order).await
}

/// `POST /admin/organizations/{orgId}/status`
async fn set_status(
    commands: Commands<May<grant::UserUnfreeze>>,
    Path(id): Path<String>,
    Body(body): Body<OrganizationStatusBody>,
) -> Result<Accepted<SetOrganizationStatus>> {
    let (org_id, locked) = (org_id(&id)?, body.status == SetStatus::Locked);
    let commands = commands.noting(body.notes.map(|notes| notes.0));
    commands.give(SetOrganizationStatus { org_id, locked }).await
}
