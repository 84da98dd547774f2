//! The routes that the demo uses, as functions: what is asked and what of the answer matters.
//!
//! Only HTTP; nothing of the server's code is used, so that the demo sees what any client sees.

use anyhow::{Context, Result, bail};
use gx_types::{Amount, CountryCode};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::people::Person;
use crate::client::{Answer, Ask, Client};

/// A registered user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registered {
    /// Id on the platform.
    pub(super) user_id: String,
}

/// What a platform runs on.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct Version {
    pub(super) network: String,
    pub(super) ledger: String,
    pub(super) database: String,
}

pub(super) async fn version(client: &mut Client) -> Result<Version> {
    client.send(Ask::get("/version")).await?.expect(StatusCode::OK)
}

/// Registers a person who was born on `born`.
pub(super) async fn register(
    client: &mut Client,
    person: &Person,
    born: &str,
) -> Result<Registered> {
    let body = json!({
        "email": person.email, "password": person.password, "firstName": person.first_name,
        "lastName": person.last_name, "phone": person.phone, "countryCode": person.country,
        "dateOfBirth": born,
    });
    let answer = client.send(Ask::post("/api/v1/auth/register", &body)).await?;
    answer.expect(StatusCode::CREATED)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    access_token: String,
}

/// Opens a user's session and returns the access token.
pub(super) async fn login(client: &mut Client, person: &Person) -> Result<String> {
    let body = json!({ "email": person.email, "password": person.password });
    let answer = client.send(Ask::post("/api/v1/auth/login", &body)).await?;
    answer.expect::<LoggedIn>(StatusCode::OK).map(|opened| opened.access_token)
}

/// An admin's session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdminLoggedIn {
    access_token: String,
    admin: AdminProfile,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdminProfile {
    require_password_change: bool,
}

/// Opens an admin's session. The token, and whether it is good for more than a new password.
pub(super) async fn admin_login(
    client: &mut Client,
    username: &str,
    password: &str,
) -> Result<(String, bool)> {
    let body = json!({ "username": username, "password": password });
    let answer = client.send(Ask::post("/api/v1/admin/auth/login", &body)).await?;
    let opened: AdminLoggedIn = answer.expect(StatusCode::OK).context("login of the admin")?;
    Ok((opened.access_token, !opened.admin.require_password_change))
}

/// Replaces an admin's password.
pub(super) async fn change_admin_password(
    client: &mut Client,
    token: &str,
    (current, new): (&str, &str),
) -> Result<()> {
    let body = json!({ "currentPassword": current, "newPassword": new });
    let ask = Ask::post("/api/v1/admin/auth/password/change", &body).token(token);
    client.send(ask).await?.expect::<serde_json::Value>(StatusCode::OK).map(drop)
}

/// What an approval says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Approved {
    /// Id on the ledger.
    pub(super) ledger_id: String,
}

/// Approves a user.
pub(super) async fn approve(client: &mut Client, token: &str, user_id: &str) -> Result<Approved> {
    let path = format!("/api/v1/admin/users/{user_id}/approve");
    let body = json!({ "notes": "approved by the demo" });
    client.send(Ask::post(&path, &body).token(token)).await?.expect(StatusCode::OK)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    commands: Vec<Creation>,
}

/// A command that opens an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creation {
    pub(super) command_id: String,
}

/// Opens accounts on the ledger for approved users, at most 1000.
pub(super) async fn open_accounts(
    client: &mut Client,
    token: &str,
    (key, user_ids): (&str, &[String]),
) -> Result<Vec<Creation>> {
    let path = "/api/v1/admin/users/batch-register-onchain";
    let body = json!({ "userIds": user_ids });
    let answer = client.send(Ask::post(path, &body).token(token).key(key)).await?;
    let batch: Batch = answer.expect(StatusCode::ACCEPTED)?;
    if batch.commands.len() != user_ids.len() {
        bail!("{} accounts asked for, answered {}", user_ids.len(), answer.text());
    }
    Ok(batch.commands)
}

/// How a command ended, or how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Command {
    pub(super) command_id: String,
    pub(super) status: String,
    pub(super) code: Option<String>,
}

/// Asks for the state of a command.
pub(super) async fn command(client: &mut Client, token: &str, id: &str) -> Result<Command> {
    let path = format!("/api/v1/commands/{id}");
    client.send(Ask::get(&path).token(token)).await?.expect(StatusCode::OK)
}

/// What became of a payment at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// Accepted; it was settled in the time that was waited, or is not yet.
    Accepted(Command),
    /// Turned away before the ledger, with this code.
    Rejected(String),
}

#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
}

/// Pays, and waits up to `wait` seconds for the outcome.
pub(super) async fn pay(
    client: &mut Client,
    token: &str,
    (key, wait): (&str, u32),
    (to, amount): (&str, u64),
) -> Result<Sent> {
    let amount = Amount::from_qirat(amount).to_gx();
    let body = json!({ "toUserId": to, "amount": amount, "remark": "demo" });
    let ask = Ask::post("/api/v1/transfers", &body).token(token).key(key).wait(wait);
    let answer = client.send(ask).await?;
    match answer.status {
        StatusCode::OK | StatusCode::ACCEPTED => answer.json().map(Sent::Accepted),
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            answer.json().map(|Problem { code }| Sent::Rejected(code))
        }
        status => bail!("a payment was answered {status}: {}", answer.text()),
    }
}

/// Freezes or unfreezes an account and waits for the outcome.
pub(super) async fn set_frozen(
    client: &mut Client,
    token: &str,
    (key, user_id, frozen): (&str, &str, bool),
) -> Result<Command> {
    let (word, body) = if frozen {
        ("freeze", json!({ "reason": "COMPLIANCE_REVIEW" }))
    } else {
        ("unfreeze", json!({}))
    };
    let path = format!("/api/v1/admin/users/{user_id}/{word}");
    let ask = Ask::post(&path, &body).token(token).key(key).wait(20);
    client.send(ask).await?.expect(StatusCode::OK)
}

#[derive(Debug, Deserialize)]
struct Balance {
    balance: String,
}

/// The caller's own balance in Qirat.
pub(super) async fn balance(client: &mut Client, token: &str, ledger_id: &str) -> Result<u64> {
    let path = format!("/api/v1/wallets/{}/balance", ledger_id.replace(' ', "%20"));
    let answer: Answer = client.send(Ask::get(&path).token(token)).await?;
    qirat(&answer.expect::<Balance>(StatusCode::OK)?.balance)
}

fn qirat(gx: &str) -> Result<u64> {
    Ok(Amount::from_gx_text(gx).with_context(|| format!("amount {gx:?}"))?.qirat())
}

/// Where the supply is, in Qirat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Supply {
    pub(super) max: u64,
    pub(super) minted: u64,
    pub(super) circulating: u64,
    /// Pools by id.
    pub(super) pools: Vec<(String, u64)>,
}

impl Supply {
    pub(super) fn pool(&self, id: &str) -> Result<u64> {
        let found = self.pools.iter().find(|(pool, _)| pool == id);
        found.map(|(_, balance)| *balance).with_context(|| format!("no pool {id} in the supply"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SupplyReply {
    max_supply: String,
    total_minted: String,
    circulating_supply: String,
    pools: Vec<PoolReply>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PoolReply {
    pool_id: String,
    balance: String,
}

/// Asks for the supply.
pub(super) async fn supply(client: &mut Client) -> Result<Supply> {
    let reply: SupplyReply =
        client.send(Ask::get("/api/v1/supply")).await?.expect(StatusCode::OK)?;
    let pool = |pool: PoolReply| Ok((pool.pool_id, qirat(&pool.balance)?));
    Ok(Supply {
        max: qirat(&reply.max_supply)?,
        minted: qirat(&reply.total_minted)?,
        circulating: qirat(&reply.circulating_supply)?,
        pools: reply.pools.into_iter().map(pool).collect::<Result<_>>()?,
    })
}

/// A country's slots, users and treasury.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Country {
    pub(super) code: CountryCode,
    pub(super) users: u64,
    pub(super) slots: [u64; 6],
    pub(super) slots_used: [u64; 6],
    /// In Qirat.
    pub(super) treasury: u64,
}

#[derive(Debug, Deserialize)]
struct CountriesReply {
    countries: Vec<CountryReply>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountryReply {
    country_code: CountryCode,
    users: u64,
    slots: [u64; 6],
    slots_used: [u64; 6],
    treasury_balance: String,
}

/// Asks for all countries.
pub(super) async fn countries(client: &mut Client) -> Result<Vec<Country>> {
    let reply: CountriesReply =
        client.send(Ask::get("/api/v1/countries")).await?.expect(StatusCode::OK)?;
    let country = |row: CountryReply| {
        Ok(Country {
            code: row.country_code,
            users: row.users,
            slots: row.slots,
            slots_used: row.slots_used,
            treasury: qirat(&row.treasury_balance)?,
        })
    };
    reply.countries.into_iter().map(country).collect()
}
