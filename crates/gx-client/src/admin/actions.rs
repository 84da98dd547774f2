//! What two administrators decide on.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api::{Api, part, with_query};
use crate::failure::Result;
use crate::giving::{Order, SETTLED, Settling};
use crate::options::{Job, With};
use crate::out::{Parts, text};
use crate::profile::Who;

/// What is done with actions.
#[derive(Debug, Subcommand)]
pub enum Actions {
    /// Lists what waits for a second administrator, newest first.
    List(With<List>),
    /// Shows one, and what has become of it.
    Show(With<Show>),
    /// Runs what another administrator has proposed.
    Approve(With<Approve>),
    /// Ends what another administrator has proposed.
    Reject(With<Reject>),
    /// Takes back what you have proposed.
    Withdraw(With<Withdraw>),
}

impl Actions {
    pub(super) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Show(job) => job.run(),
            Self::Approve(job) => job.run(),
            Self::Reject(job) => job.run(),
            Self::Withdraw(job) => job.run(),
        }
    }
}

const ACTIONS: &str = "/api/v1/admin/actions";

const ROWS: &Parts = &[
    ("ACTION", "/actionId"),
    ("STATUS", "/status"),
    ("FUNCTION", "/function"),
    ("PROPOSED BY", "/proposedBy"),
    ("UNTIL", "/expiresAt"),
    ("ARGUMENTS", "/arguments"),
];

const ONE: &Parts = &[
    ("action", "/actionId"),
    ("status", "/status"),
    ("function", "/function"),
    ("arguments", "/arguments"),
    ("proposed by", "/proposedBy"),
    ("at", "/proposedAt"),
    ("until", "/expiresAt"),
    ("decided by", "/decidedBy"),
    ("decided at", "/decidedAt"),
];

#[derive(Debug, Args)]
pub struct List {
    /// Those that are decided as well.
    #[arg(long)]
    all: bool,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for List {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let status = if self.all { "ALL" } else { "PENDING" };
        let query = [("status", Some(status.to_owned())), ("cursor", self.cursor.clone())];
        let page = api.get(&with_query(ACTIONS, &query))?;
        api.out.page(&page, ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Show {
    /// Id of the action.
    action: String,
}

impl Job for Show {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let one = api.get(&format!("{ACTIONS}/{}", part(&self.action)))?;
        api.out.record(&one, ONE)
    }
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Id of the action.
    action: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Approve {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let one = api.get(&format!("{ACTIONS}/{}", part(&self.action)))?;
        let [function, arguments] = ["/function", "/arguments"].map(|at| text(&one, at));
        self.settling.giving.confirm(&format!("Run {function} {arguments}?"))?;
        decide(api, &self.settling, &self.action, "approve")
    }
}

#[derive(Debug, Args)]
pub struct Reject {
    /// Id of the action.
    action: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Reject {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        decide(api, &self.settling, &self.action, "reject")
    }
}

#[derive(Debug, Args)]
pub struct Withdraw {
    /// Id of the action.
    action: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Withdraw {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        decide(api, &self.settling, &self.action, "withdraw")
    }
}

fn decide(api: &mut Api, settling: &Settling, action: &str, how: &str) -> Result<()> {
    let path = format!("{ACTIONS}/{}/{how}", part(action));
    let reply = settling.give(api, Order::post(path, json!({})))?;
    api.out.record(&reply, SETTLED)
}
