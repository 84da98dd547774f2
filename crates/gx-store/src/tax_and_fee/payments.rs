//! Payments as they were made, for those who ask what other fees would have made of them.

use gx_contract::Party;
use gx_types::{AccountId, Amount};

use crate::columns::kind_from;
use crate::sql::{Row, sql};
use crate::tokenomics::history::EntryKind;
use crate::{Error, Source};

/// A payment that was settled, with all that its fee follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    pub payer_id: AccountId,
    pub from: Party,
    pub to: Party,
    /// What the other side got.
    pub amount: Amount,
    /// What it has cost.
    pub fee: Amount,
}

/// A side of a payment from three columns.
fn party(row: &Row, first: usize) -> Result<Party, Error> {
    Ok(Party {
        kind: kind_from(row.text(first)?)?,
        account_type: row.parse(first.saturating_add(1), "account type")?,
        country: row.opt_parse(first.saturating_add(2), "country")?,
    })
}

fn payment(row: &Row) -> Result<Payment, Error> {
    let (moved, fee) = (Amount::from_qirat(row.int(7)?.unsigned_abs()), row.amount(8)?);
    Ok(Payment {
        payer_id: row.parse(0, "account id")?,
        from: party(row, 1)?,
        to: party(row, 4)?,
        amount: moved.checked_sub(fee).unwrap_or(moved),
        fee,
    })
}

/// The newest payments among the newest `looked_at` movements of all kinds, newest first. How much
/// is read is bounded, however few of the movements are payments.
///
/// # Errors
/// Those of the database.
pub async fn newest(
    source: impl Into<Source<'_>>,
    looked_at: u32,
    limit: u32,
) -> Result<Vec<Payment>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT p.account_id, p.kind, p.account_type, p.country,
            c.kind, c.account_type, c.country, e.change_qirat, e.fee_qirat
        FROM (SELECT entry_no, account_no, counterparty_no, kind, change_qirat, fee_qirat
            FROM entries ORDER BY entry_no DESC LIMIT $1) e
        JOIN accounts p ON p.account_no = e.account_no
        JOIN accounts c ON c.account_no = e.counterparty_no
        WHERE e.kind = $2 ORDER BY e.entry_no DESC LIMIT $3")
    .bind(i64::from(looked_at))
    .bind(EntryKind::Sent.as_str())
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(payment).collect()
}
