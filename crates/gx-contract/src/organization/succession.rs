//! Stakeholders who are dead, locked or gone are replaced on a document, by two super admins.

use gx_types::{AccountId, Role};
use serde::{Deserialize, Serialize};

use super::ladder::check_ladder;
use super::stakeholders::{all_able, check_lists, check_users};
use super::{AuthRule, organization};
use crate::admin::{OrderHash, check_recipient};
use crate::gates::{ActorRule, Gate};
use crate::state::Key;
use crate::tx::{Rule, Stop, Tx};
use crate::{Refusal, Refused};

/// Puts others in the place of stakeholders who can't act any more, on a document. Two super
/// admins decide on it, and nobody else is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeStakeholdersByOrder {
    pub org_id: AccountId,
    /// Stakeholders who are frozen, locked or deceased, each once. 2 to 20 remain.
    pub remove: Vec<AccountId>,
    pub order_hash: OrderHash,
    /// Users who come, each once; not the accounts of the two admins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<AccountId>,
    /// Needed when a rule would have fewer approvers left than it requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_ladder: Option<Vec<AuthRule>>,
}

impl Rule for ChangeStakeholdersByOrder {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] = &[
        Refusal::ListInvalid,
        Refusal::AuthRuleInvalid,
        Refusal::RecipientIsAdmin,
        Refusal::StakeholderNotFound,
        Refusal::OrganizationNotFound,
        Refusal::OrganizationNotActive,
        Refusal::StakeholdersInvalid,
        Refusal::StakeholderActive,
        Refusal::ApproverNotStakeholder,
        Refusal::LadderUnfit,
    ];
    const EVENTS: &[&str] = &["StakeholdersChanged", "MultiSigTxDropped"];

    fn validate(&self) -> Result<(), Refused> {
        check_lists(&self.add, &self.remove)?;
        if self.remove.is_empty() {
            return Err(Refusal::ListInvalid.because("somebody who leaves expected"));
        }
        check_ladder(self.new_ladder.as_deref().unwrap_or_default())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let accounts = self.add.iter().chain(&self.remove).map(|id| Key::Account(*id));
        tx.state.load(accounts.chain([Key::Organization(self.org_id)]))?;
        for id in &self.add {
            check_recipient(tx, id)?;
        }
        check_users(tx, &self.add)?;
        let organization = organization(tx.state, &self.org_id)?;
        // A locked organization may be put in order before it is unlocked.
        organization.check_activated()?;
        let remaining = organization.remaining(&self.add, &self.remove)?;
        for id in &self.remove {
            if all_able(tx, &[*id])? {
                return Err(Refusal::StakeholderActive.because(format!("{id} may act")).into());
            }
        }
        let ladder = organization.ladder_after(&remaining, self.new_ladder.as_deref())?;
        let lists = (self.add.as_slice(), self.remove.as_slice());
        let order_hash = Some(self.order_hash);
        organization.replace(tx, self.org_id, lists, (remaining, ladder), order_hash)
    }
}
