//! People who come with their accounts, many at once: from another platform, or as load.

use std::collections::BTreeMap;

use gx_types::AccountId;

use super::{NewUser, tally};
use crate::bulk::{Bulk, Column};
use crate::login::credentials::{self, PasswordHash};
use crate::{Error, Tx};

/// Registers people whose accounts have their ids already, and perhaps stand on the ledger.
///
/// # Errors
/// [`Error::Unique`] when somebody has an e-mail address, phone or account of theirs; then the
/// transaction is of no use any more.
pub async fn import(tx: &mut Tx, people: &[(NewUser, AccountId)]) -> Result<(), Error> {
    let text = |value: fn(&NewUser) -> &str| {
        Column::Text(people.iter().map(|(new, _)| value(new).into()).collect())
    };
    let optional = |value: fn(&NewUser) -> Option<&str>| {
        Column::OptText(people.iter().map(|(new, _)| value(new).map(Into::into)).collect())
    };
    let at = || Column::Int(people.iter().map(|(new, _)| new.created_at.0).collect());
    Bulk::new(
        "WITH input (user_id, email, phone, first_name, last_name, country, gender, date_of_birth,
            status, identity_hash, ledger_id, created_at_ms, updated_at_ms) AS ({rows})
        INSERT INTO users (user_id, email, phone, first_name, last_name, country, gender,
            date_of_birth, status, identity_hash, ledger_id, created_at_ms, updated_at_ms,
            awaits_account)
        SELECT i.user_id, i.email, i.phone, i.first_name, i.last_name, i.country, i.gender,
            i.date_of_birth, i.status, i.identity_hash, i.ledger_id, i.created_at_ms,
            i.updated_at_ms, CASE WHEN a.account_no IS NULL THEN 1 ELSE 0 END
        FROM input i LEFT JOIN accounts a ON a.account_id = i.ledger_id",
        vec![
            text(|new| &new.user_id),
            text(|new| &new.email),
            optional(|new| new.phone.as_deref()),
            text(|new| &new.first_name),
            text(|new| &new.last_name),
            text(|new| new.country.as_str()),
            optional(|new| new.gender.as_deref()),
            text(|new| &new.date_of_birth),
            text(|new| new.decision.as_str()),
            text(|new| &new.identity_hash),
            Column::Text(people.iter().map(|(_, account)| account.as_str().into()).collect()),
            at(),
            at(),
        ],
    )
    .run(&mut tx.conn())
    .await?;
    let passwords: Vec<_> = people
        .iter()
        .map(|(new, _)| {
            let password = PasswordHash { hash: &new.password_hash, must_change: false };
            (new.user_id.as_str(), password, new.created_at)
        })
        .collect();
    credentials::create_many(tx, &passwords).await?;
    let mut changes: BTreeMap<_, i64> = BTreeMap::new();
    for (new, _) in people {
        *changes.entry(new.decision.as_str()).or_default() += 1;
    }
    tally::add(tx, changes).await
}
