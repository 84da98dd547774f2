//! What a payment costs: basis points of the whole amount, rounded up, on top, by the sender.

use gx_types::{AccountType, Amount, CountryCode};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::params::FeeSchedule;
use crate::state::{Account, AccountKind};

/// What kind of payment it is; found by the contract, never given by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum TransferType {
    P2P,
    #[serde(rename = "MERCHANT")]
    Merchant,
    #[serde(rename = "GOVERNMENT")]
    Government,
    B2B,
    /// A pool, a treasury or another account of the system is on one side: free of fees.
    #[serde(rename = "SYSTEM")]
    System,
}

/// Whether both accounts belong to one country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    Local,
    CrossBorder,
}

impl FeeSchedule {
    /// The rate for an amount, in basis points.
    pub fn rate(&self, kind: TransferType, scope: Scope, amount: Amount) -> u32 {
        let pick = |(local, cross_border): (u32, u32)| match scope {
            Scope::Local => local,
            Scope::CrossBorder => cross_border,
        };
        match kind {
            TransferType::System => 0,
            TransferType::P2P if scope == Scope::Local && amount < self.free_below => 0,
            TransferType::P2P if amount <= self.lower_tier_to => {
                pick((self.p2p_local_lower, self.p2p_cross_border_lower))
            }
            TransferType::P2P => pick((self.p2p_local_upper, self.p2p_cross_border_upper)),
            TransferType::Merchant => pick((self.merchant_local, self.merchant_cross_border)),
            TransferType::Government => pick((self.government_local, self.government_cross_border)),
            TransferType::B2B => pick((self.b2b_local, self.b2b_cross_border)),
        }
    }

    /// All rates, in basis points.
    pub(crate) fn rates(&self) -> [u32; 10] {
        [
            self.p2p_local_lower,
            self.p2p_local_upper,
            self.p2p_cross_border_lower,
            self.p2p_cross_border_upper,
            self.merchant_local,
            self.merchant_cross_border,
            self.government_local,
            self.government_cross_border,
            self.b2b_local,
            self.b2b_cross_border,
        ]
    }

    /// The fee of a payment between two accounts, with the type and scope that it follows from.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] when the fee or the total does not fit 64 bits.
    pub fn quote(
        &self,
        from: impl Into<Party>,
        to: impl Into<Party>,
        amount: Amount,
    ) -> Result<Quote, Refusal> {
        let (from, to) = (from.into(), to.into());
        let (kind, scope) = (transfer_type(from, to), scope(from, to));
        let rate = self.rate(kind, scope, amount);
        let fee = amount.basis_points_ceil(rate).ok_or(Refusal::AmountOverflow)?;
        let total = amount.checked_add(fee).ok_or(Refusal::AmountOverflow)?;
        Ok(Quote { kind, scope, rate, fee, total })
    }
}

/// What of an account decides what its payments cost. Whoever knows this of both sides, from
/// wherever, gets the fee that the ledger will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    pub kind: AccountKind,
    pub account_type: AccountType,
    /// Absent for pools.
    pub country: Option<CountryCode>,
}

impl From<&Account> for Party {
    fn from(account: &Account) -> Self {
        let Account { kind, account_type, country, .. } = *account;
        Self { kind, account_type, country }
    }
}

/// What a payment will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub kind: TransferType,
    pub scope: Scope,
    /// In basis points.
    pub rate: u32,
    pub fee: Amount,
    /// Amount and fee: what the sender pays.
    pub total: Amount,
}

fn transfer_type(from: Party, to: Party) -> TransferType {
    let system = |party: Party| match party.kind {
        AccountKind::Pool | AccountKind::Treasury | AccountKind::Escrow => true,
        AccountKind::User | AccountKind::Organization => false,
    };
    let (payer, payee) = (from.account_type, to.account_type);
    if system(from) || system(to) {
        TransferType::System
    } else if payer.is_governmental() || payee.is_governmental() {
        TransferType::Government
    } else if payer.is_organization() && payee.is_organization() {
        TransferType::B2B
    } else if payee.is_organization() {
        TransferType::Merchant
    } else {
        TransferType::P2P
    }
}

fn scope(from: Party, to: Party) -> Scope {
    if from.country == to.country { Scope::Local } else { Scope::CrossBorder }
}
