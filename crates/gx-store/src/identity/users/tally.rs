//! How many people there are, by what was decided about them.
//!
//! Nobody counts them all: whoever registers somebody or decides about them adds what has changed,
//! in the same transaction.

use std::collections::BTreeMap;

use crate::sql::sql;
use crate::{Error, Tx};

/// Adds what has changed. Always in the order of the names, so that of two that count at once none
/// holds what the other waits for.
pub(super) async fn add(tx: &mut Tx, changes: BTreeMap<&'static str, i64>) -> Result<(), Error> {
    for (status, change) in changes {
        sql("INSERT INTO user_tallies (status, people) VALUES ($1, $2)
            ON CONFLICT (status) DO UPDATE SET people = user_tallies.people + excluded.people")
        .bind(status)
        .bind(change)
        .run(&mut tx.conn())
        .await?;
    }
    Ok(())
}
