//! What another value of a parameter would have made of payments that were settled, and of taxes
//! that were taken.
//!
//! The newest of both are reckoned twice by the ledger's own code, with the parameters in force and
//! with the proposed value. Who was not taxed is not looked at: of a lower threshold it says what
//! those would pay who have paid. Nobody's payments are shown, only sums of a tenth of those who
//! paid.

use std::collections::BTreeMap;

use axum::extract::State;
use gx_contract::params::{Parameter, ParameterValue};
use gx_contract::{Parameters, Refused};
use gx_store::governance::parameters;
use gx_store::tax_and_fee::assessments::{self, Taxed};
use gx_store::tax_and_fee::payments::{self, Payment};
use gx_types::{AccountId, Amount};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Read, View};
use crate::http::extract::{After, Body};
use crate::http::fields::{Count, request};

/// Payments that are looked at, whatever the settings say. The same holds for taxes.
const PAYMENTS_MAX: u32 = 50_000;

/// Movements of all kinds that a payment is looked for among: each is two of them and its fee a
/// part of a third.
const MOVEMENTS_OF_ONE: u32 = 4;

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/proposals/simulate", simulate)
        .summary("What another value of a parameter would have made of fees and taxes of late")
        .sample(r#"{"targetParam": "feeP2pLocalUpperBps", "newValue": "20"}"#)
        .fails(&[(400, "value_out_of_bounds"), (422, "parameters_inconsistent")])
        .only_asks()]
}

request! {
    /// The change to try.
    pub(crate) struct SimulationBody {
        parameter as "targetParam": Parameter,
        new_value as "newValue": ParameterValue,
        /// Payments and taxes to look at, the newest first; as many as the settings allow by
        /// default, which is also the most.
        payments as "payments": Option<Count<1, PAYMENTS_MAX>>,
    }
}

/// Fees and taxes of late, and what they would have been.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimulationReply {
    target_param: &'static str,
    current_value: String,
    new_value: String,
    currency: &'static str,
    /// What these payments have cost when they were made.
    fees_charged: String,
    /// What these taxes were when they were taken.
    taxes_charged: String,
    total: Sums,
    /// Tenths of those who paid or were taxed, from who paid others least to who paid most; a tenth
    /// without anybody is left out.
    deciles: Vec<Decile>,
}

/// Sums of payments and taxes.
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
    /// How much more the fees would be; less with a minus sign.
    fees_difference: String,
    taxes: usize,
    /// With the parameters in force.
    taxes_now: String,
    /// With the value that is tried.
    taxes_proposed: String,
    /// How much more the taxes would be; less with a minus sign.
    taxes_difference: String,
    /// Of fees and taxes together.
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
    State(app): State<App>,
    _: After,
    Body(body): Body<SimulationBody>,
) -> Result<Read<SimulationReply>> {
    let mut view = View::open(app.store()).await?;
    let now = parameters::in_force(&mut view.snapshot).await?;
    let SimulationBody { parameter, new_value, payments } = body;
    let then = now.with(parameter, new_value).map_err(Refused::from)?;
    let most = app.config().governance.simulation_payments;
    let limit = payments.map_or(most, |count| count.0.min(most));
    let found = found(&mut view, most, limit).await?;
    let tried = Tried::of(&found, &now, &then)?;
    let (current_value, new_value) = (now.value(parameter).to_string(), new_value.to_string());
    Ok(view.read(tried.reply(parameter, current_value, new_value)))
}

/// What is reckoned anew.
#[derive(Debug, Default)]
struct Found {
    payments: Vec<Payment>,
    taxes: Vec<Taxed>,
}

async fn found(view: &mut View, most: u32, limit: u32) -> Result<Found> {
    let movements = most.saturating_mul(MOVEMENTS_OF_ONE);
    let payments = payments::newest(&mut view.snapshot, movements, limit).await?;
    let taxes = assessments::newest(&mut view.snapshot, limit).await?;
    Ok(Found { payments, taxes })
}

/// What somebody has paid, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Paid {
    payments: usize,
    amount: Amount,
    fees: Change,
    taxes: usize,
    taxed: Change,
}

/// A sum with the parameters in force, and with the value that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Change {
    now: Amount,
    proposed: Amount,
}

impl Change {
    fn and(self, other: Self) -> Self {
        Self { now: sum(self.now, other.now), proposed: sum(self.proposed, other.proposed) }
    }

    /// How much more is proposed; less with a minus sign.
    fn difference(self) -> String {
        match self.proposed.checked_sub(self.now) {
            Some(more) => more.to_gx(),
            None => {
                let less = self.now.checked_sub(self.proposed).unwrap_or_default();
                format!("-{}", less.to_gx())
            }
        }
    }
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
            fees: self.fees.and(other.fees),
            taxes: self.taxes.saturating_add(other.taxes),
            taxed: self.taxed.and(other.taxed),
        }
    }

    fn sums(self, payers: usize) -> Sums {
        let Self { payments, amount, fees, taxes, taxed } = self;
        Sums {
            payers,
            payments,
            amount: amount.to_gx(),
            fees_now: fees.now.to_gx(),
            fees_proposed: fees.proposed.to_gx(),
            fees_difference: fees.difference(),
            taxes,
            taxes_now: taxed.now.to_gx(),
            taxes_proposed: taxed.proposed.to_gx(),
            taxes_difference: taxed.difference(),
            difference: fees.and(taxed).difference(),
        }
    }
}

/// Payments and taxes reckoned twice, by payer.
#[derive(Debug)]
struct Tried {
    fees_charged: Amount,
    taxes_charged: Amount,
    /// In ascending order of what was paid.
    payers: Vec<Paid>,
}

impl Tried {
    fn of(found: &Found, now: &Parameters, then: &Parameters) -> Result<Self> {
        let mut payers: BTreeMap<AccountId, Paid> = BTreeMap::new();
        let (mut fees_charged, mut taxes_charged) = (Amount::ZERO, Amount::ZERO);
        for payment in &found.payments {
            let quote = |params: &Parameters| {
                let quoted = params.fees.quote(payment.from, payment.to, payment.amount);
                quoted.map(|quote| quote.fee).map_err(|code| Error::internal(code.code()))
            };
            let fees = Change { now: quote(now)?, proposed: quote(then)? };
            let one = Paid { payments: 1, amount: payment.amount, fees, ..Paid::default() };
            let payer = payers.entry(payment.payer_id).or_default();
            *payer = payer.and(one);
            fees_charged = sum(fees_charged, payment.fee);
        }
        for tax in &found.taxes {
            let assess = |params: &Parameters| {
                params.tax.assess(tax.balance).map(|(_, amount)| amount).unwrap_or_default()
            };
            let taxed = Change { now: assess(now), proposed: assess(then) };
            let payer = payers.entry(tax.account_id).or_default();
            *payer = payer.and(Paid { taxes: 1, taxed, ..Paid::default() });
            taxes_charged = sum(taxes_charged, tax.amount);
        }
        let mut payers: Vec<Paid> = payers.into_values().collect();
        payers.sort_by_key(|paid| paid.amount);
        Ok(Self { fees_charged, taxes_charged, payers })
    }

    fn reply(&self, parameter: Parameter, now: String, then: String) -> SimulationReply {
        let all = self.payers.iter().copied().fold(Paid::default(), Paid::and);
        SimulationReply {
            target_param: parameter.id(),
            current_value: now,
            new_value: then,
            currency: CURRENCY,
            fees_charged: self.fees_charged.to_gx(),
            taxes_charged: self.taxes_charged.to_gx(),
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
            fees: Change { now: Amount::from_gx(now), proposed: Amount::from_gx(proposed) },
            ..Paid::default()
        }
    }

    fn tried(payers: Vec<Paid>) -> Tried {
        Tried { fees_charged: Amount::ZERO, taxes_charged: Amount::ZERO, payers }
    }

    #[test]
    fn taxes_are_reckoned_by_the_bands_of_both() {
        let now = Parameters {
            changes: 0,
            fees: Default::default(),
            tax: Default::default(),
            loans: Default::default(),
            voting: Default::default(),
            recovery: Default::default(),
            admins: Default::default(),
            disbursement: Default::default(),
        };
        let rate = "velocityTaxBand1Bps".parse().unwrap();
        let then = now.with(rate, ParameterValue::new(500)).unwrap();
        let account_id = AccountId::treasury("DE".parse().unwrap());
        let balance = Amount::from_gx(200);
        let amount = Amount::from_gx(5);
        let taxes = vec![Taxed { account_id, balance, amount }];
        let found = Found { payments: Vec::new(), taxes };
        let twice = Tried::of(&found, &now, &then).unwrap();
        assert_eq!(twice.taxes_charged, amount);
        let sums = twice.deciles().remove(0).sums;
        assert_eq!((&*sums.taxes_now, &*sums.taxes_proposed), ("5.00", "10.00"));
        assert_eq!((&*sums.taxes_difference, &*sums.difference), ("5.00", "5.00"));
        assert_eq!((sums.payers, sums.payments, sums.taxes), (1, 0, 1));
        assert_eq!(sums.fees_difference, "0.00");
    }

    #[test]
    fn tenths_of_payers_are_summed_from_the_smallest_on() {
        let payers = (1..=20).map(|gx| paid(gx, 2, if gx > 10 { 3 } else { 1 })).collect();
        let deciles = tried(payers).deciles();
        let shown: Vec<_> = deciles.iter().map(|one| (one.decile, one.sums.payers)).collect();
        assert_eq!(shown, (1..=10).map(|decile| (decile, 2)).collect::<Vec<_>>());
        assert_eq!((&*deciles[0].sums.amount, &*deciles[0].sums.difference), ("3.00", "-2.00"));
        assert_eq!((&*deciles[9].sums.amount, &*deciles[9].sums.difference), ("39.00", "2.00"));
        let few = tried(vec![paid(1, 1, 1), paid(2, 1, 1)]);
        let shown: Vec<_> = few.deciles().iter().map(|one| one.decile).collect();
        assert_eq!(shown, [1, 6]);
        let nobody = tried(Vec::new());
        assert!(nobody.deciles().is_empty());
    }
}
