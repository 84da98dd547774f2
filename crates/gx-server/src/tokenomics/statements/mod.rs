//! Statements of account: what an account held at the start and the end of a time, and every
//! movement between. As JSON, as a table, as ISO 20022 has it, and on paper.
//!
//! The sums are made here, once, and every form shows the same ones.

mod camt;
mod pdf;

use axum::extract::State;
use axum::http::StatusCode;
use gx_store::Store;
use gx_store::tokenomics::history::{self, Entry, Filter, Place};
use gx_types::{AccountId, Amount, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::wallets::{Movement, movement, own_account, table};
use crate::api::Route;
use crate::auth::{Scope, User};
use crate::calendar::{Date, rfc3339};
use crate::error::{Error, Result};
use crate::http::accept::{Accept, Format};
use crate::http::answer::{CURRENCY, Document, Read, Rendered, View};
use crate::http::extract::{After, Path, Query};
use crate::http::fields::{Instant, request};

/// Movements that a statement has at most.
const ENTRIES_MAX: u32 = 10_000;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/wallets/{userId}/statements", statement)
        .summary("The caller's statement of account; as camt.053.001.08 where XML is asked for")
        .also_as(&[Format::Csv, Format::Xml, Format::Pdf])
        .fails(&[(422, "statement_too_long")])
        .partner(Scope::StatementRead)]
}

request! {
    /// Of which time.
    pub(crate) struct StatementQuery {
        /// Not before this time; the first of this month, by UTC, by default.
        from as "from": Option<Instant>,
        /// Before this time; now by default.
        to as "to": Option<Instant>,
    }
}

/// What an account held, and what moved between.
#[derive(Debug)]
struct Statement {
    account: AccountId,
    from: TimeMs,
    to: TimeMs,
    opening: Amount,
    closing: Amount,
    credits: Sum,
    debits: Sum,
    /// The oldest first.
    entries: Vec<Entry>,
    /// What the read models were filled up to.
    as_of: TimeMs,
}

/// Movements of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    count: usize,
    amount: Amount,
}

/// A statement of account. The opening balance, what came in and what went out make the closing
/// balance.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatementReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    currency: &'static str,
    from: String,
    to: String,
    opening_balance: String,
    closing_balance: String,
    /// All that came in.
    total_credits: String,
    credits: usize,
    /// All that went out, fees included.
    total_debits: String,
    debits: usize,
    /// The oldest first.
    transactions: Vec<Movement>,
}

/// `GET /wallets/{userId}/statements`
async fn statement(
    State(store): State<Store>,
    user: User,
    _: After,
    accept: Accept,
    Path(id): Path<String>,
    Query(query): Query<StatementQuery>,
) -> Result<Rendered<StatementReply>> {
    let offered = [Format::Json, Format::Csv, Format::Xml, Format::Pdf];
    let format = accept.choose(&offered)?;
    let account = own_account(&user, &id)?;
    let mut view = View::open(&store).await?;
    let statement = Statement::read(&mut view, account, &query).await?;
    statement.render(&view, format)
}

impl Statement {
    async fn read(view: &mut View, account: AccountId, query: &StatementQuery) -> Result<Self> {
        let now = view.now();
        let first = || Date::of_ms(now.0).first_of_month().start_ms();
        let from = TimeMs(query.from.map_or_else(first, |from| from.0));
        // What has just been settled is before now.
        let to = TimeMs(query.to.map_or(now.0.saturating_add(1), |to| to.0));
        if from >= to {
            return Err(Error::field("to", "invalid_period", "must be after from"));
        }
        let unknown = || Error::not_found("Wallet");
        let before = Filter { to: Some(from), ..Filter::default() };
        let snapshot = &mut view.snapshot;
        let page = history::page(&mut *snapshot, &account, &before, Place::Newest, 1).await?;
        let earlier = page.ok_or_else(unknown)?.entries;
        let opening = earlier.first().map_or(Amount::ZERO, |entry| entry.balance);
        let within = Filter { from: Some(from), to: Some(to), ..Filter::default() };
        let limit = ENTRIES_MAX.saturating_add(1);
        let page = history::page(&mut *snapshot, &account, &within, Place::Newest, limit).await?;
        let mut entries = page.ok_or_else(unknown)?.entries;
        if entries.len() > ENTRIES_MAX as usize {
            let message = format!("More than {ENTRIES_MAX} movements: choose a shorter time");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Error::new(status, "statement_too_long", message));
        }
        entries.reverse();
        let as_of = view.position.checkpoint.map(|last| last.at).unwrap_or_default();
        Self::of(account, (from, to), opening, entries, as_of)
            .ok_or_else(|| Error::internal("the movements of an account do not make its balance"))
    }

    /// `None` when the movements do not lead from the opening balance to the last one.
    fn of(
        account: AccountId,
        (from, to): (TimeMs, TimeMs),
        opening: Amount,
        entries: Vec<Entry>,
        as_of: TimeMs,
    ) -> Option<Self> {
        let (mut credits, mut debits) = (Sum::default(), Sum::default());
        for entry in &entries {
            let sum = if entry.change_qirat < 0 { &mut debits } else { &mut credits };
            let moved = Amount::from_qirat(entry.change_qirat.unsigned_abs());
            sum.amount = sum.amount.checked_add(moved)?;
            sum.count = sum.count.saturating_add(1);
        }
        let closing = opening.checked_add(credits.amount)?.checked_sub(debits.amount)?;
        let adds_up = entries.last().is_none_or(|last| last.balance == closing);
        let statement =
            Self { account, from, to, opening, closing, credits, debits, entries, as_of };
        adds_up.then_some(statement)
    }

    fn render(self, view: &View, format: Format) -> Result<Rendered<StatementReply>> {
        let (first, last) = (Date::of_ms(self.from.0), Date::of_ms(self.to.0));
        let name = format!("statement-{first}-{last}");
        let bytes = match format {
            Format::Json => return Ok(Rendered::Json(self.reply(view))),
            Format::Csv => table(&self.account, self.entries).into_bytes(),
            Format::Xml => camt::write(&self).map_err(Error::internal)?,
            Format::Pdf => pdf::write(&self),
        };
        let (position, next_cursor) = (view.position, None);
        Ok(Rendered::Document(Document { position, format, name, next_cursor, bytes }))
    }

    fn reply(self, view: &View) -> Read<StatementReply> {
        let account = self.account;
        let movements = self.entries.into_iter().map(|entry| movement(&account, entry));
        view.read(StatementReply {
            user_id: account,
            currency: CURRENCY,
            from: rfc3339(self.from.0),
            to: rfc3339(self.to.0),
            opening_balance: self.opening.to_gx(),
            closing_balance: self.closing.to_gx(),
            total_credits: self.credits.amount.to_gx(),
            credits: self.credits.count,
            total_debits: self.debits.amount.to_gx(),
            debits: self.debits.count,
            transactions: movements.collect(),
        })
    }
}

#[cfg(test)]
mod tests;
