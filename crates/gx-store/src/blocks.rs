//! The ledger as an explorer shows it: blocks and the commands in them.

use gx_types::{Actor, BatchId, CommandId, Role, TimeMs};

use crate::numbering::{PLACES, block_of};
use crate::sql::{Row, int, sql};
use crate::{Error, Source};

/// A block that has been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub number: u64,
    pub hash: [u8; 32],
    pub prev_hash: [u8; 32],
    pub at: TimeMs,
    /// The role that submitted it.
    pub role: Role,
    pub batch_id: BatchId,
    pub commands: u64,
    pub refused: u64,
}

/// A command in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub command_id: CommandId,
    pub block: u64,
    /// Its place in the block, from 0.
    pub index: u64,
    /// The block's time.
    pub at: TimeMs,
    pub actor: Actor,
    /// `Contract:Function`.
    pub function: String,
    pub result: TransactionResult,
}

/// How a command ended in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionResult {
    Applied,
    Refused {
        code: String,
        detail: String,
    },
    /// It had its outcome in an earlier block; nothing happened in this one.
    Repeated,
}

const BLOCK: &str = "SELECT number, hash, prev_hash, at_ms, role, batch_id, command_count, \
    refused_count FROM blocks";

fn block(row: &Row) -> Result<Block, Error> {
    Ok(Block {
        number: row.natural(0)?,
        hash: row.hash(1)?,
        prev_hash: row.hash(2)?,
        at: row.time(3)?,
        role: row.parse(4, "role")?,
        batch_id: row.parse(5, "batch id")?,
        commands: row.natural(6)?,
        refused: row.natural(7)?,
    })
}

const TRANSACTION: &str = "SELECT t.command_id, t.tx_no, k.at_ms, t.actor, t.function, t.state, \
    t.code, t.detail FROM transactions t JOIN blocks k ON k.number = t.tx_no >> 24";

fn transaction(row: &Row) -> Result<Transaction, Error> {
    let tx_no = row.int(1)?;
    Ok(Transaction {
        command_id: row.parse(0, "command id")?,
        block: block_of(tx_no),
        index: u64::try_from(tx_no.rem_euclid(PLACES)).unwrap_or_default(),
        at: row.time(2)?,
        actor: row.parse(3, "actor")?,
        function: row.string(4)?,
        result: match row.text(5)? {
            "APPLIED" => TransactionResult::Applied,
            "REFUSED" => TransactionResult::Refused {
                code: row.string(6)?,
                detail: row.opt_string(7)?.unwrap_or_default(),
            },
            "REPEATED" => TransactionResult::Repeated,
            other => return Err(Error::corrupt("state of a transaction", other)),
        },
    })
}

/// Blocks, newest first, those before the number `before`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Block>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!("{BLOCK} WHERE number < $1 ORDER BY number DESC LIMIT $2"))
        .bind(before.map_or(Ok(i64::MAX), int)?)
        .bind(i64::from(limit))
        .all(&mut reader.conn())
        .await?;
    rows.iter().map(block).collect()
}

/// One block.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, number: u64) -> Result<Option<Block>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{BLOCK} WHERE number = $1"))
        .bind(int(number)?)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(block).transpose()
}

/// Commands of a block in their order, from the place `from` on.
///
/// # Errors
/// Those of the database.
pub async fn transactions(
    source: impl Into<Source<'_>>,
    number: u64,
    from: u64,
    limit: u32,
) -> Result<Vec<Transaction>, Error> {
    let mut reader = source.into().open().await?;
    let first = int(number)?.saturating_mul(PLACES);
    let rows = sql(format!(
        "{TRANSACTION} WHERE t.tx_no >= $1 AND t.tx_no < $2 ORDER BY t.tx_no LIMIT $3"
    ))
    .bind(first.saturating_add(int(from)?))
    .bind(first.saturating_add(PLACES))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(transaction).collect()
}

/// The command's place on the ledger, when it came through this platform's outbox. For any other
/// the ledger itself knows the batch; see [`transaction_in_batch`].
///
/// # Errors
/// Those of the database.
pub async fn transaction_of(
    source: impl Into<Source<'_>>,
    command_id: &CommandId,
) -> Result<Option<Transaction>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!(
        "{TRANSACTION} JOIN outcomes x ON x.tx_no = t.tx_no JOIN outbox o ON o.seq = x.seq
        WHERE o.command_id = $1"
    ))
    .bind(command_id.to_string())
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(transaction).transpose()
}

/// The command's place on the ledger, given the batch that had its first outcome.
///
/// # Errors
/// Those of the database.
pub async fn transaction_in_batch(
    source: impl Into<Source<'_>>,
    batch_id: &BatchId,
    command_id: &CommandId,
) -> Result<Option<Transaction>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT t.command_id, t.tx_no, k.at_ms, t.actor, t.function, t.state, t.code,
            t.detail
        FROM blocks k CROSS JOIN transactions t
        WHERE k.batch_id = $1 AND t.command_id = $2 AND t.state <> 'REPEATED'
            AND t.tx_no >= k.number * $3 AND t.tx_no < (k.number + 1) * $3")
    .bind(batch_id.to_string())
    .bind(command_id.to_string())
    .bind(PLACES)
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(transaction).transpose()
}
