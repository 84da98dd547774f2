//! Where an account stands with the tax, worked out from the read models as the ledger works it out
//! from its state: a changed threshold counts at once. A test holds all answers against the
//! ledger's.

use gx_contract::params::VelocityTax;
use gx_contract::state::AccountKind;
use gx_contract::tax_and_fee::TaxStatus;
use gx_types::{Amount, TimeMs};

use crate::governance::parameters;
use crate::sql::sql;
use crate::store::Snapshot;
use crate::tax_and_fee::timers::{Timer, paused_ms};
use crate::{Error, Source};

const DAY_MS: i64 = 86_400_000;

/// What the tax is reckoned by at a time.
#[derive(Debug, Clone)]
pub struct Taxation {
    pub rules: VelocityTax,
    now: TimeMs,
    /// What the pauses so far have taken.
    paused_ms: i64,
    /// Periods before they were shortened, which timers keep that had started before a time.
    earlier: Vec<(i64, u32)>,
}

/// Where an account stands with the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub status: TaxStatus,
    /// What the tax is a part of.
    pub taxed: Amount,
    /// When the timer started, later by all rest since; absent while it rests or does not run.
    pub taxable_since: Option<TimeMs>,
    /// When the tax is due if the balance stays large.
    pub due_at: Option<TimeMs>,
    /// For how long the timer had run when it came to rest.
    pub taxable_for_ms: Option<i64>,
    /// After how many days the tax is due from this account.
    pub period_days: u32,
    /// What would be taken: rate in basis points, and amount.
    pub tax: Option<(u32, Amount)>,
}

/// What the tax is reckoned by at a time.
///
/// # Errors
/// Those of the database.
pub async fn taxation(snapshot: &mut Snapshot, now: TimeMs) -> Result<Taxation, Error> {
    let rules = parameters::in_force(&mut *snapshot).await?.tax;
    let mut reader = Source::from(&mut *snapshot).open().await?;
    let mut conn = reader.conn();
    let paused_ms = paused_ms(&mut conn, Some(now)).await?;
    let rows = sql("SELECT until_ms, days FROM tax_periods").all(&mut conn).await?;
    let earlier = rows.iter().map(|row| Ok((row.int(0)?, row.small(1)?)));
    Ok(Taxation { rules, now, paused_ms, earlier: earlier.collect::<Result<_, Error>>()? })
}

impl Taxation {
    /// Where the account of a timer stands.
    pub fn standing(&self, timer: &Timer) -> Standing {
        let running = self.now.0.saturating_sub(self.paused_ms);
        // Both are parts of the supply, which fits.
        let taxed = timer.balance.checked_add(timer.escrowed).unwrap_or(timer.balance);
        let is_taxable = match timer.kind {
            AccountKind::User | AccountKind::Organization => true,
            AccountKind::Pool | AccountKind::Treasury | AccountKind::Escrow => false,
        };
        let runs = is_taxable && !timer.exempt && taxed >= self.rules.threshold;
        let rested_from = timer.taxable_for_ms.map(|ran| running.saturating_sub(ran));
        let start = timer.started_ms.or(rested_from).unwrap_or(running);
        let period_days = self.period_days(start);
        let due = start.saturating_add(i64::from(period_days).saturating_mul(DAY_MS));
        let shown = |point: i64| TimeMs(point.saturating_add(self.paused_ms));
        let goes_on = runs && timer.may_act;
        Standing {
            status: match (is_taxable, timer.exempt, runs) {
                (false, _, _) => TaxStatus::NotTaxable,
                (true, true, _) => TaxStatus::Exempt,
                (true, false, false) => TaxStatus::BelowThreshold,
                (true, false, true) if running >= due => TaxStatus::Due,
                (true, false, true) if timer.may_act => TaxStatus::Running,
                (true, false, true) => TaxStatus::Resting,
            },
            taxed,
            taxable_since: goes_on.then(|| shown(start)),
            due_at: goes_on.then(|| shown(due)),
            taxable_for_ms: (runs && !timer.may_act).then(|| running.saturating_sub(start)),
            period_days,
            tax: if runs { self.rules.assess(taxed) } else { None },
        }
    }

    /// A shorter period is for timers that start after it, a longer one for all.
    fn period_days(&self, start: i64) -> u32 {
        let earlier = self.earlier.iter().filter(|(until, _)| start < *until);
        earlier.map(|(_, days)| *days).fold(self.rules.period_days, u32::max)
    }
}
