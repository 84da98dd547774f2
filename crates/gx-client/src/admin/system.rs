//! The system as administrators see it: parameters, pauses, commands without an outcome, the log.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api::{Api, part, with_query};
use crate::failure::Result;
use crate::giving::{Giving, Order, SETTLED, Settling};
use crate::options::{Job, With};
use crate::out::Parts;
use crate::profile::Who;

/// What is done with parameters.
#[derive(Debug, Subcommand)]
pub enum Parameters {
    /// Lists them with their bounds.
    List(With<ListParameters>),
    /// Proposes another value to a second administrator.
    Set(With<SetParameter>),
    /// Calls off a change that has not taken effect yet.
    Cancel(With<CancelParameter>),
}

impl Parameters {
    pub(super) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Set(job) => job.run(),
            Self::Cancel(job) => job.run(),
        }
    }
}

const PARAMETERS: &str = "/api/v1/admin/parameters";

const PARAMETER_ROWS: &Parts = &[
    ("PARAMETER", "/paramId"),
    ("VALUE", "/value"),
    ("UNIT", "/unit"),
    ("FROM", "/min"),
    ("TO", "/max"),
    ("NEXT", "/scheduled/newValue"),
    ("SINCE", "/scheduled/effectiveAt"),
];

#[derive(Debug, Args)]
pub struct ListParameters {}

impl Job for ListParameters {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let list = api.get(PARAMETERS)?;
        api.out.page(&list, PARAMETER_ROWS)
    }
}

#[derive(Debug, Args)]
pub struct SetParameter {
    /// Such as votingDays.
    parameter: String,
    value: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for SetParameter {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let Self { parameter, value, settling } = self;
        settling.giving.confirm(&format!("Propose {value} as the value of {parameter}?"))?;
        let body = json!({ "paramId": parameter, "newValue": value });
        let reply = settling.give(api, Order::post(PARAMETERS, body))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct CancelParameter {
    /// Such as votingDays.
    parameter: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for CancelParameter {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("{PARAMETERS}/{}/cancel", part(&self.parameter));
        let reply = self.settling.give(api, Order::post(path, json!({})))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Propose {
    /// Such as votingDays.
    parameter: String,
    value: String,
    /// What the users read.
    #[arg(long, value_name = "TEXT")]
    title: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Propose {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let body = json!({
            "title": self.title, "targetParam": self.parameter, "newValue": self.value,
        });
        let reply = self.settling.give(api, Order::post("/api/v1/proposals", body))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Draw {
    /// Id of the proposal.
    proposal: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Draw {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/proposals/{}/execute", part(&self.proposal));
        let reply = self.settling.give(api, Order::post(path, json!({})))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Pause {
    /// Why, as everybody reads it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Pause {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        self.settling
            .giving
            .confirm("Stop the whole system? Nobody can pay until it is resumed.")?;
        let order = Order::post("/api/v1/admin/system/pause", json!({ "reason": self.reason }));
        let reply = self.settling.give(api, order)?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Resume {
    #[command(flatten)]
    settling: Settling,
}

impl Job for Resume {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let order = Order::post("/api/v1/admin/system/resume", json!({}));
        let reply = self.settling.give(api, order)?;
        api.out.record(&reply, SETTLED)
    }
}

const STATUS: &Parts = &[
    ("status", "/status"),
    ("paused, as", "/pauseReason"),
    ("since", "/pausedSince"),
    ("bootstrapped", "/bootstrappedAt"),
    ("countries", "/countries"),
    ("accounts", "/accounts"),
    ("commands", "/commands"),
    ("refused", "/refused"),
];

#[derive(Debug, Args)]
pub struct Status {}

impl Job for Status {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let reply = api.get("/api/v1/admin/system/status")?;
        api.out.record(&reply, STATUS)
    }
}

/// What is done with commands that have no outcome.
#[derive(Debug, Subcommand)]
pub enum Outbox {
    /// Lists them, oldest first.
    List(With<ListOutbox>),
    /// Has a dead command sent to the ledger again.
    Requeue(With<Requeue>),
    /// Says for ever that a dead command is never sent; its giver is told.
    Discard(With<Discard>),
}

impl Outbox {
    pub(super) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Requeue(job) => job.run(),
            Self::Discard(job) => job.run(),
        }
    }
}

const OUTBOX: &str = "/api/v1/admin/outbox";

const OUTBOX_ROWS: &Parts = &[
    ("COMMAND", "/commandId"),
    ("STATE", "/state"),
    ("SECONDS", "/ageSeconds"),
    ("FUNCTION", "/function"),
    ("ACTOR", "/actor"),
    ("WHY", "/deadReason"),
];

#[derive(Debug, Args)]
pub struct ListOutbox {
    /// Where they stand: queued, submitted or dead.
    #[arg(long)]
    state: Option<String>,
    /// Those only that have waited this long.
    #[arg(long, value_name = "SECONDS")]
    older_than: Option<u32>,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for ListOutbox {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [
            ("state", self.state.clone()),
            ("olderThanSeconds", self.older_than.map(|seconds| seconds.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        let page = api.get(&with_query(OUTBOX, &query))?;
        api.out.page(&page, OUTBOX_ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Requeue {
    /// Id of the command.
    command: String,
    /// Why, in ten letters or more.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Requeue {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        decide(api, &self.giving, (&self.command, "requeue"), &self.reason)
    }
}

#[derive(Debug, Args)]
pub struct Discard {
    /// Id of the command.
    command: String,
    /// Why, in ten letters or more.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Discard {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let question = format!("Discard the command {} for ever?", self.command);
        self.giving.confirm(&question)?;
        decide(api, &self.giving, (&self.command, "discard"), &self.reason)
    }
}

fn decide(
    api: &mut Api,
    giving: &Giving,
    (command, how): (&str, &str),
    reason: &str,
) -> Result<()> {
    let path = format!("{OUTBOX}/{}/{how}", part(command));
    let reply = giving.change(api, &Order::post(path, json!({ "reason": reason })))?;
    api.out.record(&reply, &[("decision", "/decision"), ("at", "/decidedAt")])
}

const AUDIT_ROWS: &Parts = &[
    ("NUMBER", "/seq"),
    ("TIME", "/timestamp"),
    ("WHO", "/actor"),
    ("WHAT", "/action"),
    ("TO WHAT", "/target"),
];

#[derive(Debug, Args)]
pub struct Audit {
    /// By this one only, as admin:superowner.
    #[arg(long)]
    actor: Option<String>,
    /// Only this, such as admin.login.
    #[arg(long)]
    action: Option<String>,
    /// To this only.
    #[arg(long)]
    target: Option<String>,
    /// From this time on, as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How many at most, from 1 to 100.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for Audit {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [
            ("actor", self.actor.clone()),
            ("action", self.action.clone()),
            ("target", self.target.clone()),
            ("from", self.from.clone()),
            ("to", self.to.clone()),
            ("limit", Some(self.limit.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        let page = api.get(&with_query("/api/v1/admin/audit-logs", &query))?;
        api.out.page(&page, AUDIT_ROWS)
    }
}
