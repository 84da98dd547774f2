//! Escrows: by id, and of whoever pays, is paid or decides.

use gx_contract::escrow::EscrowState;
use gx_types::{AccountId, Amount, EscrowId, TimeMs};

use crate::sql::{Row, sql};
use crate::{Error, Source};

/// Coins that wait, or have waited, between two accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escrow {
    pub escrow_id: EscrowId,
    pub payer_id: AccountId,
    pub payee_id: AccountId,
    pub arbiter_id: Option<AccountId>,
    /// What the payee gets.
    pub amount: Amount,
    /// What waits beside it.
    pub fee: Amount,
    pub remark: String,
    pub state: EscrowState,
    pub opened_at: TimeMs,
    /// From then on anybody may give the coins back.
    pub expires_at: TimeMs,
    /// When it was released or refunded, and by whom.
    pub settled: Option<(TimeMs, AccountId)>,
    /// The cursor of a page: larger for what was opened later.
    pub cursor: i64,
}

const COLUMNS: &str = "escrow_id, payer_id, payee_id, arbiter_id, amount_qirat, fee_qirat, remark, \
    state, opened_at_ms, expires_at_ms, settled_at_ms, settled_by, created_tx";

fn escrow(row: &Row) -> Result<Escrow, Error> {
    Ok(Escrow {
        escrow_id: row.parse(0, "escrow id")?,
        payer_id: row.parse(1, "account id")?,
        payee_id: row.parse(2, "account id")?,
        arbiter_id: row.opt_parse(3, "account id")?,
        amount: row.amount(4)?,
        fee: row.amount(5)?,
        remark: row.string(6)?,
        state: row.named(7, "state of an escrow")?,
        opened_at: row.time(8)?,
        expires_at: row.time(9)?,
        settled: row.opt_time(10)?.zip(row.opt_parse(11, "account id")?),
        cursor: row.int(12)?,
    })
}

/// The escrow with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, id: EscrowId) -> Result<Option<Escrow>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM escrows WHERE escrow_id = $1"))
        .bind(id.to_string())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(escrow).transpose()
}

/// Escrows that an account pays, is paid by or decides on, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn of_party(
    source: impl Into<Source<'_>>,
    party: &AccountId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Escrow>, Error> {
    let mut reader = source.into().open().await?;
    // A part for each index, and no escrow in two: payer, payee and arbiter are three.
    let part = |column: &str| {
        format!(
            "SELECT * FROM (SELECT {COLUMNS} FROM escrows WHERE {column} = $1 AND created_tx < $2
            ORDER BY created_tx DESC LIMIT $3) {column}_rows"
        )
    };
    let parts = ["payer_id", "payee_id", "arbiter_id"].map(part).join(" UNION ALL ");
    let rows = sql(format!("{parts} ORDER BY created_tx DESC LIMIT $3"))
        .bind(party)
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .all(&mut reader.conn())
        .await?;
    rows.iter().map(escrow).collect()
}
