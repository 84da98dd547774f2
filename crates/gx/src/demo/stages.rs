//! The course of the demo: registration, approval, accounts, payments, and what is left then.
//!
//! Every stage is driven by many connections at once. What a stage leads to is booked before or
//! after it, never taken from the platform's answers.

use anyhow::{Context, Result, bail};
use gx_server::calendar::{Date, now_ms};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{self, Approved, Sent};
use super::book::Book;
use super::crew::{Connection, Crew};
use super::payments::{Payment, Planner, Receiver};
use super::people::{self, Person};
use super::report::Report;
use super::{Admin, Args};
use crate::client::Client;

/// Accounts that one request opens.
const BATCH: usize = 500;

/// Payments are planned and settled in this many rounds.
const ROUNDS: usize = 5;

/// Seconds that a payment waits for its outcome.
const WAIT: u32 = 30;

/// How long accounts may take to be opened.
const OPENING: Duration = Duration::from_secs(120);

/// How often a command that is under way is asked for.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A person with an account.
#[derive(Debug, Clone)]
struct Holder {
    person: Arc<Person>,
    /// Id on the platform.
    user_id: String,
    /// Id on the ledger.
    ledger_id: String,
}

/// Runs all stages and returns what was found.
pub(super) async fn run(args: &Args, crew: &Crew, admin: &Admin, run: u32) -> Result<Report> {
    let began = Instant::now();
    let countries = crate::countries::all()?;
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

async fn register(crew: &Crew, people: Vec<Person>) -> Result<Vec<Holder>> {
    let today = now_ms();
    let people: Vec<Arc<Person>> = people.into_iter().map(Arc::new).collect();
    crew.work(
        "registering",
        people,
        move |connection: Connection, person: Arc<Person>| async move {
            let born = Date::of_ms(today - i64::from(person.days_old) * 86_400_000).to_string();
            let registered = api::register(&mut *connection.lock().await, &person, &born).await?;
            Ok(Holder { person, user_id: registered.user_id, ledger_id: String::new() })
        },
    )
    .await
}

async fn approve(crew: &Crew, admin: &Admin, holders: Vec<Holder>) -> Result<Vec<Holder>> {
    let token = admin_token(crew, admin).await?;
    crew.work("approving", holders, move |connection: Connection, holder: Holder| {
        let token = token.clone();
        async move {
            let client = &mut *connection.lock().await;
            let Approved { ledger_id } = api::approve(client, &token, &holder.user_id).await?;
            Ok(Holder { ledger_id, ..holder })
        }
    })
    .await
}

async fn admin_token(crew: &Crew, admin: &Admin) -> Result<Arc<str>> {
    let mut client = Client::new(crew.base.clone());
    let (token, _) = api::admin_login(&mut client, &admin.username, &admin.password).await?;
    Ok(token.into())
}

/// Opens the accounts in the order of the people, so that genesis slots are taken in that order.
async fn open_accounts(crew: &Crew, admin: &Admin, holders: &[Holder], run: u32) -> Result<u64> {
    let token = admin_token(crew, admin).await?;
    let mut client = Client::new(crew.base.clone());
    let mut creations = Vec::with_capacity(holders.len());
    for (at, some) in holders.chunks(BATCH).enumerate() {
        let ids: Vec<String> = some.iter().map(|holder| holder.user_id.clone()).collect();
        let key = format!("demo-{run:06}-accounts-{at}");
        creations.extend(api::open_accounts(&mut client, &token, (&key, &ids)).await?);
    }
    let settled = crew
        .work("opening accounts", creations, move |connection: Connection, creation| {
            let token = token.clone();
            async move { settled(connection, token, creation.command_id).await }
        })
        .await?;
    match settled.iter().find(|command| command.status != "committed") {
        None => Ok(settled.len() as u64),
        Some(command) => bail!("an account was not opened: {command:?}"),
    }
}

/// The state of a command once it is final.
async fn settled(connection: Connection, token: Arc<str>, id: String) -> Result<api::Command> {
    let began = Instant::now();
    loop {
        let command = api::command(&mut *connection.lock().await, &token, &id).await?;
        match command.status.as_str() {
            "queued" | "submitted" if began.elapsed() < OPENING => {
                tokio::time::sleep(ASK_EVERY).await;
            }
            _ => return Ok(command),
        }
    }
}

async fn login(crew: &Crew, holders: &[Holder]) -> Result<Vec<Arc<str>>> {
    crew.work("logging in", holders.to_vec(), |connection: Connection, holder: Holder| async move {
        let token = api::login(&mut *connection.lock().await, &holder.person).await?;
        Ok(Arc::from(token))
    })
    .await
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
