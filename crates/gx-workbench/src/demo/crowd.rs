//! People on a platform: registered, approved, with accounts on the ledger, and logged in.
//!
//! The benchmarks of HTTP take their users from here as well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use gx_server::calendar::{Date, now_ms};

use super::api::{self, Approved};
use super::crew::{Connection, Crew};
use super::people::{self, Person};
use crate::client::{Base, Client};

/// An administrator who may do things.
#[derive(Clone)]
pub struct Admin {
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Admin({})", self.username)
    }
}

/// Somebody who can pay.
#[derive(Debug, Clone)]
pub struct Payer {
    /// Id on the ledger.
    pub ledger_id: String,
    pub token: Arc<str>,
}

/// Accounts that one request opens.
const BATCH: usize = 500;

/// How long accounts may take to be opened.
const OPENING: Duration = Duration::from_secs(120);

/// How often a command that is under way is asked for.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A person with an account.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) person: Arc<Person>,
    /// Id on the platform.
    pub(super) user_id: String,
    /// Id on the ledger.
    pub(super) ledger_id: String,
}

/// Brings `count` people to a new platform, whose administrator still has the one-time password.
pub async fn gather(base: Base, first: Admin, count: usize) -> Result<Vec<Payer>> {
    let admin = replace_password(&base, first).await?;
    let crew = Crew { base, workers: 16 };
    let people = people::people(count, 1, 0, &gx_cli::countries::all()?)?;
    let holders = register(&crew, people).await?;
    let holders = approve(&crew, &admin, holders).await?;
    open_accounts(&crew, &admin, &holders, 0).await?;
    let tokens = login(&crew, &holders).await?;
    let payer = |(holder, token): (Holder, Arc<str>)| Payer { ledger_id: holder.ledger_id, token };
    Ok(holders.into_iter().zip(tokens).map(payer).collect())
}

/// Gives an administrator another password than the one-time password.
pub(super) async fn replace_password(base: &Base, first: Admin) -> Result<Admin> {
    let Admin { username, password } = first;
    let mut client = Client::new(base.clone());
    let (token, _) = api::admin_login(&mut client, &username, &password).await?;
    let new = format!("{password}-replaced");
    api::change_admin_password(&mut client, &token, (&password, &new)).await?;
    Ok(Admin { username, password: new })
}

/// Registers people.
pub(super) async fn register(crew: &Crew, people: Vec<Person>) -> Result<Vec<Holder>> {
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

/// Approves all of them.
pub(super) async fn approve(
    crew: &Crew,
    admin: &Admin,
    holders: Vec<Holder>,
) -> Result<Vec<Holder>> {
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

/// A token of the administrator's.
pub(super) async fn admin_token(crew: &Crew, admin: &Admin) -> Result<Arc<str>> {
    let mut client = Client::new(crew.base.clone());
    let (token, _) = api::admin_login(&mut client, &admin.username, &admin.password).await?;
    Ok(token.into())
}

/// Opens the accounts in the order of the people, so that genesis slots are taken in that order.
pub(super) async fn open_accounts(
    crew: &Crew,
    admin: &Admin,
    holders: &[Holder],
    run: u32,
) -> Result<u64> {
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

/// Opens a session for each, and returns the tokens in their order.
pub(super) async fn login(crew: &Crew, holders: &[Holder]) -> Result<Vec<Arc<str>>> {
    crew.work("logging in", holders.to_vec(), |connection: Connection, holder: Holder| async move {
        let token = api::login(&mut *connection.lock().await, &holder.person).await?;
        Ok(Arc::from(token))
    })
    .await
}
