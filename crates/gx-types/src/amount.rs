//! Money: an unsigned count of Qirat. No operator may overflow, none touches a float.

use std::fmt;
use std::str::FromStr;

/// Qirat in one GX.
pub const QIRAT_PER_GX: u64 = 1_000_000;

/// Every coin there will ever be: 1,250,000,000,000 GX.
pub const MAX_SUPPLY: Amount = Amount::from_gx(1_250_000_000_000);

/// An amount in Qirat. On the ledger it is written as a decimal string of Qirat, towards people as
/// a decimal string of GX (see [`Amount::to_gx`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(u64);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one point.
    #[error("whole Qirat expected, such as \"50000000\" for 50 GX")]
    NotQirat,
    #[error("expected a decimal number of GX such as \"50.00\"")]
    Malformed,
    /// More than six places: there is nothing smaller than a Qirat.
    #[error("at most six decimal places, the smallest unit is 0.000001 GX")]
    TooPrecise,
    /// More than 64 bits of Qirat.
    #[error("more than there can be")]
    TooLarge,
}

impl Amount {
    pub const ZERO: Self = Self(0);

    pub const fn from_qirat(qirat: u64) -> Self {
        Self(qirat)
    }

    /// Whole GX; for constants.
    ///
    /// # Panics
    /// At compile time, when the amount does not fit 64 bits.
    #[expect(clippy::expect_used, reason = "evaluated at compile time for constants")]
    pub const fn from_gx(gx: u64) -> Self {
        Self(gx.checked_mul(QIRAT_PER_GX).expect("fits 64 bits"))
    }

    pub const fn qirat(self) -> u64 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// `self × bps / 10,000`, rounded up to a whole Qirat. `None` when it does not fit.
    pub fn basis_points_ceil(self, bps: u32) -> Option<Self> {
        let product = u128::from(self.0).checked_mul(u128::from(bps))?;
        u64::try_from(product.div_ceil(10_000)).ok().map(Self)
    }

    /// Decimal GX with two to six places: `50.00`, `0.000001`.
    pub fn to_gx(self) -> String {
        let (whole, part) = (self.0 / QIRAT_PER_GX, self.0 % QIRAT_PER_GX);
        let mut text = format!("{whole}.{part:06}");
        let places = text.trim_end_matches('0').len();
        text.truncate(places.max(text.len() - 4));
        text
    }

    /// Reads decimal GX with at most six places.
    ///
    /// # Errors
    /// [`AmountError`] says what is wrong with the text.
    pub fn from_gx_text(text: &str) -> Result<Self, AmountError> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(AmountError::Malformed);
        }
        if part.len() > 6 {
            return Err(AmountError::TooPrecise);
        }
        let whole: u64 = whole.parse().map_err(|_| AmountError::TooLarge)?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| AmountError::Malformed)?;
        whole
            .checked_mul(QIRAT_PER_GX)
            .and_then(|qirat| qirat.checked_add(part))
            .map(Self)
            .ok_or(AmountError::TooLarge)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Q", self.0)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads the ledger form: decimal digits of Qirat without sign or leading zero.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let canonical = text == "0"
            || (!text.is_empty()
                && !text.starts_with('0')
                && text.bytes().all(|byte| byte.is_ascii_digit()));
        if !canonical {
            return Err(AmountError::NotQirat);
        }
        text.parse().map(Self).map_err(|_| AmountError::TooLarge)
    }
}

impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal string of Qirat")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl schemars::JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "description": "a decimal string of Qirat",
            "pattern": "^(0|[1-9][0-9]{0,19})$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gx_text_keeps_two_to_six_places() {
        for (qirat, text) in [
            (0, "0.00"),
            (1, "0.000001"),
            (50_000_000, "50.00"),
            (1_500_000, "1.50"),
            (1_234_567, "1.234567"),
            (u64::MAX, "18446744073709.551615"),
        ] {
            assert_eq!(Amount::from_qirat(qirat).to_gx(), text);
            assert_eq!(Amount::from_gx_text(text), Ok(Amount::from_qirat(qirat)));
        }
    }

    #[test]
    fn gx_text_refuses_what_is_not_money() {
        for (text, error) in [
            ("", AmountError::Malformed),
            (".5", AmountError::Malformed),
            ("5.", AmountError::Malformed),
            ("-1", AmountError::Malformed),
            ("1e3", AmountError::Malformed),
            ("+1", AmountError::Malformed),
            ("1.0000001", AmountError::TooPrecise),
            ("18446744073709.551616", AmountError::TooLarge),
            ("99999999999999999999", AmountError::TooLarge),
        ] {
            assert_eq!(Amount::from_gx_text(text), Err(error), "{text}");
        }
    }

    #[test]
    fn ledger_text_has_one_form_per_amount() {
        assert_eq!("0".parse(), Ok(Amount::ZERO));
        for text in ["", "00", "01", "+1", "-1", "1.0", " 1", "18446744073709551616"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn basis_points_round_up() {
        assert_eq!(Amount::from_qirat(50).basis_points_ceil(15), Some(Amount::from_qirat(1)));
        assert_eq!(Amount::from_qirat(10_000).basis_points_ceil(15), Some(Amount::from_qirat(15)));
        assert_eq!(Amount::ZERO.basis_points_ceil(15), Some(Amount::ZERO));
        assert_eq!(Amount::from_qirat(u64::MAX).basis_points_ceil(20_000), None);
    }

    proptest::proptest! {
        #[test]
        fn every_amount_survives_both_texts(qirat: u64) {
            let amount = Amount::from_qirat(qirat);
            proptest::prop_assert_eq!(Amount::from_gx_text(&amount.to_gx()), Ok(amount));
            let json = serde_json::to_string(&amount).unwrap_or_default();
            proptest::prop_assert_eq!(serde_json::from_str::<Amount>(&json).ok(), Some(amount));
        }
    }
}
