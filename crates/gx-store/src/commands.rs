//! How far a command has come, put together from the rows of those who move it.

use std::collections::HashMap;

use gx_types::{Actor, BatchId, CommandId, Role, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::numbering::block_of;
use crate::sql::{Row, sql};
use crate::submission::DeadDecision;
use crate::{Error, Source};

/// A command of the outbox and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub command_id: CommandId,
    /// Its number in the outbox.
    pub seq: i64,
    pub actor: Actor,
    pub role: Role,
    /// `Contract:Function`.
    pub function: String,
    pub created_at: TimeMs,
    pub state: State,
}

/// How far a command has come. It only ever moves on, but that `Submitted` may turn to `Dead`, and
/// `Dead` to `Queued` when operators have it sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Accepted, not sent yet.
    Queued,
    /// Sent to the ledger; its outcome is not projected yet.
    Submitted { batch_id: BatchId },
    /// Carried out and visible in the read models.
    Committed { block: u64, at: TimeMs },
    /// Refused by the ledger; `code` is stable, `detail` is for people.
    Refused { block: u64, at: TimeMs, code: String, detail: String },
    /// It cannot be sent, and this is why. Nothing happens to it by itself any more; operators may
    /// have it sent again, unless they have `discarded` it.
    Dead { reason: String, at: TimeMs, discarded: bool },
}

impl State {
    /// Whether nothing will change any more.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Queued | Self::Submitted { .. } => false,
            Self::Committed { .. } | Self::Refused { .. } | Self::Dead { .. } => true,
        }
    }
}

/// How far a command has come; `None` when the outbox does not have it.
///
/// # Errors
/// Those of the database.
pub async fn status(
    source: impl Into<Source<'_>>,
    command_id: &CommandId,
) -> Result<Option<Status>, Error> {
    let found = statuses(source, std::slice::from_ref(command_id)).await?;
    Ok(found.into_iter().next().flatten())
}

/// How far commands have come, in the order of the ids.
///
/// # Errors
/// Those of the database.
pub async fn statuses(
    source: impl Into<Source<'_>>,
    command_ids: &[CommandId],
) -> Result<Vec<Option<Status>>, Error> {
    let mut reader = source.into().open().await?;
    let ids = command_ids.iter().map(|id| id.to_string().into()).collect();
    let rows = Bulk::new(
        "WITH input (command_id) AS ({rows})
        SELECT o.seq, o.command_id, o.actor, o.role, o.function, o.created_at_ms,
            t.tx_no, k.at_ms, t.code, t.detail, d.reason, d.at_ms,
            CASE WHEN x.seq IS NULL THEN (
                SELECT b.batch_id FROM (
                    SELECT r.batch_no, r.last_seq FROM batch_ranges r
                    WHERE r.first_seq <= o.seq ORDER BY r.first_seq DESC LIMIT 1
                ) n JOIN batches b ON b.batch_no = n.batch_no WHERE n.last_seq >= o.seq) END,
            z.decision
        FROM input i JOIN outbox o ON o.command_id = i.command_id
        LEFT JOIN outcomes x ON x.seq = o.seq
        LEFT JOIN transactions t ON t.tx_no = x.tx_no AND t.command_id = o.command_id
        LEFT JOIN blocks k ON k.number = t.tx_no >> 24
        LEFT JOIN dead_commands d ON d.seq = o.seq
        LEFT JOIN dead_decisions z ON z.seq = d.seq",
        vec![Column::Text(ids)],
    )
    .all(&mut reader.conn())
    .await?;
    let found = rows
        .iter()
        .map(|row| read(row).map(|status| (status.command_id, status)))
        .collect::<Result<HashMap<_, _>, _>>()?;
    Ok(command_ids.iter().map(|id| found.get(id).cloned()).collect())
}

fn read(row: &Row) -> Result<Status, Error> {
    Ok(Status {
        seq: row.int(0)?,
        command_id: row.parse(1, "command id")?,
        actor: row.parse(2, "actor")?,
        role: row.parse(3, "role")?,
        function: row.string(4)?,
        created_at: row.time(5)?,
        state: state(row)?,
    })
}

/// An outcome counts before anything else: a command set aside may have been carried out earlier.
fn state(row: &Row) -> Result<State, Error> {
    if let Some(tx_no) = row.opt_int(6)? {
        let (block, at) = (block_of(tx_no), row.time(7)?);
        return Ok(match row.opt_string(8)? {
            Some(code) => {
                let detail = row.opt_string(9)?.unwrap_or_default();
                State::Refused { block, at, code, detail }
            }
            None => State::Committed { block, at },
        });
    }
    if let Some(reason) = row.opt_string(10)? {
        let decision = row.opt_text(13)?;
        // It waits to be sent again, or the outcome is on its way.
        if decision == Some(DeadDecision::Requeue.as_str()) {
            return Ok(State::Queued);
        }
        let discarded = decision.is_some();
        return Ok(State::Dead { reason, at: row.time(11)?, discarded });
    }
    Ok(match row.opt_parse(12, "batch id")? {
        Some(batch_id) => State::Submitted { batch_id },
        None => State::Queued,
    })
}

/// How many commands cannot be sent and wait for somebody to decide about them. An alarm when it
/// grows.
///
/// # Errors
/// Those of the database.
pub async fn dead_count(source: impl Into<Source<'_>>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM dead_commands d
        WHERE NOT EXISTS (SELECT 1 FROM dead_decisions z WHERE z.seq = d.seq)")
    .one(&mut reader.conn())
    .await?
    .natural(0)
}
