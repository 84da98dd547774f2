//! The ledger as it was written: blocks, the commands in them, and where it stands.
//!
//! Accounts and amounts are their owners' business; blocks show which commands ran and how they
//! ended.

use axum::extract::State;
use gx_store::Store;
use gx_store::blocks::{self, Block, Transaction, TransactionResult};
use gx_types::{Actor, CommandId, Role};
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::BlockNumber;
use crate::api::Route;
use crate::app::App;
use crate::auth::Caller;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{Page, Read, View};
use crate::http::extract::{After, Path, Query};
use crate::http::fields::{Count, request};

pub(super) fn routes() -> [Route; 4] {
    [
        Route::get("/api/v1/blocks", blocks).summary("The ledger's blocks, newest first"),
        Route::get("/api/v1/blocks/{n}", block).summary("One block and its commands"),
        Route::get("/api/v1/ledger/transactions/{commandId}", transaction)
            .summary("Where a command stands on the ledger; its owner and admins may ask"),
        Route::get("/api/v1/ledger/info", info)
            .summary("Where the ledger and its read models stand"),
    ]
}

request! {
    /// Which blocks, newest first.
    pub(crate) struct BlocksQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<BlockNumber>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Which of the block's commands.
    pub(crate) struct BlockQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<BlockNumber>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// A block of the ledger.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockReply {
    number: u64,
    hash: String,
    previous_hash: String,
    timestamp: String,
    /// Role of the service that submitted it.
    #[schemars(with = "String")]
    role: Role,
    batch_id: String,
    commands: u64,
    refused: u64,
}

impl From<Block> for BlockReply {
    fn from(row: Block) -> Self {
        Self {
            number: row.number,
            hash: hex::encode(row.hash),
            previous_hash: hex::encode(row.prev_hash),
            timestamp: rfc3339(row.at.0),
            role: row.role,
            batch_id: row.batch_id.to_string(),
            commands: row.commands,
            refused: row.refused,
        }
    }
}

/// A command in a block.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionReply {
    #[schemars(with = "String")]
    command_id: CommandId,
    block_number: u64,
    /// Its place in the block, from 0 on.
    index: u64,
    timestamp: String,
    /// `Contract:Function`.
    function: String,
    /// `applied`, `refused` or `repeated`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl From<Transaction> for TransactionReply {
    fn from(row: Transaction) -> Self {
        let (result, code, detail) = match row.result {
            TransactionResult::Applied => ("applied", None, None),
            TransactionResult::Refused { code, detail } => ("refused", Some(code), Some(detail)),
            TransactionResult::Repeated => ("repeated", None, None),
        };
        Self {
            command_id: row.command_id,
            block_number: row.block,
            index: row.index,
            timestamp: rfc3339(row.at.0),
            function: row.function,
            result,
            code,
            detail,
        }
    }
}

impl TransactionReply {
    /// Without the detail, which can name accounts.
    fn for_everybody(row: Transaction) -> Self {
        Self { detail: None, ..row.into() }
    }
}

/// A block and a part of its commands.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockContent {
    #[serde(flatten)]
    block: BlockReply,
    #[serde(flatten)]
    transactions: Page<TransactionReply>,
}

/// `GET /blocks`
async fn blocks(
    State(store): State<Store>,
    _: After,
    Query(query): Query<BlocksQuery>,
) -> Result<Read<Page<BlockReply>>> {
    let limit = query.limit.map_or(20, |limit| limit.0);
    let mut view = View::open(&store).await?;
    let before = query.cursor.map(|cursor| cursor.0);
    let rows = blocks::page(&mut view.snapshot, before, limit).await?;
    let is_full = rows.len() >= limit as usize;
    let next_cursor = rows.last().filter(|_| is_full).map(|last| last.number.to_string());
    let data: Vec<BlockReply> = rows.into_iter().map(Into::into).collect();
    Ok(view.read(Page { data, has_more: next_cursor.is_some(), next_cursor }))
}

/// `GET /blocks/{n}`
async fn block(
    State(store): State<Store>,
    _: After,
    Path(number): Path<String>,
    Query(query): Query<BlockQuery>,
) -> Result<Read<BlockContent>> {
    let unknown = || Error::not_found("Block");
    let number: u64 = number.parse().map_err(|_| unknown())?;
    i64::try_from(number).map_err(|_| unknown())?;
    let mut view = View::open(&store).await?;
    let row = blocks::get(&mut view.snapshot, number).await?.ok_or_else(unknown)?;
    let (from, limit) =
        (query.cursor.map_or(0, |cursor| cursor.0), query.limit.map_or(20, |limit| limit.0));
    // Places beyond what a block can hold would wrap into other blocks.
    let from = from.min(row.commands);
    let rows = blocks::transactions(&mut view.snapshot, number, from, limit).await?;
    let end = rows.last().map_or(row.commands, |last| last.index + 1);
    let next_cursor = (end < row.commands).then(|| end.to_string());
    let data = rows.into_iter().map(TransactionReply::for_everybody).collect();
    let transactions = Page { data, has_more: next_cursor.is_some(), next_cursor };
    Ok(view.read(BlockContent { block: row.into(), transactions }))
}

/// `GET /ledger/transactions/{commandId}`
async fn transaction(
    State(store): State<Store>,
    caller: Caller,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<TransactionReply>> {
    let unknown = || Error::not_found("Transaction");
    let id: CommandId = id.parse().map_err(|_| unknown())?;
    let mut view = View::open(&store).await?;
    let row = blocks::transaction_of(&mut view.snapshot, &id).await?.ok_or_else(unknown)?;
    let may_see = match &caller {
        Caller::Admin(_) => true,
        Caller::User(user) => user.account.is_some_and(|own| row.actor == Actor::User(own)),
    };
    if may_see { Ok(view.read(row.into())) } else { Err(unknown()) }
}

/// Where the ledger stands, as far as it can be read here.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerReply {
    /// The network that the ledger belongs to.
    #[schemars(with = "String")]
    network: gx_types::NetworkId,
    /// `embedded` or `fabric`.
    engine: &'static str,
    /// The newest block that is known of here; never below `appliedBlock`.
    tip_block: Option<u64>,
    /// The newest block that can be read.
    applied_block: Option<u64>,
    applied_hash: Option<String>,
    applied_at: Option<String>,
    lag_blocks: u64,
    accounts: u64,
    commands: u64,
    refused: u64,
}

/// `GET /ledger/info`
async fn info(State(app): State<App>, _: After) -> Result<Read<LedgerReply>> {
    let view = View::open(app.store()).await?;
    let (position, totals) = (view.position, view.position.totals);
    let reply = LedgerReply {
        network: app.config().network,
        engine: app.config().ledger.engine.as_str(),
        tip_block: position.tip(),
        applied_block: position.checkpoint.map(|last| last.block),
        applied_hash: position.checkpoint.map(|last| hex::encode(last.hash)),
        applied_at: position.checkpoint.map(|last| rfc3339(last.at.0)),
        lag_blocks: position.lag_blocks(),
        accounts: totals.accounts,
        commands: totals.commands,
        refused: totals.refused,
    };
    Ok(view.read(reply))
}
