//! The people who have the accounts: rows as registration and approval leave them.
//!
//! One person registers through the service; the others have the same password.

use anyhow::{Context, Result};
use gx_store::Store;
use gx_store::identity::users::{self, Decision, NewUser};
use gx_store::login::{Subject, credentials};
use gx_types::{AccountId, CountryCode, TimeMs};
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::crowd::Server;
use super::fill::first_day;
use crate::client::Ask;
use crate::load::Draw;
use gx_cli::console;

pub(super) const PASSWORD: &str = "Blue7horse";
/// People of one transaction.
const GROUP: usize = 2_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    user_id: String,
}

/// The address that somebody logs in with.
pub(super) fn email(number: usize) -> String {
    format!("user{number}@example.org")
}

/// The id on the platform, which looks random as real ones do.
pub(super) fn user_id(number: usize) -> String {
    let wide = Draw::new(number as u64).wide();
    let hex = format!("{wide:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| hex.get(part).unwrap_or_default().to_owned()).join("-")
}

/// Makes everybody, in the order of the accounts.
pub(super) async fn register(
    server: &Server,
    store: &Store,
    country: CountryCode,
    accounts: &[AccountId],
) -> Result<()> {
    let password_hash = pattern(server, store).await?;
    let first = first_day(TimeMs(gx_server::calendar::now_ms()));
    let bar = console::progress("people", accounts.len() as u64);
    let mut number = 0;
    for accounts in accounts.chunks(GROUP) {
        let mut people = Vec::with_capacity(accounts.len());
        for account in accounts {
            let at = TimeMs(first.0 + number as i64);
            people.push((person(number, country, &password_hash, at), *account));
            number += 1;
        }
        let mut tx = store.begin().await?;
        users::import(&mut tx, &people).await?;
        tx.commit().await?;
        bar.inc(accounts.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn person(number: usize, country: CountryCode, password_hash: &str, at: TimeMs) -> NewUser {
    NewUser {
        user_id: user_id(number),
        email: email(number),
        phone: Some(format!("+999{number:09}")),
        first_name: format!("Given{}", number % 4_999),
        last_name: format!("Family{}", number % 19_997),
        country,
        gender: None,
        date_of_birth: "1990-06-15".to_owned(),
        password_hash: password_hash.to_owned(),
        decision: Decision::ApprovedPendingOnchain,
        identity_hash: format!("{number:064x}"),
        created_at: at,
    }
}

/// Registers one person, and says how their password is kept.
async fn pattern(server: &Server, store: &Store) -> Result<String> {
    let body = json!({
        "email": "pattern@example.org", "password": PASSWORD, "firstName": "Pat",
        "lastName": "Example", "countryCode": "IN", "dateOfBirth": "1990-06-15",
    });
    let ask = Ask::post("/api/v1/auth/register", &body).key("load-pattern");
    let answer = server.client().send(ask).await?;
    let Registered { user_id } = answer.expect(StatusCode::CREATED)?;
    let kept = credentials::get(store, Subject::user(&user_id)).await?;
    Ok(kept.context("nobody has registered")?.password_hash)
}
