//! What can be said of commands and queries without having one: gates, refusals, events, schemas.
//!
//! Descriptions of the interface are made from here. Nothing here decides anything.

use schemars::Schema;

use crate::gates::Gate;
use crate::tx::Rule;
use crate::{Command, Refusal};

/// A command as callers have to know it.
#[derive(Debug)]
pub struct CommandDescription {
    /// `Contract:Function`.
    pub name: &'static str,
    /// Who may give it and when; two gates when that depends on the arguments.
    pub gates: Vec<Gate>,
    /// What it can be refused for, in order of precedence.
    pub refusals: Vec<Refusal>,
    /// What it emits.
    pub events: Vec<&'static str>,
    /// Whether refusals and events of another command, which it runs, come on top.
    pub runs_actions: bool,
}

impl CommandDescription {
    pub(crate) fn of<R: Rule>(name: &'static str) -> Self {
        let gates: Vec<Gate> = [R::GATE].into_iter().chain(R::OTHER_GATE).collect();
        let mut refusals: Vec<Refusal> = gates.iter().flat_map(Gate::refusals).collect();
        refusals.extend(R::REFUSALS);
        refusals.sort_unstable();
        refusals.dedup();
        let waits = gates.iter().any(Gate::needs_two_admins);
        let proposed = waits.then_some("ActionProposed");
        let events = proposed.into_iter().chain(R::EVENTS.iter().copied()).collect();
        Self { name, gates, refusals, events, runs_actions: R::RUNS_ACTIONS }
    }
}

/// Events that any command may have before its own: changes of parameters whose time has come are
/// carried by the first command that is applied then.
pub const CARRIED_EVENTS: [&str; 2] = ["SystemParameterUpdated", "ParameterChangeCancelled"];

impl Command {
    /// Whether two admins decide on it. The only super admin names the second one alone all the
    /// same.
    pub fn is_by_two_admins(&self) -> bool {
        self.rule().gate().needs_two_admins()
    }

    /// Whether a frozen account gives it as well, because it defends what the account has.
    pub fn is_taken_from_frozen(&self) -> bool {
        self.rule().gate().taken_from_frozen()
    }

    /// The description of a command by its name.
    pub fn describe(name: &str) -> Option<CommandDescription> {
        Self::descriptions().into_iter().find(|command| command.name == name)
    }
}

/// A query as callers have to know it.
#[derive(Debug)]
pub struct QueryDescription {
    /// `Contract:Function`.
    pub name: &'static str,
    /// JSON schemas of its arguments and its answer.
    pub arguments: Schema,
    pub answer: Schema,
}
