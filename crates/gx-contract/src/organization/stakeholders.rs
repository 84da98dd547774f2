//! Who stands for an organization changes: by those who stay and those who come, or by order.
//!
//! Giving the same `ChangeStakeholders` is the approval, as with ladders: nobody approves what
//! they have not seen. Few can't expel many: who stays, and who proposes to leave, is the majority.

use gx_types::{AccountId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::ladder::check_ladder;
use super::membership::STAKEHOLDERS;
use super::{AuthRule, Organization, count, organization, revise_open};
use crate::admin::OrderHash;
use crate::gates::{ActorRule, Gate};
use crate::state::{Clocks, Key, RunningMs};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// How long a change waits for its approvals.
const LAPSES_DAYS: u32 = 30;

/// A change of stakeholders that waits for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposedChange {
    pub add: Vec<AccountId>,
    pub remove: Vec<AccountId>,
    /// Absent when the rules stay, less who leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_ladder: Option<Vec<AuthRule>>,
    pub proposed_by: AccountId,
    /// Of those who stay and those who come.
    pub approved_by: Vec<AccountId>,
}

/// A change that waits, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenChange {
    pub change: ProposedChange,
    pub expires_at: RunningMs,
}

/// Proposes a change of an organization's stakeholders, or approves it when it is the one that is
/// proposed already. It takes effect when all who stay and all who come have approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeStakeholders {
    pub org_id: AccountId,
    /// Users who come, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<AccountId>,
    /// Needed when a rule would have fewer approvers left than it requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_ladder: Option<Vec<AuthRule>>,
    /// Stakeholders who leave, each once. 2 to 20 remain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<AccountId>,
}

/// A change has been proposed, or has an approval more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StakeholderChangeProposed {
    pub org_id: AccountId,
    pub change: ProposedChange,
    /// How many must approve it.
    pub required: u8,
    /// From then on it can't be approved any more.
    pub expires_at: TimeMs,
}

impl Effects for StakeholderChangeProposed {}

/// Others stand for the organization. Its payments that wait are approved by those who stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StakeholdersChanged {
    pub org_id: AccountId,
    pub added: Vec<AccountId>,
    pub removed: Vec<AccountId>,
    /// All of them, from now on.
    pub stakeholders: Vec<AccountId>,
    /// In force from now on.
    pub ladder: Vec<AuthRule>,
    /// Present when it was ordered: those who come have not endorsed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_hash: Option<OrderHash>,
}

impl Effects for StakeholdersChanged {}

/// All can leave, and as many can come.
const NAMED_MAX: usize = 40;

/// Each once, and nobody comes and leaves.
pub(super) fn check_lists(add: &[AccountId], remove: &[AccountId]) -> Result<(), Refused> {
    let mut all = [add, remove].concat();
    all.sort_unstable();
    all.dedup();
    let named = add.len().saturating_add(remove.len());
    if all.len() != named || all.is_empty() || named > NAMED_MAX {
        return Err(Refusal::ListInvalid.because("who comes and who leaves, each once, expected"));
    }
    Ok(())
}

pub(super) fn check_users(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<(), Stop> {
    for id in ids {
        if !tx.state.account(id)?.is_some_and(|account| account.is_user()) {
            return Err(Refusal::StakeholderNotFound.because(format!("no user {id}")).into());
        }
    }
    Ok(())
}

/// Whether all of them could give a command now.
pub(super) fn all_able(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<bool, Stop> {
    tx.state.load(ids.iter().map(|id| Key::Account(*id)))?;
    for id in ids {
        if !tx.state.existing_account(id)?.may_act() {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Organization {
    /// Those who stay in their order, and those who come.
    pub(super) fn remaining(
        &self,
        add: &[AccountId],
        remove: &[AccountId],
    ) -> Result<Vec<AccountId>, Refusal> {
        let known = remove.iter().all(|id| self.stakeholders.contains(id));
        let new = !add.iter().any(|id| self.stakeholders.contains(id));
        let stay = self.stakeholders.iter().filter(|id| !remove.contains(id));
        let remaining: Vec<AccountId> = stay.chain(add).copied().collect();
        if !known || !new || !STAKEHOLDERS.contains(&remaining.len()) {
            return Err(Refusal::StakeholdersInvalid);
        }
        Ok(remaining)
    }

    /// The rules after a change: the new ones, or those in force less who leaves.
    pub(super) fn ladder_after(
        &self,
        remaining: &[AccountId],
        new: Option<&[AuthRule]>,
    ) -> Result<Vec<AuthRule>, Refusal> {
        if let Some(new) = new {
            let mut named = new.iter().flat_map(|rule| &rule.approver_group);
            let strange = named.any(|id| !remaining.contains(id));
            return if strange { Err(Refusal::ApproverNotStakeholder) } else { Ok(new.to_vec()) };
        }
        let mut ladder = self.ladder.clone();
        for rule in &mut ladder {
            rule.approver_group.retain(|id| remaining.contains(id));
            if rule.approver_group.len() < usize::from(rule.required_approvers) {
                return Err(Refusal::LadderUnfit);
            }
        }
        Ok(ladder)
    }

    /// The change that can still be approved.
    fn open_change(&self, clocks: Clocks) -> Option<OpenChange> {
        self.change.as_deref().filter(|open| clocks.running() < open.expires_at).cloned()
    }

    /// Puts others in the place of the stakeholders.
    pub(super) fn replace(
        mut self,
        tx: &mut Tx<'_>,
        org_id: AccountId,
        (added, removed): (&[AccountId], &[AccountId]),
        (stakeholders, ladder): (Vec<AccountId>, Vec<AuthRule>),
        order_hash: Option<OrderHash>,
    ) -> Result<(), Stop> {
        self.endorsed_by.retain(|id| stakeholders.contains(id));
        if order_hash.is_none() {
            self.endorsed_by.extend(added);
        }
        (self.stakeholders, self.ladder) = (stakeholders.clone(), ladder.clone());
        // Both were agreed on by others than who stands for it now.
        (self.proposed, self.change) = (None, None);
        let (added, removed) = (added.to_vec(), removed.to_vec());
        tx.emit(StakeholdersChanged {
            org_id,
            added,
            removed,
            stakeholders: stakeholders.clone(),
            ladder,
            order_hash,
        });
        revise_open(tx, &mut self, |pending| {
            pending.approver_group.retain(|id| stakeholders.contains(id));
            pending.forget_others();
            if pending.is_out_of_reach() {
                pending.reject();
            }
        })?;
        tx.put(Key::Organization(org_id), self)
    }
}

impl ChangeStakeholders {
    fn is(&self, open: &OpenChange) -> bool {
        let ProposedChange { add, remove, new_ladder, .. } = &open.change;
        (add, remove, new_ladder) == (&self.add, &self.remove, &self.new_ladder)
    }

    fn proposed(&self, tx: &Tx<'_>, proposed_by: AccountId) -> OpenChange {
        let change = ProposedChange {
            add: self.add.clone(),
            remove: self.remove.clone(),
            new_ladder: self.new_ladder.clone(),
            proposed_by,
            approved_by: Vec::new(),
        };
        OpenChange { change, expires_at: tx.clocks.running().plus_days(LAPSES_DAYS) }
    }

    /// Whether the actor may propose or approve this.
    fn check_actor(
        &self,
        actor: &AccountId,
        organization: &Organization,
        same: bool,
    ) -> Result<(), Refusal> {
        if same && self.remove.contains(actor) {
            return Err(Refusal::NotParty);
        }
        if same && self.add.contains(actor) {
            return Ok(());
        }
        organization.check_stakeholder(actor)
    }
}

impl Rule for ChangeStakeholders {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::ListInvalid,
        Refusal::AuthRuleInvalid,
        Refusal::StakeholderNotFound,
        Refusal::OrganizationNotFound,
        Refusal::NotParty,
        Refusal::NotStakeholder,
        Refusal::OrganizationNotActive,
        Refusal::StakeholderChangeOpen,
        Refusal::StakeholdersInvalid,
        Refusal::TooFewStay,
        Refusal::ApproverNotStakeholder,
        Refusal::LadderUnfit,
        Refusal::AlreadyDecided,
    ];
    const EVENTS: &[&str] =
        &["StakeholderChangeProposed", "StakeholdersChanged", "MultiSigTxDropped"];

    fn validate(&self) -> Result<(), Refused> {
        check_lists(&self.add, &self.remove)?;
        check_ladder(self.new_ladder.as_deref().unwrap_or_default())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (actor, org_id) = (tx.user()?, self.org_id);
        let accounts = self.add.iter().map(|id| Key::Account(*id));
        tx.state.load(accounts.chain([Key::Organization(org_id)]))?;
        check_users(tx, &self.add)?;
        let mut organization = organization(tx.state, &org_id)?;
        let open = organization.open_change(tx.clocks);
        let same = open.as_ref().is_some_and(|open| self.is(open));
        self.check_actor(&actor, &organization, same)?;
        organization.check_active()?;
        if open.is_some() && !same {
            return Err(Refusal::StakeholderChangeOpen.into());
        }
        let needed = organization.remaining(&self.add, &self.remove)?;
        let stay = needed.len().saturating_sub(self.add.len());
        let willing = stay.saturating_add(usize::from(self.remove.contains(&actor)));
        if !same && willing <= organization.stakeholders.len() / 2 {
            return Err(Refusal::TooFewStay.into());
        }
        let ladder = organization.ladder_after(&needed, self.new_ladder.as_deref())?;
        let mut open = open.unwrap_or_else(|| self.proposed(tx, actor));
        let first = !open.change.approved_by.contains(&actor);
        if first && needed.contains(&actor) {
            open.change.approved_by.push(actor);
        }
        let agreed = needed.iter().all(|id| open.change.approved_by.contains(id));
        let agreed = agreed && all_able(tx, &needed)?;
        if !first && !agreed {
            return Err(Refusal::AlreadyDecided.into());
        }
        if first {
            tx.emit(StakeholderChangeProposed {
                org_id,
                change: open.change.clone(),
                required: count(&needed),
                expires_at: tx.clocks.time_of_day(open.expires_at),
            });
        }
        if agreed {
            let lists = (self.add.as_slice(), self.remove.as_slice());
            return organization.replace(tx, org_id, lists, (needed, ladder), None);
        }
        organization.change = Some(Box::new(open));
        tx.put(Key::Organization(org_id), organization)
    }
}

/// Gives up a change of stakeholders: who has proposed it may, and all who must approve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawStakeholderChange {
    pub org_id: AccountId,
}

/// A change of stakeholders was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StakeholderChangeWithdrawn {
    pub org_id: AccountId,
    pub withdrawn_by: AccountId,
}

impl Effects for StakeholderChangeWithdrawn {}

impl Rule for WithdrawStakeholderChange {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] =
        &[Refusal::OrganizationNotFound, Refusal::StakeholderChangeNotFound, Refusal::NotParty];
    const EVENTS: &[&str] = &["StakeholderChangeWithdrawn"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (withdrawn_by, org_id) = (tx.user()?, self.org_id);
        let mut organization = organization(tx.state, &org_id)?;
        let open = organization.open_change(tx.clocks);
        let change = open.ok_or(Refusal::StakeholderChangeNotFound)?.change;
        // Who is to leave must not be able to stay by this.
        let needed = organization.remaining(&change.add, &change.remove)?;
        if change.proposed_by != withdrawn_by && !needed.contains(&withdrawn_by) {
            return Err(Refusal::NotParty.into());
        }
        organization.change = None;
        tx.emit(StakeholderChangeWithdrawn { org_id, withdrawn_by });
        tx.put(Key::Organization(org_id), organization)
    }
}
