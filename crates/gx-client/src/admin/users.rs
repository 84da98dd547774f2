//! Users as administrators see them: approving, denying, opening accounts, freezing, genesis.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::api::{Api, part, put, with_query};
use crate::failure::Result;
use crate::giving::{Giving, Order, SETTLED, Settling};
use crate::options::Job;
use crate::out::Parts;
use crate::profile::Who;

const USERS: &str = "/api/v1/admin/users";

const ROWS: &Parts = &[
    ("USER", "/id"),
    ("STATUS", "/status"),
    ("E-MAIL", "/email"),
    ("FIRST NAME", "/firstName"),
    ("LAST NAME", "/lastName"),
    ("COUNTRY", "/countryCode"),
    ("ACCOUNT", "/userId"),
    ("FROZEN", "/frozenReasons"),
];

/// A path of a user.
fn at(id: &str, rest: &str) -> String {
    format!("{USERS}/{}/{rest}", part(id))
}

#[derive(Debug, Args)]
pub struct Users {
    /// PENDING_ADMIN_APPROVAL, APPROVED_PENDING_ONCHAIN, ACTIVE and so on.
    #[arg(long)]
    status: Option<String>,
    /// Part of a name or an e-mail address.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[arg(long, default_value_t = 1)]
    page: u32,
    /// How many on a page, from 1 to 100.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
}

impl Job for Users {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [
            ("status", self.status.clone()),
            ("search", self.search.clone()),
            ("page", Some(self.page.to_string())),
            ("limit", Some(self.limit.to_string())),
        ];
        let reply = api.get(&with_query(USERS, &query))?;
        let rows = reply.pointer("/users").and_then(Value::as_array);
        match rows {
            Some(rows) if !api.out.json => api.out.table(rows, ROWS),
            _ => api.out.page(&reply, ROWS),
        }
    }
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Id of the user.
    user: String,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// Leaves the account to gx admin open-accounts.
    #[arg(long)]
    without_account: bool,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Approve {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let body = match &self.notes {
            Some(notes) => json!({ "notes": notes }),
            None => json!({}),
        };
        let order = Order::post(at(&self.user, "approve"), body);
        let reply = self.settling.giving.change(api, &order)?;
        if self.without_account {
            return api.out.record(&reply, &[("status", "/status"), ("account", "/userId")]);
        }
        open(api, &self.settling, Some(std::slice::from_ref(&self.user)))
    }
}

#[derive(Debug, Args)]
pub struct OpenAccounts {
    /// Ids of users; without any, all who are waiting.
    users: Vec<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for OpenAccounts {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let users = Some(self.users.as_slice()).filter(|users| !users.is_empty());
        open(api, &self.settling, users)
    }
}

/// Opens accounts and waits until all are there.
fn open(api: &mut Api, settling: &Settling, users: Option<&[String]>) -> Result<()> {
    let body = match users {
        Some(users) => json!({ "userIds": users }),
        None => json!({}),
    };
    let path = format!("{USERS}/batch-register-onchain");
    // The key of the approval is that of another request.
    let giving = Giving { yes: true, idempotency_key: None };
    let reply = giving.change(api, &Order::post(path, body))?;
    let commands = reply.pointer("/commands").and_then(Value::as_array).cloned();
    let mut opened = commands.unwrap_or_default();
    for command in &mut opened {
        let done = settling.settled(api, command.clone())?;
        put(command, "status", done.get("status"));
    }
    let skipped = reply.pointer("/skipped").and_then(Value::as_array).cloned().unwrap_or_default();
    if api.out.json {
        return api.out.line(&json!({ "opened": opened, "skipped": skipped }).to_string());
    }
    let parts =
        [("USER", "/id"), ("ACCOUNT", "/userId"), ("STATUS", "/status"), ("WHY", "/reason")];
    opened.extend(skipped);
    api.out.table(&opened, &parts)
}

#[derive(Debug, Args)]
pub struct Deny {
    /// Id of the user.
    user: String,
    /// Why, in ten letters or more.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Deny {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let order = Order::post(at(&self.user, "deny"), json!({ "reason": self.reason }));
        let reply = self.giving.change(api, &order)?;
        api.out.record(&reply, &[("status", "/status"), ("done", "/message")])
    }
}

/// Why an account is frozen, in the words of the ledger.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    AdminAction,
    SuspiciousActivity,
    ComplianceReview,
    CourtOrder,
    UserRequest,
    Inactivity,
    DebtCollection,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AdminAction => "ADMIN_ACTION",
            Self::SuspiciousActivity => "SUSPICIOUS_ACTIVITY",
            Self::ComplianceReview => "COMPLIANCE_REVIEW",
            Self::CourtOrder => "COURT_ORDER",
            Self::UserRequest => "USER_REQUEST",
            Self::Inactivity => "INACTIVITY",
            Self::DebtCollection => "DEBT_COLLECTION",
        }
    }
}

#[derive(Debug, Args)]
pub struct Freeze {
    /// Id of the user.
    user: String,
    #[arg(long)]
    reason: Reason,
    /// More about it, for the log.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Freeze {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let mut body = json!({ "reason": self.reason.as_str() });
        if let Some(notes) = &self.notes {
            put(&mut body, "notes", notes);
        }
        let question = format!("Freeze the account of the user {}?", self.user);
        self.settling.giving.confirm(&question)?;
        let reply = self.settling.give(api, Order::post(at(&self.user, "freeze"), body))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Unfreeze {
    /// Id of the user.
    user: String,
    /// The reason that has ended; when there is only one it need not be said.
    #[arg(long)]
    reason: Option<Reason>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Unfreeze {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let body = match self.reason {
            Some(reason) => json!({ "reason": reason.as_str() }),
            None => json!({}),
        };
        let reply = self.settling.give(api, Order::post(at(&self.user, "unfreeze"), body))?;
        api.out.record(&reply, SETTLED)
    }
}

#[derive(Debug, Args)]
pub struct Genesis {
    /// Users who have an account.
    #[arg(required = true)]
    users: Vec<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Genesis {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let count = self.users.len();
        self.settling.giving.confirm(&format!("Grant genesis to {count} users?"))?;
        let order = Order::post("/api/v1/genesis", json!({ "userIds": self.users }));
        let reply = self.settling.give(api, order)?;
        api.out.record(&reply, SETTLED)
    }
}
