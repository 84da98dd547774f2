//! Who the administrators are. Bootstrap names the first; two admins decide on every other.

use gx_types::{AccountId, Actor, AdminId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::declared::{Said, said};
use crate::gates::{ActorRule, Gate};
use crate::query::Answer;
use crate::state::{Admin, AdminLevel, Key, State, System, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal};

/// How long the other super admins have to reject an appointment that one alone has proposed.
const EMERGENCY_DAYS: u32 = 30;

/// Makes somebody an administrator. Two super admins decide on it; while there is only one, that
/// one names the second. In an emergency one super admin alone proposes it and carries it out after
/// 30 days unless another super admin rejects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppointAdmin {
    pub admin_id: AdminId,
    pub level: AdminLevel,
    /// The admin's own account, to which they may pay nothing; `null` says that they have none.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "Said")]
    pub account_id: Option<AccountId>,
    /// Nobody else is left to decide: the proposer approves it alone when 30 days are over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
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
        let system = state.running_system()?;
        Ok(self.level == AdminLevel::SuperAdmin && system.super_admins == 1)
    }

    fn alone_after_days(&self) -> Option<u32> {
        self.emergency.then_some(EMERGENCY_DAYS)
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
        check_own_account(tx, self.account_id)?;
        let Self { level, account_id, admin_id, emergency: _ } = *self;
        tx.put(key, newly_appointed(tx.now, level, account_id))?;
        count_super_admins(tx, level, |count| count.saturating_add(1))?;
        tx.emit(AdminAppointed { admin_id, level, account_id });
        Ok(())
    }
}

/// An admin's own account is one of a user on the ledger.
fn check_own_account(tx: &mut Tx<'_>, account_id: Option<AccountId>) -> Result<(), Stop> {
    match account_id {
        Some(id) if !tx.state.account(&id)?.is_some_and(|account| account.is_user()) => {
            Err(Refusal::AdminAccountInvalid.into())
        }
        Some(_) | None => Ok(()),
    }
}

fn newly_appointed(now: TimeMs, level: AdminLevel, account_id: Option<AccountId>) -> Admin {
    Admin {
        v: Version,
        level,
        appointed_at: now,
        account_id: account_id.into(),
        public_key: None,
        key_since: None,
        removed_at: None,
    }
}

/// Puts somebody else in an administrator's place, with the same level. Two super admins decide
/// on it; at no moment is there one less in office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplaceAdmin {
    pub old_admin_id: AdminId,
    pub new_admin_id: AdminId,
    /// The new admin's own account; `null` says that they have none.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "Said")]
    pub account_id: Option<AccountId>,
}

/// Somebody else is an administrator now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminReplaced {
    pub old_admin_id: AdminId,
    pub new_admin_id: AdminId,
    /// That of both.
    pub level: AdminLevel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
}

impl Effects for AdminReplaced {}

impl Rule for ReplaceAdmin {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] = &[
        Refusal::NotOneself,
        Refusal::AdminUnknown,
        Refusal::AdminExists,
        Refusal::AdminAccountInvalid,
    ];
    const EVENTS: &[&str] = &["AdminReplaced"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { old_admin_id, new_admin_id, account_id } = *self;
        let (old_key, new_key) = (Key::Admin(old_admin_id), Key::Admin(new_admin_id));
        tx.state.load([old_key, new_key].into_iter().chain(account_id.map(Key::Account)))?;
        if [old_admin_id, new_admin_id].iter().any(|id| *tx.actor == Actor::Admin(*id)) {
            return Err(Refusal::NotOneself.into());
        }
        let old: Option<Admin> = tx.state.get(old_key)?;
        let old = old.filter(Admin::in_office).ok_or(Refusal::AdminUnknown)?;
        if tx.state.get::<Admin>(new_key)?.is_some_and(|admin| admin.in_office()) {
            return Err(Refusal::AdminExists.into());
        }
        check_own_account(tx, account_id)?;
        let level = old.level;
        tx.put(old_key, Admin { removed_at: Some(tx.now), ..old })?;
        tx.put(new_key, newly_appointed(tx.now, level, account_id))?;
        tx.emit(AdminReplaced { old_admin_id, new_admin_id, level, account_id });
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
        let system = tx.state.running_system()?;
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
            let system = tx.state.running_system()?.clone();
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
        let (admin_id, account_id) = (self.admin_id, account_id.account_id());
        Ok(AdminView { admin_id, level, appointed_at, account_id, public_key, removed_at })
    }
}
