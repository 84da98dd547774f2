//! The status of a user: active, locked by an admin, or deceased by order of two.

use gx_types::{AccountId, Role};
use serde::{Deserialize, Serialize};

use crate::admin::OrderHash;
use crate::gates::{ActorRule, Gate};
use crate::state::Account;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// Whether a user may act, or an organization pay. What others send arrives at all but the
/// deceased.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountStatus {
    #[default]
    Active,
    /// Until an admin ends it.
    Locked,
    /// Until two super admins find that it was a mistake.
    Deceased,
}

impl AccountStatus {
    pub(crate) fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// Lets a user act, or no more. That somebody is deceased, and that it was a mistake, is decided by
/// two super admins on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUserStatus {
    pub user_id: AccountId,
    pub status: AccountStatus,
    /// Of the document; needed for `DECEASED`, and to undo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_hash: Option<OrderHash>,
}

/// A user has another status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserStatusSet {
    pub user_id: AccountId,
    pub status: AccountStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_hash: Option<OrderHash>,
}

impl Effects for UserStatusSet {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.user_id);
    }
}

/// What is decided on a document.
const BY_ORDER: Gate =
    of_anybody(Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin)).by_two_admins();

/// Whatever the status is now.
const fn of_anybody(gate: Gate) -> Gate {
    gate.even_to_frozen().even_to_deceased()
}

impl Rule for SetUserStatus {
    const GATE: Gate = of_anybody(Gate::new(Role::Admin, ActorRule::Admin));
    const OTHER_GATE: Option<Gate> = Some(BY_ORDER);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::OrderMissing,
        Refusal::NotAUser,
        Refusal::StatusFinal,
        Refusal::StatusUnchanged,
    ];
    const EVENTS: &[&str] = &["UserStatusSet"];

    fn gate(&self) -> Gate {
        let is_ordered = self.order_hash.is_some() || self.status == AccountStatus::Deceased;
        if is_ordered { BY_ORDER } else { Self::GATE }
    }

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn validate(&self) -> Result<(), Refused> {
        if self.status == AccountStatus::Deceased && self.order_hash.is_none() {
            return Err(Refusal::OrderMissing.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let account = tx.state.existing_account(&self.user_id)?;
        if !account.is_user() {
            return Err(Refusal::NotAUser.into());
        }
        if account.status == AccountStatus::Deceased && self.order_hash.is_none() {
            return Err(Refusal::StatusFinal.into());
        }
        if account.status == self.status {
            return Err(Refusal::StatusUnchanged.into());
        }
        let Self { user_id, status, order_hash } = *self;
        let account = Account { status, ..account };
        let account = account.with_tax_timer(tx.params.tax.threshold, tx.clocks.running());
        tx.state.put_account(&user_id, account)?;
        tx.emit(UserStatusSet { user_id, status, order_hash });
        Ok(())
    }
}
