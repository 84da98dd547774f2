//! Lanes: how far each role's batches are answered, why one is stuck, and what it has to make up.

use gx_types::{Role, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::lease::{self, Lease};
use crate::outbox::{COLUMNS, Queued, queued};
use crate::sql::{Conn, int, sql};
use crate::{Error, Source, Tx};

/// What waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Rows beyond the cursor, and deferred ones; on PostgreSQL numbers that were drawn in vain
    /// count too.
    pub queued: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<TimeMs>,
    /// Lanes with a batch that was recorded and is not answered yet.
    pub unanswered_batches: u64,
    /// When the oldest of these was recorded.
    pub unanswered_since: Option<TimeMs>,
    /// Lanes whose batch the ledger does not answer.
    pub stuck: Vec<StuckLane>,
}

/// A lane whose batch the ledger does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckLane {
    pub role: Role,
    pub stuck: Stuck,
}

/// Why a lane does not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The first attempt that failed.
    pub since: TimeMs,
    /// A stable word, as `misconfigured`.
    pub class: String,
    /// For people.
    pub reason: String,
}

/// Longest reason that is kept, in characters.
const REASON_MAX: usize = 500;

/// Notes that the ledger has answered all batches of a lane: none is to be sent again.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn mark_answered(tx: &mut Tx, lease: &Lease, role: Role) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    sql("UPDATE lanes SET answered_batch_no = last_batch_no
        WHERE role = $1 AND answered_batch_no < last_batch_no")
    .bind(role.as_str())
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Notes why a lane is stuck, or that it is not.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn set_stuck(
    tx: &mut Tx,
    lease: &Lease,
    role: Role,
    stuck: Option<&Stuck>,
) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    let reason = stuck.map(|stuck| stuck.reason.chars().take(REASON_MAX).collect::<String>());
    sql("UPDATE lanes SET stuck_since_ms = $2, stuck_class = $3, stuck_reason = $4
        WHERE role = $1")
    .bind(role.as_str())
    .bind(stuck.map(|stuck| stuck.since.0))
    .bind(stuck.map(|stuck| stuck.class.clone()))
    .bind(reason)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Notes the last batch of a lane; all before it are answered.
pub(super) async fn record(conn: &mut Conn<'_>, role: Role, batch_no: i64) -> Result<(), Error> {
    sql("UPDATE lanes SET answered_batch_no = last_batch_no, last_batch_no = $2 WHERE role = $1")
        .bind(role.as_str())
        .bind(batch_no)
        .run(conn)
        .await
        .map(drop)
}

/// Lanes that have deferred commands.
pub(super) async fn behind(conn: &mut Conn<'_>) -> Result<Vec<Role>, Error> {
    let rows = sql("SELECT l.role FROM lanes l
        WHERE EXISTS (SELECT 1 FROM deferred_commands d WHERE d.role = l.role)")
    .all(conn)
    .await?;
    rows.iter().map(|row| row.parse(0, "role")).collect()
}

/// The oldest deferred commands of a lane.
pub(super) async fn deferred(
    conn: &mut Conn<'_>,
    role: Role,
    max: usize,
) -> Result<Vec<Queued>, Error> {
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM deferred_commands d JOIN outbox o ON o.seq = d.seq
        WHERE d.role = $1 ORDER BY d.seq LIMIT $2"
    ))
    .bind(role.as_str())
    .bind(int(u64::try_from(max.max(1)).unwrap_or(u64::MAX))?)
    .all(conn)
    .await?;
    rows.iter().map(queued).collect()
}

pub(super) async fn defer(conn: &mut Conn<'_>, commands: &[(Role, i64)]) -> Result<(), Error> {
    if commands.is_empty() {
        return Ok(());
    }
    let columns = vec![
        Column::Text(commands.iter().map(|(role, _)| role.as_str().into()).collect()),
        Column::Int(commands.iter().map(|(_, seq)| *seq).collect()),
    ];
    let insert = Bulk::new("INSERT INTO deferred_commands (role, seq) {rows}", columns);
    insert.run(conn).await.map(drop)
}

/// The deferred commands of a lane up to this one are in a batch now.
pub(super) async fn resume(conn: &mut Conn<'_>, role: Role, last: i64) -> Result<(), Error> {
    sql("DELETE FROM deferred_commands WHERE role = $1 AND seq <= $2")
        .bind(role.as_str())
        .bind(last)
        .run(conn)
        .await
        .map(drop)
}

/// How much waits, at a cost that depends on what is deferred and on nothing else.
///
/// # Errors
/// Those of the database.
pub async fn waiting(source: impl Into<Source<'_>>) -> Result<Waiting, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let row = sql("SELECT
            COALESCE((SELECT MAX(o.seq) FROM outbox o), s.last_seq) - s.last_seq
                + (SELECT COUNT(*) FROM deferred_commands),
            (SELECT o.created_at_ms FROM outbox o WHERE o.seq = COALESCE(
                (SELECT MIN((SELECT MIN(d.seq) FROM deferred_commands d WHERE d.role = l.role))
                    FROM lanes l),
                (SELECT MIN(n.seq) FROM outbox n WHERE n.seq > s.last_seq)))
        FROM submission s WHERE s.id = 1")
    .one(&mut conn)
    .await?;
    let queued = u64::try_from(row.int(0)?).unwrap_or_default();
    let oldest = row.opt_time(1)?;
    let rows = sql("SELECT l.role, l.last_batch_no - l.answered_batch_no,
            (SELECT b.submitted_at_ms FROM batches b
                WHERE b.batch_no = l.last_batch_no AND l.last_batch_no > l.answered_batch_no),
            l.stuck_since_ms, l.stuck_class, l.stuck_reason
        FROM lanes l")
    .all(&mut conn)
    .await?;
    let mut waiting = Waiting {
        queued,
        oldest,
        unanswered_batches: 0,
        unanswered_since: None,
        stuck: Vec::new(),
    };
    for row in &rows {
        waiting.unanswered_batches += u64::from(row.natural(1)? > 0);
        let since = row.opt_time(2)?;
        waiting.unanswered_since = [waiting.unanswered_since, since].into_iter().flatten().min();
        if let Some(since) = row.opt_time(3)? {
            let role = row.parse(0, "role")?;
            let class = row.opt_string(4)?.unwrap_or_default();
            let reason = row.opt_string(5)?.unwrap_or_default();
            waiting.stuck.push(StuckLane { role, stuck: Stuck { since, class, reason } });
        }
    }
    Ok(waiting)
}
