//! Organizations with their stakeholders and rules.

use std::collections::HashMap;

use gx_contract::organization::{
    AuthRule, OrganizationKind, OrganizationStatus, ProposedChange, ProposedLadder,
};
use gx_types::{AccountId, AccountType, Actor, Amount, CountryCode, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::sql::{Conn, Row, name_of, sql};
use crate::{Error, Source};

/// An organization. Its coins are in the account of the same id, which activation opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub org_id: AccountId,
    pub name: String,
    pub kind: OrganizationKind,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub status: OrganizationStatus,
    pub proposed_by: Actor,
    pub proposed_at: TimeMs,
    pub activated_by: Option<AccountId>,
    pub activated_at: Option<TimeMs>,
    /// The rules in force, by amount; none means that every stakeholder approves every payment.
    pub ladder: Vec<AuthRule>,
    /// Since when they are in force; absent while they are as at first.
    pub ladder_since: Option<TimeMs>,
    /// Rules that not every stakeholder has approved yet.
    pub proposed: Option<ProposedLadder>,
    /// Others who are to stand for it, when not all have approved yet, and when that lapses.
    pub change: Option<(ProposedChange, TimeMs)>,
    /// In the order in which they were named.
    pub stakeholders: Vec<Stakeholder>,
    /// Zero until it is activated.
    pub balance: Amount,
    /// What its account has paid since the start of the day before the last block, by UTC.
    pub paid_since_yesterday: Amount,
    /// The cursor of a page: larger for what was proposed later.
    pub cursor: i64,
}

/// A stakeholder of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stakeholder {
    pub stakeholder_id: AccountId,
    /// When they have endorsed it.
    pub endorsed_at: Option<TimeMs>,
}

/// Which organizations to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    pub stakeholder: Option<AccountId>,
    pub status: Option<OrganizationStatus>,
    pub country: Option<CountryCode>,
}

const COLUMNS: &str = "o.org_id, o.name, o.kind, o.country, o.account_type, o.status, \
    o.proposed_by, o.proposed_at_ms, o.activated_by, o.activated_at_ms, o.ladder, \
    o.ladder_since_ms, o.proposed_ladder, o.ladder_approved_by, COALESCE(b.balance_qirat, 0), \
    o.created_tx";

/// By the day of the last block, as the ledger counts.
pub(crate) const PAID_SINCE_YESTERDAY: &str = "CAST(COALESCE((SELECT SUM(x.amount_qirat) \
    FROM pending_transactions x WHERE x.from_id = a.account_id AND x.fee_qirat IS NOT NULL \
    AND x.settled_at_ms >= (SELECT k.at_ms / 86400000 - 1 FROM blocks k \
        ORDER BY k.number DESC LIMIT 1) * 86400000), 0) AS BIGINT)";

const CHANGE: &str = "o.stakeholder_change, o.change_expires_at_ms";

const BALANCE: &str = "LEFT JOIN accounts a ON a.account_id = o.org_id \
    LEFT JOIN balances b ON b.account_no = a.account_no";

fn organization(row: &Row) -> Result<Organization, Error> {
    let ladder: Option<Vec<AuthRule>> = row.opt_json(10, "ladder")?;
    let proposed: Option<Vec<AuthRule>> = row.opt_json(12, "ladder")?;
    let approved_by: Option<Vec<AccountId>> = row.opt_json(13, "approvals")?;
    let proposed = proposed.zip(approved_by);
    Ok(Organization {
        org_id: row.parse(0, "account id")?,
        name: row.string(1)?,
        kind: row.named(2, "kind of organization")?,
        country: row.parse(3, "country")?,
        account_type: row.parse(4, "account type")?,
        status: row.named(5, "status of an organization")?,
        proposed_by: row.parse(6, "actor")?,
        proposed_at: row.time(7)?,
        activated_by: row.opt_parse(8, "account id")?,
        activated_at: row.opt_time(9)?,
        ladder: ladder.unwrap_or_default(),
        ladder_since: row.opt_time(11)?,
        proposed: proposed.map(|(ladder, approved_by)| ProposedLadder { ladder, approved_by }),
        change: row.opt_json(17, "change of stakeholders")?.zip(row.opt_time(18)?),
        stakeholders: Vec::new(),
        balance: row.amount(14)?,
        cursor: row.int(15)?,
        paid_since_yesterday: row.amount(16)?,
    })
}

async fn with_stakeholders(conn: &mut Conn<'_>, rows: &[Row]) -> Result<Vec<Organization>, Error> {
    let mut organizations = rows.iter().map(organization).collect::<Result<Vec<_>, _>>()?;
    let ids = organizations.iter().map(|found| found.org_id.as_str().to_owned().into()).collect();
    let rows = Bulk::new(
        "WITH input (org_id) AS ({rows})
        SELECT s.org_id, s.place, s.stakeholder_id, k.at_ms
        FROM input i JOIN organization_stakeholders s ON s.org_id = i.org_id
        LEFT JOIN blocks k ON k.number = s.endorsed_tx >> 24",
        vec![Column::Text(ids)],
    )
    .all(conn)
    .await?;
    let mut named: HashMap<AccountId, Vec<(i64, Stakeholder)>> = HashMap::new();
    for row in &rows {
        let stakeholder_id = row.parse(2, "account id")?;
        let stakeholder = Stakeholder { stakeholder_id, endorsed_at: row.opt_time(3)? };
        named.entry(row.parse(0, "account id")?).or_default().push((row.int(1)?, stakeholder));
    }
    for found in &mut organizations {
        let mut stakeholders = named.remove(&found.org_id).unwrap_or_default();
        stakeholders.sort_unstable_by_key(|(place, _)| *place);
        found.stakeholders = stakeholders.into_iter().map(|(_, one)| one).collect();
    }
    Ok(organizations)
}

/// The organization with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    org_id: &AccountId,
) -> Result<Option<Organization>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS}, {PAID_SINCE_YESTERDAY}, {CHANGE} FROM organizations o {BALANCE}
        WHERE o.org_id = $1"
    ))
    .bind(org_id)
    .all(&mut conn)
    .await?;
    Ok(with_stakeholders(&mut conn, &rows).await?.pop())
}

/// Organizations that fit, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Organization>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    // Those of a stakeholder are found by its rows; both tables have the number of the proposal.
    let (from, which, order) = match filter.stakeholder {
        Some(_) => (
            "organization_stakeholders x JOIN organizations o ON o.org_id = x.org_id",
            "x.stakeholder_id = $1 AND x.created_tx < $2",
            "x.created_tx",
        ),
        None => ("organizations o", "$1 = '' AND o.created_tx < $2", "o.created_tx"),
    };
    let rows = sql(format!(
        "SELECT {COLUMNS}, {PAID_SINCE_YESTERDAY}, {CHANGE} FROM {from} {BALANCE}
        WHERE {which} AND ($3 = '' OR o.status = $3) AND ($4 = '' OR o.country = $4)
        ORDER BY {order} DESC LIMIT $5"
    ))
    .bind(filter.stakeholder.as_ref().map_or("", AccountId::as_str))
    .bind(before.unwrap_or(i64::MAX))
    .bind(filter.status.map(|status| name_of(&status)).unwrap_or_default())
    .bind(filter.country.as_ref().map_or("", CountryCode::as_str))
    .bind(i64::from(limit))
    .all(&mut conn)
    .await?;
    with_stakeholders(&mut conn, &rows).await
}
