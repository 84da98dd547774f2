//! Promotions of an image from one network to the next: what was asked for, decided and done, and
//! the log of each step. What the steps mean is the promoter's to know; here they are kept.

mod running;

use gx_types::{NetworkId, TimeMs};

use crate::sql::{Conn, Row, Statement, Value, int, sql};
use crate::{Error, Source, Tx};

pub use running::{Advance, advance, gates, note, running};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    pub deployment_id: String,
    /// Name of the workload.
    pub service: String,
    pub source: NetworkId,
    pub target: NetworkId,
    /// The image by its digest, as the source runs it.
    pub image: String,
    /// The commit that it was built from, where that is known.
    pub git_commit: Option<String>,
    pub reason: String,
    /// Id of the administrator.
    pub requester: String,
    /// What stands in the way, as JSON that only the caller reads.
    pub gates: String,
    pub created_at: TimeMs,
    /// Until then it has to be approved and begun.
    pub expires_at: TimeMs,
}

/// A word that is kept as text.
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        $name:ident($what:literal) { $($(#[$of:meta])* $variant:ident = $text:literal,)+ }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            fn from_text(text: &str) -> Result<Self, Error> {
                let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
                found.ok_or_else(|| Error::corrupt($what, text))
            }
        }
    )+};
}

words! {
    /// Where a promotion stands.
    DeploymentStatus("status of a deployment") {
        PendingApproval = "PENDING_APPROVAL",
        Approved = "APPROVED",
        InProgress = "IN_PROGRESS",
        HealthCheck = "HEALTH_CHECK",
        Completed = "COMPLETED",
        /// It came to nothing; what it had changed is being taken back, if anything was.
        Failed = "FAILED",
        RolledBack = "ROLLED_BACK",
        Cancelled = "CANCELLED",
        /// Its time was over before it was begun.
        Expired = "EXPIRED",
    }

    /// What the promoter does.
    Step("step of a deployment") {
        /// Looks whether anything stands in the way.
        Gates = "GATES",
        /// Runs the image in one replica beside the others.
        Canary = "CANARY",
        /// Replaces the other replicas.
        Spread = "SPREAD",
        /// Watches whether all stay healthy.
        Watch = "WATCH",
        /// Puts the image before it back.
        Restore = "RESTORE",
    }

    /// How grave a line of the log is.
    Level("level of a log line") {
        Info = "INFO",
        Warning = "WARNING",
        Error = "ERROR",
    }
}

/// What ran before, and how it was rolled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    pub image: String,
    pub min_ready_seconds: u32,
}

/// What somebody has asked for, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub asked: NewDeployment,
    pub status: DeploymentStatus,
    /// Who has approved it, and when.
    pub decided: Option<(String, TimeMs)>,
    /// Who has had it begun, and when.
    pub executed: Option<(String, TimeMs)>,
    /// What the promoter does, and since when.
    pub step: Option<(Step, TimeMs)>,
    pub previous: Option<Previous>,
    /// Why it came to nothing, for people.
    pub failure: Option<String>,
    /// Which administrator has had it taken back, and why.
    pub taken_back: Option<(String, String)>,
    pub finished_at: Option<TimeMs>,
}

/// A line of a promotion's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub number: u64,
    pub at: TimeMs,
    pub level: Level,
    /// Word of the step, or `REQUEST` of what administrators do.
    pub step: String,
    pub message: String,
}

/// The word in the log for what administrators do.
pub const REQUEST: &str = "REQUEST";

/// Where a promotion stands at the time `$1`.
const STATUS: &str = "CASE WHEN status IN ('PENDING_APPROVAL', 'APPROVED') \
    AND expires_at_ms <= $1 THEN 'EXPIRED' ELSE status END";

const COLUMNS: &str = "deployment_id, service, source, target, image, git_commit, reason, \
    requester, gates, created_at_ms, expires_at_ms, decided_by, decided_at_ms, executed_by, \
    executed_at_ms, step, step_since_ms, previous_image, previous_min_ready_seconds, failure, \
    taken_back_by, taken_back_reason, finished_at_ms";

/// How many they are; the status comes after them.
const COLUMN_COUNT: usize = 23;

fn deployment(row: &Row) -> Result<Deployment, Error> {
    let by = |who, at| Ok::<_, Error>(row.opt_string(who)?.zip(row.opt_time(at)?));
    let previous = match row.opt_string(17)? {
        Some(image) => Some(Previous { image, min_ready_seconds: row.small(18)? }),
        None => None,
    };
    let step = row.opt_text(15)?.map(Step::from_text).transpose()?;
    Ok(Deployment {
        asked: NewDeployment {
            deployment_id: row.string(0)?,
            service: row.string(1)?,
            source: row.parse(2, "network")?,
            target: row.parse(3, "network")?,
            image: row.string(4)?,
            git_commit: row.opt_string(5)?,
            reason: row.string(6)?,
            requester: row.string(7)?,
            gates: row.string(8)?,
            created_at: row.time(9)?,
            expires_at: row.time(10)?,
        },
        decided: by(11, 12)?,
        executed: by(13, 14)?,
        step: step.zip(row.opt_time(16)?),
        previous,
        failure: row.opt_string(19)?,
        taken_back: row.opt_string(20)?.zip(row.opt_string(21)?),
        finished_at: row.opt_time(22)?,
        status: DeploymentStatus::from_text(row.text(COLUMN_COUNT)?)?,
    })
}

/// Asks for a promotion. One of the same service and network whose time is over is closed.
///
/// # Errors
/// [`Error::Unique`] while another one is open; then the transaction is of no use any more.
pub async fn create(tx: &mut Tx, new: &NewDeployment) -> Result<(), Error> {
    let mut conn = tx.conn();
    sql("UPDATE deployments SET status = 'EXPIRED', finished_at_ms = expires_at_ms
        WHERE target = $1 AND service = $2 AND finished_at_ms IS NULL
            AND status IN ('PENDING_APPROVAL', 'APPROVED') AND expires_at_ms <= $3")
    .bind(new.target.as_str())
    .bind(new.service.as_str())
    .bind(new.created_at)
    .run(&mut conn)
    .await?;
    sql("INSERT INTO deployments (deployment_id, service, source, target, image, git_commit,
            reason, requester, status, gates, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
    .bind(new.deployment_id.as_str())
    .bind(new.service.as_str())
    .bind(new.source.as_str())
    .bind(new.target.as_str())
    .bind(new.image.as_str())
    .bind(new.git_commit.as_deref())
    .bind(new.reason.as_str())
    .bind(new.requester.as_str())
    .bind(DeploymentStatus::PendingApproval.as_str())
    .bind(new.gates.as_str())
    .bind(new.created_at)
    .bind(new.expires_at)
    .run(&mut conn)
    .await?;
    Ok(())
}

/// A promotion as it stands at a time.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    deployment_id: &str,
    now: TimeMs,
) -> Result<Option<Deployment>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS}, {STATUS} FROM deployments WHERE deployment_id = $2"))
        .bind(now)
        .bind(deployment_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(deployment).transpose()
}

/// Which promotions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListDeployments<'a> {
    pub service: Option<&'a str>,
    pub target: Option<NetworkId>,
    pub status: Option<DeploymentStatus>,
    pub offset: u64,
    pub limit: u32,
}

/// A page of promotions as they stand at a time, newest first, and how many fit in all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    which: ListDeployments<'_>,
    now: TimeMs,
) -> Result<(Vec<Deployment>, u64), Error> {
    let mut fits = String::from("1 = 1");
    let mut values = vec![Value::from(now)];
    let asked = [
        ("service", which.service),
        ("target", which.target.as_ref().map(NetworkId::as_str)),
        (STATUS, which.status.map(DeploymentStatus::as_str)),
    ];
    for (what, value) in asked {
        if let Some(value) = value {
            values.push(value.into());
            fits.push_str(&format!(" AND {what} = ${}", values.len()));
        }
    }
    let places = (values.len().saturating_add(1), values.len().saturating_add(2));
    let page = format!(
        "SELECT {COLUMNS}, {STATUS} FROM deployments WHERE {fits}
        ORDER BY created_at_ms DESC, deployment_id DESC LIMIT ${} OFFSET ${}",
        places.0, places.1
    );
    // The time is bound in any case, and has to be used.
    let count = format!("SELECT COUNT(*) FROM deployments WHERE {fits} AND $1 IS NOT NULL");
    let bound = |text: String| values.iter().cloned().fold(sql(text), Statement::bind);
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = bound(page).bind(which.limit).bind(int(which.offset)?).all(&mut conn).await?;
    let total = bound(count).one(&mut conn).await?.natural(0)?;
    let deployments = rows.iter().map(deployment).collect::<Result<Vec<_>, _>>()?;
    Ok((deployments, total))
}

/// Lines of a promotion's log after the one with a number, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn logs(
    source: impl Into<Source<'_>>,
    deployment_id: &str,
    after: u64,
    max: u32,
) -> Result<Vec<LogLine>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT log_no, at_ms, level, step, message FROM deployment_logs
        WHERE deployment_id = $1 AND log_no > $2 ORDER BY log_no LIMIT $3")
    .bind(deployment_id)
    .bind(int(after)?)
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    let line = |row: &Row| {
        Ok(LogLine {
            number: row.natural(0)?,
            at: row.time(1)?,
            level: Level::from_text(row.text(2)?)?,
            step: row.string(3)?,
            message: row.string(4)?,
        })
    };
    rows.iter().map(line).collect()
}

/// The promotion of a service of a network that was begun last.
///
/// # Errors
/// Those of the database.
pub async fn last_begun(
    source: impl Into<Source<'_>>,
    target: NetworkId,
    service: &str,
) -> Result<Option<String>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT deployment_id FROM deployments
        WHERE target = $1 AND service = $2 AND executed_at_ms IS NOT NULL
        ORDER BY executed_at_ms DESC LIMIT 1")
    .bind(target.as_str())
    .bind(service)
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| row.string(0)).transpose()
}

/// Approves what somebody else asks for, while it can be. Says whether it could.
///
/// # Errors
/// Those of the database.
pub async fn approve(
    tx: &mut Tx,
    deployment_id: &str,
    by: &str,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE deployments SET status = 'APPROVED', decided_by = $2,
            decided_at_ms = $3
        WHERE deployment_id = $1 AND status = 'PENDING_APPROVAL' AND requester <> $2
            AND expires_at_ms > $3")
    .bind(deployment_id)
    .bind(by)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Calls a promotion off that has not been begun. Says whether it could be.
///
/// # Errors
/// Those of the database.
pub async fn cancel(tx: &mut Tx, deployment_id: &str, now: TimeMs) -> Result<bool, Error> {
    let touched = sql("UPDATE deployments SET status = 'CANCELLED', finished_at_ms = $2
        WHERE deployment_id = $1 AND status IN ('PENDING_APPROVAL', 'APPROVED')
            AND expires_at_ms > $2")
    .bind(deployment_id)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Hands a promotion that was approved to the promoter, once and in time. Says whether it could be.
///
/// # Errors
/// Those of the database.
pub async fn execute(
    tx: &mut Tx,
    deployment_id: &str,
    by: &str,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE deployments SET status = 'IN_PROGRESS', executed_by = $2,
            executed_at_ms = $3, step = 'GATES', step_since_ms = $3
        WHERE deployment_id = $1 AND status = 'APPROVED' AND expires_at_ms > $3")
    .bind(deployment_id)
    .bind(by)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Has the promoter put the image before it back, of a promotion that has changed something. Says
/// whether it can be.
///
/// # Errors
/// Those of the database; [`Error::Unique`] while another promotion of the service is open.
pub async fn take_back(
    tx: &mut Tx,
    deployment_id: &str,
    (by, reason): (&str, &str),
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE deployments SET status = 'IN_PROGRESS', step = 'RESTORE',
            step_since_ms = $2, taken_back_by = $3, taken_back_reason = $4, finished_at_ms = NULL
        WHERE deployment_id = $1 AND previous_image IS NOT NULL
            AND (step IS NULL OR step <> 'RESTORE')
            AND status IN ('IN_PROGRESS', 'HEALTH_CHECK', 'COMPLETED', 'FAILED')")
    .bind(deployment_id)
    .bind(now)
    .bind(by)
    .bind(reason)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Adds a line to the log of a promotion whose row the transaction has touched.
///
/// # Errors
/// Those of the database.
pub async fn log(
    tx: &mut Tx,
    deployment_id: &str,
    (level, step): (Level, &str),
    message: &str,
    now: TimeMs,
) -> Result<(), Error> {
    add_line(&mut tx.conn(), deployment_id, (level, step), message, now).await
}

/// What has been said already is not said again.
async fn add_line(
    conn: &mut Conn<'_>,
    deployment_id: &str,
    (level, step): (Level, &str),
    message: &str,
    now: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO deployment_logs (deployment_id, log_no, at_ms, level, step, message)
        SELECT d.deployment_id, d.next_no, $2, $3, $4, $5 FROM
            (SELECT deployment_id, (SELECT COALESCE(MAX(l.log_no), 0) + 1 FROM deployment_logs l
                WHERE l.deployment_id = $1) AS next_no
            FROM deployments WHERE deployment_id = $1) d
        WHERE NOT EXISTS (SELECT 1 FROM deployment_logs o
            WHERE o.deployment_id = d.deployment_id AND o.log_no = d.next_no - 1
                AND o.step = $4 AND o.message = $5)")
    .bind(deployment_id)
    .bind(now)
    .bind(level.as_str())
    .bind(step)
    .bind(message)
    .run(conn)
    .await?;
    Ok(())
}
