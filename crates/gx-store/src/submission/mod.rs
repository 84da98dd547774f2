//! How far the outbox has been sent to the ledger. Written by the submitter alone.
//!
//! The outbox itself is never changed: progress is a cursor, a list of gaps below it, and a row
//! for each batch with the ranges of its commands, from which a batch can be sent again exactly as
//! it was. Each role has a lane: commands keep the order of the outbox within it, and what the
//! cursor passes while their lane is stuck is deferred, so that no lane holds up another.

mod decisions;
mod gaps;
mod lanes;
pub mod listing;

use std::collections::{BTreeMap, BTreeSet};

use gx_contract::Named;
use gx_contract::admin::ConfirmClock;
use gx_types::{BatchId, Role, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::lease::{self, Lease};
use crate::outbox::{COLUMN_COUNT, COLUMNS, Queued, queued};
use crate::sql::{Conn, int, sql};
use crate::{Error, Source, Store, Tx, dialect};
pub use decisions::{
    DeadDecision, DecidedBy, decide_dead, mark_dead_again, mark_sent_again, requeued,
};
use gaps::{Gap, Sight};
pub use lanes::{Stuck, StuckLane, Waiting, mark_answered, set_stuck, waiting};

/// The next commands to send, and what the cursor passes with them.
#[derive(Debug, Clone)]
pub struct Run {
    /// At most one for each lane, each with at least one command, in the order of the outbox.
    pub batches: Vec<NextBatch>,
    /// Commands of lanes that are stuck, or that have older ones to send first.
    deferred: Vec<(Role, i64)>,
    before: Cursor,
    after: Cursor,
}

/// Commands of one role.
#[derive(Debug, Clone)]
pub struct NextBatch {
    pub role: Role,
    pub rows: Vec<Queued>,
    /// The last of them that had been deferred; all before it had been too.
    resumed: Option<i64>,
}

impl Run {
    /// How many commands the cursor passes or that are taken up again.
    pub fn commands(&self) -> usize {
        let batched: usize = self.batches.iter().map(|batch| batch.rows.len()).sum();
        batched.saturating_add(self.deferred.len())
    }
}

/// How far the outbox was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    last_seq: i64,
    gaps: Vec<Gap>,
    last_batch_no: i64,
}

/// The number of a batch: 1, 2, 3, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchNo(pub i64);

/// A batch as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedBatch {
    pub batch_no: BatchNo,
    pub batch_id: BatchId,
    pub role: Role,
    pub submitted_at: TimeMs,
    /// In the order in which they were sent, without those set aside as dead since.
    pub rows: Vec<Queued>,
}

/// The next run: at most `max` commands and about `max_bytes` of arguments from the outbox, at
/// least one, and as many for a lane that has deferred ones. Lanes of the roles `stuck` get none.
/// `None` when nothing waits.
///
/// Rows that become visible late come first. Nothing is changed: the same run comes again until it
/// is recorded.
///
/// # Errors
/// Those of the database.
pub async fn next_run(
    store: &Store,
    stuck: &[Role],
    max: usize,
    max_bytes: usize,
) -> Result<Option<Run>, Error> {
    let mut snapshot = store.snapshot().await?;
    let mut reader = Source::from(&mut snapshot).open().await?;
    let mut conn = reader.conn();
    let row = sql(dialect::read_submission(conn.engine())).one(&mut conn).await?;
    let gaps = gaps::decode(row.text(1)?).map_err(|error| Error::corrupt("gaps", error))?;
    let before = Cursor { last_seq: row.int(0)?, gaps, last_batch_no: row.int(2)? };
    let (xmin, xmax) = (row.int(3)?, row.int(4)?);
    // Lanes with deferred commands send those first.
    let behind = lanes::behind(&mut conn).await?;
    let mut batches = Vec::new();
    for &role in behind.iter().filter(|role| !stuck.contains(role)) {
        let rows = cut(lanes::deferred(&mut conn, role, max).await?, max, max_bytes);
        let resumed = rows.last().map(|row| row.seq);
        batches.push(NextBatch { role, rows, resumed });
    }
    let mut rows = late_rows(&mut conn, &before.gaps).await?;
    let late: BTreeSet<i64> = rows.iter().map(|row| row.seq).collect();
    let limit = int(u64::try_from(max.max(1).saturating_sub(rows.len())).unwrap_or(u64::MAX))?;
    if limit > 0 {
        let fresh =
            sql(format!("SELECT {COLUMNS} FROM outbox o WHERE o.seq > $1 ORDER BY o.seq LIMIT $2"))
                .bind(before.last_seq)
                .bind(limit)
                .all(&mut conn)
                .await?;
        for row in &fresh {
            rows.push(queued(row)?);
        }
    }
    let rows = cut(rows, max, max_bytes);
    if rows.is_empty() && batches.is_empty() {
        return Ok(None);
    }
    let taken: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let sight = Sight { late: &late, taken: &taken, cursor: before.last_seq, xmin, xmax };
    let (last_seq, gaps) = gaps::advance(&before.gaps, &sight);
    let mut deferred = Vec::new();
    for row in rows {
        if stuck.contains(&row.role) || behind.contains(&row.role) {
            deferred.push((row.role, row.seq));
            continue;
        }
        match batches.iter_mut().find(|batch| batch.role == row.role) {
            Some(batch) => batch.rows.push(row),
            None => batches.push(NextBatch { role: row.role, rows: vec![row], resumed: None }),
        }
    }
    let count = i64::try_from(batches.len()).unwrap_or(i64::MAX);
    let last_batch_no = before.last_batch_no.saturating_add(count);
    let after = Cursor { last_seq, gaps, last_batch_no };
    Ok(Some(Run { batches, deferred, before, after }))
}

/// The newest commands that confirm the ledger's clock, whatever has become of them.
///
/// # Errors
/// Those of the database.
pub async fn clock_confirmations(store: &Store, max: u32) -> Result<Vec<Queued>, Error> {
    let mut reader = Source::from(store).open().await?;
    // The name stands in the text so that the index of just these is used.
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM outbox o WHERE o.function = '{}' ORDER BY o.seq DESC LIMIT $1",
        ConfirmClock::NAME
    ))
    .bind(i64::from(max))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(queued).collect()
}

/// Rows that lie in gaps and are visible now, in order.
async fn late_rows(conn: &mut Conn<'_>, gaps: &[Gap]) -> Result<Vec<Queued>, Error> {
    let columns = vec![
        Column::Int(gaps.iter().map(|gap| gap.first).collect()),
        Column::Int(gaps.iter().map(|gap| gap.last).collect()),
    ];
    let found = Bulk::new(
        "WITH input (first_seq, last_seq) AS ({rows})
        SELECT o.seq, o.command_id, o.actor, o.role, o.function, o.args, o.service, o.traceparent,
            o.created_at_ms, o.signature
        FROM input i CROSS JOIN outbox o WHERE o.seq BETWEEN i.first_seq AND i.last_seq",
        columns,
    )
    .all(conn)
    .await?;
    let mut rows = found.iter().map(queued).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| row.seq);
    Ok(rows)
}

/// The longest beginning within the limits.
fn cut(rows: Vec<Queued>, max: usize, max_bytes: usize) -> Vec<Queued> {
    let mut bytes: usize = 0;
    rows.into_iter()
        .enumerate()
        .take_while(|(place, row)| {
            bytes = bytes.saturating_add(row.args.len());
            *place == 0 || (*place < max && bytes <= max_bytes)
        })
        .map(|(_, row)| row)
        .collect()
}

/// Records that the batches of a run are sent under these ids, one for each, and moves the cursor
/// over it. All earlier batches of their lanes have to be answered. Commit before sending.
///
/// # Errors
/// [`Error::LeaseLost`] when the lease is lost, or when the run is not the next one any more.
pub async fn record_run(
    tx: &mut Tx,
    lease: &Lease,
    run: &Run,
    batch_ids: &[BatchId],
    at: TimeMs,
) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    let mut conn = tx.conn();
    let Run { before, after, .. } = run;
    let moved = sql("UPDATE submission SET last_seq = $1, gaps = $2, last_batch_no = $3
        WHERE id = 1 AND last_seq = $4 AND gaps = $5 AND last_batch_no = $6")
    .bind(after.last_seq)
    .bind(gaps::encode(&after.gaps))
    .bind(after.last_batch_no)
    .bind(before.last_seq)
    .bind(gaps::encode(&before.gaps))
    .bind(before.last_batch_no)
    .run(&mut conn)
    .await?;
    if moved == 0 {
        return Err(Error::LeaseLost { name: lease.name.clone(), epoch: lease.epoch });
    }
    let numbers = before.last_batch_no.saturating_add(1)..;
    let mut ranges = (Vec::new(), Vec::new(), Vec::new());
    for ((batch, batch_id), batch_no) in run.batches.iter().zip(batch_ids).zip(numbers) {
        record_batch(&mut conn, batch, *batch_id, batch_no, at).await?;
        for (first, last) in gaps::ranges(batch.rows.iter().map(|row| row.seq)) {
            ranges.0.push(first);
            ranges.1.push(last);
            ranges.2.push(batch_no);
        }
    }
    Bulk::new(
        "INSERT INTO batch_ranges (first_seq, last_seq, batch_no) {rows}",
        vec![Column::Int(ranges.0), Column::Int(ranges.1), Column::Int(ranges.2)],
    )
    .run(&mut conn)
    .await?;
    lanes::defer(&mut conn, &run.deferred).await
}

async fn record_batch(
    conn: &mut Conn<'_>,
    batch: &NextBatch,
    batch_id: BatchId,
    batch_no: i64,
    at: TimeMs,
) -> Result<(), Error> {
    let NextBatch { role, rows, resumed } = batch;
    let seqs = || rows.iter().map(|row| row.seq);
    sql("INSERT INTO batches
        (batch_no, batch_id, role, first_seq, last_seq, command_count, submitted_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(batch_no)
    .bind(batch_id.to_string())
    .bind(role.as_str())
    .bind(seqs().min().unwrap_or_default())
    .bind(seqs().max().unwrap_or_default())
    .bind(int(u64::try_from(rows.len()).unwrap_or(u64::MAX))?)
    .bind(at)
    .run(conn)
    .await?;
    lanes::record(conn, *role, batch_no).await?;
    match resumed {
        Some(last) => lanes::resume(conn, *role, *last).await,
        None => Ok(()),
    }
}

/// Sets a command aside that cannot be sent: it leaves its batch, shows as dead, and blocks nobody.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn mark_dead(
    tx: &mut Tx,
    lease: &Lease,
    seq: i64,
    reason: &str,
    at: TimeMs,
) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    sql("INSERT INTO dead_commands (seq, reason, at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (seq) DO NOTHING")
    .bind(seq)
    .bind(reason)
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// The batches that were recorded and not answered, oldest first: after a crash they are sent
/// again under their own ids. Those without a living command are left out.
///
/// # Errors
/// Those of the database.
pub async fn unanswered(source: impl Into<Source<'_>>) -> Result<Vec<RecordedBatch>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS}, b.batch_no, b.batch_id, b.role, b.submitted_at_ms
        FROM lanes l CROSS JOIN batches b CROSS JOIN batch_ranges r CROSS JOIN outbox o
        LEFT JOIN dead_commands d ON d.seq = o.seq
        WHERE b.batch_no > l.answered_batch_no AND b.batch_no <= l.last_batch_no
            AND b.role = l.role
            AND r.first_seq BETWEEN b.first_seq AND b.last_seq AND r.batch_no = b.batch_no
            AND o.seq BETWEEN r.first_seq AND r.last_seq AND d.seq IS NULL
        ORDER BY b.batch_no, o.seq"
    ))
    .all(&mut reader.conn())
    .await?;
    let mut batches: BTreeMap<i64, RecordedBatch> = BTreeMap::new();
    for row in &rows {
        let batch_no = row.int(COLUMN_COUNT)?;
        let batch = match batches.entry(batch_no) {
            std::collections::btree_map::Entry::Occupied(batch) => batch.into_mut(),
            std::collections::btree_map::Entry::Vacant(vacant) => vacant.insert(RecordedBatch {
                batch_no: BatchNo(batch_no),
                batch_id: row.parse(COLUMN_COUNT + 1, "batch id")?,
                role: row.parse(COLUMN_COUNT + 2, "role")?,
                submitted_at: row.time(COLUMN_COUNT + 3)?,
                rows: Vec::new(),
            }),
        };
        batch.rows.push(queued(row)?);
    }
    Ok(batches.into_values().collect())
}
