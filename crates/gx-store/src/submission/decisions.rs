//! What operators decide about commands that are set aside as dead: to send one again, or that it
//! is never sent.
//!
//! A command that is sent again goes by itself and out of turn; the ledger's outcome for its id
//! makes that free. It stays where it was in every other respect: its batch was answered without
//! it. One that is discarded stays for ever, so that its id can never be given again.

use gx_types::TimeMs;

use crate::lease::{self, Lease};
use crate::outbox::{COLUMNS, Queued, queued};
use crate::sql::sql;
use crate::{Error, Source, Tx};

/// What is decided about a dead command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadDecision {
    Requeue,
    Discard,
}

impl DeadDecision {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requeue => "REQUEUE",
            Self::Discard => "DISCARD",
        }
    }
}

/// Somebody who decides, and what they want remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedBy<'a> {
    pub by: &'a str,
    pub note: &'a str,
    pub at: TimeMs,
}

/// Decides about a dead command that has no outcome and about which nothing is decided yet. Says
/// whether there is such a one.
///
/// # Errors
/// Those of the database.
pub async fn decide_dead(
    tx: &mut Tx,
    seq: i64,
    decision: DeadDecision,
    decided: DecidedBy<'_>,
) -> Result<bool, Error> {
    let touched = sql("INSERT INTO dead_decisions (seq, decision, note, decided_by, decided_at_ms)
        SELECT d.seq, $2, $3, $4, $5 FROM dead_commands d
        WHERE d.seq = $1 AND NOT EXISTS (SELECT 1 FROM outcomes x WHERE x.seq = d.seq)
        ON CONFLICT (seq) DO NOTHING")
    .bind(seq)
    .bind(decision.as_str())
    .bind(decided.note)
    .bind(decided.by)
    .bind(decided.at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Dead commands that are to be sent again and were not yet, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn requeued(source: impl Into<Source<'_>>, max: u32) -> Result<Vec<Queued>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM dead_decisions z JOIN outbox o ON o.seq = z.seq
        WHERE z.decision = 'REQUEUE' AND z.sent_at_ms IS NULL ORDER BY z.seq LIMIT $1"
    ))
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(queued).collect()
}

/// Notes that the ledger has answered a command that was sent again.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn mark_sent_again(
    tx: &mut Tx,
    lease: &Lease,
    seq: i64,
    at: TimeMs,
) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    sql("UPDATE dead_decisions SET sent_at_ms = $2 WHERE seq = $1 AND decision = 'REQUEUE'")
        .bind(seq)
        .bind(at)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes that a command that was sent again is dead as before, and why; it can be decided about
/// once more.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn mark_dead_again(
    tx: &mut Tx,
    lease: &Lease,
    seq: i64,
    reason: &str,
    at: TimeMs,
) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    let mut conn = tx.conn();
    sql("UPDATE dead_commands SET reason = $2, at_ms = $3 WHERE seq = $1")
        .bind(seq)
        .bind(reason)
        .bind(at)
        .run(&mut conn)
        .await?;
    sql("DELETE FROM dead_decisions WHERE seq = $1 AND decision = 'REQUEUE'")
        .bind(seq)
        .run(&mut conn)
        .await
        .map(drop)
}
