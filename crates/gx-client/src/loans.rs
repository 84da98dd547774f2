//! `gx loan`: applying for loans of the pool, and repaying them.

use clap::{ArgGroup, Args, Subcommand};
use gx_types::Amount;
use hyper::Method;
use serde_json::json;

use crate::api::{Api, part, put, with_query};
use crate::failure::Result;
use crate::giving::{Order, SETTLED, Settling};
use crate::money::amount;
use crate::options::{Job, With};
use crate::out::Parts;

/// What is done with loans.
#[derive(Debug, Subcommand)]
pub enum Loan {
    /// Tells whether you could have a loan now, and why not.
    Eligibility(With<Eligibility>),
    /// Asks for a loan against something that is pledged; an administrator decides.
    Apply(With<Apply>),
    /// Lists your loans, newest first.
    List(With<List>),
    /// Shows one with its repayments.
    Show(With<Show>),
    /// Repays a loan or a part of it, your own or somebody else's.
    Repay(With<Repay>),
    /// Takes back an application that is not decided on yet.
    Withdraw(With<Withdraw>),
}

impl Loan {
    pub(crate) fn run(&self) -> u8 {
        match self {
            Self::Eligibility(job) => job.run(),
            Self::Apply(job) => job.run(),
            Self::List(job) => job.run(),
            Self::Show(job) => job.run(),
            Self::Repay(job) => job.run(),
            Self::Withdraw(job) => job.run(),
        }
    }
}

const LOANS: &str = "/api/v1/loans";

fn path_of(id: &str) -> String {
    format!("{LOANS}/{}", part(id))
}

/// Columns of a list of loans.
pub(crate) const ROWS: &Parts = &[
    ("LOAN", "/id"),
    ("BORROWER", "/borrowerId"),
    ("AMOUNT", "/amount"),
    ("OWED", "/remainingBalance"),
    ("STATUS", "/status"),
    ("DUE", "/dueDate"),
    ("PURPOSE", "/purpose"),
];

const ONE: &Parts = &[
    ("loan", "/id"),
    ("borrower", "/borrowerId"),
    ("amount", "/amount"),
    ("days", "/durationDays"),
    ("purpose", "/purpose"),
    ("status", "/status"),
    ("owed", "/remainingBalance"),
    ("applied", "/appliedAt"),
    ("paid out", "/disbursedAt"),
    ("due", "/dueDate"),
    ("rejected, as", "/rejectReason"),
];

const REPAYMENTS: &Parts = &[
    ("TIME", "/timestamp"),
    ("AMOUNT", "/amount"),
    ("OWED", "/remainingBalance"),
    ("BY", "/paidBy"),
];

const CHECKS: &Parts = &[
    ("CHECK", "/code"),
    ("PASSED", "/passed"),
    ("REQUIRED", "/required"),
    ("ACTUAL", "/actual"),
    ("MEANING", "/message"),
];

#[derive(Debug, Args)]
pub struct Eligibility {}

impl Job for Eligibility {
    fn run(&self, api: &mut Api) -> Result<()> {
        let reply = api.get(&format!("{LOANS}/eligibility"))?;
        let parts = [
            ("eligible", "/eligible"),
            ("from", "/amountMin"),
            ("to", "/amountMax"),
            ("days at most", "/durationDaysMax"),
            ("trust", "/trustScore"),
        ];
        api.out.record(&reply, &parts)?;
        match reply.pointer("/checks").and_then(|checks| checks.as_array()) {
            Some(checks) if !api.out.json => api.out.table(checks, CHECKS),
            _ => Ok(()),
        }
    }
}

/// Shown under the help of `gx loan apply`.
const COLLATERAL: &str = "\
A loan needs collateral. Say what is pledged in words, or give the hash of a document that says it.
Either way a hash alone is kept: have the words or the document ready for whoever decides.

  gx loan apply 250 --days 90 --purpose 'A kiln' --collateral 'The van, plate EX 123'
  gx loan apply 250 --days 90 --purpose 'A kiln' \\
    --collateral-hash \"$(sha256sum pledge.pdf | cut -d' ' -f1)\"

gx loan eligibility tells how much can be lent, and for how long.";

#[derive(Debug, Args)]
#[command(after_help = COLLATERAL)]
#[command(group = ArgGroup::new("pledge").required(true).args(["collateral", "collateral_hash"]))]
pub struct Apply {
    /// In GX.
    #[arg(value_parser = amount)]
    amount: Amount,
    /// For how long.
    #[arg(long)]
    days: u32,
    /// What it is for, readable by everybody on the ledger.
    #[arg(long, value_name = "TEXT")]
    purpose: String,
    /// What is pledged; only its hash goes to the ledger.
    #[arg(long, value_name = "TEXT")]
    collateral: Option<String>,
    /// SHA-256 of a document that describes what is pledged, as 64 hexadecimal digits.
    #[arg(long, value_name = "HASH")]
    collateral_hash: Option<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Apply {
    fn run(&self, api: &mut Api) -> Result<()> {
        let mut body = json!({
            "amount": self.amount.to_gx(), "durationDays": self.days, "purpose": self.purpose,
        });
        let pledged = [("collateral", &self.collateral), ("collateralHash", &self.collateral_hash)];
        for (name, text) in pledged {
            if let Some(text) = text {
                put(&mut body, name, text);
            }
        }
        let reply = self.settling.give(api, Order::post(LOANS, body))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct List {
    /// PENDING_APPROVAL, APPROVED, REPAID, REJECTED, CANCELLED, LAPSED or DEFAULTED.
    #[arg(long)]
    status: Option<String>,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for List {
    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/users/{}/loans", part(&api.session()?.id));
        let query = [("status", self.status.clone()), ("cursor", self.cursor.clone())];
        let page = api.get(&with_query(&path, &query))?;
        api.out.page(&page, ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Show {
    /// Id of the loan.
    loan: String,
}

impl Job for Show {
    fn run(&self, api: &mut Api) -> Result<()> {
        let one = api.get(&path_of(&self.loan))?;
        api.out.record(&one, ONE)?;
        match one.pointer("/repayments").and_then(|list| list.as_array()) {
            Some(list) if !api.out.json && !list.is_empty() => api.out.table(list, REPAYMENTS),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Args)]
pub struct Repay {
    /// Id of the loan.
    loan: String,
    /// In GX.
    #[arg(value_parser = amount)]
    amount: Amount,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Repay {
    fn run(&self, api: &mut Api) -> Result<()> {
        let amount = self.amount.to_gx();
        let question = format!("Repay {amount} GX of the loan {}? There is no fee.", self.loan);
        self.settling.giving.confirm(&question)?;
        let path = format!("{}/repay", path_of(&self.loan));
        let reply = self.settling.give(api, Order::post(path, json!({ "amount": amount })))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Withdraw {
    /// Id of the loan.
    loan: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Withdraw {
    fn run(&self, api: &mut Api) -> Result<()> {
        let (method, path, body) = (Method::DELETE, path_of(&self.loan), json!({}));
        let reply = self.settling.give(api, Order { method, path, body })?;
        api.out.record(&reply, SETTLED)
    }
}
