//! Every parameter: where it lies, its stable id, default and bounds. One line each.
//!
//! Ids, defaults and units are part of the ledger's history: a stored record holds only what
//! differs from the default, so a default never changes and bounds are only ever widened.

use gx_types::{Amount, QIRAT_PER_GX};

use super::{Spec, Unit};

/// The type of a parameter's field.
macro_rules! field_type {
    (Qirat) => {
        Amount
    };
    ($other:ident) => {
        u32
    };
}

/// A value of the table as the field holds it. A test reads every default back.
macro_rules! to_field {
    (Qirat, $value:expr) => {
        Amount::from_qirat($value)
    };
    ($other:ident, $value:expr) => {
        $value as u32
    };
}

/// A field's value as the table counts it.
macro_rules! from_field {
    (Qirat, $field:expr) => {
        $field.qirat()
    };
    ($other:ident, $field:expr) => {
        u64::from($field)
    };
}

macro_rules! parameters {
    ($(
        $(#[doc = $group_doc:literal])+
        $group:ident: $struct:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $unit:ident = $id:literal, $default:expr, $min:expr => $max:expr;
            )+
        }
    )+) => {
        $(
            $(#[doc = $group_doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $struct {
                $($(#[doc = $doc])+ pub $field: field_type!($unit),)+
            }

            impl $struct {
                pub(crate) const DEFAULT: Self =
                    Self { $($field: to_field!($unit, $default),)+ };
            }

            impl Default for $struct {
                fn default() -> Self {
                    Self::DEFAULT
                }
            }
        )+

        /// The values that rules read. Decoded once for each batch, shared by its commands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Parameters {
            /// How often a parameter was set since bootstrap.
            pub changes: u64,
            $($(#[doc = $group_doc])+ pub $group: $struct,)+
        }

        impl Parameters {
            pub(crate) const DEFAULT: Self =
                Self { changes: 0, $($group: $struct::DEFAULT,)+ };
        }

        pub(super) const TABLE: &[Spec] = &[$($(
            Spec {
                id: $id,
                unit: Unit::$unit,
                description: concat!($($doc),+),
                default: $default,
                min: $min,
                max: $max,
                get: |parameters| from_field!($unit, parameters.$group.$field),
                set: |parameters, value| {
                    parameters.$group.$field = to_field!($unit, value);
                },
            },
        )+)+];
    };
}

const fn gx(amount: u64) -> u64 {
    Amount::from_gx(amount).qirat()
}

/// No amount can be above the whole supply.
const SUPPLY: u64 = 1_250_000_000_000 * QIRAT_PER_GX;

parameters! {
    /// What a payment costs: rates of the whole amount, and the edges between tiers.
    fees: FeeSchedule {
        /// No fee rate may be above this.
        cap: BasisPoints = "feeCapBps", 1000, 0 => 1000;
        /// Local person-to-person payments below this are free.
        free_below: Qirat = "feeP2pFreeBelow", gx(3), 0 => SUPPLY;
        /// The last amount of the lower person-to-person tier.
        lower_tier_to: Qirat = "feeP2pLowerTierTo", gx(100), 0 => SUPPLY;
        /// Local person-to-person payments, lower tier.
        p2p_local_lower: BasisPoints = "feeP2pLocalLowerBps", 5, 0 => 1000;
        /// Local person-to-person payments, upper tier.
        p2p_local_upper: BasisPoints = "feeP2pLocalUpperBps", 10, 0 => 1000;
        /// Cross-border person-to-person payments, lower tier.
        p2p_cross_border_lower: BasisPoints = "feeP2pCrossBorderLowerBps", 15, 0 => 1000;
        /// Cross-border person-to-person payments, upper tier.
        p2p_cross_border_upper: BasisPoints = "feeP2pCrossBorderUpperBps", 25, 0 => 1000;
        /// Local payments to a merchant.
        merchant_local: BasisPoints = "feeMerchantLocalBps", 15, 0 => 1000;
        /// Cross-border payments to a merchant.
        merchant_cross_border: BasisPoints = "feeMerchantCrossBorderBps", 30, 0 => 1000;
        /// Local payments from or to a government.
        government_local: BasisPoints = "feeGovernmentLocalBps", 10, 0 => 1000;
        /// Cross-border payments from or to a government.
        government_cross_border: BasisPoints = "feeGovernmentCrossBorderBps", 20, 0 => 1000;
        /// Local payments between organizations.
        b2b_local: BasisPoints = "feeB2bLocalBps", 20, 0 => 1000;
        /// Cross-border payments between organizations.
        b2b_cross_border: BasisPoints = "feeB2bCrossBorderBps", 40, 0 => 1000;
    }

    /// The tax on balances that stay large.
    tax: VelocityTax {
        /// Balances from here on are taxed; the first band starts here.
        threshold: Qirat = "velocityTaxThreshold", gx(100), gx(10) => SUPPLY;
        /// How long a balance must stay at or above the threshold.
        period_days: Days = "velocityTaxPeriodDays", 355, 180 => 3650;
        /// Lower edge of the second band.
        band_2_from: Qirat = "velocityTaxBand2From", gx(1_000), 1 => SUPPLY;
        /// Lower edge of the third band.
        band_3_from: Qirat = "velocityTaxBand3From", gx(5_000), 1 => SUPPLY;
        /// Lower edge of the fourth band.
        band_4_from: Qirat = "velocityTaxBand4From", gx(10_000), 1 => SUPPLY;
        /// Lower edge of the fifth band.
        band_5_from: Qirat = "velocityTaxBand5From", gx(25_000), 1 => SUPPLY;
        /// Lower edge of the sixth band.
        band_6_from: Qirat = "velocityTaxBand6From", gx(50_000), 1 => SUPPLY;
        /// Lower edge of the seventh band.
        band_7_from: Qirat = "velocityTaxBand7From", gx(100_000), 1 => SUPPLY;
        /// Rate of the first band.
        band_1_rate: BasisPoints = "velocityTaxBand1Bps", 250, 0 => 1000;
        /// Rate of the second band.
        band_2_rate: BasisPoints = "velocityTaxBand2Bps", 300, 0 => 1000;
        /// Rate of the third band.
        band_3_rate: BasisPoints = "velocityTaxBand3Bps", 350, 0 => 1000;
        /// Rate of the fourth band.
        band_4_rate: BasisPoints = "velocityTaxBand4Bps", 400, 0 => 1000;
        /// Rate of the fifth band.
        band_5_rate: BasisPoints = "velocityTaxBand5Bps", 450, 0 => 1000;
        /// Rate of the sixth band.
        band_6_rate: BasisPoints = "velocityTaxBand6Bps", 550, 0 => 1000;
        /// Rate of the seventh band.
        band_7_rate: BasisPoints = "velocityTaxBand7Bps", 600, 0 => 1000;
        /// Share of the holder's country in the tax; the rest goes to the charitable pool.
        treasury_percent: Percent = "velocityTaxTreasuryPercent", 50, 0 => 100;
    }

    /// What may be lent, to whom, and when a loan has failed.
    loans: LoanRules {
        /// Smallest loan.
        amount_min: Qirat = "loanAmountMin", gx(100), 1 => SUPPLY;
        /// Largest loan.
        amount_max: Qirat = "loanAmountMax", gx(1_000_000), 1 => gx(10_000_000);
        /// Longest term.
        duration_days_max: Days = "loanDurationDaysMax", 365, 1 => 3650;
        /// Loans that a borrower may have open at a time.
        open_max: Count = "loanOpenMax", 5, 0 => 20;
        /// What a borrower may owe altogether.
        outstanding_max: Qirat = "loanOutstandingMax", gx(10_000_000), 1 => gx(100_000_000);
        /// Trust score that a borrower needs.
        trust_min: Score = "loanTrustMin", 75, 50 => 100;
        /// How long after its due date a loan may be marked as defaulted.
        default_after_days: Days = "loanDefaultAfterDays", 90, 1 => 3650;
        /// What a borrower may owe or have asked for before a loan needs two admins.
        two_admins_above: Qirat = "loanTwoAdminsAbove", gx(10_000), 0 => gx(100_000);
    }

    /// How proposals are voted on.
    voting: VotingRules {
        /// How long votes are taken.
        days: Days = "votingDays", 14, 7 => 90;
        /// Votes that a proposal needs, abstentions included.
        quorum: Count = "votingQuorum", 100, 100 => 1_000_000_000;
        /// Share of FOR in FOR and AGAINST that a proposal needs.
        approval_percent: Percent = "votingApprovalPercent", 60, 50 => 90;
        /// Trust score that a voter needs.
        trust_min: Score = "votingTrustMin", 50, 25 => 90;
    }

    /// How a lost key is recovered.
    recovery: RecoveryRules {
        /// How long the owner may veto a confirmed recovery.
        delay_hours: Hours = "guardianDelayHours", 48, 24 => 720;
    }

    /// What administrators need.
    admins: AdminRules {
        /// Whether what admins do has to be signed by a key: 1 if so.
        keys_required: Count = "adminKeysRequired", 0, 0 => 1;
    }

    /// What admins may pay out of pools.
    disbursement: DisbursementRules {
        /// Largest amount of one disbursement.
        amount_max: Qirat = "disbursementMax", gx(100_000_000), 1 => gx(1_000_000_000);
        /// What all disbursements of a UTC day may be together.
        daily_max: Qirat = "disbursementDailyMax", gx(500_000_000), 1 => gx(5_000_000_000);
    }
}
