//! How far the outbox has been sent to the ledger. Written by the submitter alone.
//!
//! The outbox itself is never changed: progress is a cursor, a list of gaps below it, and a row
//! for each batch with the ranges of its commands, from which a batch can be sent again exactly as
//! it was.

mod gaps;

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{BatchId, Role, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::lease::{self, Lease};
use crate::outbox::{COLUMN_COUNT, COLUMNS, Queued, queued};
use crate::sql::{Conn, int, sql};
use crate::{Error, Source, Store, Tx, dialect};
use gaps::{Gap, Sight};

/// The next commands to send: of one role, in the order of the outbox.
#[derive(Debug, Clone)]
pub struct Run {
    pub role: Role,
    /// At least one.
    pub rows: Vec<Queued>,
    before: Cursor,
    after: Cursor,
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

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Rows beyond the cursor; on PostgreSQL numbers that were drawn in vain count too.
    pub queued: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<TimeMs>,
    /// Batches that were recorded and not answered yet.
    pub unanswered_batches: u64,
    /// When the oldest of them was recorded.
    pub unanswered_since: Option<TimeMs>,
}

/// The next run of at most `max` commands and about `max_bytes` of arguments, at least one
/// command. `None` when nothing waits.
///
/// Rows that become visible late come first. Nothing is changed: the same run comes again until it
/// is recorded.
///
/// # Errors
/// Those of the database.
pub async fn next_run(store: &Store, max: usize, max_bytes: usize) -> Result<Option<Run>, Error> {
    let mut snapshot = store.snapshot().await?;
    let mut reader = Source::from(&mut snapshot).open().await?;
    let mut conn = reader.conn();
    let row = sql(dialect::read_submission(conn.engine())).one(&mut conn).await?;
    let gaps = gaps::decode(row.text(1)?).map_err(|error| Error::corrupt("gaps", error))?;
    let before = Cursor { last_seq: row.int(0)?, gaps, last_batch_no: row.int(2)? };
    let (xmin, xmax) = (row.int(3)?, row.int(4)?);
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
    let Some(role) = rows.first().map(|row| row.role) else {
        return Ok(None);
    };
    let taken: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let sight = Sight { late: &late, taken: &taken, cursor: before.last_seq, xmin, xmax };
    let (last_seq, gaps) = gaps::advance(&before.gaps, &sight);
    let after = Cursor { last_seq, gaps, last_batch_no: before.last_batch_no.saturating_add(1) };
    Ok(Some(Run { role, rows, before, after }))
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

/// The longest beginning of one role within the limits.
fn cut(rows: Vec<Queued>, max: usize, max_bytes: usize) -> Vec<Queued> {
    let role = rows.first().map(|row| row.role);
    let mut bytes: usize = 0;
    rows.into_iter()
        .enumerate()
        .take_while(|(place, row)| {
            bytes = bytes.saturating_add(row.args.len());
            *place == 0 || (*place < max && bytes <= max_bytes && Some(row.role) == role)
        })
        .map(|(_, row)| row)
        .collect()
}

/// Records that a run is sent as a batch, and moves the cursor over it. Commit before sending.
///
/// # Errors
/// [`Error::LeaseLost`] when the lease is lost, or when the run is not the next one any more.
pub async fn record_batch(
    tx: &mut Tx,
    lease: &Lease,
    run: &Run,
    batch_id: BatchId,
    at: TimeMs,
) -> Result<BatchNo, Error> {
    lease::fence(tx, lease).await?;
    let mut conn = tx.conn();
    let batch_no = run.after.last_batch_no;
    let moved = sql("UPDATE submission SET last_seq = $1, gaps = $2, last_batch_no = $3
        WHERE id = 1 AND last_batch_no = $4")
    .bind(run.after.last_seq)
    .bind(gaps::encode(&run.after.gaps))
    .bind(batch_no)
    .bind(run.before.last_batch_no)
    .run(&mut conn)
    .await?;
    if moved == 0 {
        return Err(Error::LeaseLost { name: lease.name.clone(), epoch: lease.epoch });
    }
    let seqs = || run.rows.iter().map(|row| row.seq);
    sql("INSERT INTO batches
        (batch_no, batch_id, role, first_seq, last_seq, command_count, submitted_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(batch_no)
    .bind(batch_id.to_string())
    .bind(run.role.as_str())
    .bind(seqs().min().unwrap_or_default())
    .bind(seqs().max().unwrap_or_default())
    .bind(int(u64::try_from(run.rows.len()).unwrap_or(u64::MAX))?)
    .bind(at)
    .run(&mut conn)
    .await?;
    let ranges = gaps::ranges(seqs());
    Bulk::new(
        "INSERT INTO batch_ranges (first_seq, last_seq, batch_no) {rows}",
        vec![
            Column::Int(ranges.iter().map(|(first, _)| *first).collect()),
            Column::Int(ranges.iter().map(|(_, last)| *last).collect()),
            Column::Int(vec![batch_no; ranges.len()]),
        ],
    )
    .run(&mut conn)
    .await?;
    Ok(BatchNo(batch_no))
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

/// Notes that the ledger has answered this batch and all before it: none is to be sent again.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn mark_answered(tx: &mut Tx, lease: &Lease, batch_no: BatchNo) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    sql("UPDATE submission SET answered_batch_no = $1
        WHERE id = 1 AND answered_batch_no < $1 AND last_batch_no >= $1")
    .bind(batch_no.0)
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
        FROM submission s CROSS JOIN batches b CROSS JOIN batch_ranges r CROSS JOIN outbox o
        LEFT JOIN dead_commands d ON d.seq = o.seq
        WHERE b.batch_no > s.answered_batch_no
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

/// How much waits, at a cost that does not depend on how much it is.
///
/// # Errors
/// Those of the database.
pub async fn waiting(source: impl Into<Source<'_>>) -> Result<Waiting, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT
            COALESCE((SELECT MAX(o.seq) FROM outbox o), s.last_seq) - s.last_seq,
            (SELECT o.created_at_ms FROM outbox o WHERE o.seq > s.last_seq ORDER BY o.seq LIMIT 1),
            s.last_batch_no - s.answered_batch_no,
            (SELECT b.submitted_at_ms FROM batches b WHERE b.batch_no > s.answered_batch_no
                ORDER BY b.batch_no LIMIT 1)
        FROM submission s WHERE s.id = 1")
    .one(&mut reader.conn())
    .await?;
    let queued = u64::try_from(row.int(0)?).unwrap_or_default();
    Ok(Waiting {
        queued,
        oldest: row.opt_time(1)?,
        unanswered_batches: row.natural(2)?,
        unanswered_since: row.opt_time(3)?,
    })
}
