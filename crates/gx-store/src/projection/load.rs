//! Reads what blocks touch: their accounts, unless they are known, and their countries when events
//! change some.

use std::collections::{BTreeSet, HashSet};

use gx_contract::params::VelocityTax;
use gx_contract::{Effects, Event, Outcome, Posting};
use gx_types::{AccountId, CountryCode};

use crate::Error;
use crate::bulk::{Bulk, Column};
use crate::projection::block::ProjectedBlock;
use crate::projection::governance::TAX_THRESHOLD;
use crate::projection::known::Known;
use crate::projection::state::{AccountState, CountryRow, Projection, Taxation};
use crate::sql::{Conn, int, sql};

/// What the events name.
#[derive(Debug, Default)]
struct Named {
    accounts: HashSet<AccountId>,
    countries: BTreeSet<CountryCode>,
}

impl Named {
    fn event(&mut self, event: &Event) {
        self.accounts.extend(event.postings().iter().map(Posting::account));
        event.accounts(&mut |account| self.accounts.extend([account]));
        event.countries(&mut |country| self.countries.extend([country]));
    }
}

async fn taxation(conn: &mut Conn<'_>) -> Result<Taxation, Error> {
    let row = sql("SELECT paused_ms FROM system WHERE id = 1").optional(conn).await?;
    let paused_ms = row.map_or(Ok(0), |row| row.int(0))?;
    Ok(Taxation { threshold: tax_threshold(conn).await?, paused_ms })
}

/// From which balance on the velocity tax is for.
async fn tax_threshold(conn: &mut Conn<'_>) -> Result<i64, Error> {
    let row = sql("SELECT value FROM parameters WHERE param_id = $1")
        .bind(TAX_THRESHOLD)
        .optional(conn)
        .await?;
    match row {
        Some(row) => row.int(0),
        None => int(VelocityTax::default().threshold.qirat()),
    }
}

pub(super) async fn projection<'b>(
    conn: &mut Conn<'_>,
    blocks: &[ProjectedBlock<'b>],
    account_count: u64,
    known: &Known,
) -> Result<Projection<'b>, Error> {
    let mut named = Named::default();
    for result in blocks.iter().flat_map(|block| &block.record.results) {
        match &result.outcome {
            Outcome::Applied(events) => events.iter().for_each(|event| named.event(event)),
            Outcome::Refused(_) | Outcome::Repeated(_) => {}
        }
    }
    let taxation = match known.taxation() {
        Some(taxation) => taxation,
        None => taxation(conn).await?,
    };
    let mut projection = Projection::new(account_count, taxation);
    let mut ids: BTreeSet<&AccountId> = BTreeSet::new();
    for id in &named.accounts {
        match known.get(id) {
            Some(state) => drop(projection.accounts.insert(*id, state)),
            None => drop(ids.insert(id)),
        }
    }
    let rows = Bulk::new(
        "WITH input (account_id) AS ({rows})
        SELECT a.account_id, a.account_no, b.balance_qirat, b.last_entry, b.entry_count,
            CASE WHEN a.kind IN ('USER', 'ORGANIZATION') AND a.tax_exempt = 0 THEN 1 ELSE 0 END,
            b.taxable_since_ms, b.escrowed_qirat, b.taxable_for_ms,
            CASE WHEN a.frozen IS NULL THEN 0 ELSE 1 END,
            CASE WHEN a.status IS NULL OR a.status = 'ACTIVE' THEN 0 ELSE 1 END
        FROM input i JOIN accounts a ON a.account_id = i.account_id
        JOIN balances b ON b.account_no = a.account_no",
        vec![Column::Text(ids.into_iter().map(|id| id.as_str().into()).collect())],
    )
    .all(conn)
    .await?;
    projection.accounts.reserve(rows.len());
    for row in &rows {
        let state = AccountState {
            no: row.int(1)?,
            balance: row.int(2)?,
            last_entry: row.int(3)?,
            entry_count: row.int(4)?,
            taxable: row.flag(5)?,
            taxable_since: row.opt_int(6)?,
            escrowed: row.int(7)?,
            taxable_for: row.opt_int(8)?,
            frozen: row.flag(9)?,
            inactive: row.flag(10)?,
            new: None,
            touched: false,
            retimed: false,
        };
        projection.accounts.insert(row.parse(0, "account id")?, state);
    }
    countries(conn, &named, &mut projection).await?;
    Ok(projection)
}

async fn countries(
    conn: &mut Conn<'_>,
    named: &Named,
    projection: &mut Projection<'_>,
) -> Result<(), Error> {
    let codes = named.countries.iter().map(|code| code.to_string().into()).collect();
    let rows = Bulk::new(
        "WITH input (code) AS ({rows})
        SELECT c.code, c.weight, c.users, c.slots_1, c.slots_2, c.slots_3, c.slots_4, c.slots_5,
            c.slots_6, c.used_1, c.used_2, c.used_3, c.used_4, c.used_5, c.used_6
        FROM input i JOIN countries c ON c.code = i.code",
        vec![Column::Text(codes)],
    )
    .all(conn)
    .await?;
    for row in &rows {
        let mut country =
            CountryRow { weight: row.int(1)?, users: row.int(2)?, ..CountryRow::default() };
        for (column, slot) in country.slots.iter_mut().chain(&mut country.used).enumerate() {
            *slot = row.int(3 + column)?;
        }
        projection.countries.insert(row.parse(0, "country")?, country);
    }
    Ok(())
}
