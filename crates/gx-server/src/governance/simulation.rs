//! What another value of a parameter would have made of payments that were settled.
//!
//! The newest payments are quoted twice by the ledger's own code, with the parameters in force and
//! with the proposed value. Nobody's payments are shown, only sums of a tenth of those who paid.

use std::collections::BTreeMap;

use axum::extract::State;
use gx_contract::params::{Parameter, ParameterValue};
use gx_contract::{FeeSchedule, Refused};
use gx_store::Store;
use gx_store::governance::parameters;
use gx_store::tax_and_fee::payments::{self, Payment};
use gx_types::{AccountId, Amount};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Read, View};
use crate::http::extract::{After, Body};
use crate::http::fields::{Count, request};

/// Payments that are looked at, at most.
const PAYMENTS_MAX: u32 = 5_000;

/// Movements of all kinds that these are looked for among: each payment is two of them and its fee
/// a part of a third.
const MOVEMENTS_MAX: u32 = 4 * PAYMENTS_MAX;

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/proposals/simulate", simulate)
        .summary("What another value of a parameter would have made of the fees of late")
        .sample(r#"{"targetParam": "feeP2pLocalUpperBps", "newValue": "20"}"#)
        .fails(&[(400, "value_out_of_bounds"), (422, "parameters_inconsistent")])
        .only_asks()]
}

request! {
    /// The change to try.
    pub(crate) struct SimulationBody {
        parameter as "targetParam": Parameter,
        new_value as "newValue": ParameterValue,
        /// Payments to look at, the newest first; 5,000 by default.
        payments as "payments": Option<Count<1, PAYMENTS_MAX>>,
    }
}

/// The fees of late, and what they would have been.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimulationReply {
    target_param: &'static str,
    current_value: String,
    new_value: String,
    currency: &'static str,
    /// What these payments have cost when they were made.
    fees_charged: String,
    total: Sums,
    /// Tenths of those who paid, from who paid least to who paid most; a tenth without anybody is
    /// left out.
    deciles: Vec<Decile>,
}

/// Sums of payments.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sums {
    payers: usize,
    payments: usize,
    amount: String,
    /// With the parameters in force.
    fees_now: String,
    /// With the value that is tried.
    fees_proposed: String,
    /// How much more they would be; less with a minus sign.
    difference: String,
}

/// A tenth of those who paid.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decile {
    /// From 1 to 10.
    decile: usize,
    #[serde(flatten)]
    sums: Sums,
}

/// `POST /proposals/simulate`
async fn simulate(
    _: Caller,
    State(store): State<Store>,
    _: After,
    Body(body): Body<SimulationBody>,
) -> Result<Read<SimulationReply>> {
    let mut view = View::open(&store).await?;
    let now = parameters::in_force(&mut view.snapshot).await?;
    let SimulationBody { parameter, new_value, .. } = body;
    let then = now.with(parameter, new_value).map_err(Refused::from)?;
    let limit = body.payments.map_or(PAYMENTS_MAX, |count| count.0);
    let found = payments::newest(&mut view.snapshot, MOVEMENTS_MAX, limit).await?;
    let tried = Tried::of(&found, &now.fees, &then.fees)?;
    let (current_value, new_value) = (now.value(parameter).to_string(), new_value.to_string());
    Ok(view.read(tried.reply(parameter, current_value, new_value)))
}

/// What somebody has paid, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Paid {
    payments: usize,
    amount: Amount,
    fees_now: Amount,
    fees_proposed: Amount,
}

/// A sum; turnover may be larger than the supply, and is shown as the largest amount there is then.
fn sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::from_qirat(u64::MAX))
}

impl Paid {
    fn and(self, other: Self) -> Self {
        Self {
            payments: self.payments.saturating_add(other.payments),
            amount: sum(self.amount, other.amount),
            fees_now: sum(self.fees_now, other.fees_now),
            fees_proposed: sum(self.fees_proposed, other.fees_proposed),
        }
    }

    fn sums(self, payers: usize) -> Sums {
        let Self { payments, amount, fees_now, fees_proposed } = self;
        let more = fees_proposed.checked_sub(fees_now).map(Amount::to_gx);
        let less = || fees_now.checked_sub(fees_proposed).unwrap_or_default().to_gx();
        Sums {
            payers,
            payments,
            amount: amount.to_gx(),
            fees_now: fees_now.to_gx(),
            fees_proposed: fees_proposed.to_gx(),
            difference: more.unwrap_or_else(|| format!("-{}", less())),
        }
    }
}

/// Payments quoted twice, by payer.
#[derive(Debug)]
struct Tried {
    charged: Amount,
    /// In ascending order of what was paid.
    payers: Vec<Paid>,
}

impl Tried {
    fn of(found: &[Payment], now: &FeeSchedule, then: &FeeSchedule) -> Result<Self> {
        let mut payers: BTreeMap<AccountId, Paid> = BTreeMap::new();
        let mut charged = Amount::ZERO;
        for payment in found {
            let quote = |fees: &FeeSchedule| {
                let quoted = fees.quote(payment.from, payment.to, payment.amount);
                quoted.map(|quote| quote.fee).map_err(|code| Error::internal(code.code()))
            };
            let (fees_now, fees_proposed) = (quote(now)?, quote(then)?);
            let one = Paid { payments: 1, amount: payment.amount, fees_now, fees_proposed };
            let payer = payers.entry(payment.payer_id).or_default();
            *payer = payer.and(one);
            charged = sum(charged, payment.fee);
        }
        let mut payers: Vec<Paid> = payers.into_values().collect();
        payers.sort_by_key(|paid| paid.amount);
        Ok(Self { charged, payers })
    }

    fn reply(&self, parameter: Parameter, now: String, then: String) -> SimulationReply {
        let all = self.payers.iter().copied().fold(Paid::default(), Paid::and);
        SimulationReply {
            target_param: parameter.id(),
            current_value: now,
            new_value: then,
            currency: CURRENCY,
            fees_charged: self.charged.to_gx(),
            total: all.sums(self.payers.len()),
            deciles: self.deciles(),
        }
    }

    fn deciles(&self) -> Vec<Decile> {
        let mut tenths = [(0_usize, Paid::default()); 10];
        let count = self.payers.len().max(1);
        for (place, paid) in self.payers.iter().enumerate() {
            if let Some((payers, sums)) = tenths.get_mut(place.saturating_mul(10) / count) {
                *payers = payers.saturating_add(1);
                *sums = sums.and(*paid);
            }
        }
        let tenths = tenths.into_iter().zip(1..).filter(|((payers, _), _)| *payers > 0);
        tenths.map(|((payers, paid), decile)| Decile { decile, sums: paid.sums(payers) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(gx: u64, now: u64, proposed: u64) -> Paid {
        Paid {
            payments: 1,
            amount: Amount::from_gx(gx),
            fees_now: Amount::from_gx(now),
            fees_proposed: Amount::from_gx(proposed),
        }
    }

    #[test]
    fn tenths_of_payers_are_summed_from_the_smallest_on() {
        let payers = (1..=20).map(|gx| paid(gx, 2, if gx > 10 { 3 } else { 1 })).collect();
        let tried = Tried { charged: Amount::ZERO, payers };
        let deciles = tried.deciles();
        let shown: Vec<_> = deciles.iter().map(|one| (one.decile, one.sums.payers)).collect();
        assert_eq!(shown, (1..=10).map(|decile| (decile, 2)).collect::<Vec<_>>());
        assert_eq!((&*deciles[0].sums.amount, &*deciles[0].sums.difference), ("3.00", "-2.00"));
        assert_eq!((&*deciles[9].sums.amount, &*deciles[9].sums.difference), ("39.00", "2.00"));
        let few = Tried { charged: Amount::ZERO, payers: vec![paid(1, 1, 1), paid(2, 1, 1)] };
        let shown: Vec<_> = few.deciles().iter().map(|one| one.decile).collect();
        assert_eq!(shown, [1, 6]);
        let nobody = Tried { charged: Amount::ZERO, payers: Vec::new() };
        assert!(nobody.deciles().is_empty());
    }
}
