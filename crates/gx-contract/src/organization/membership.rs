//! How an organization comes into being: proposed, endorsed by each stakeholder, activated.

use gx_types::{AccountId, AccountType, Actor, CountryCode, Role};
use serde::{Deserialize, Serialize};

use super::{Organization, OrganizationKind, OrganizationStatus, Spent, count, own};
use crate::gates::{ActorRule, Gate};
use crate::identity::AccountStatus;
use crate::state::{Account, Key, Version};
use crate::text::check_text;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// How many stakeholders an organization has.
pub(super) const STAKEHOLDERS: std::ops::RangeInclusive<usize> = 2..=20;

/// Proposes an organization: a stakeholder does, or two super admins when it is governmental.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposeOrganization {
    /// An id of the layout, whose account type fits the organization's.
    pub org_id: AccountId,
    /// 3 to 100 characters, readable by everybody on the ledger.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: OrganizationKind,
    pub country: CountryCode,
    /// 2 to 20 users, each once; the proposer among them unless admins propose it.
    pub stakeholders: Vec<AccountId>,
}

/// An organization waits for its stakeholders' endorsements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationProposed {
    pub org_id: AccountId,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: OrganizationKind,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub stakeholders: Vec<AccountId>,
    pub proposed_by: Actor,
}

impl Effects for OrganizationProposed {}

/// An organization of a government is proposed by two super admins: it may get a treasury.
const OF_GOVERNMENTS: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();

impl Rule for ProposeOrganization {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::TextInvalid,
        Refusal::ListInvalid,
        Refusal::UserIdInvalid,
        Refusal::UserIdMismatch,
        Refusal::CountryUnknown,
        Refusal::UserIdTaken,
        Refusal::StakeholderNotFound,
        Refusal::NotStakeholder,
    ];
    const EVENTS: &[&str] = &["OrganizationProposed"];
    const OTHER_GATE: Option<Gate> = Some(OF_GOVERNMENTS);

    fn gate(&self) -> Gate {
        match self.kind {
            OrganizationKind::Government => OF_GOVERNMENTS,
            OrganizationKind::Business | OrganizationKind::Ngo => Self::GATE,
        }
    }

    fn validate(&self) -> Result<(), Refused> {
        check_text("name", &self.name, 3, 100)?;
        let mut ids = self.stakeholders.clone();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != self.stakeholders.len() || !STAKEHOLDERS.contains(&ids.len()) {
            return Err(Refusal::ListInvalid.because("2 to 20 stakeholders, each once, expected"));
        }
        let layout =
            self.org_id.layout().map_err(|e| Refusal::UserIdInvalid.because(e.to_string()))?;
        if layout.country != self.country || !self.kind.admits(layout.kind) {
            return Err(Refusal::UserIdMismatch.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Organization(self.org_id);
        let accounts = self.stakeholders.iter().map(|id| Key::Account(*id));
        let others = [key, Key::Account(self.org_id), Key::Country(self.country)];
        tx.state.load(accounts.chain(others))?;
        tx.state.country(self.country)?.ok_or(Refusal::CountryUnknown)?;
        let taken = tx.state.get::<Organization>(key)?.is_some();
        if taken || tx.state.account(&self.org_id)?.is_some() {
            return Err(Refusal::UserIdTaken.into());
        }
        for id in &self.stakeholders {
            if !tx.state.account(id)?.is_some_and(|account| account.is_user()) {
                return Err(Refusal::StakeholderNotFound.because(format!("no user {id}")).into());
            }
        }
        if let Actor::User(id) = tx.actor
            && !self.stakeholders.contains(id)
        {
            return Err(Refusal::NotStakeholder.into());
        }
        let layout = self.org_id.layout().map_err(|_| Refusal::UserIdInvalid)?;
        let organization = Organization {
            v: Version,
            name: self.name.clone(),
            kind: self.kind,
            country: self.country,
            account_type: layout.kind,
            status: OrganizationStatus::PendingEndorsement,
            stakeholders: self.stakeholders.clone(),
            endorsed_by: Vec::new(),
            ladder: Vec::new(),
            proposed: None,
            open: Vec::new(),
            spent: Spent::default(),
            change: None,
        };
        tx.put(key, organization)?;
        tx.emit(OrganizationProposed {
            org_id: self.org_id,
            name: self.name.clone(),
            kind: self.kind,
            country: self.country,
            account_type: layout.kind,
            stakeholders: self.stakeholders.clone(),
            proposed_by: *tx.actor,
        });
        Ok(())
    }
}

/// Agrees, as a stakeholder, to stand for a proposed organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndorseMembership {
    pub org_id: AccountId,
}

/// A stakeholder has endorsed an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MembershipEndorsed {
    pub org_id: AccountId,
    pub stakeholder_id: AccountId,
    /// How many have, and how many must.
    pub endorsements: u8,
    pub required: u8,
}

impl Effects for MembershipEndorsed {}

impl Rule for EndorseMembership {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::OrganizationNotFound,
        Refusal::NotStakeholder,
        Refusal::OrganizationNotPending,
        Refusal::AlreadyEndorsed,
    ];
    const EVENTS: &[&str] = &["MembershipEndorsed"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (stakeholder_id, mut organization) = own(tx, &self.org_id)?;
        if organization.status != OrganizationStatus::PendingEndorsement {
            return Err(Refusal::OrganizationNotPending.into());
        }
        if organization.endorsed_by.contains(&stakeholder_id) {
            return Err(Refusal::AlreadyEndorsed.into());
        }
        organization.endorsed_by.push(stakeholder_id);
        tx.emit(MembershipEndorsed {
            org_id: self.org_id,
            stakeholder_id,
            endorsements: count(&organization.endorsed_by),
            required: count(&organization.stakeholders),
        });
        tx.put(Key::Organization(self.org_id), organization)
    }
}

/// Opens the account of an organization that all its stakeholders have endorsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivateOrganization {
    pub org_id: AccountId,
}

/// An organization has an account and may pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationActivated {
    pub org_id: AccountId,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub activated_by: AccountId,
}

impl Effects for OrganizationActivated {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.org_id);
    }
}

impl Rule for ActivateOrganization {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::OrganizationNotFound,
        Refusal::NotStakeholder,
        Refusal::OrganizationNotPending,
        Refusal::EndorsementsMissing,
    ];
    const EVENTS: &[&str] = &["OrganizationActivated"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        tx.state.load([Key::Organization(self.org_id), Key::Account(self.org_id)])?;
        let (activated_by, organization) = own(tx, &self.org_id)?;
        if organization.status != OrganizationStatus::PendingEndorsement {
            return Err(Refusal::OrganizationNotPending.into());
        }
        if organization.endorsed_by.len() != organization.stakeholders.len() {
            return Err(Refusal::EndorsementsMissing.into());
        }
        let Organization { country, account_type, .. } = organization;
        let status = OrganizationStatus::Active;
        tx.put(Key::Organization(self.org_id), Organization { status, ..organization })?;
        tx.state.put_account(&self.org_id, Account::organization(country, account_type))?;
        let org_id = self.org_id;
        tx.emit(OrganizationActivated { org_id, country, account_type, activated_by });
        Ok(())
    }
}

/// Locks an organization, so that it pays nothing, or lets it pay again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetOrganizationStatus {
    pub org_id: AccountId,
    pub locked: bool,
}

/// An organization was locked or unlocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationStatusSet {
    pub org_id: AccountId,
    pub status: OrganizationStatus,
}

impl Effects for OrganizationStatusSet {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.org_id);
    }
}

impl Rule for SetOrganizationStatus {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin);
    const REFUSALS: &[Refusal] =
        &[Refusal::OrganizationNotFound, Refusal::OrganizationNotActive, Refusal::StatusUnchanged];
    const EVENTS: &[&str] = &["OrganizationStatusSet"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        tx.state.load([Key::Organization(self.org_id), Key::Account(self.org_id)])?;
        let organization = super::organization(tx.state, &self.org_id)?;
        if organization.status == OrganizationStatus::PendingEndorsement {
            return Err(Refusal::OrganizationNotActive.into());
        }
        let (status, of_account) = if self.locked {
            (OrganizationStatus::Locked, AccountStatus::Locked)
        } else {
            (OrganizationStatus::Active, AccountStatus::Active)
        };
        if organization.status == status {
            return Err(Refusal::StatusUnchanged.into());
        }
        tx.put(Key::Organization(self.org_id), Organization { status, ..organization })?;
        // The account says it too, so that whoever moves coins knows that the tax's timer rests.
        let account = tx.state.existing_account(&self.org_id)?;
        let account = Account { status: of_account, ..account };
        let account = account.with_tax_timer(tx.params.tax.threshold, tx.clocks.running());
        tx.state.put_account(&self.org_id, account)?;
        tx.emit(OrganizationStatusSet { org_id: self.org_id, status });
        Ok(())
    }
}
