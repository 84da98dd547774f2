//! What one administrator asks for and another decides on, off the ledger. What it means is the
//! server's to know; here it is asked for, decided and carried out once.

use gx_types::TimeMs;

use crate::sql::{Row, Statement, Value, sql};
use crate::{Error, Source, Tx};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApproval {
    pub approval_id: String,
    /// What is to be done, as a stable name.
    pub kind: String,
    /// Whom or what it is to be done to.
    pub target: String,
    /// The role that the target is to have, where that is what is asked for.
    pub role: Option<String>,
    /// What is to be done, for people.
    pub action: String,
    pub reason: String,
    /// Id of the administrator.
    pub requester: String,
    pub created_at: TimeMs,
    pub expires_at: TimeMs,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Rejected,
    Cancelled,
    /// Its time was over before it was decided on or carried out.
    Expired,
}

impl ApprovalStatus {
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Approved, Self::Rejected, Self::Cancelled, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| Error::corrupt("status of an approval", text))
    }
}

/// What somebody has asked for, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub asked: NewApproval,
    pub status: ApprovalStatus,
    /// Who has approved or rejected it, and when.
    pub decided: Option<(String, TimeMs)>,
    pub decision_reason: Option<String>,
    /// Who has carried it out, and when.
    pub executed: Option<(String, TimeMs)>,
}

/// Where an approval stands at the time `$1`.
const STATUS: &str = "CASE WHEN status IN ('PENDING', 'APPROVED') AND executed_at_ms IS NULL \
    AND expires_at_ms <= $1 THEN 'EXPIRED' ELSE status END";

const COLUMNS: &str = "approval_id, kind, target, role, action, reason, requester, created_at_ms, \
    expires_at_ms, decided_by, decided_at_ms, decision_reason, executed_by, executed_at_ms";

fn approval(row: &Row) -> Result<Approval, Error> {
    let by = |who, at| Ok::<_, Error>(row.opt_string(who)?.zip(row.opt_time(at)?));
    Ok(Approval {
        asked: NewApproval {
            approval_id: row.string(0)?,
            kind: row.string(1)?,
            target: row.string(2)?,
            role: row.opt_string(3)?,
            action: row.string(4)?,
            reason: row.string(5)?,
            requester: row.string(6)?,
            created_at: row.time(7)?,
            expires_at: row.time(8)?,
        },
        decided: by(9, 10)?,
        decision_reason: row.opt_string(11)?,
        executed: by(12, 13)?,
        status: ApprovalStatus::from_text(row.text(14)?)?,
    })
}

/// Asks for something, unless the requester has `open_max` open already. Says whether it was.
///
/// # Errors
/// Those of the database.
pub async fn create(tx: &mut Tx, new: &NewApproval, open_max: u64) -> Result<bool, Error> {
    let mut conn = tx.conn();
    // Of two requests of one administrator the second sees the first: the row is locked.
    sql("UPDATE admins SET updated_at_ms = updated_at_ms WHERE admin_id = $1")
        .bind(new.requester.as_str())
        .run(&mut conn)
        .await?;
    let open = sql("SELECT COUNT(*) FROM approvals
        WHERE requester = $1 AND expires_at_ms > $2 AND executed_at_ms IS NULL
            AND status IN ('PENDING', 'APPROVED')")
    .bind(new.requester.as_str())
    .bind(new.created_at)
    .one(&mut conn)
    .await?
    .natural(0)?;
    if open >= open_max {
        return Ok(false);
    }
    sql(
        "INSERT INTO approvals (approval_id, kind, target, role, action, reason, requester, status,
            created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(new.approval_id.as_str())
    .bind(new.kind.as_str())
    .bind(new.target.as_str())
    .bind(new.role.as_deref())
    .bind(new.action.as_str())
    .bind(new.reason.as_str())
    .bind(new.requester.as_str())
    .bind(ApprovalStatus::Pending.as_str())
    .bind(new.created_at)
    .bind(new.expires_at)
    .run(&mut conn)
    .await?;
    Ok(true)
}

/// An approval as it stands at a time.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    approval_id: &str,
    now: TimeMs,
) -> Result<Option<Approval>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS}, {STATUS} FROM approvals WHERE approval_id = $2"))
        .bind(now)
        .bind(approval_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(approval).transpose()
}

/// Which approvals to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListApprovals<'a> {
    pub requester: Option<&'a str>,
    pub kind: Option<&'a str>,
    pub status: Option<ApprovalStatus>,
    pub offset: u64,
    pub limit: u32,
}

/// Approvals that are counted at most: the total of a longer list is this.
const COUNTED_MAX: u32 = 1_000;

/// A page of approvals as they stand at a time, newest first, and how many fit in all, as far as
/// they are counted.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    which: ListApprovals<'_>,
    now: TimeMs,
) -> Result<(Vec<Approval>, u64), Error> {
    let mut fits = String::from("1 = 1");
    let mut values = vec![Value::from(now)];
    let asked = [
        ("requester", which.requester),
        ("kind", which.kind),
        (STATUS, which.status.map(ApprovalStatus::as_str)),
    ];
    for (what, value) in asked {
        if let Some(value) = value {
            values.push(value.into());
            fits.push_str(&format!(" AND {what} = ${}", values.len()));
        }
    }
    let places = (values.len().saturating_add(1), values.len().saturating_add(2));
    let page = format!(
        "SELECT {COLUMNS}, {STATUS} FROM approvals WHERE {fits}
        ORDER BY created_at_ms DESC, approval_id DESC LIMIT ${} OFFSET ${}",
        places.0, places.1
    );
    // The time is bound in any case, and has to be used.
    let count = format!(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM approvals WHERE {fits} AND $1 IS NOT NULL
            LIMIT {COUNTED_MAX}) counted"
    );
    let bound = |text: String| values.iter().cloned().fold(sql(text), Statement::bind);
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows =
        bound(page).bind(which.limit).bind(crate::sql::int(which.offset)?).all(&mut conn).await?;
    let total = bound(count).one(&mut conn).await?.natural(0)?;
    let approvals = rows.iter().map(approval).collect::<Result<Vec<_>, _>>()?;
    Ok((approvals, total))
}

/// Approves or rejects what somebody else asks for, while it can be. Says whether it could.
///
/// # Errors
/// Those of the database.
pub async fn vote(
    tx: &mut Tx,
    approval_id: &str,
    by: &str,
    (to, reason): (ApprovalStatus, Option<&str>),
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE approvals SET status = $2, decided_by = $3, decided_at_ms = $4,
            decision_reason = $5
        WHERE approval_id = $1 AND status = 'PENDING' AND requester <> $3
            AND expires_at_ms > $4")
    .bind(approval_id)
    .bind(to.as_str())
    .bind(by)
    .bind(now)
    .bind(reason)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes back what one has asked for, while nobody has decided on it. Says whether it could.
///
/// # Errors
/// Those of the database.
pub async fn cancel(tx: &mut Tx, approval_id: &str, by: &str, now: TimeMs) -> Result<bool, Error> {
    let touched = sql("UPDATE approvals SET status = 'CANCELLED'
        WHERE approval_id = $1 AND status = 'PENDING' AND requester = $2 AND expires_at_ms > $3")
    .bind(approval_id)
    .bind(by)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Notes that what was approved is carried out, which happens in the same transaction. Says whether
/// it may be: one at a time, once, and in time.
///
/// # Errors
/// Those of the database.
pub async fn execute(tx: &mut Tx, approval_id: &str, by: &str, now: TimeMs) -> Result<bool, Error> {
    let touched = sql("UPDATE approvals SET executed_by = $2, executed_at_ms = $3
        WHERE approval_id = $1 AND status = 'APPROVED' AND executed_at_ms IS NULL
            AND expires_at_ms > $3")
    .bind(approval_id)
    .bind(by)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}
