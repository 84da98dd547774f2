//! Who the administrators are. Bootstrap names the first; two admins decide on every other.

use gx_types::{AccountId, Actor, AdminId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::query::Answer;
use crate::state::{Admin, AdminLevel, Key, State, System, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal};

/// Makes somebody an administrator. Two super admins decide on it; while there is only one, that
/// one names the second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppointAdmin {
    pub admin_id: AdminId,
    pub level: AdminLevel,
    /// The admin's own account, to which they may disburse nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
}

/// Somebody is an administrator now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminAppointed {
    pub admin_id: AdminId,
    pub level: AdminLevel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
}

impl Effects for AdminAppointed {}

impl Rule for AppointAdmin {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] =
        &[Refusal::NotOneself, Refusal::AdminExists, Refusal::AdminAccountInvalid];
    const EVENTS: &[&str] = &["AdminAppointed"];

    fn one_admin_suffices(&self, state: &mut State) -> Result<bool, Stop> {
        let system = state.system()?.ok_or(Refusal::NotBootstrapped)?;
        Ok(self.level == AdminLevel::SuperAdmin && system.super_admins == 1)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Admin(self.admin_id);
        let account = self.account_id.map(Key::Account);
        tx.state.load([key].into_iter().chain(account))?;
        if matches!(tx.actor, Actor::Admin(id) if *id == self.admin_id) {
            return Err(Refusal::NotOneself.into());
        }
        if tx.state.get::<Admin>(key)?.is_some_and(|admin| admin.in_office()) {
            return Err(Refusal::AdminExists.into());
        }
        if let Some(account) = &self.account_id
            && !tx.state.account(account)?.is_some_and(|account| account.is_user())
        {
            return Err(Refusal::AdminAccountInvalid.into());
        }
        let Self { level, account_id, admin_id } = *self;
        let admin = Admin {
            v: Version,
            level,
            appointed_at: tx.now,
            account_id,
            public_key: None,
            key_since: None,
            removed_at: None,
        };
        tx.put(key, admin)?;
        count_super_admins(tx, level, |count| count.saturating_add(1))?;
        tx.emit(AdminAppointed { admin_id, level, account_id });
        Ok(())
    }
}

/// Ends somebody's term as an administrator. Two super admins decide on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveAdmin {
    pub admin_id: AdminId,
}

/// Somebody is no administrator any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminRemoved {
    pub admin_id: AdminId,
    pub level: AdminLevel,
}

impl Effects for AdminRemoved {}

impl Rule for RemoveAdmin {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] =
        &[Refusal::NotOneself, Refusal::AdminUnknown, Refusal::TooFewSuperAdmins];
    const EVENTS: &[&str] = &["AdminRemoved"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Admin(self.admin_id);
        if matches!(tx.actor, Actor::Admin(id) if *id == self.admin_id) {
            return Err(Refusal::NotOneself.into());
        }
        let admin: Option<Admin> = tx.state.get(key)?;
        let admin = admin.filter(Admin::in_office).ok_or(Refusal::AdminUnknown)?;
        let level = admin.level;
        // With one super admin left, nobody could approve what needs two.
        let system = tx.state.system()?.ok_or(Refusal::NotBootstrapped)?;
        if level == AdminLevel::SuperAdmin && system.super_admins <= 2 {
            return Err(Refusal::TooFewSuperAdmins.into());
        }
        tx.put(key, Admin { removed_at: Some(tx.now), ..admin })?;
        count_super_admins(tx, level, |count| count.saturating_sub(1))?;
        tx.emit(AdminRemoved { admin_id: self.admin_id, level });
        Ok(())
    }
}

fn count_super_admins(
    tx: &mut Tx<'_>,
    level: AdminLevel,
    change: impl FnOnce(u32) -> u32,
) -> Result<(), Stop> {
    match level {
        AdminLevel::Admin => Ok(()),
        AdminLevel::SuperAdmin => {
            let system = tx.state.system()?.ok_or(Refusal::NotBootstrapped)?;
            let super_admins = change(system.super_admins);
            tx.put(Key::System, System { super_admins, ..system })
        }
    }
}

/// An administrator, in office or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetAdmin {
    pub admin_id: AdminId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminView {
    pub admin_id: AdminId,
    pub level: AdminLevel,
    pub appointed_at: TimeMs,
    pub account_id: Option<AccountId>,
    /// What the admin signs with.
    pub public_key: Option<PublicKey>,
    pub removed_at: Option<TimeMs>,
}

impl Answer for GetAdmin {
    type Answer = AdminView;

    fn answer(&self, state: &mut State) -> Result<AdminView, Stop> {
        let admin: Option<Admin> = state.get(Key::Admin(self.admin_id))?;
        let admin = admin.ok_or(Refusal::AdminUnknown)?;
        let Admin { level, appointed_at, account_id, public_key, removed_at, .. } = admin;
        let admin_id = self.admin_id;
        Ok(AdminView { admin_id, level, appointed_at, account_id, public_key, removed_at })
    }
}
