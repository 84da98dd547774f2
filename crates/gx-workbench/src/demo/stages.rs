//! The course of the demo: registration, approval, accounts, payments, and what is left then.
//!
//! Every stage is driven by many connections at once. What a stage leads to is booked before or
//! after it, never taken from the platform's answers.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::api::{self, Sent};
use super::book::Book;
use super::crew::{Connection, Crew};
use super::crowd::{Holder, admin_token, approve, login, open_accounts, register};
use super::payments::{Payment, Planner, Receiver};
use super::report::Report;
use super::{Admin, Args, people};
use crate::client::Client;

/// Payments are planned and settled in this many rounds.
const ROUNDS: usize = 5;

/// Seconds that a payment waits for its outcome.
const WAIT: u32 = 30;

/// Runs all stages and returns what was found.
pub(super) async fn run(args: &Args, crew: &Crew, admin: &Admin, run: u32) -> Result<Report> {
    let began = Instant::now();
    let countries = gx_cli::countries::all()?;
    let people = people::people(args.users, args.seed, run, &countries)?;
    let mut client = Client::new(crew.base.clone());
    let before = Snapshot::take(&mut client).await?;
    let mut book = Book::new(before.free_slots());
    let mut report = Report::default();

    let holders = register(crew, people).await?;
    report.registered = holders.len() as u64;
    let holders = approve(crew, admin, holders).await?;
    report.approved = holders.len() as u64;
    report.on_ledger = open_accounts(crew, admin, &holders, run).await?;
    for holder in &holders {
        book.open(holder.person.country, holder.person.age);
    }
    let tokens = login(crew, &holders).await?;
    let mut planner = Planner::new(args.seed, &book);
    let frozen: Vec<Holder> =
        planner.frozen().iter().filter_map(|person| holders.get(*person).cloned()).collect();
    set_frozen(crew, admin, &frozen, (run, true)).await?;
    report.frozen = frozen.len() as u64;
    let paying = Instant::now();
    for round in 0..ROUNDS {
        let count = args.transfers * (round + 1) / ROUNDS - args.transfers * round / ROUNDS;
        let payments = planner.round(count, &mut book);
        let keyed = format!("{run:06}-{}-{round}", args.seed);
        pay(crew, &holders, &tokens, (payments, &keyed), &mut report).await?;
    }
    report.paying = paying.elapsed();
    set_frozen(crew, admin, &frozen, (run, false)).await?;

    check_balances(crew, &holders, &tokens, &book, &mut report).await?;
    let after = Snapshot::take(&mut client).await?;
    report.compare(&before, &after, &book)?;
    report.took = began.elapsed();
    Ok(report)
}

/// Supply and countries at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) supply: api::Supply,
    pub(super) countries: Vec<api::Country>,
}

impl Snapshot {
    async fn take(client: &mut Client) -> Result<Self> {
        let (supply, countries) = (api::supply(client).await?, api::countries(client).await?);
        Ok(Self { supply, countries })
    }

    fn free_slots(&self) -> Vec<(gx_types::CountryCode, [u64; 6])> {
        let free = |country: &api::Country| {
            let mut free = country.slots;
            for (free, used) in free.iter_mut().zip(country.slots_used) {
                *free = free.saturating_sub(used);
            }
            (country.code, free)
        };
        self.countries.iter().map(free).collect()
    }
}

async fn set_frozen(
    crew: &Crew,
    admin: &Admin,
    holders: &[Holder],
    (run, frozen): (u32, bool),
) -> Result<()> {
    let token = admin_token(crew, admin).await?;
    let mut client = Client::new(crew.base.clone());
    for holder in holders {
        let key = format!("demo-{run:06}-{frozen}-{}", holder.user_id);
        let order = (key.as_str(), holder.user_id.as_str(), frozen);
        let command = api::set_frozen(&mut client, &token, order).await?;
        if command.status != "committed" {
            bail!("an account was not frozen or unfrozen: {command:?}");
        }
    }
    Ok(())
}

/// A payment on its way out.
#[derive(Debug, Clone)]
struct Order {
    payment: Payment,
    token: Arc<str>,
    to: String,
    key: String,
}

/// Sends a round of payments and compares what became of each with what had to.
async fn pay(
    crew: &Crew,
    holders: &[Holder],
    tokens: &[Arc<str>],
    (payments, keyed): (Vec<Payment>, &str),
    report: &mut Report,
) -> Result<()> {
    let order = |(number, payment): (usize, Payment)| {
        let token = tokens.get(payment.from).cloned().context("a payment of nobody")?;
        let to = match payment.to {
            Receiver::Person(to) => {
                holders.get(to).context("a payment to nobody")?.ledger_id.clone()
            }
            Receiver::Nobody(id) => id.to_string(),
        };
        Ok(Order { payment, token, to, key: format!("demo-{keyed}-{number}") })
    };
    let orders: Vec<Order> = payments.into_iter().enumerate().map(order).collect::<Result<_>>()?;
    let sent = crew
        .work("paying", orders.clone(), |connection: Connection, order: Order| async move {
            let client = &mut *connection.lock().await;
            let what = (order.to.as_str(), order.payment.amount);
            api::pay(client, &order.token, (&order.key, WAIT), what).await
        })
        .await?;
    for (order, sent) in orders.iter().zip(sent) {
        let code = match &sent {
            Sent::Accepted(command) if command.status == "committed" => None,
            Sent::Accepted(command) => match &command.code {
                Some(code) => Some(code.as_str()),
                None => bail!("a payment was not settled within {WAIT} s: {command:?}"),
            },
            Sent::Rejected(code) => Some(code.as_str()),
        };
        report.paid(order.payment.refusal, code);
    }
    Ok(())
}

/// Asks for every balance and compares it with the books.
async fn check_balances(
    crew: &Crew,
    holders: &[Holder],
    tokens: &[Arc<str>],
    book: &Book,
    report: &mut Report,
) -> Result<()> {
    let jobs: Vec<(Arc<str>, String)> =
        tokens.iter().cloned().zip(holders.iter().map(|holder| holder.ledger_id.clone())).collect();
    let balances = crew
        .work("checking balances", jobs, |connection: Connection, (token, id)| async move {
            api::balance(&mut *connection.lock().await, &token, &id).await
        })
        .await?;
    for (person, (balance, holder)) in balances.into_iter().zip(holders).enumerate() {
        report.balance(&holder.ledger_id, balance, book.balance(person));
    }
    Ok(())
}
