//! Settings of limits by verification: how much may be paid by whom, and when a second factor is
//! asked for once more.

use gx_types::Amount;
use serde::{Deserialize, Serialize};

use super::faults::check;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    pub enabled: bool,
    pub step_up_above: String,
    pub step_up_minutes: u32,
    pub tier1: TierTexts,
    pub tier2: TierTexts,
    pub tier3: TierTexts,
}

/// Limits as they are written; empty means none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierTexts {
    pub per_payment: String,
    pub per_day: String,
}

/// How far somebody's identity was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Has an account.
    One,
    /// Has shown an identity document.
    Two,
    /// Has shown where they live as well.
    Three,
}

impl Tier {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "TIER1",
            Self::Two => "TIER2",
            Self::Three => "TIER3",
        }
    }
}

/// What somebody may pay. Absent is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TierLimits {
    pub per_payment: Option<Amount>,
    pub per_day: Option<Amount>,
}

/// An amount, or nothing. What is written wrongly was refused at the start.
fn amount(text: &str) -> Option<Amount> {
    Amount::from_gx_text(text).ok()
}

impl Tiers {
    /// What a tier may pay.
    pub fn limits(&self, tier: Tier) -> TierLimits {
        if !self.enabled {
            return TierLimits::default();
        }
        let texts = match tier {
            Tier::One => &self.tier1,
            Tier::Two => &self.tier2,
            Tier::Three => &self.tier3,
        };
        TierLimits { per_payment: amount(&texts.per_payment), per_day: amount(&texts.per_day) }
    }

    /// Above which amount a second factor is asked for once more.
    pub fn step_up_above(&self) -> Option<Amount> {
        amount(&self.step_up_above)
    }

    pub(super) fn check(&self, faults: &mut Vec<String>) {
        for (key, text) in [
            ("tiers.step_up_above", &self.step_up_above),
            ("tiers.tier1.per_payment", &self.tier1.per_payment),
            ("tiers.tier1.per_day", &self.tier1.per_day),
            ("tiers.tier2.per_payment", &self.tier2.per_payment),
            ("tiers.tier2.per_day", &self.tier2.per_day),
            ("tiers.tier3.per_payment", &self.tier3.per_payment),
            ("tiers.tier3.per_day", &self.tier3.per_day),
        ] {
            let fits = text.is_empty() || amount(text).is_some();
            check(faults, fits, key, "must be an amount such as 10000.00, or empty");
        }
        let fits = (1..=1440).contains(&self.step_up_minutes);
        check(faults, fits, "tiers.step_up_minutes", "must be from 1 to 1440");
    }
}
