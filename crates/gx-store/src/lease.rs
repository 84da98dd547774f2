//! Who leads: one holder at a time, told apart by an epoch that only grows.
//!
//! Time is the database's. A leader checks its epoch inside every write transaction with
//! [`fence`]; one that was paused and wakes up after losing its lease can commit nothing.

use std::time::Duration;

use gx_types::TimeMs;

use crate::sql::sql;
use crate::{Error, Source, Store, Tx, dialect};

/// The lease of the process that sends batches to the ledger.
pub const SUBMITTER: &str = "submitter";
/// The lease of the process that fills the read models.
pub const PROJECTOR: &str = "projector";
/// The lease of the process that removes what is no longer needed.
pub const HOUSEKEEPER: &str = "housekeeper";
/// The lease of the process that asks for the tax that is due.
pub const TAX_COLLECTOR: &str = "tax_collector";
/// The lease of the process that turns what the ledger did into notifications and messages.
pub const NOTIFIER: &str = "notifier";
/// The lease of the process that sends messages to endpoints and writes mail.
pub const MESSENGER: &str = "messenger";
/// The lease of the process that delivers mail.
pub const MAIL_COURIER: &str = "mail_courier";
/// The lease of the process that delivers text messages.
pub const TEXT_COURIER: &str = "text_courier";
/// The lease of the process that carries promotions out.
pub const PROMOTER: &str = "promoter";

/// A lease that was acquired. Whether it still holds is known only inside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub name: String,
    pub holder: String,
    /// Larger than that of any earlier holder.
    pub epoch: i64,
}

/// Who holds a lease, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub holder: String,
    pub epoch: i64,
    /// By the database's clock.
    pub expires_at: TimeMs,
    pub expired: bool,
}

impl Lease {
    fn lost(&self) -> Error {
        Error::LeaseLost { name: self.name.clone(), epoch: self.epoch }
    }
}

fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)
}

/// Takes the lease over when nobody holds it. `holder` is different for every process start.
///
/// # Errors
/// Those of the database; then nothing is held.
pub async fn acquire(
    store: &Store,
    name: &str,
    holder: &str,
    ttl: Duration,
) -> Result<Option<Lease>, Error> {
    let mut tx = store.begin().await?;
    let row = sql(dialect::now(
        store.engine(),
        "INSERT INTO leases (name, holder, epoch, expires_at_ms)
        VALUES ($1, $2, 1, {now} + $3)
        ON CONFLICT (name) DO UPDATE SET
            holder = excluded.holder, epoch = leases.epoch + 1, expires_at_ms = {now} + $3
        WHERE leases.expires_at_ms <= {now}
        RETURNING epoch",
    ))
    .bind(name)
    .bind(holder)
    .bind(millis(ttl))
    .optional(&mut tx.conn())
    .await?;
    tx.commit().await?;
    row.map(|row| {
        let epoch = row.int(0)?;
        Ok(Lease { name: name.to_owned(), holder: holder.to_owned(), epoch })
    })
    .transpose()
}

/// Prolongs the lease. One that has expired is prolonged too as long as nobody else took it.
///
/// # Errors
/// [`Error::LeaseLost`] when somebody else did.
pub async fn renew(store: &Store, lease: &Lease, ttl: Duration) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let touched = sql(dialect::now(
        store.engine(),
        "UPDATE leases SET expires_at_ms = {now} + $4
        WHERE name = $1 AND holder = $2 AND epoch = $3",
    ))
    .bind(lease.name.as_str())
    .bind(lease.holder.as_str())
    .bind(lease.epoch)
    .bind(millis(ttl))
    .run(&mut tx.conn())
    .await?;
    tx.commit().await?;
    if touched == 0 { Err(lease.lost()) } else { Ok(()) }
}

/// Gives the lease up, so that another need not wait for it to expire.
///
/// # Errors
/// Those of the database; the lease then expires by itself.
pub async fn release(store: &Store, lease: &Lease) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    sql("UPDATE leases SET expires_at_ms = 0 WHERE name = $1 AND holder = $2 AND epoch = $3")
        .bind(lease.name.as_str())
        .bind(lease.holder.as_str())
        .bind(lease.epoch)
        .run(&mut tx.conn())
        .await?;
    tx.commit().await
}

/// Makes the transaction fail unless the lease is still held, and keeps it from being taken over
/// until the transaction has ended. It may have expired: what counts is that nobody took it.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn fence(tx: &mut Tx, lease: &Lease) -> Result<(), Error> {
    let mut conn = tx.conn();
    let row = sql(dialect::fence(conn.engine()))
        .bind(lease.name.as_str())
        .bind(lease.holder.as_str())
        .bind(lease.epoch)
        .optional(&mut conn)
        .await?;
    if row.is_some() { Ok(()) } else { Err(lease.lost()) }
}

/// Who holds a lease, or held it last.
///
/// # Errors
/// Those of the database.
pub async fn holder(source: impl Into<Source<'_>>, name: &str) -> Result<Option<Holder>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let row = sql(dialect::now(
        conn.engine(),
        "SELECT holder, epoch, expires_at_ms, {now} FROM leases WHERE name = $1",
    ))
    .bind(name)
    .optional(&mut conn)
    .await?;
    row.map(|row| {
        let (expires_at, now) = (row.time(2)?, row.time(3)?);
        let expired = expires_at <= now;
        Ok(Holder { holder: row.string(0)?, epoch: row.int(1)?, expires_at, expired })
    })
    .transpose()
}
