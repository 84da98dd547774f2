//! The rules by which an organization's payments are approved: a ladder of amounts.
//!
//! A ladder replaces the one before as a whole, and only when every stakeholder has approved it:
//! giving the same `DefineAuthRule` is the approval.

use gx_types::{AccountId, Amount, Role};
use serde::{Deserialize, Serialize};

use super::{Organization, count, own};
use crate::gates::{ActorRule, Gate};
use crate::state::Key;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// Rules that a ladder has at most.
const RULES_MAX: usize = 10;

/// Who approves payments from an amount on, up to the next rule's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthRule {
    pub from_amount: Amount,
    /// 1 to the size of the group.
    pub required_approvers: u8,
    /// Stakeholders, each once.
    pub approver_group: Vec<AccountId>,
}

/// A ladder that waits for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposedLadder {
    pub ladder: Vec<AuthRule>,
    pub approved_by: Vec<AccountId>,
}

impl Organization {
    /// How many of whom must approve a payment: by the rule with the greatest amount not above it.
    pub(super) fn rule_for(&self, amount: Amount) -> (u8, Vec<AccountId>) {
        let rule = self.ladder.iter().rev().find(|rule| rule.from_amount <= amount);
        match rule {
            Some(rule) => (rule.required_approvers, rule.approver_group.clone()),
            None => (count(&self.stakeholders), self.stakeholders.clone()),
        }
    }
}

/// Proposes a ladder, or approves it when it is the one that is proposed already. An empty one
/// makes every stakeholder approve every payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefineAuthRule {
    pub org_id: AccountId,
    /// At most 10 rules, amounts rising, the first from zero.
    pub ladder: Vec<AuthRule>,
}

/// A ladder has an approval more; another one that was proposed before is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthRuleProposed {
    pub org_id: AccountId,
    pub ladder: Vec<AuthRule>,
    pub approved_by: Vec<AccountId>,
    /// How many must approve it.
    pub required: u8,
}

impl Effects for AuthRuleProposed {}

/// A ladder is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthRuleDefined {
    pub org_id: AccountId,
    pub ladder: Vec<AuthRule>,
}

impl Effects for AuthRuleDefined {}

/// The rule's own faults, whoever the stakeholders are.
fn check_rule(rule: &AuthRule) -> Result<(), Refused> {
    let mut group = rule.approver_group.clone();
    group.sort_unstable();
    group.dedup();
    if group.len() != rule.approver_group.len() {
        return Err(Refusal::AuthRuleInvalid.because("an approver is named twice"));
    }
    if rule.required_approvers == 0 || usize::from(rule.required_approvers) > group.len() {
        return Err(Refusal::AuthRuleInvalid.because("1 to all of the group must be required"));
    }
    Ok(())
}

/// The ladder's own faults, whoever the stakeholders are.
pub(super) fn check_ladder(ladder: &[AuthRule]) -> Result<(), Refused> {
    if ladder.len() > RULES_MAX {
        return Err(Refusal::AuthRuleInvalid.because("at most 10 rules expected"));
    }
    if ladder.first().is_some_and(|rule| !rule.from_amount.is_zero()) {
        return Err(Refusal::AuthRuleInvalid.because("the first rule begins at zero"));
    }
    if !ladder.is_sorted_by(|a, b| a.from_amount < b.from_amount) {
        return Err(Refusal::AuthRuleInvalid.because("amounts must rise from rule to rule"));
    }
    ladder.iter().try_for_each(check_rule)
}

impl Rule for DefineAuthRule {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::AuthRuleInvalid,
        Refusal::OrganizationNotFound,
        Refusal::NotStakeholder,
        Refusal::OrganizationNotActive,
        Refusal::ApproverNotStakeholder,
        Refusal::AlreadyDecided,
    ];
    const EVENTS: &[&str] = &["AuthRuleProposed", "AuthRuleDefined"];

    fn validate(&self) -> Result<(), Refused> {
        check_ladder(&self.ladder)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (actor, mut organization) = own(tx, &self.org_id)?;
        organization.check_active()?;
        let mut named = self.ladder.iter().flat_map(|rule| &rule.approver_group);
        if let Some(stranger) = named.find(|id| !organization.stakeholders.contains(id)) {
            let detail = format!("{stranger} is no stakeholder");
            return Err(Refusal::ApproverNotStakeholder.because(detail).into());
        }
        let before = organization.proposed.take().filter(|before| before.ladder == self.ladder);
        let mut approved_by = before.map(|before| before.approved_by).unwrap_or_default();
        if approved_by.contains(&actor) {
            return Err(Refusal::AlreadyDecided.into());
        }
        approved_by.push(actor);
        let (org_id, ladder) = (self.org_id, self.ladder.clone());
        let all = approved_by.len() == organization.stakeholders.len();
        let required = count(&organization.stakeholders);
        tx.emit(AuthRuleProposed {
            org_id,
            ladder: ladder.clone(),
            approved_by: approved_by.clone(),
            required,
        });
        if all {
            organization.ladder.clone_from(&ladder);
            tx.emit(AuthRuleDefined { org_id, ladder });
        } else {
            organization.proposed = Some(ProposedLadder { ladder, approved_by });
        }
        tx.put(Key::Organization(org_id), organization)
    }
}
