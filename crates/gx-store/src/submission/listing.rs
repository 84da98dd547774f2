//! The outbox as operators see it: what waits, what is on its way, what is held up, what is dead.
//!
//! Commands that have their outcome are in none of these lists. Arguments are not shown: they say
//! something of people.

use gx_types::{Actor, CommandId, Role, TimeMs};

use crate::sql::{Row, sql};
use crate::{Error, Source};

/// A list of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Accepted, and not taken yet.
    Waiting,
    /// In a batch; the outcome is not projected yet.
    Submitted,
    /// Passed over, because the lane is stuck or has older ones to send.
    Deferred,
    /// Set aside: no ledger can execute it.
    Dead,
}

impl Stage {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Submitted, Self::Deferred, Self::Dead];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Submitted => "SUBMITTED",
            Self::Deferred => "DEFERRED",
            Self::Dead => "DEAD",
        }
    }

    /// Tables in the order in which they are gone through, with the condition.
    const fn from(self) -> &'static str {
        match self {
            Self::Waiting => {
                "FROM outbox o
                LEFT JOIN dead_commands d ON d.seq = o.seq
                LEFT JOIN dead_decisions z ON z.seq = o.seq
                WHERE o.seq > (SELECT s.last_seq FROM submission s WHERE s.id = 1)"
            }
            // Of a lane, blocks come in the order of its batches: none before the last that has
            // an outcome is open.
            Self::Submitted => {
                "FROM lanes l CROSS JOIN batches b CROSS JOIN batch_ranges r CROSS JOIN outbox o
                LEFT JOIN outcomes x ON x.seq = o.seq
                LEFT JOIN dead_commands d ON d.seq = o.seq
                LEFT JOIN dead_decisions z ON z.seq = o.seq
                WHERE b.batch_no <= l.last_batch_no AND b.role = l.role
                    AND b.batch_no > COALESCE((SELECT p.batch_no FROM batches p
                        JOIN outcomes y ON y.seq = p.last_seq
                        WHERE p.role = l.role AND p.batch_no <= l.last_batch_no
                        ORDER BY p.batch_no DESC LIMIT 1), 0)
                    AND r.first_seq BETWEEN b.first_seq AND b.last_seq
                    AND r.batch_no = b.batch_no
                    AND o.seq BETWEEN r.first_seq AND r.last_seq
                    AND x.seq IS NULL AND d.seq IS NULL"
            }
            Self::Deferred => {
                "FROM deferred_commands f CROSS JOIN outbox o
                LEFT JOIN dead_commands d ON d.seq = o.seq
                LEFT JOIN dead_decisions z ON z.seq = o.seq
                WHERE o.seq = f.seq"
            }
            Self::Dead => {
                "FROM dead_commands d CROSS JOIN outbox o
                LEFT JOIN outcomes x ON x.seq = d.seq
                LEFT JOIN dead_decisions z ON z.seq = d.seq
                WHERE o.seq = d.seq AND x.seq IS NULL"
            }
        }
    }
}

impl Stage {
    /// The column that the list follows: that of the table which it begins with.
    const fn place(self) -> &'static str {
        match self {
            Self::Waiting | Self::Submitted => "o.seq",
            Self::Deferred => "f.seq",
            Self::Dead => "d.seq",
        }
    }
}

/// A command of the outbox as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub seq: i64,
    pub command_id: CommandId,
    pub actor: Actor,
    pub role: Role,
    /// `Contract:Function`.
    pub function: String,
    /// The service that accepted it.
    pub service: String,
    pub created_at: TimeMs,
    /// Why it is dead, and since when.
    pub dead: Option<(String, TimeMs)>,
    /// What is decided about it, in the words of `DeadDecision`, with the note, by whom, and when.
    pub decision: Option<(String, String, String, TimeMs)>,
}

fn listed(row: &Row) -> Result<Listed, Error> {
    let decision = match row.opt_string(9)? {
        Some(decision) => Some((decision, row.string(10)?, row.string(11)?, row.time(12)?)),
        None => None,
    };
    Ok(Listed {
        seq: row.int(0)?,
        command_id: row.parse(1, "command id")?,
        actor: row.parse(2, "actor")?,
        role: row.parse(3, "role")?,
        function: row.string(4)?,
        service: row.string(5)?,
        created_at: row.time(6)?,
        dead: row.opt_string(7)?.zip(row.opt_time(8)?),
        decision,
    })
}

/// Commands of a list that were accepted before a time, oldest first, those after the number
/// `after`.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    stage: Stage,
    accepted_before: Option<TimeMs>,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Listed>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT o.seq, o.command_id, o.actor, o.role, o.function, o.service, o.created_at_ms,
            d.reason, d.at_ms, z.decision, z.note, z.decided_by, z.decided_at_ms
        {} AND {place} > $1 AND o.created_at_ms < $2 ORDER BY {place} LIMIT $3",
        stage.from(),
        place = stage.place()
    ))
    .bind(after.unwrap_or(0))
    .bind(accepted_before.map_or(i64::MAX, |time| time.0))
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(listed).collect()
}
