//! Guardians, and recoveries of lost keys.

use std::collections::HashMap;

use gx_contract::PublicKey;
use gx_contract::admin::OrderHash;
use gx_contract::identity::{KeyResetState, RecoveryState};
use gx_types::{AccountId, RecoveryId, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::sql::{Conn, Row, sql};
use crate::{Error, Source};

/// A recovery, with the guardians as they were when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
    /// What the user's key shall be.
    pub public_key: PublicKey,
    pub initiated_by: AccountId,
    pub initiated_at: TimeMs,
    /// Until when guardians may confirm.
    pub expires_at: TimeMs,
    /// From when on it may be completed; absent until more than half have confirmed.
    pub completable_at: Option<TimeMs>,
    pub state: RecoveryState,
    pub completed_by: Option<AccountId>,
    /// When it was completed or cancelled.
    pub ended_at: Option<TimeMs>,
    /// In the order in which the user has named them.
    pub guardians: Vec<Guardian>,
    /// The cursor of a page: larger for what began later.
    pub cursor: i64,
}

/// A guardian of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guardian {
    pub guardian_id: AccountId,
    /// When they have confirmed.
    pub confirmed_at: Option<TimeMs>,
}

const COLUMNS: &str = "r.recovery_id, r.user_id, r.public_key, r.initiated_by, \
    r.initiated_at_ms, r.expires_at_ms, r.completable_at_ms, r.state, r.completed_by, \
    r.ended_at_ms, r.created_tx";

fn recovery(row: &Row) -> Result<Recovery, Error> {
    Ok(Recovery {
        recovery_id: row.parse(0, "recovery id")?,
        user_id: row.parse(1, "account id")?,
        public_key: row.parse(2, "public key")?,
        initiated_by: row.parse(3, "account id")?,
        initiated_at: row.time(4)?,
        expires_at: row.time(5)?,
        completable_at: row.opt_time(6)?,
        state: row.named(7, "state of a recovery")?,
        completed_by: row.opt_parse(8, "account id")?,
        ended_at: row.opt_time(9)?,
        guardians: Vec::new(),
        cursor: row.int(10)?,
    })
}

/// Recoveries with their guardians.
async fn with_guardians(conn: &mut Conn<'_>, rows: &[Row]) -> Result<Vec<Recovery>, Error> {
    let mut recoveries = rows.iter().map(recovery).collect::<Result<Vec<_>, _>>()?;
    let ids = recoveries.iter().map(|found| found.recovery_id.to_string().into()).collect();
    let rows = Bulk::new(
        "WITH input (recovery_id) AS ({rows})
        SELECT g.recovery_id, g.place, g.guardian_id, k.at_ms
        FROM input i JOIN recovery_guardians g ON g.recovery_id = i.recovery_id
        LEFT JOIN blocks k ON k.number = g.confirmed_tx >> 24",
        vec![Column::Text(ids)],
    )
    .all(conn)
    .await?;
    let mut named: HashMap<RecoveryId, Vec<(i64, Guardian)>> = HashMap::new();
    for row in &rows {
        let guardian_id = row.parse(2, "account id")?;
        let guardian = Guardian { guardian_id, confirmed_at: row.opt_time(3)? };
        named.entry(row.parse(0, "recovery id")?).or_default().push((row.int(1)?, guardian));
    }
    for found in &mut recoveries {
        let mut guardians = named.remove(&found.recovery_id).unwrap_or_default();
        guardians.sort_unstable_by_key(|(place, _)| *place);
        found.guardians = guardians.into_iter().map(|(_, guardian)| guardian).collect();
    }
    Ok(recoveries)
}

/// The recovery with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, id: RecoveryId) -> Result<Option<Recovery>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!("SELECT {COLUMNS} FROM recoveries r WHERE r.recovery_id = $1"))
        .bind(id.to_string())
        .all(&mut conn)
        .await?;
    Ok(with_guardians(&mut conn, &rows).await?.pop())
}

/// The recoveries of a user's key, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn of_user(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Recovery>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM recoveries r WHERE r.user_id = $1 AND r.created_tx < $2
        ORDER BY r.created_tx DESC LIMIT $3"
    ))
    .bind(user_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .all(&mut conn)
    .await?;
    with_guardians(&mut conn, &rows).await
}

/// The recoveries that a guardian is or was asked to confirm, newest first, those before the
/// cursor.
///
/// # Errors
/// Those of the database.
pub async fn of_guardian(
    source: impl Into<Source<'_>>,
    guardian_id: &AccountId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Recovery>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM recovery_guardians g
        JOIN recoveries r ON r.recovery_id = g.recovery_id
        WHERE g.guardian_id = $1 AND g.created_tx < $2 ORDER BY g.created_tx DESC LIMIT $3"
    ))
    .bind(guardian_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .all(&mut conn)
    .await?;
    with_guardians(&mut conn, &rows).await
}

/// Whom a user has named to vouch for them, in that order, and since when. At most 20.
///
/// # Errors
/// Those of the database.
pub async fn guardians(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
) -> Result<Vec<(AccountId, TimeMs)>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT guardian_id, since_ms FROM guardians WHERE user_id = $1 ORDER BY place")
        .bind(user_id)
        .all(&mut reader.conn())
        .await?;
    rows.iter().map(|row| Ok((row.parse(0, "account id")?, row.time(1)?))).collect()
}

/// A key that two super admins have ordered for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyReset {
    pub public_key: PublicKey,
    pub order_hash: OrderHash,
    pub ordered_at: TimeMs,
    /// From when on it may be set; until then the present key may veto.
    pub completable_at: TimeMs,
    /// An open one that nobody completes within 30 days after that has lapsed.
    pub state: KeyResetState,
    /// When it was completed or cancelled.
    pub ended_at: Option<TimeMs>,
}

/// The orders to reset a user's key, newest first.
///
/// # Errors
/// Those of the database.
pub async fn key_resets(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
) -> Result<Vec<KeyReset>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT public_key, order_hash, ordered_at_ms, completable_at_ms, state,
            ended_at_ms
        FROM key_resets WHERE user_id = $1 ORDER BY ordered_tx DESC")
    .bind(user_id)
    .all(&mut reader.conn())
    .await?;
    let reset = |row: &Row| {
        Ok(KeyReset {
            public_key: row.parse(0, "public key")?,
            order_hash: row.parse(1, "order hash")?,
            ordered_at: row.time(2)?,
            completable_at: row.time(3)?,
            state: row.named(4, "state of a reset")?,
            ended_at: row.opt_time(5)?,
        })
    };
    rows.iter().map(reset).collect()
}

/// Who has named this user as a guardian, in the order of their ids, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn wards(
    source: impl Into<Source<'_>>,
    guardian_id: &AccountId,
    after: Option<&AccountId>,
    limit: u32,
) -> Result<Vec<AccountId>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT user_id FROM guardians WHERE guardian_id = $1 AND user_id > $2
        ORDER BY user_id LIMIT $3")
    .bind(guardian_id)
    .bind(after.map_or("", AccountId::as_str))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(|row| row.parse(0, "account id")).collect()
}
