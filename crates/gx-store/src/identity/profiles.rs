//! Users as the ledger knows them: standing, trust score and key.

use gx_contract::freezing::FreezeReasons;
use gx_contract::identity::AccountStatus;
use gx_contract::{GenesisStatus, PublicKey};
use gx_types::{AccountId, AccountType, CountryCode, MspId, TimeMs};

use crate::columns::{frozen_from, genesis_from};
use crate::sql::{Row, sql};
use crate::{Error, Source};

/// What the ledger knows of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub user_id: AccountId,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub created_at: TimeMs,
    pub genesis: GenesisStatus,
    pub frozen: FreezeReasons,
    pub status: AccountStatus,
    /// 0 to 100.
    pub trust_score: u8,
    /// The key that signs the user's commands, and since when.
    pub key: Option<(PublicKey, TimeMs)>,
    /// Whether the user is exempt from the velocity tax.
    pub tax_exempt: bool,
    /// The organization that speaks for the account while it has no key.
    pub custodian: MspId,
    /// The organization that may take that over.
    pub custody_offered_to: Option<MspId>,
}

fn profile(row: &Row) -> Result<Profile, Error> {
    let genesis = genesis_from(row, 4)?;
    Ok(Profile {
        user_id: row.parse(0, "account id")?,
        country: row.parse(1, "country")?,
        account_type: row.parse(2, "account type")?,
        created_at: row.time(3)?,
        genesis: genesis.ok_or_else(|| Error::corrupt("genesis status", "null"))?,
        frozen: frozen_from(row.opt_text(7)?)?,
        status: row.named(8, "status of a user")?,
        trust_score: row.small(9)?,
        key: row.opt_parse(10, "public key")?.zip(row.opt_time(11)?),
        tax_exempt: row.flag(12)?,
        custodian: row.parse(13, "MSP id")?,
        custody_offered_to: row.opt_parse(14, "MSP id")?,
    })
}

/// What the ledger knows of a user. `None` when the id is no user's.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
) -> Result<Option<Profile>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT a.account_id, a.country, a.account_type, k.at_ms, a.genesis,
            a.genesis_phase, a.genesis_qirat, a.frozen, a.status, a.trust_score, a.public_key,
            a.key_since_ms, a.tax_exempt, a.custodian, a.custody_offered_to
        FROM accounts a JOIN blocks k ON k.number = a.created_tx >> 24
        WHERE a.account_id = $1 AND a.kind = 'USER'")
    .bind(user_id)
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(profile).transpose()
}
