//! Promotions of an image from one network to the next.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, part, put, with_query};
use crate::failure::Result;
use crate::giving::{Giving, Order};
use crate::options::{Job, With};
use crate::out::{Parts, text};
use crate::profile::Who;

/// What is done with promotions.
#[derive(Debug, Subcommand)]
pub enum Deployments {
    /// Lists them, newest first.
    List(With<List>),
    /// Tells how far one is, and what stands in its way.
    Show(With<Show>),
    /// Tells what has happened in one, step by step.
    Logs(With<Logs>),
    /// Asks for an image to go from one network to the next.
    Request(With<Request>),
    /// Approves what another administrator asks for.
    Approve(With<Approve>),
    /// Begins what was approved.
    Execute(With<Execute>),
    /// Puts the image before it back.
    Rollback(With<Rollback>),
    /// Calls off what has not been begun.
    Cancel(With<Cancel>),
}

impl Deployments {
    pub(super) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Show(job) => job.run(),
            Self::Logs(job) => job.run(),
            Self::Request(job) => job.run(),
            Self::Approve(job) => job.run(),
            Self::Execute(job) => job.run(),
            Self::Rollback(job) => job.run(),
            Self::Cancel(job) => job.run(),
        }
    }
}

const PATH: &str = "/api/v1/admin/deployments";

const ROWS: &Parts = &[
    ("ID", "/id"),
    ("SERVICE", "/service"),
    ("TO", "/targetEnv"),
    ("STATUS", "/status"),
    ("STEP", "/step"),
    ("BY", "/requestedBy"),
    ("ASKED", "/requestedAt"),
];

const LINES: &Parts = &[
    ("id", "/id"),
    ("service", "/service"),
    ("from", "/sourceEnv"),
    ("to", "/targetEnv"),
    ("image", "/image"),
    ("before", "/previousImage"),
    ("commit", "/gitCommit"),
    ("reason", "/reason"),
    ("status", "/status"),
    ("step", "/step"),
    ("asked for by", "/requestedBy"),
    ("until", "/expiresAt"),
    ("approved by", "/approvedBy"),
    ("begun by", "/executedBy"),
    ("over since", "/finishedAt"),
    ("failure", "/failure"),
    ("rolled back by", "/rolledBackBy"),
];

const GATES: &Parts = &[("GATE", "/gate"), ("VERDICT", "/verdict"), ("EVIDENCE", "/evidence")];

const LOG: &Parts =
    &[("NO", "/number"), ("AT", "/at"), ("LEVEL", "/level"), ("STEP", "/step"), ("", "/message")];

fn rows<'v>(value: &'v Value, at: &str) -> &'v [Value] {
    value.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A promotion and its gates; the answer as it came for scripts.
fn show(api: &Api, answer: &Value, at: &str) -> Result<()> {
    if api.out.json {
        return api.out.record(answer, LINES);
    }
    let deployment = answer.pointer(at).unwrap_or(answer);
    api.out.record(deployment, LINES)?;
    match rows(deployment, "/gates") {
        [] => Ok(()),
        gates => api.out.table(gates, GATES),
    }
}

#[derive(Debug, Args)]
pub struct List {
    /// Such as svc-identity.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Network that is promoted to: testnet or mainnet.
    #[arg(long, value_name = "NETWORK")]
    to: Option<String>,
    /// Such as IN_PROGRESS.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    #[arg(long, value_name = "N")]
    page: Option<u32>,
}

impl Job for List {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [
            ("service", self.service.clone()),
            ("targetEnv", self.to.clone()),
            ("status", self.status.clone()),
            ("page", self.page.map(|page| page.to_string())),
        ];
        let list = api.get(&with_query(PATH, &query))?;
        if api.out.json {
            return api.out.line(&list.to_string());
        }
        api.out.table(rows(&list, "/deployments"), ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Show {
    /// Id of the promotion.
    id: String,
}

impl Job for Show {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let answer = api.get(&format!("{PATH}/{}", part(&self.id)))?;
        show(api, &answer, "")
    }
}

#[derive(Debug, Args)]
pub struct Logs {
    /// Id of the promotion.
    id: String,
    /// Lines after the one with this number.
    #[arg(long, value_name = "N")]
    after: Option<u32>,
}

impl Job for Logs {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("{PATH}/{}/logs", part(&self.id));
        let query = [("afterLine", self.after.map(|after| after.to_string()))];
        let answer = api.get(&with_query(&path, &query))?;
        if api.out.json {
            return api.out.line(&answer.to_string());
        }
        api.out.table(rows(&answer, "/logs"), LOG)
    }
}

#[derive(Debug, Args)]
pub struct Request {
    /// Such as svc-identity.
    service: String,
    /// Network whose image goes on: devnet or testnet.
    #[arg(long, value_name = "NETWORK")]
    from: String,
    /// Network that it goes to: testnet or mainnet.
    #[arg(long, value_name = "NETWORK")]
    to: String,
    /// Digest that the network is expected to run; without it whichever it runs.
    #[arg(long, value_name = "sha256:…")]
    digest: Option<String>,
    /// Why, as colleagues read it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Request {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let Self { service, from, to, digest, reason, giving } = self;
        let mut body = json!({
            "service": service, "sourceEnv": from, "targetEnv": to, "reason": reason,
        });
        if let Some(digest) = digest {
            put(&mut body, "imageDigest", digest);
        }
        let answer = giving.change(api, &Order::post(format!("{PATH}/promote"), body))?;
        show(api, &answer, "/deployment")
    }
}

/// Sends what changes a promotion, and shows it.
fn act(api: &mut Api, id: &str, verb: &str, body: Value, giving: &Giving) -> Result<()> {
    let path = format!("{PATH}/{}/{verb}", part(id));
    let answer = giving.change(api, &Order::post(path, body))?;
    show(api, &answer, "/deployment")
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Id of the promotion.
    id: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Approve {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        act(api, &self.id, "approve", json!({}), &self.giving)
    }
}

#[derive(Debug, Args)]
pub struct Execute {
    /// Id of the promotion.
    id: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Execute {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let shown = api.get(&format!("{PATH}/{}", part(&self.id)))?;
        let [service, to] = ["/service", "/targetEnv"].map(|at| text(&shown, at));
        self.giving.confirm(&format!("Replace {service} on {to}?"))?;
        act(api, &self.id, "execute", json!({}), &self.giving)
    }
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// Id of the promotion.
    id: String,
    /// Why, as colleagues read it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Rollback {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        self.giving.confirm("Put the image before it back?")?;
        act(api, &self.id, "rollback", json!({ "reason": self.reason }), &self.giving)
    }
}

#[derive(Debug, Args)]
pub struct Cancel {
    /// Id of the promotion.
    id: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Cancel {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        act(api, &self.id, "cancel", json!({}), &self.giving)
    }
}
