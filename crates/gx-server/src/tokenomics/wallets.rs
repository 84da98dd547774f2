//! A user's own wallet: balance and history. Somebody else's does not exist for them.

use std::borrow::Cow;

use axum::extract::State;
use gx_store::Store;
use gx_store::projection::Position;
use gx_store::tokenomics::accounts;
use gx_store::tokenomics::history::{self, Entry, EntryKind, Filter, Place};
use gx_types::{AccountId, Amount, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::fields::BlockNumber;
use crate::api::Route;
use crate::app::App;
use crate::auth::{Scope, User};
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::accept::{Accept, Format};
use crate::http::answer::{CURRENCY, Document, Page, Pagination, Read, Rendered, View};
use crate::http::csv;
use crate::http::extract::{After, Path, Query};
use crate::http::fields::{Count, Instant, Text, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::get("/api/v1/wallets/{userId}/balance", balance)
            .summary("What the caller's account holds")
            .partner(Scope::BalanceRead),
        Route::get("/api/v1/wallets/{userId}/transactions", transactions)
            .summary("The caller's movements, newest first, also as a table")
            .also_as(&[Format::Csv])
            .fails(&[(400, "invalid_cursor")])
            .partner(Scope::HistoryRead),
        Route::get("/api/v1/transactions/{userId}/history", history)
            .summary("The caller's movements by numbered pages")
            .partner(Scope::HistoryRead),
    ]
}

request! {
    /// As of when.
    pub(crate) struct BalanceQuery {
        /// The balance right after this block.
        as_of as "asOfBlock": Option<BlockNumber>,
    }
}

/// What an account holds.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BalanceReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    balance: String,
    currency: &'static str,
    /// The whole balance while the account is frozen, else nothing.
    frozen_amount: String,
    available_balance: String,
    /// The time of the last block that the balance is known to hold for.
    last_updated: Option<String>,
}

/// `GET /wallets/{userId}/balance`
async fn balance(
    State(app): State<App>,
    user: User,
    _: After,
    Path(id): Path<String>,
    Query(query): Query<BalanceQuery>,
) -> Result<Read<BalanceReply>> {
    let account = own_account(&user, &id)?;
    if let Some(BlockNumber(block)) = query.as_of {
        return balance_at(app.store(), account, block).await;
    }
    let found = app.balance(account).await?;
    let (balance, position) = found.ok_or_else(|| Error::not_found("Wallet"))?;
    let is_frozen = !balance.frozen.is_empty();
    let body = balance_reply(account, balance.balance, is_frozen, &position);
    Ok(Read { position, body })
}

async fn balance_at(store: &Store, account: AccountId, block: u64) -> Result<Read<BalanceReply>> {
    let mut view = View::open(store).await?;
    if view.position.checkpoint.is_none_or(|checkpoint| block > checkpoint.block) {
        return Err(Error::not_found("Block"));
    }
    let found = accounts::balance_at(&mut view.snapshot, &account, block).await?;
    let balance = found.ok_or_else(|| Error::not_found("Wallet"))?;
    Ok(view.read(balance_reply(account, balance, false, &view.position)))
}

pub(super) fn balance_reply(
    user_id: AccountId,
    balance: Amount,
    is_frozen: bool,
    position: &Position,
) -> BalanceReply {
    let (frozen, available) =
        if is_frozen { (balance, Amount::ZERO) } else { (Amount::ZERO, balance) };
    BalanceReply {
        user_id,
        balance: balance.to_gx(),
        currency: CURRENCY,
        frozen_amount: frozen.to_gx(),
        available_balance: available.to_gx(),
        last_updated: position.checkpoint.map(|last| rfc3339(last.at.0)),
    }
}

/// The caller's account, named by its id on the ledger or on the platform.
pub(super) fn own_account(user: &User, id: &str) -> Result<AccountId> {
    let own = user.account.filter(|account| account.as_str() == id || user.id() == id);
    own.ok_or_else(|| Error::not_found("Wallet"))
}

/// What clients ask for: payments both ways, or one kind of movement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HistoryKind {
    Transfer,
    One(EntryKind),
}

impl HistoryKind {
    pub(crate) const ALL: [Self; 12] = [
        Self::Transfer,
        Self::One(EntryKind::Supply),
        Self::One(EntryKind::Sent),
        Self::One(EntryKind::Received),
        Self::One(EntryKind::Fee),
        Self::One(EntryKind::Genesis),
        Self::One(EntryKind::Disbursement),
        Self::One(EntryKind::Order),
        Self::One(EntryKind::Loan),
        Self::One(EntryKind::Repayment),
        Self::One(EntryKind::Escrow),
        Self::One(EntryKind::Tax),
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "TRANSFER",
            Self::One(kind) => kind.as_str(),
        }
    }

    fn kinds(self) -> Vec<EntryKind> {
        match self {
            Self::Transfer => vec![EntryKind::Sent, EntryKind::Received],
            Self::One(kind) => vec![kind],
        }
    }
}

listed_fields! {
    HistoryKind: "invalid_type";
}

impl JsonSchema for HistoryKind {
    fn schema_name() -> Cow<'static, str> {
        "HistoryKind".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

/// Every kind of movement, as answers show it.
fn movement_kinds(_: &mut SchemaGenerator) -> Schema {
    one_of(HistoryKind::ALL.into_iter().filter_map(|kind| match kind {
        HistoryKind::Transfer => None,
        HistoryKind::One(kind) => Some(kind.as_str()),
    }))
}

request! {
    /// Which movements.
    pub(crate) struct HistoryQuery {
        /// `TRANSFER` stands for what was sent and received.
        kind as "type": Option<HistoryKind>,
        counterparty as "counterparty": Option<AccountId>,
        /// Not before this time.
        from as "from": Option<Instant>,
        /// Before this time.
        to as "to": Option<Instant>,
        /// As the history stood right after this block.
        as_of as "asOfBlock": Option<BlockNumber>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        /// Instead of a cursor: the number of the page, from 1 on.
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// A movement of coins, as one account sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Movement {
    id: String,
    #[schemars(with = "String")]
    command_id: gx_types::CommandId,
    #[serde(rename = "type")]
    #[schemars(schema_with = "movement_kinds")]
    kind: &'static str,
    /// Without the fee.
    amount: String,
    currency: &'static str,
    from: Option<String>,
    to: Option<String>,
    /// Always `COMPLETED`: what is listed has been settled.
    status: &'static str,
    timestamp: String,
    block_number: u64,
    /// Names the command on the ledger.
    tx_hash: String,
    /// What this account paid on top.
    fee: String,
    description: String,
    balance_after: String,
}

impl Movement {
    /// What [`Movement::cells`] holds.
    pub(super) const COLUMNS: [&'static str; 13] = [
        "id",
        "commandId",
        "type",
        "timestamp",
        "block",
        "from",
        "to",
        "credit",
        "debit",
        "fee",
        "currency",
        "balanceAfter",
        "description",
    ];

    /// As a row of a table. What was taken is fee and amount together, so that the rows add up.
    pub(super) fn cells(&self, change_qirat: i64) -> [String; 13] {
        let moved = Amount::from_qirat(change_qirat.unsigned_abs()).to_gx();
        let (credit, debit) =
            if change_qirat < 0 { (String::new(), moved) } else { (moved, String::new()) };
        [
            self.id.clone(),
            self.tx_hash.clone(),
            self.kind.to_owned(),
            self.timestamp.clone(),
            self.block_number.to_string(),
            self.from.clone().unwrap_or_default(),
            self.to.clone().unwrap_or_default(),
            credit,
            debit,
            self.fee.clone(),
            self.currency.to_owned(),
            self.balance_after.clone(),
            self.description.clone(),
        ]
    }
}

/// Movements as a table.
pub(super) fn table(account: &AccountId, entries: Vec<Entry>) -> String {
    let mut out = String::new();
    csv::row(&mut out, Movement::COLUMNS);
    for entry in entries {
        let change = entry.change_qirat;
        let cells = movement(account, entry).cells(change);
        csv::row(&mut out, cells.iter().map(String::as_str));
    }
    out
}

pub(super) fn movement(account: &AccountId, entry: Entry) -> Movement {
    let own = Some(account.to_string());
    let other = entry.counterparty.map(|id| id.to_string());
    let (from, to) = if entry.change_qirat < 0 { (own, other) } else { (other, own) };
    Movement {
        id: entry.entry.to_string(),
        command_id: entry.command_id,
        kind: entry.kind.as_str(),
        amount: entry.amount.to_gx(),
        currency: CURRENCY,
        from,
        to,
        status: "COMPLETED",
        timestamp: rfc3339(entry.at.0),
        block_number: entry.block,
        tx_hash: entry.command_id.to_string(),
        fee: entry.fee.to_gx(),
        description: entry.remark.unwrap_or_default(),
        balance_after: entry.balance.to_gx(),
    }
}

/// A numbered page of movements.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryReply {
    transactions: Vec<Movement>,
    pagination: Pagination,
}

/// `GET /wallets/{userId}/transactions`
async fn transactions(
    State(store): State<Store>,
    user: User,
    _: After,
    accept: Accept,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Rendered<Page<Movement>>> {
    let format = accept.choose(&[Format::Json, Format::Csv])?;
    let account = own_account(&user, &id)?;
    let place = place_of(&query)?;
    let (view, found) = look_up(&store, &account, &query, place).await?;
    Ok(listed(&account, &view, found, format))
}

fn place_of(query: &HistoryQuery) -> Result<Place> {
    Ok(match (&query.cursor, query.page) {
        (Some(cursor), _) => Place::After(cursor.0.parse().map_err(|_| bad_cursor())?),
        (None, Some(page)) => Place::Offset(offset(page.0, limit_of(query))),
        (None, None) => Place::Newest,
    })
}

fn listed(
    account: &AccountId,
    view: &View,
    found: history::Page,
    format: Format,
) -> Rendered<Page<Movement>> {
    let next_cursor = found.next.map(|entry| entry.to_string());
    if format == Format::Csv {
        return Rendered::Document(Document {
            position: view.position,
            format,
            name: "transactions".to_owned(),
            next_cursor,
            bytes: table(account, found.entries).into_bytes(),
        });
    }
    let data = found.entries.into_iter().map(|entry| movement(account, entry)).collect();
    Rendered::Json(view.read(Page { data, has_more: next_cursor.is_some(), next_cursor }))
}

/// `GET /transactions/{userId}/history`
async fn history(
    State(store): State<Store>,
    user: User,
    _: After,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Read<HistoryReply>> {
    let account = own_account(&user, &id)?;
    let (page, limit) = (query.page.map_or(1, |page| page.0), limit_of(&query));
    let place = Place::Offset(offset(page, limit));
    let (view, found) = look_up(&store, &account, &query, place).await?;
    let transactions = found.entries.into_iter().map(|entry| movement(&account, entry)).collect();
    let pagination = Pagination::new(u64::from(page), limit, found.total);
    Ok(view.read(HistoryReply { transactions, pagination }))
}

fn limit_of(query: &HistoryQuery) -> u32 {
    query.limit.map_or(20, |limit| limit.0)
}

fn offset(page: u32, limit: u32) -> u64 {
    u64::from(page.saturating_sub(1)) * u64::from(limit)
}

fn bad_cursor() -> Error {
    Error::bad_request("invalid_cursor", "cursor: give the nextCursor of the page before")
}

async fn look_up(
    store: &Store,
    account: &AccountId,
    query: &HistoryQuery,
    place: Place,
) -> Result<(View, history::Page)> {
    let filter = Filter {
        kinds: query.kind.map(HistoryKind::kinds).unwrap_or_default(),
        counterparty: query.counterparty,
        from: query.from.map(|from| TimeMs(from.0)),
        to: query.to.map(|to| TimeMs(to.0)),
        as_of_block: query.as_of.map(|block| block.0),
    };
    let mut view = View::open(store).await?;
    let limit = limit_of(query);
    let found = history::page(&mut view.snapshot, account, &filter, place, limit).await?;
    Ok((view, found.ok_or_else(|| Error::not_found("Wallet"))?))
}
