//! Payments by multi-signature: those that wait for approvals, and what became of the others.

use std::collections::HashMap;

use gx_contract::Refusal;
use gx_contract::organization::PendingTxState;
use gx_types::{AccountId, Amount, CommandId, PendingTxId, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::columns::{APPROVED, REJECTED};
use crate::sql::{Conn, Row, name_of, sql};
use crate::{Error, Source};

/// A payment of an organization or of the treasury that it governs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub pending_tx_id: PendingTxId,
    /// The organization that decides.
    pub org_id: AccountId,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    pub remark: String,
    /// How many of the approvers must approve.
    pub required: u8,
    pub state: PendingTxState,
    /// Why it could not be paid when it was last tried.
    pub failure: Option<Refusal>,
    /// What it has cost; absent until it is paid.
    pub fee: Option<Amount>,
    pub initiated_by: AccountId,
    pub initiated_at: TimeMs,
    /// From then on nobody can decide on it any more.
    pub expires_at: TimeMs,
    /// When it was paid, rejected or cancelled, and by which command.
    pub settled: Option<(TimeMs, CommandId)>,
    /// In the order in which the rule names them.
    pub approvers: Vec<Approver>,
    /// The cursor of a page: larger for what was initiated later.
    pub cursor: i64,
}

/// Somebody who may decide on a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approver {
    pub approver_id: AccountId,
    /// What they have decided, and when.
    pub decision: Option<(Decision, TimeMs)>,
}

/// What an approver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Approved,
    Rejected,
}

impl Decision {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => APPROVED,
            Self::Rejected => REJECTED,
        }
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        [Self::Approved, Self::Rejected]
            .into_iter()
            .find(|decision| decision.as_str() == text)
            .ok_or_else(|| Error::corrupt("decision", text))
    }
}

impl Payment {
    /// How many have decided so.
    pub fn decisions(&self, wanted: Decision) -> usize {
        let said = |approver: &&Approver| approver.decision.is_some_and(|(it, _)| it == wanted);
        self.approvers.iter().filter(said).count()
    }
}

const COLUMNS: &str = "p.pending_tx_id, p.org_id, p.from_id, p.to_id, p.amount_qirat, p.remark, \
    p.required, p.state, p.failure, p.fee_qirat, p.initiated_by, p.initiated_at_ms, \
    p.expires_at_ms, p.settled_at_ms, t.command_id, p.created_tx";

const SETTLED: &str = "LEFT JOIN transactions t ON t.tx_no = p.settled_tx";

fn payment(row: &Row) -> Result<Payment, Error> {
    Ok(Payment {
        pending_tx_id: row.parse(0, "payment id")?,
        org_id: row.parse(1, "account id")?,
        from: row.parse(2, "account id")?,
        to: row.parse(3, "account id")?,
        amount: row.amount(4)?,
        remark: row.string(5)?,
        required: row.small(6)?,
        state: row.named(7, "state of a payment")?,
        failure: row.opt_named(8, "refusal")?,
        fee: row.opt_amount(9)?,
        initiated_by: row.parse(10, "account id")?,
        initiated_at: row.time(11)?,
        expires_at: row.time(12)?,
        settled: row.opt_time(13)?.zip(row.opt_parse(14, "command id")?),
        approvers: Vec::new(),
        cursor: row.int(15)?,
    })
}

async fn with_approvers(conn: &mut Conn<'_>, rows: &[Row]) -> Result<Vec<Payment>, Error> {
    let mut payments = rows.iter().map(payment).collect::<Result<Vec<_>, _>>()?;
    let ids = payments.iter().map(|found| found.pending_tx_id.to_string().into()).collect();
    let rows = Bulk::new(
        "WITH input (pending_tx_id) AS ({rows})
        SELECT a.pending_tx_id, a.place, a.approver_id, a.decision, k.at_ms
        FROM input i JOIN pending_transaction_approvers a ON a.pending_tx_id = i.pending_tx_id
        LEFT JOIN blocks k ON k.number = a.decided_tx >> 24",
        vec![Column::Text(ids)],
    )
    .all(conn)
    .await?;
    let mut named: HashMap<PendingTxId, Vec<(i64, Approver)>> = HashMap::new();
    for row in &rows {
        let decision = row.opt_text(3)?.map(Decision::from_text).transpose()?;
        let approver_id = row.parse(2, "account id")?;
        let approver = Approver { approver_id, decision: decision.zip(row.opt_time(4)?) };
        named.entry(row.parse(0, "payment id")?).or_default().push((row.int(1)?, approver));
    }
    for found in &mut payments {
        let mut approvers = named.remove(&found.pending_tx_id).unwrap_or_default();
        approvers.sort_unstable_by_key(|(place, _)| *place);
        found.approvers = approvers.into_iter().map(|(_, approver)| approver).collect();
    }
    Ok(payments)
}

/// The payment with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, id: PendingTxId) -> Result<Option<Payment>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM pending_transactions p {SETTLED} WHERE p.pending_tx_id = $1"
    ))
    .bind(id.to_string())
    .all(&mut conn)
    .await?;
    Ok(with_approvers(&mut conn, &rows).await?.pop())
}

/// Payments that an organization decides on, of one state or of any, newest first, those before the
/// cursor.
///
/// # Errors
/// Those of the database.
pub async fn of_organization(
    source: impl Into<Source<'_>>,
    org_id: &AccountId,
    state: Option<PendingTxState>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Payment>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM pending_transactions p {SETTLED}
        WHERE p.org_id = $1 AND p.created_tx < $2 AND ($3 = '' OR p.state = $3)
        ORDER BY p.created_tx DESC LIMIT $4"
    ))
    .bind(org_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(state.map(|state| name_of(&state)).unwrap_or_default())
    .bind(i64::from(limit))
    .all(&mut conn)
    .await?;
    with_approvers(&mut conn, &rows).await
}

/// Payments of an organization that can still be made at a time, oldest first; the ledger allows
/// 50 of them.
///
/// # Errors
/// Those of the database.
pub async fn open(
    source: impl Into<Source<'_>>,
    org_id: &AccountId,
    now: TimeMs,
) -> Result<Vec<Payment>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM pending_transactions p {SETTLED}
        WHERE p.org_id = $1 AND p.settled_tx IS NULL AND p.expires_at_ms > $2
        ORDER BY p.created_tx"
    ))
    .bind(org_id)
    .bind(now)
    .all(&mut conn)
    .await?;
    with_approvers(&mut conn, &rows).await
}

/// Open payments that an approver has not decided on at a time, newest first, those before the
/// cursor.
///
/// # Errors
/// Those of the database.
pub async fn awaiting(
    source: impl Into<Source<'_>>,
    approver_id: &AccountId,
    now: TimeMs,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Payment>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    // By the time, not the command: each payment is looked up, and the index of open ones is not
    // gone through.
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM pending_transaction_approvers x
        JOIN pending_transactions p ON p.pending_tx_id = x.pending_tx_id {SETTLED}
        WHERE x.approver_id = $1 AND x.created_tx < $2 AND x.decision IS NULL
            AND p.settled_at_ms IS NULL AND p.expires_at_ms > $3
        ORDER BY x.created_tx DESC LIMIT $4"
    ))
    .bind(approver_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(now)
    .bind(i64::from(limit))
    .all(&mut conn)
    .await?;
    with_approvers(&mut conn, &rows).await
}
