//! Administrators on the ledger, the actions that two of them decide on, and disbursements.

use gx_contract::PublicKey;
use gx_contract::admin::{OrderHash, OrderReason};
use gx_contract::state::AdminLevel;
use gx_types::{AccountId, ActionId, AdminId, Amount, CommandId, Pool, TimeMs};

use crate::sql::{Row, sql};
use crate::{Error, Source};

/// An administrator on the ledger, in office or not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerAdmin {
    pub admin_id: AdminId,
    pub level: AdminLevel,
    /// The admin's own account, when they named one.
    pub account_id: Option<AccountId>,
    pub appointed_at: TimeMs,
    /// Absent while in office.
    pub removed_at: Option<TimeMs>,
    /// What the admin signs with; absent while they have no key.
    pub public_key: Option<PublicKey>,
}

/// An action that needs two admins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub action_id: ActionId,
    /// `Contract:Function` of what the approval runs, and the JSON object of its arguments.
    pub function: String,
    pub args: String,
    pub proposed_by: AdminId,
    pub proposed_at: TimeMs,
    /// From then on it can't be approved any more.
    pub expires_at: TimeMs,
    /// From when on the proposer may approve it alone; absent if never.
    pub alone_from: Option<TimeMs>,
    /// By whom and when it was approved, and so carried out.
    pub approval: Option<(AdminId, TimeMs)>,
    /// By whom and when it was withdrawn, if by its proposer, or else rejected.
    pub closure: Option<(AdminId, TimeMs)>,
    /// The cursor of a page: larger for what was proposed later.
    pub cursor: i64,
}

/// What admins have paid out of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disbursement {
    pub command_id: CommandId,
    pub pool: Pool,
    pub recipient_id: AccountId,
    pub amount: Amount,
    pub purpose: String,
    pub at: TimeMs,
    /// The cursor of a page.
    pub cursor: i64,
}

/// Coins that two super admins have moved by order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub command_id: CommandId,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    pub reason: OrderReason,
    /// Of the document.
    pub order_hash: OrderHash,
    pub at: TimeMs,
    /// The cursor of a page.
    pub cursor: i64,
}

const ADMIN: &str = "SELECT admin_id, level, account_id, appointed_at_ms, removed_at_ms, \
    public_key FROM ledger_admins";

fn admin(row: &Row) -> Result<LedgerAdmin, Error> {
    Ok(LedgerAdmin {
        admin_id: row.parse(0, "admin id")?,
        level: row.named(1, "level of an admin")?,
        account_id: row.opt_parse(2, "account id")?,
        appointed_at: row.time(3)?,
        removed_at: row.opt_time(4)?,
        public_key: row.opt_parse(5, "public key")?,
    })
}

/// The administrator with this id.
///
/// # Errors
/// Those of the database.
pub async fn get_admin(
    source: impl Into<Source<'_>>,
    admin_id: &AdminId,
) -> Result<Option<LedgerAdmin>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{ADMIN} WHERE admin_id = $1"))
        .bind(admin_id.as_str())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(admin).transpose()
}

/// Administrators in the order of their ids, those after `after`; those who are not in office any
/// more only if asked for.
///
/// # Errors
/// Those of the database.
pub async fn admins(
    source: impl Into<Source<'_>>,
    removed_too: bool,
    after: Option<&AdminId>,
    limit: u32,
) -> Result<Vec<LedgerAdmin>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "{ADMIN} WHERE admin_id > $1 AND ($2 = 1 OR removed_at_ms IS NULL)
        ORDER BY admin_id LIMIT $3"
    ))
    .bind(after.map_or("", AdminId::as_str))
    .bind(removed_too)
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(admin).collect()
}

const ACTION: &str = "SELECT action_id, function, args, proposed_by, proposed_at_ms, \
    expires_at_ms, approved_by, approved_at_ms, closed_by, closed_at_ms, created_tx, \
    alone_from_ms FROM pending_actions";

fn action(row: &Row) -> Result<Action, Error> {
    Ok(Action {
        action_id: row.parse(0, "action id")?,
        function: row.string(1)?,
        args: row.string(2)?,
        proposed_by: row.parse(3, "admin id")?,
        proposed_at: row.time(4)?,
        expires_at: row.time(5)?,
        approval: row.opt_parse(6, "admin id")?.zip(row.opt_time(7)?),
        closure: row.opt_parse(8, "admin id")?.zip(row.opt_time(9)?),
        cursor: row.int(10)?,
        alone_from: row.opt_time(11)?,
    })
}

/// The action with this id.
///
/// # Errors
/// Those of the database.
pub async fn get_action(
    source: impl Into<Source<'_>>,
    id: ActionId,
) -> Result<Option<Action>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{ACTION} WHERE action_id = $1"))
        .bind(id.to_string())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(action).transpose()
}

/// Actions, newest first, those before the cursor; with `open_at` only those that can be approved
/// at that time.
///
/// # Errors
/// Those of the database.
pub async fn actions(
    source: impl Into<Source<'_>>,
    open_at: Option<TimeMs>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Action>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "{ACTION} WHERE created_tx < $1
            AND ($2 = 0 OR (approved_by IS NULL AND closed_by IS NULL AND expires_at_ms > $3))
        ORDER BY created_tx DESC LIMIT $4"
    ))
    .bind(before.unwrap_or(i64::MAX))
    .bind(open_at.is_some())
    .bind(open_at.unwrap_or_default())
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(action).collect()
}

/// Coins moved by order, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn orders(
    source: impl Into<Source<'_>>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Order>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT t.command_id, o.from_id, o.to_id, o.amount_qirat, o.reason,
            o.order_hash, o.at_ms, o.tx_no
        FROM order_transfers o JOIN transactions t ON t.tx_no = o.tx_no
        WHERE o.tx_no < $1 ORDER BY o.tx_no DESC LIMIT $2")
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    let order = |row: &Row| {
        Ok(Order {
            command_id: row.parse(0, "command id")?,
            from: row.parse(1, "account id")?,
            to: row.parse(2, "account id")?,
            amount: row.amount(3)?,
            reason: row.named(4, "reason of an order")?,
            order_hash: row.parse(5, "hash of an order")?,
            at: row.time(6)?,
            cursor: row.int(7)?,
        })
    };
    rows.iter().map(order).collect()
}

/// Disbursements, of one pool or of all, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn disbursements(
    source: impl Into<Source<'_>>,
    pool: Option<Pool>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Disbursement>, Error> {
    let mut reader = source.into().open().await?;
    let wanted = pool.map(Pool::account);
    let rows = sql("SELECT t.command_id, d.pool_id, d.recipient_id, d.amount_qirat, d.purpose,
            d.at_ms, d.tx_no
        FROM disbursements d JOIN transactions t ON t.tx_no = d.tx_no
        WHERE d.tx_no < $1 AND ($2 = '' OR d.pool_id = $2) ORDER BY d.tx_no DESC LIMIT $3")
    .bind(before.unwrap_or(i64::MAX))
    .bind(wanted.as_ref().map_or("", AccountId::as_str))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    let disbursement = |row: &Row| {
        Ok(Disbursement {
            command_id: row.parse(0, "command id")?,
            pool: row.parse(1, "pool")?,
            recipient_id: row.parse(2, "account id")?,
            amount: row.amount(3)?,
            purpose: row.string(4)?,
            at: row.time(5)?,
            cursor: row.int(6)?,
        })
    };
    rows.iter().map(disbursement).collect()
}
