//! The status of a user: active, locked by an admin, or deceased for good.

use gx_types::{AccountId, Role};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::state::Account;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// Whether a user may act. What others send still arrives.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountStatus {
    #[default]
    Active,
    /// Until an admin ends it.
    Locked,
    /// For ever.
    Deceased,
}

impl AccountStatus {
    pub(crate) fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// Lets a user act, or no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUserStatus {
    pub user_id: AccountId,
    pub status: AccountStatus,
}

/// A user has another status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserStatusSet {
    pub user_id: AccountId,
    pub status: AccountStatus,
}

impl Effects for UserStatusSet {}

impl Rule for SetUserStatus {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::NotAUser,
        Refusal::StatusFinal,
        Refusal::StatusUnchanged,
    ];
    const EVENTS: &[&str] = &["UserStatusSet"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let account = tx.state.existing_account(&self.user_id)?;
        if !account.is_user() {
            return Err(Refusal::NotAUser.into());
        }
        if account.status == AccountStatus::Deceased {
            return Err(Refusal::StatusFinal.into());
        }
        if account.status == self.status {
            return Err(Refusal::StatusUnchanged.into());
        }
        tx.state.put_account(&self.user_id, Account { status: self.status, ..account })?;
        tx.emit(UserStatusSet { user_id: self.user_id, status: self.status });
        Ok(())
    }
}
