//! Loans as administrators see them: the queue, and deciding.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api::{Api, part, with_query};
use crate::failure::Result;
use crate::giving::{Order, SETTLED, Settling};
use crate::loans::ROWS;
use crate::options::{Job, With};
use crate::profile::Who;

/// What is decided on loans.
#[derive(Debug, Subcommand)]
pub enum Loan {
    /// Lists loans in the order in which they were applied for.
    List(With<List>),
    /// Pays a loan out; a large one is proposed to a second admin.
    Approve(With<Approve>),
    /// Turns a loan down.
    Reject(With<Reject>),
}

impl Loan {
    pub(super) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Approve(job) => job.run(),
            Self::Reject(job) => job.run(),
        }
    }
}

#[derive(Debug, Args)]
pub struct List {
    /// Loans of this status instead of those that wait.
    #[arg(long)]
    status: Option<String>,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for List {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [("status", self.status.clone()), ("cursor", self.cursor.clone())];
        let page = api.get(&with_query("/api/v1/loans", &query))?;
        api.out.page(&page, ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Id of the loan.
    loan: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Approve {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        self.settling.giving.confirm(&format!("Pay out the loan {}?", self.loan))?;
        let path = format!("/api/v1/loans/{}/approve", part(&self.loan));
        let reply = self.settling.give(api, Order::post(path, json!({})))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Reject {
    /// Id of the loan.
    loan: String,
    /// Why, as the borrower reads it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Reject {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/loans/{}/reject", part(&self.loan));
        let order = Order::post(path, json!({ "reason": self.reason }));
        let reply = self.settling.give(api, order)?;
        api.out.record(&reply, SETTLED)
    }
}
