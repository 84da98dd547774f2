//! OrganizationContract: who stands for an organization, and how its payments are agreed on.
//!
//! An organization has 2 to 20 stakeholders at every time, and outlives them. Its account pays by
//! multi-signature alone; no single actor can debit it.

mod ladder;
mod membership;
mod payments;
mod queries;
mod settlement;
mod spending;
mod stakeholders;
mod succession;
mod voting;

use gx_types::{AccountId, AccountType, CountryCode, PendingTxId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::state::{Clocks, Key, RunningMs, State, Version};
use crate::tx::{Stop, Tx};

pub use ladder::{AuthRule, AuthRuleDefined, AuthRuleProposed, DefineAuthRule, ProposedLadder};
pub use membership::{
    ActivateOrganization, EndorseMembership, MembershipEndorsed, OrganizationActivated,
    OrganizationProposed, OrganizationStatusSet, ProposeOrganization, SetOrganizationStatus,
};
pub use payments::{InitiateMultiSigTx, MultiSigTxInitiated, PendingTx, PendingTxState};
pub use queries::{
    GetOrganization, GetPendingTransaction, ListPendingTransactions, OrganizationView,
    PendingTxView,
};
pub(crate) use settlement::revise_open;
pub use settlement::{
    MultiSigTxDropped, MultiSigTxExecuted, MultiSigTxExecutionFailed, MultiSigTxRejudged,
};
pub use spending::Spent;
pub use stakeholders::{
    ChangeStakeholders, OpenChange, ProposedChange, StakeholderChangeProposed,
    StakeholderChangeWithdrawn, StakeholdersChanged, WithdrawStakeholderChange,
};
pub use succession::ChangeStakeholdersByOrder;
pub use voting::{
    ApprovalWithdrawn, ApproveMultiSigTx, CancelMultiSigTx, MultiSigTxApproved,
    MultiSigTxCancelled, MultiSigTxRejected, RejectMultiSigTx, WithdrawApproval,
};

/// What an organization is for; it decides who may propose it and which account types it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganizationKind {
    Business,
    Ngo,
    Government,
}

impl OrganizationKind {
    /// Whether an account of this type may be such an organization's.
    pub const fn admits(self, account_type: AccountType) -> bool {
        match account_type {
            AccountType::ForProfit | AccountType::Financial => matches!(self, Self::Business),
            AccountType::NotForProfit => matches!(self, Self::Ngo),
            AccountType::Education | AccountType::Health | AccountType::TrustOrEstate => {
                matches!(self, Self::Business | Self::Ngo)
            }
            AccountType::Governmental
            | AccountType::Intergovernmental
            | AccountType::Diplomatic => matches!(self, Self::Government),
            AccountType::Individual
            | AccountType::Treasury
            | AccountType::Temporary
            | AccountType::System => false,
        }
    }
}

/// Where an organization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganizationStatus {
    /// Not all stakeholders have endorsed it, or nobody has activated it.
    PendingEndorsement,
    Active,
    /// By an admin, until an admin ends it.
    Locked,
}

/// An organization. Its coins are in the account of the same id, which activation opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    pub v: Version<1>,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: OrganizationKind,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub status: OrganizationStatus,
    pub stakeholders: Vec<AccountId>,
    pub endorsed_by: Vec<AccountId>,
    /// The rules in force, by amount; none means that every stakeholder approves every payment.
    pub ladder: Vec<AuthRule>,
    /// Rules that not every stakeholder has approved yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<ProposedLadder>,
    /// Payments that are neither executed nor given up; some may have expired.
    pub open: Vec<OpenTx>,
    /// What its account has paid of late.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// Others who are to stand for it, when not all have approved yet; it may have lapsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Box<OpenChange>>,
}

/// A payment that an organization may still make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenTx {
    pub id: PendingTxId,
    pub initiated_by: AccountId,
    pub expires_at: RunningMs,
}

/// Which organization governs an active treasury.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Treasury {
    pub v: Version<1>,
    pub org_id: AccountId,
    /// Since when it is this organization's.
    pub activated_at: TimeMs,
    /// From then on the organization can pay from it.
    pub payable_from: RunningMs,
    /// What it has paid of late.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
}

impl Organization {
    fn check_stakeholder(&self, actor: &AccountId) -> Result<(), Refusal> {
        if self.stakeholders.contains(actor) { Ok(()) } else { Err(Refusal::NotStakeholder) }
    }

    /// Payments that have expired are of no use to anybody any more.
    fn drop_expired(&mut self, clocks: Clocks) {
        self.open.retain(|open| clocks.running() < open.expires_at);
    }

    fn check_activated(&self) -> Result<(), Refusal> {
        match self.status {
            OrganizationStatus::Active | OrganizationStatus::Locked => Ok(()),
            OrganizationStatus::PendingEndorsement => Err(Refusal::OrganizationNotActive),
        }
    }

    pub(crate) fn check_active(&self) -> Result<(), Refusal> {
        match self.status {
            OrganizationStatus::Active => Ok(()),
            OrganizationStatus::PendingEndorsement | OrganizationStatus::Locked => {
                Err(Refusal::OrganizationNotActive)
            }
        }
    }
}

/// How many a list of at most 20 has.
fn count(list: &[AccountId]) -> u8 {
    u8::try_from(list.len()).unwrap_or(u8::MAX)
}

/// The organization, or the refusal that it is not on the ledger.
pub(crate) fn organization(state: &mut State, id: &AccountId) -> Result<Organization, Stop> {
    let organization: Option<Organization> = state.get(Key::Organization(*id))?;
    Ok(organization.ok_or(Refusal::OrganizationNotFound)?)
}

/// The organization that the acting user is a stakeholder of.
fn own(tx: &mut Tx<'_>, id: &AccountId) -> Result<(AccountId, Organization), Stop> {
    let actor = tx.user()?;
    let organization = organization(tx.state, id)?;
    organization.check_stakeholder(&actor)?;
    Ok((actor, organization))
}
