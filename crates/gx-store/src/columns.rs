//! Values as columns hold them, where writers and readers of a table must agree on the text.
//!
//! Each text stands once, here; nothing here knows a statement.

use gx_contract::GenesisStatus;
use gx_contract::freezing::{FreezeReason, FreezeReasons};
use gx_contract::state::AccountKind;

use crate::Error;
use crate::sql::Row;

/// Where a proposal stands, as the read models keep it.
pub(crate) const ACTIVE: &str = "ACTIVE";
pub(crate) const EXECUTED: &str = "EXECUTED";
pub(crate) const FAILED: &str = "FAILED";

/// What an approver has said, as the read models keep it.
pub(crate) const APPROVED: &str = "APPROVED";
pub(crate) const REJECTED: &str = "REJECTED";

pub(crate) const fn kind_text(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Pool => "POOL",
        AccountKind::Treasury => "TREASURY",
        AccountKind::User => "USER",
        AccountKind::Organization => "ORGANIZATION",
        AccountKind::Escrow => "ESCROW",
    }
}

pub(crate) fn kind_from(text: &str) -> Result<AccountKind, Error> {
    const ALL: [AccountKind; 5] = [
        AccountKind::Pool,
        AccountKind::Treasury,
        AccountKind::User,
        AccountKind::Organization,
        AccountKind::Escrow,
    ];
    ALL.into_iter()
        .find(|kind| kind_text(*kind) == text)
        .ok_or_else(|| Error::corrupt("kind of account", text))
}

/// The reasons with commas between them; `None` for none.
pub(crate) fn frozen_text(reasons: FreezeReasons) -> Option<String> {
    let names: Vec<&str> = reasons.iter().map(FreezeReason::as_str).collect();
    (!names.is_empty()).then(|| names.join(","))
}

pub(crate) fn frozen_from(text: Option<&str>) -> Result<FreezeReasons, Error> {
    let one = |name: &str| {
        let found = FreezeReason::ALL.into_iter().find(|reason| reason.as_str() == name);
        found.ok_or_else(|| Error::corrupt("freeze reason", name))
    };
    text.into_iter().flat_map(|text| text.split(',')).map(one).collect()
}

/// Status, phase and amount as columns.
pub(crate) fn genesis_columns(
    genesis: Option<GenesisStatus>,
) -> (Option<&'static str>, Option<i64>, Option<i64>) {
    match genesis {
        None => (None, None, None),
        Some(GenesisStatus::Granted { phase, amount }) => {
            (Some("GRANTED"), Some(i64::from(phase)), i64::try_from(amount.qirat()).ok())
        }
        Some(GenesisStatus::Ineligible) => (Some("INELIGIBLE"), None, None),
        Some(GenesisStatus::Exhausted) => (Some("EXHAUSTED"), None, None),
    }
}

/// Reads the three columns of genesis, the first of them at `column`.
pub(crate) fn genesis_from(row: &Row, column: usize) -> Result<Option<GenesisStatus>, Error> {
    Ok(match row.opt_text(column)? {
        None => None,
        Some("INELIGIBLE") => Some(GenesisStatus::Ineligible),
        Some("EXHAUSTED") => Some(GenesisStatus::Exhausted),
        Some("GRANTED") => {
            let phase = u8::try_from(row.int(column + 1)?)
                .map_err(|error| Error::corrupt("genesis phase", error))?;
            Some(GenesisStatus::Granted { phase, amount: row.amount(column + 2)? })
        }
        Some(text) => return Err(Error::corrupt("genesis status", text)),
    })
}
