//! The keys of accounts, as the ledger has them.

use gx_contract::PublicKey;
use gx_types::AccountId;

use crate::sql::sql;
use crate::{Error, Source};

/// The key that signs what is done in a user's name; `None` when the account has none, or is no
/// user's.
///
/// # Errors
/// Those of the database.
pub async fn of(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
) -> Result<Option<PublicKey>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT public_key FROM accounts WHERE account_id = $1 AND kind = 'USER'")
        .bind(user_id)
        .optional(&mut reader.conn())
        .await?;
    Ok(row.map(|row| row.opt_parse(0, "public key")).transpose()?.flatten())
}
