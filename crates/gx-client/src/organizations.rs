//! `gx org`: organizations, and what several people decide on in their name.

use clap::{Args, Subcommand};
use gx_types::{AccountId, Amount};
use serde_json::{Value, json};

use crate::api::{Api, part, put, with_query};
use crate::failure::Result;
use crate::giving::{Order, SETTLED, Settling};
use crate::money::{account, amount};
use crate::options::{Job, With};
use crate::out::{Parts, text};

/// What is done with organizations.
#[derive(Debug, Subcommand)]
pub enum Org {
    /// Lists the organizations that you stand for.
    List(With<List>),
    /// Shows one with its rules and stakeholders.
    Show(With<Show>),
    /// Proposes an organization; every stakeholder has to endorse it.
    Propose(With<Propose>),
    /// Agrees to stand for an organization that is proposed.
    Endorse(With<Endorse>),
    /// Opens the account of an organization that all have endorsed.
    Activate(With<Activate>),
    /// Initiates a payment; it is made when enough have approved it.
    Pay(With<Pay>),
    /// Approves a payment.
    Approve(With<Approve>),
    /// Is against a payment.
    Reject(With<Reject>),
    /// Lists payments that wait for you, or those of one organization.
    Pending(With<Pending>),
}

impl Org {
    pub(crate) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Show(job) => job.run(),
            Self::Propose(job) => job.run(),
            Self::Endorse(job) => job.run(),
            Self::Activate(job) => job.run(),
            Self::Pay(job) => job.run(),
            Self::Approve(job) => job.run(),
            Self::Reject(job) => job.run(),
            Self::Pending(job) => job.run(),
        }
    }
}

const ORGANIZATIONS: &str = "/api/v1/organizations";

fn at(id: &AccountId, rest: &str) -> String {
    format!("{ORGANIZATIONS}/{}{rest}", part(id.as_str()))
}

const ROWS: &Parts = &[
    ("ACCOUNT", "/id"),
    ("NAME", "/name"),
    ("TYPE", "/type"),
    ("STATUS", "/status"),
    ("BALANCE", "/balance"),
];

const ONE: &Parts = &[
    ("account", "/id"),
    ("name", "/name"),
    ("type", "/type"),
    ("country", "/countryCode"),
    ("status", "/status"),
    ("balance", "/balance"),
    ("stakeholders", "/stakeholders"),
    ("approvals needed", "/approvalThreshold"),
    ("proposed by", "/proposedBy"),
    ("since", "/activatedAt"),
];

const PAYMENTS: &Parts = &[
    ("PAYMENT", "/pendingTxId"),
    ("ORGANIZATION", "/organizationId"),
    ("AMOUNT", "/amount"),
    ("TO", "/toUserId"),
    ("STATUS", "/status"),
    ("APPROVALS", "/approvalCount"),
    ("NEEDED", "/requiredApprovals"),
    ("UNTIL", "/expiresAt"),
    ("REMARK", "/remark"),
];

#[derive(Debug, Args)]
pub struct List {
    /// PENDING_ENDORSEMENT, ACTIVE or LOCKED.
    #[arg(long)]
    status: Option<String>,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for List {
    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [("status", self.status.clone()), ("cursor", self.cursor.clone())];
        let page = api.get(&with_query(ORGANIZATIONS, &query))?;
        api.out.page(&page, ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Show {
    /// The organization's account.
    #[arg(value_parser = account)]
    organization: AccountId,
}

impl Job for Show {
    fn run(&self, api: &mut Api) -> Result<()> {
        let one = api.get(&at(&self.organization, ""))?;
        api.out.record(&one, ONE)
    }
}

#[derive(Debug, Args)]
pub struct Propose {
    name: String,
    /// BUSINESS, NGO, COOPERATIVE, NONPROFIT or FAMILY.
    #[arg(long = "type", value_name = "TYPE", default_value = "BUSINESS")]
    kind: String,
    /// Account of somebody who stands for it; at least two, yourself among them or not.
    #[arg(long = "stakeholder", value_name = "ACCOUNT", required = true, value_parser = account)]
    stakeholders: Vec<AccountId>,
    /// How many of them have to approve a payment; all of them by default.
    #[arg(long, value_name = "COUNT")]
    approvals: Option<u32>,
    /// Two letters; your own country without it.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Propose {
    fn run(&self, api: &mut Api) -> Result<()> {
        let mut body = json!({
            "name": self.name, "type": self.kind, "stakeholders": self.stakeholders,
        });
        if let Some(approvals) = self.approvals {
            put(&mut body, "approvalThreshold", approvals);
        }
        if let Some(country) = &self.country {
            put(&mut body, "countryCode", country);
        }
        // What is repeated has perhaps made the organization that would be found.
        let giving = &self.settling.giving;
        if giving.idempotency_key.is_none()
            && !giving.yes
            && let Some(question) = namesake(api, &self.name)?
        {
            giving.confirm(&question)?;
        }
        let reply = self.settling.give(api, Order::post(ORGANIZATIONS, body))?;
        api.out.record(&reply, SETTLED)
    }
}

/// The question that comes before a second organization of a name.
fn namesake(api: &mut Api, name: &str) -> Result<Option<String>> {
    let mut cursor = None;
    loop {
        let query = [("limit", Some("100".to_owned())), ("cursor", cursor)];
        let page = api.get(&with_query(ORGANIZATIONS, &query))?;
        let found = page.pointer("/data").and_then(Value::as_array);
        let one =
            found.into_iter().flatten().find(|one| folded(&text(one, "/name")) == folded(name));
        if let Some(one) = one {
            let [name, id, status] = ["/name", "/id", "/status"].map(|at| text(one, at));
            return Ok(Some(format!(
                "You stand for an organization of this name already, or are asked to: {name:?}, \
                 {id}, {status}. Propose another one?"
            )));
        }
        let next = text(&page, "/nextCursor");
        if next.is_empty() {
            return Ok(None);
        }
        cursor = Some(next);
    }
}

/// A name as people hear it: without case, and with one blank between words.
fn folded(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[derive(Debug, Args)]
pub struct Endorse {
    /// The organization's account.
    #[arg(value_parser = account)]
    organization: AccountId,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Endorse {
    fn run(&self, api: &mut Api) -> Result<()> {
        give(api, &self.settling, at(&self.organization, "/endorse"), json!({}))
    }
}

#[derive(Debug, Args)]
pub struct Activate {
    /// The organization's account.
    #[arg(value_parser = account)]
    organization: AccountId,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Activate {
    fn run(&self, api: &mut Api) -> Result<()> {
        give(api, &self.settling, at(&self.organization, "/activate"), json!({}))
    }
}

fn give(api: &mut Api, settling: &Settling, path: String, body: Value) -> Result<()> {
    let reply = settling.give(api, Order::post(path, body))?;
    api.out.record(&reply, SETTLED)
}

#[derive(Debug, Args)]
pub struct Pay {
    /// The organization that pays.
    #[arg(value_parser = account)]
    organization: AccountId,
    /// Account that is paid.
    #[arg(value_parser = account)]
    to: AccountId,
    /// In GX; the fee comes on top.
    #[arg(value_parser = amount)]
    amount: Amount,
    /// What it is for, readable by everybody on the ledger.
    #[arg(long, value_name = "TEXT")]
    remark: Option<String>,
    /// Pays from the treasury of this country, which the organization's rules govern.
    #[arg(long, value_name = "CODE")]
    treasury: Option<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Pay {
    fn run(&self, api: &mut Api) -> Result<()> {
        let amount = self.amount.to_gx();
        let mut body = json!({ "toUserId": self.to, "amount": amount });
        if let Some(remark) = &self.remark {
            put(&mut body, "remark", remark);
        }
        if let Some(country) = &self.treasury {
            put(&mut body, "treasuryCountryCode", country);
        }
        // What it costs is known when it is made: it may be months until the last has approved.
        let (from, to) = (&self.organization, &self.to);
        let question = format!(
            "Pay {amount} GX from {from} to {to} once enough have approved it? The fee of that \
             day comes on top."
        );
        self.settling.giving.confirm(&question)?;
        give(api, &self.settling, at(&self.organization, "/transactions"), body)
    }
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Id of the payment.
    payment: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Approve {
    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/transactions/{}", part(&self.payment));
        let payment = api.get(&path)?;
        let [amount, to, remark] = ["/amount", "/toUserId", "/remark"].map(|at| text(&payment, at));
        let what = if remark.is_empty() { remark } else { format!(" for {remark:?}") };
        let question = format!("Approve that {amount} GX are paid to {to}{what}?");
        self.settling.giving.confirm(&question)?;
        give(api, &self.settling, format!("{path}/approve"), json!({}))
    }
}

#[derive(Debug, Args)]
pub struct Reject {
    /// Id of the payment.
    payment: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Reject {
    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/transactions/{}/reject", part(&self.payment));
        give(api, &self.settling, path, json!({}))
    }
}

#[derive(Debug, Args)]
pub struct Pending {
    /// All undecided payments of this organization, instead of what waits for you.
    #[arg(value_parser = account)]
    organization: Option<AccountId>,
}

impl Job for Pending {
    fn run(&self, api: &mut Api) -> Result<()> {
        let page = api.get(&match &self.organization {
            Some(organization) => at(organization, "/transactions/pending"),
            None => "/api/v1/transactions/pending".to_owned(),
        })?;
        api.out.page(&page, PAYMENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn names_that_sound_the_same_are_the_same() {
        assert_eq!(folded("  Example   WORKS "), folded("example works"));
        assert_eq!(folded("ÉCOLE"), folded("école"));
        assert_ne!(folded("Example Works"), folded("ExampleWorks"));
    }
}
