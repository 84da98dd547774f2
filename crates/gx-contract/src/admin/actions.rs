//! Actions that need two admins: one proposes, another approves, and the approval runs them. In an
//! emergency the proposer approves alone, after the time that others have to reject it.
//!
//! A rule asks for it in its gate and knows nothing else of it. What a second admin could never
//! run is refused when it is proposed.

use gx_types::{ActionId, Actor, AdminId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate, level_suffices};
use crate::query::Answer;
use crate::state::{Admin, Key, RunningMs, State, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Command, Effects, Refusal};

/// How long an action waits for a second admin.
const WAITS_DAYS: u32 = 7;

/// What two admins decide on, and whether they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    pub v: Version<1>,
    /// What the approval runs.
    pub command: Box<Command>,
    pub proposed_by: AdminId,
    pub proposed_at: TimeMs,
    pub expires_at: RunningMs,
    /// From when on the proposer may approve it alone; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone_from: Option<RunningMs>,
    /// Present once it has run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Present once it can't run any more because somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<Closure>,
}

/// Who ended an action that has not run, and when: its proposer, who withdrew it, or another
/// admin, who rejected it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Closure {
    pub by: AdminId,
    pub at: TimeMs,
}

/// Who approved an action, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    pub by: AdminId,
    pub at: TimeMs,
}

/// An action waits for a second admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionProposed {
    pub action_id: ActionId,
    /// What the approval will run: its name and arguments.
    pub command: Box<Command>,
    pub proposed_by: AdminId,
    /// From then on it can't be approved any more.
    pub expires_at: TimeMs,
    /// From when on the proposer may approve it alone, unless another admin has rejected it; absent
    /// if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone_from: Option<TimeMs>,
}

impl Effects for ActionProposed {}

/// Stores a command for another admin to approve, after trying whether it would run.
pub(crate) fn propose(tx: &mut Tx<'_>, command: &Command) -> Result<(), Stop> {
    let Actor::Admin(proposed_by) = *tx.actor else {
        return Err(Refusal::ActorNotAllowed.into());
    };
    let action_id = ActionId::made_by(tx.command_id);
    let known = tx.state.want(Key::Action(action_id));
    command.rule().apply(tx)?;
    tx.undo();
    if !known {
        return Err(Stop::Missing);
    }
    let (proposed_at, running) = (tx.now, tx.clocks.running());
    let alone_from = command.rule().alone_after_days().map(|days| running.plus_days(days));
    let expires_at = alone_from.unwrap_or(running).plus_days(WAITS_DAYS);
    let command = Box::new(command.clone());
    let action = Action {
        v: Version,
        command: command.clone(),
        proposed_by,
        proposed_at,
        expires_at,
        alone_from,
        approval: None,
        closure: None,
    };
    tx.put(Key::Action(action_id), action)?;
    let expires_at = tx.clocks.time_of_day(expires_at);
    let alone_from = alone_from.map(|from| tx.clocks.time_of_day(from));
    tx.emit(ActionProposed { action_id, command, proposed_by, expires_at, alone_from });
    Ok(())
}

/// Runs an action that another admin has proposed, or one's own whose time to be rejected is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproveAction {
    pub action_id: ActionId,
}

/// A second admin has approved; the events of the action follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionApproved {
    pub action_id: ActionId,
    pub approved_by: AdminId,
}

impl Effects for ActionApproved {}

impl Rule for ApproveAction {
    // Approvals come through the service of the highest role whatever they approve: the role is
    // known before the action is.
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::Admin);
    const REFUSALS: &[Refusal] = &[
        Refusal::ActionUnknown,
        Refusal::ActionExecuted,
        Refusal::ActionClosed,
        Refusal::ActionExpired,
        Refusal::SameAdmin,
        Refusal::ActionTooEarly,
        Refusal::AdminLevelTooLow,
        Refusal::ProposerNotAdmin,
    ];
    const EVENTS: &[&str] = &["ActionApproved"];
    const RUNS_ACTIONS: bool = true;

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Action(self.action_id);
        let (approver, action) = open(tx, self.action_id)?;
        if action.proposed_by == approver {
            let from = action.alone_from.ok_or(Refusal::SameAdmin)?;
            if tx.clocks.running() < from {
                return Err(Refusal::ActionTooEarly.into());
            }
        }
        let (proposer, rule) = (action.proposed_by, action.command.rule());
        tx.state.load([Key::Admin(approver), Key::Admin(proposer)])?;
        if !acts(tx.state, approver, rule.gate().actor)? {
            return Err(Refusal::AdminLevelTooLow.into());
        }
        if !acts(tx.state, proposer, rule.gate().actor)? || !stands(tx.state, &action)? {
            return Err(Refusal::ProposerNotAdmin.into());
        }
        rule.validate()?;
        tx.emit(ActionApproved { action_id: self.action_id, approved_by: approver });
        let proposed = (&Actor::Admin(proposer), self.action_id.command());
        tx.run_approved(rule, proposed, approver)?;
        let approval = Some(Approval { by: approver, at: tx.now });
        tx.put(key, Action { approval, ..action })
    }
}

/// The acting admin, and an action that may still be approved.
fn open(tx: &mut Tx<'_>, id: ActionId) -> Result<(AdminId, Action), Stop> {
    let Actor::Admin(admin) = *tx.actor else {
        return Err(Refusal::ActorNotAllowed.into());
    };
    let action: Action = tx.state.get(Key::Action(id))?.ok_or(Refusal::ActionUnknown)?;
    if action.approval.is_some() {
        return Err(Refusal::ActionExecuted.into());
    }
    if action.closure.is_some() {
        return Err(Refusal::ActionClosed.into());
    }
    if tx.clocks.running() >= action.expires_at {
        return Err(Refusal::ActionExpired.into());
    }
    Ok((admin, action))
}

/// Ends an action that another admin has proposed: any admin may who could approve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectAction {
    pub action_id: ActionId,
}

/// An action was rejected and will not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionRejected {
    pub action_id: ActionId,
    pub rejected_by: AdminId,
}

impl Effects for ActionRejected {}

impl Rule for RejectAction {
    // As with approvals, the role is known before the action is.
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::Admin);
    const REFUSALS: &[Refusal] = &[
        Refusal::ActionUnknown,
        Refusal::ActionExecuted,
        Refusal::ActionClosed,
        Refusal::ActionExpired,
        Refusal::SameAdmin,
        Refusal::AdminLevelTooLow,
    ];
    const EVENTS: &[&str] = &["ActionRejected"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (rejected_by, action) = open(tx, self.action_id)?;
        if action.proposed_by == rejected_by || ends_term(&action.command, rejected_by) {
            return Err(Refusal::SameAdmin.into());
        }
        if !acts(tx.state, rejected_by, action.command.rule().gate().actor)? {
            return Err(Refusal::AdminLevelTooLow.into());
        }
        let closure = Some(Closure { by: rejected_by, at: tx.now });
        tx.put(Key::Action(self.action_id), Action { closure, ..action })?;
        tx.emit(ActionRejected { action_id: self.action_id, rejected_by });
        Ok(())
    }
}

/// Takes back an action that the acting admin has proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawAction {
    pub action_id: ActionId,
}

/// An action was withdrawn and will not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionWithdrawn {
    pub action_id: ActionId,
    pub withdrawn_by: AdminId,
}

impl Effects for ActionWithdrawn {}

impl Rule for WithdrawAction {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::Admin);
    const REFUSALS: &[Refusal] = &[
        Refusal::ActionUnknown,
        Refusal::ActionExecuted,
        Refusal::ActionClosed,
        Refusal::ActionExpired,
        Refusal::NotProposer,
    ];
    const EVENTS: &[&str] = &["ActionWithdrawn"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (withdrawn_by, action) = open(tx, self.action_id)?;
        if action.proposed_by != withdrawn_by {
            return Err(Refusal::NotProposer.into());
        }
        let closure = Some(Closure { by: withdrawn_by, at: tx.now });
        tx.put(Key::Action(self.action_id), Action { closure, ..action })?;
        tx.emit(ActionWithdrawn { action_id: self.action_id, withdrawn_by });
        Ok(())
    }
}

/// Whether the admin is in office and of the level that the rule asks for.
fn acts(state: &mut State, id: AdminId, rule: ActorRule) -> Result<bool, Stop> {
    let admin: Option<Admin> = state.get(Key::Admin(id))?;
    Ok(admin.is_some_and(|admin| admin.in_office() && level_suffices(admin.level, rule)))
}

/// The admins who decide on what runs: the proposer, and who approves it.
pub(super) fn deciding(tx: &Tx<'_>) -> Vec<AdminId> {
    let proposer = match tx.actor {
        Actor::Admin(id) => Some(*id),
        Actor::System | Actor::User(_) => None,
    };
    proposer.into_iter().chain(tx.approver).collect()
}

/// Whether the proposer is the admin that they were: what somebody else proposed in their name
/// before they had their key, or with one that they have replaced, is not what they propose.
fn stands(state: &mut State, action: &Action) -> Result<bool, Stop> {
    let admin: Option<Admin> = state.get(Key::Admin(action.proposed_by))?;
    Ok(admin.is_some_and(|admin| {
        let since = admin.key_since.map_or(admin.appointed_at, |key| key.max(admin.appointed_at));
        since <= action.proposed_at
    }))
}

/// Whether the command ends the admin's term: who is to go must not be able to stay by a rejection.
fn ends_term(command: &Command, admin: AdminId) -> bool {
    match command {
        Command::RemoveAdmin(command) => command.admin_id == admin,
        Command::ReplaceAdmin(command) => command.old_admin_id == admin,
        _ => false,
    }
}

/// An action and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPendingAction {
    pub action_id: ActionId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionView {
    pub action_id: ActionId,
    pub command: Box<Command>,
    pub proposed_by: AdminId,
    pub proposed_at: TimeMs,
    pub expires_at: TimeMs,
    /// From when on the proposer may approve it alone.
    pub alone_from: Option<TimeMs>,
    pub status: ActionStatus,
    /// By whom and when it was approved.
    pub approval: Option<Approval>,
    /// By whom and when it was rejected or withdrawn.
    pub closure: Option<Closure>,
}

/// Where an action stands at the time of the last batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionStatus {
    Pending,
    Executed,
    /// By an admin who could have approved it.
    Rejected,
    /// By the admin who had proposed it.
    Withdrawn,
    Expired,
}

impl Answer for GetPendingAction {
    type Answer = ActionView;

    fn answer(&self, state: &mut State) -> Result<ActionView, Stop> {
        state.load([Key::Clock, Key::System, Key::Action(self.action_id)])?;
        let action: Option<Action> = state.get(Key::Action(self.action_id))?;
        let action = action.ok_or(Refusal::ActionUnknown)?;
        let clocks = state.clocks()?;
        let expired = clocks.running() >= action.expires_at;
        let status = match (action.approval, action.closure) {
            (Some(_), _) => ActionStatus::Executed,
            (None, Some(closure)) if closure.by == action.proposed_by => ActionStatus::Withdrawn,
            (None, Some(_)) => ActionStatus::Rejected,
            (None, None) if expired => ActionStatus::Expired,
            (None, None) => ActionStatus::Pending,
        };
        let Action { command, proposed_by, proposed_at, expires_at, .. } = action;
        let Action { alone_from, approval, closure, .. } = action;
        let action_id = self.action_id;
        Ok(ActionView {
            action_id,
            command,
            proposed_by,
            proposed_at,
            expires_at: clocks.time_of_day(expires_at),
            alone_from: alone_from.map(|from| clocks.time_of_day(from)),
            status,
            approval,
            closure,
        })
    }
}
