//! What a request of a partner rests on: the key, its partner, and what the user has agreed to.
//! One query, as every such request asks it.

use gx_types::{AccountId, TimeMs};

use super::keys::{COLUMN_COUNT, COLUMNS, PartnerKey, key};
use super::partners::{PartnerStatus, words};
use crate::identity::users::UserStatus;
use crate::sql::{Row, sql};
use crate::{Error, Source};

/// A key and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerStanding {
    pub key: PartnerKey,
    pub status: PartnerStatus,
    /// What the partner can do at most.
    pub scopes: Vec<String>,
    /// What the user has agreed to, if there is such a user and a consent.
    pub agreed: Option<UserConsent>,
}

/// A consent, and the user as they stand now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserConsent {
    pub user_id: String,
    pub status: UserStatus,
    /// The account, once it is on the ledger.
    pub account: Option<AccountId>,
    pub scopes: Vec<String>,
    pub expires_at: TimeMs,
}

/// The standing of a key towards the user who has an id on the ledger.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    key_id: &str,
    ledger_id: Option<&AccountId>,
) -> Result<Option<PartnerStanding>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!(
        "SELECT {COLUMNS}, p.status, p.scopes, u.user_id, u.status, u.ledger_id, a.account_no,
            a.frozen, c.scopes, c.expires_at_ms
        FROM partner_keys k JOIN partners p ON p.partner_id = k.partner_id
        LEFT JOIN users u ON u.ledger_id = $2
        LEFT JOIN accounts a ON a.account_id = u.ledger_id
        LEFT JOIN partner_consents c ON c.user_id = u.user_id AND c.partner_id = p.partner_id
        WHERE k.key_id = $1"
    ))
    .bind(key_id)
    .bind(ledger_id.map(AccountId::as_str))
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(standing).transpose()
}

fn standing(row: &Row) -> Result<PartnerStanding, Error> {
    Ok(PartnerStanding {
        key: key(row)?,
        status: row.parse(COLUMN_COUNT, "status of a partner")?,
        scopes: words(row.text(COLUMN_COUNT + 1)?),
        agreed: agreed(row)?,
    })
}

fn agreed(row: &Row) -> Result<Option<UserConsent>, Error> {
    let at = |column: usize| COLUMN_COUNT + 2 + column;
    let (Some(user_id), Some(scopes)) = (row.opt_string(at(0))?, row.opt_text(at(5))?) else {
        return Ok(None);
    };
    let decision: UserStatus = row.parse(at(1), "status of a user")?;
    let on_ledger = row.opt_int(at(3))?.is_some();
    let is_frozen = row.opt_text(at(4))?.is_some();
    Ok(Some(UserConsent {
        user_id,
        status: decision.decision().status(on_ledger, is_frozen),
        account: row.opt_parse(at(2), "account id")?.filter(|_| on_ledger),
        scopes: words(scopes),
        expires_at: row.time(at(6))?,
    }))
}
