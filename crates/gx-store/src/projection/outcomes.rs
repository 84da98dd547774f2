//! Connects the outbox's commands with their outcomes.
//!
//! The rows of a batch stand side by side in the outbox and in its order, so that they are found
//! by the batch's ranges; commands of other batches, or of an outbox that was not here when they
//! were sent, are found by their ids. Of several outcomes the first one counts.

use std::collections::{BTreeSet, HashMap, HashSet};

use gx_contract::{CommandResult, Outcome, Refusal, Repeated};
use gx_types::{BatchId, CommandId};

use crate::Error;
use crate::bulk::{Bulk, Column};
use crate::numbering::{PLACES, numbered};
use crate::projection::block::{ProjectedBlock, stop};
use crate::sql::{Conn, Row, sql};

/// A command of the outbox and where its outcome stands.
type Link = (i64, i64);

/// A command of the outbox that had its outcome in an earlier batch.
#[derive(Debug, Clone, Copy)]
struct Again<'a> {
    block: &'a ProjectedBlock<'a>,
    seq: i64,
    result: &'a CommandResult,
    first: &'a Repeated,
}

pub(super) async fn write(conn: &mut Conn<'_>, blocks: &[ProjectedBlock<'_>]) -> Result<(), Error> {
    if sql("SELECT seq FROM outbox LIMIT 1").optional(conn).await?.is_none() {
        return Ok(());
    }
    let mut seqs: HashMap<CommandId, i64> = HashMap::new();
    let batches: BTreeSet<BatchId> = blocks.iter().map(|block| block.record.batch_id).collect();
    let column = Column::Text(batches.iter().map(|id| id.to_string().into()).collect());
    add(&mut seqs, &rows_of_batches(conn, column).await?)?;
    let results = || blocks.iter().flat_map(|block| &block.record.results);
    let unknown: Vec<CommandId> =
        results().map(|result| result.command_id).filter(|id| !seqs.contains_key(id)).collect();
    let column = Column::Text(unknown.iter().map(|id| id.to_string().into()).collect());
    add(&mut seqs, &rows_by_id(conn, column).await?)?;

    let mut links: Vec<Link> = Vec::with_capacity(seqs.len());
    let mut reused: Vec<Link> = Vec::new();
    let mut repeated: Vec<Again<'_>> = Vec::new();
    for block in blocks {
        for (index, result) in block.record.results.iter().enumerate() {
            let Some(seq) = seqs.get(&result.command_id).copied() else { continue };
            match &result.outcome {
                // The id had its outcome before, by another body; there may be a row of that.
                Outcome::Refused(refused) if refused.code == Refusal::CommandIdReused => {
                    reused.push((seq, numbered(block.number, index)?));
                }
                Outcome::Applied(_) | Outcome::Refused(_) => {
                    links.push((seq, numbered(block.number, index)?));
                }
                Outcome::Repeated(first) => repeated.push(Again { block, seq, result, first }),
            }
        }
    }
    insert(conn, "INSERT INTO outcomes (seq, tx_no) {rows}", links).await?;
    insert(conn, UNLESS_THERE, reused).await?;
    if repeated.is_empty() { Ok(()) } else { first_outcomes(conn, repeated).await }
}

fn add(seqs: &mut HashMap<CommandId, i64>, rows: &[Row]) -> Result<(), Error> {
    seqs.reserve(rows.len());
    for row in rows {
        seqs.insert(row.parse(1, "command id")?, row.int(0)?);
    }
    Ok(())
}

async fn rows_of_batches(conn: &mut Conn<'_>, batch_ids: Column<'_>) -> Result<Vec<Row>, Error> {
    Bulk::new(
        "WITH input (batch_id) AS ({rows})
        SELECT o.seq, o.command_id
        FROM input i CROSS JOIN batches b CROSS JOIN batch_ranges r CROSS JOIN outbox o
        WHERE b.batch_id = i.batch_id
            AND r.first_seq BETWEEN b.first_seq AND b.last_seq AND r.batch_no = b.batch_no
            AND o.seq BETWEEN r.first_seq AND r.last_seq",
        vec![batch_ids],
    )
    .all(conn)
    .await
}

async fn rows_by_id(conn: &mut Conn<'_>, command_ids: Column<'_>) -> Result<Vec<Row>, Error> {
    Bulk::new(
        "WITH input (command_id) AS ({rows})
        SELECT o.seq, o.command_id
        FROM input i JOIN outbox o ON o.command_id = i.command_id",
        vec![command_ids],
    )
    .all(conn)
    .await
}

const UNLESS_THERE: &str = "INSERT INTO outcomes (seq, tx_no) {rows} ON CONFLICT (seq) DO NOTHING";

async fn insert(
    conn: &mut Conn<'_>,
    template: &'static str,
    mut links: Vec<Link>,
) -> Result<(), Error> {
    links.sort_unstable();
    Bulk::new(
        template,
        vec![
            Column::Int(links.iter().map(|(seq, _)| *seq).collect()),
            Column::Int(links.iter().map(|(_, tx)| *tx).collect()),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}

/// Commands that came again: those whose first outcome is not connected yet get it from the batch
/// that had it.
async fn first_outcomes(conn: &mut Conn<'_>, repeated: Vec<Again<'_>>) -> Result<(), Error> {
    let column = Column::Int(repeated.iter().map(|again| again.seq).collect());
    let rows = Bulk::new(
        "WITH input (seq) AS ({rows})
        SELECT o.seq FROM input i JOIN outcomes o ON o.seq = i.seq",
        vec![column],
    )
    .all(conn)
    .await?;
    let done = rows.iter().map(|row| row.int(0)).collect::<Result<HashSet<_>, _>>()?;
    let wanted: Vec<Again<'_>> =
        repeated.into_iter().filter(|again| !done.contains(&again.seq)).collect();
    let batches: BTreeSet<BatchId> = wanted.iter().map(|again| again.first.batch_id).collect();
    let mut places: HashMap<CommandId, i64> = HashMap::new();
    for batch_id in batches {
        let rows = sql("SELECT t.command_id, t.tx_no FROM blocks b CROSS JOIN transactions t
            WHERE b.batch_id = $1 AND t.state <> 'REPEATED'
                AND t.tx_no >= b.number * $2 AND t.tx_no < (b.number + 1) * $2")
        .bind(batch_id.to_string())
        .bind(PLACES)
        .all(conn)
        .await?;
        for row in &rows {
            places.insert(row.parse(0, "command id")?, row.int(1)?);
        }
    }
    let link = |again: &Again<'_>| {
        let (id, batch_id) = (again.result.command_id, again.first.batch_id);
        let place = places.get(&id).copied().ok_or_else(|| {
            stop(again.block, id, format!("no applied block has batch {batch_id} with it"))
        })?;
        Ok((again.seq, place))
    };
    let links = wanted.iter().map(link).collect::<Result<Vec<Link>, Error>>()?;
    insert(conn, UNLESS_THERE, links).await
}
