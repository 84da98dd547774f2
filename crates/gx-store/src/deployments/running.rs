//! What the promoter reads and notes. Every transaction of it proves its lease.

use gx_types::TimeMs;

use super::{
    COLUMNS, Deployment, DeploymentStatus, Level, Previous, Step, add_line, deployment, log,
};
use crate::lease::{self, Lease};
use crate::sql::sql;
use crate::{Error, Source, Store};

/// Promotions that have been begun and are not at their end.
///
/// # Errors
/// Those of the database.
pub async fn running(source: impl Into<Source<'_>>, max: u32) -> Result<Vec<Deployment>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS}, status FROM deployments
        WHERE finished_at_ms IS NULL AND step IS NOT NULL ORDER BY deployment_id LIMIT $1"
    ))
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(deployment).collect()
}

/// What comes after a step.
#[derive(Debug, Clone)]
pub struct Advance<'a> {
    /// The step that was done; a promotion that stands elsewhere meanwhile is left alone.
    pub from: Step,
    pub status: DeploymentStatus,
    /// The next step; none at the end.
    pub to: Option<Step>,
    /// What ran before, once that is known.
    pub previous: Option<&'a Previous>,
    /// Why it comes to nothing.
    pub failure: Option<&'a str>,
    /// What the log says of it.
    pub message: &'a str,
}

/// Notes that a step is done. Says whether the promotion stood there.
///
/// # Errors
/// Those of the database, and [`Error::LeaseLost`].
pub async fn advance(
    store: &Store,
    held: &Lease,
    deployment_id: &str,
    next: &Advance<'_>,
    now: TimeMs,
) -> Result<bool, Error> {
    let mut tx = store.begin().await?;
    lease::fence(&mut tx, held).await?;
    let finished = next.to.is_none().then_some(now);
    let touched = sql("UPDATE deployments SET status = $3, step = $4, step_since_ms = $5,
            previous_image = COALESCE($6, previous_image),
            previous_min_ready_seconds = COALESCE($7, previous_min_ready_seconds),
            failure = COALESCE($8, failure), finished_at_ms = $9
        WHERE deployment_id = $1 AND step = $2 AND finished_at_ms IS NULL")
    .bind(deployment_id)
    .bind(next.from.as_str())
    .bind(next.status.as_str())
    .bind(next.to.map(Step::as_str))
    .bind(now)
    .bind(next.previous.map(|previous| previous.image.as_str()))
    .bind(next.previous.map(|previous| i64::from(previous.min_ready_seconds)))
    .bind(next.failure)
    .bind(finished)
    .run(&mut tx.conn())
    .await?;
    if touched > 0 {
        let level = if next.failure.is_some() { Level::Error } else { Level::Info };
        log(&mut tx, deployment_id, (level, next.from.as_str()), next.message, now).await?;
    }
    tx.commit().await?;
    Ok(touched > 0)
}

/// Adds a line to the log, unless it says what the last one says.
///
/// # Errors
/// Those of the database, and [`Error::LeaseLost`].
pub async fn note(
    store: &Store,
    held: &Lease,
    (deployment_id, step): (&str, Step),
    (level, message): (Level, &str),
    now: TimeMs,
) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    lease::fence(&mut tx, held).await?;
    // The row is locked, so that lines are numbered one after the other.
    sql("UPDATE deployments SET step = step WHERE deployment_id = $1")
        .bind(deployment_id)
        .run(&mut tx.conn())
        .await?;
    add_line(&mut tx.conn(), deployment_id, (level, step.as_str()), message, now).await?;
    tx.commit().await
}

/// Notes what stands in the way of a promotion, as JSON.
///
/// # Errors
/// Those of the database, and [`Error::LeaseLost`].
pub async fn gates(
    store: &Store,
    held: &Lease,
    deployment_id: &str,
    gates: &str,
) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    lease::fence(&mut tx, held).await?;
    sql("UPDATE deployments SET gates = $2 WHERE deployment_id = $1")
        .bind(deployment_id)
        .bind(gates)
        .run(&mut tx.conn())
        .await?;
    tx.commit().await
}
