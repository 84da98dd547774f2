//! Times, quantities, and texts that may be secret.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(jiff::Timestamp);

impl Time {
    /// The point in time so many seconds after 1970; the nearest there is when it is out of range.
    pub fn from_seconds(seconds: i64) -> Self {
        let bound = if seconds < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self(jiff::Timestamp::from_second(seconds).unwrap_or(bound))
    }

    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Seconds from an earlier time to this one; 0 when that one is later.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        u64::try_from(self.seconds().saturating_sub(earlier.seconds())).unwrap_or(0)
    }

    /// Days in UTC, as `2026-02-03`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl From<jiff::Timestamp> for Time {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_seconds(time.as_second())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl FromStr for Time {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(Self::from)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}

/// Whether a resource, or a quota of it, is counted in thousandths.
fn is_cpu(name: &str) -> bool {
    name == "cpu" || name.ends_with(".cpu")
}

/// Resources by name, as the scheduler counts them: `cpu`, and quotas such as `requests.cpu`, in
/// thousandths of a core, all others in whole units (bytes, pods). JSON: quantities in Kubernetes'
/// form, such as `"500m"` and `"1Gi"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Resources(pub BTreeMap<String, u64>);

impl Resources {
    /// Thousandths of a core for `cpu`, whole units for others; 0 for what is not named.
    pub fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Thousandths of a core.
    pub fn cpu(&self) -> u64 {
        self.of("cpu")
    }

    /// Bytes.
    pub fn memory(&self) -> u64 {
        self.of("memory")
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            let sum = self.0.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }

    /// The larger of both, for each resource.
    pub fn raise_to(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            let most = self.0.entry(name.clone()).or_default();
            *most = (*most).max(*amount);
        }
    }

    /// Reads one of Kubernetes' quantities.
    ///
    /// # Errors
    /// When the text is no quantity.
    pub fn insert(&mut self, name: &str, quantity: &str) -> Result<(), QuantityError> {
        let thousandths = parse_quantity(quantity)?;
        let amount = if is_cpu(name) { thousandths } else { thousandths.div_ceil(1000) };
        self.0.insert(name.to_owned(), u64::try_from(amount).unwrap_or(u64::MAX));
        Ok(())
    }
}

impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, amount)| {
            let text = match name.as_str() {
                name if is_cpu(name) && !amount.is_multiple_of(1000) => format!("{amount}m"),
                name if is_cpu(name) => (amount / 1000).to_string(),
                _ => amount.to_string(),
            };
            (name, text)
        }))
    }
}

impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Quantity {
            Whole(u64),
            Text(String),
        }
        let mut resources = Self::default();
        for (name, quantity) in BTreeMap::<String, Quantity>::deserialize(deserializer)? {
            let text = match quantity {
                Quantity::Whole(number) => number.to_string(),
                Quantity::Text(text) => text,
            };
            resources.insert(&name, &text).map_err(serde::de::Error::custom)?;
        }
        Ok(resources)
    }
}

impl JsonSchema for Resources {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Resources".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "quantities as Kubernetes writes them",
            "additionalProperties": {"type": ["string", "integer"]}
        })
    }
}

/// Text that is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a quantity such as 500m or 1Gi expected, got {0:?}")]
pub struct QuantityError(String);

/// Thousandths of a unit, rounded up.
///
/// # Errors
/// When the text is no quantity, or less than nothing.
pub fn parse_quantity(text: &str) -> Result<u128, QuantityError> {
    let error = || QuantityError(text.chars().take(40).collect());
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end).ok_or_else(error)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 30 {
        return Err(error());
    }
    let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| error())?;
    let places = u32::try_from(fraction.len()).map_err(|_| error())?;
    // The value is digits · factor / 10^(places + down); factors are counted in thousandths.
    let (factor, down): (u128, u32) = match suffix {
        "n" => (1000, 9),
        "u" => (1000, 6),
        "m" => (1, 0),
        "" => (1000, 0),
        "k" => (1000 * 1000, 0),
        "M" => (1000 * 10_u128.pow(6), 0),
        "G" => (1000 * 10_u128.pow(9), 0),
        "T" => (1000 * 10_u128.pow(12), 0),
        "P" => (1000 * 10_u128.pow(15), 0),
        "E" => (1000 * 10_u128.pow(18), 0),
        "Ki" => (1000 << 10, 0),
        "Mi" => (1000 << 20, 0),
        "Gi" => (1000 << 30, 0),
        "Ti" => (1000 << 40, 0),
        "Pi" => (1000 << 50, 0),
        "Ei" => (1000 << 60, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E']).and_then(|e| e.parse::<i32>().ok());
            let exponent = exponent.filter(|e| (-18..=18).contains(e)).ok_or_else(error)?;
            let power = 10_u128.pow(exponent.unsigned_abs());
            if exponent >= 0 { (1000 * power, 0) } else { (1000, exponent.unsigned_abs()) }
        }
    };
    let divisor = 10_u128.checked_pow(places + down).ok_or_else(error)?;
    Ok(digits.checked_mul(factor).ok_or_else(error)?.div_ceil(divisor))
}

/// What kind of text a hidden value is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    #[default]
    Empty,
    Digits,
    Alphanumeric,
    /// Nothing but what a URL needs not encode: letters, digits and `-._~`.
    UrlSafe,
    /// One line with other characters.
    Line,
    Lines,
    Certificate,
    PrivateKey,
    Binary,
}

facts! {
    /// A value that is not shown: whether it equals another one can be told, and nothing else.
    pub struct Hidden {
        /// `SALT:HASH`; comparable where the salts are the same.
        pub hash: String,
        /// Bytes.
        pub length: u32,
        pub class: Class,
        /// Whether it is one of the few that programs are delivered with, which everybody tries.
        pub well_known: bool,
    }

    /// An address of a server with what one logs in with.
    pub struct Dsn {
        pub scheme: String,
        pub user: Option<String>,
        pub host: String,
        pub port: Option<u16>,
        /// The first step of the path, when it is a plain name.
        pub database: Option<String>,
        /// The password after percent-decoding; none when there is none.
        pub password: Option<Hidden>,
        /// Whether all of it can be taken apart as it stands: characters that would have to be
        /// percent-encoded are.
        pub well_formed: bool,
        /// Of the whole text.
        pub whole: Hidden,
        /// Name of the variable that stands in place of the password, as in `$(NAME)`.
        pub password_variable: Option<String>,
    }
}

impl Hidden {
    /// Whether both are the same text; none when that cannot be told, because they were hidden
    /// with different salts.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        let salt = |hidden: &Self| hidden.hash.split_once(':').map(|(salt, _)| salt.to_owned());
        let (a, b) = (salt(self)?, salt(other)?);
        (a == b).then(|| self.hash == other.hash)
    }
}

/// A text of a configuration: shown, hidden, or an address whose password is hidden.
/// JSON: text, `{"hidden": …}` or `{"dsn": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Value {
    Hidden(Hidden),
    Dsn(Box<Dsn>),
    #[serde(untagged)]
    Plain(String),
}

impl Value {
    /// The text, when it is harmless.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Hidden(_) | Self::Dsn(_) => None,
        }
    }

    /// What is hidden of it.
    pub fn hidden(&self) -> Option<&Hidden> {
        match self {
            Self::Plain(_) => None,
            Self::Hidden(hidden) => Some(hidden),
            Self::Dsn(dsn) => Some(&dsn.whole),
        }
    }

    pub fn dsn(&self) -> Option<&Dsn> {
        match self {
            Self::Dsn(dsn) => Some(dsn),
            Self::Plain(_) | Self::Hidden(_) => None,
        }
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for (text, thousandths) in [
            ("0", 0),
            ("1", 1000),
            ("500m", 500),
            ("0.1", 100),
            (".5", 500),
            ("1.5Gi", 1_610_612_736_000),
            ("1e3", 1_000_000),
            ("2E-3", 2),
            ("1k", 1_000_000),
            ("100u", 1),
            ("1n", 1),
        ] {
            assert_eq!(parse_quantity(text), Ok(thousandths), "{text}");
        }
        for text in ["", "m", "1.2.3", "-1", "1 Gi", "1gi", "e3", "1e99", "."] {
            assert!(parse_quantity(text).is_err(), "{text}");
        }
    }

    #[test]
    fn resources_are_written_as_they_are_read() {
        let read: Resources =
            serde_json::from_str(r#"{"cpu":"1500m","memory":"1Ki","pods":110}"#).unwrap();
        assert_eq!((read.cpu(), read.memory(), read.of("pods")), (1500, 1024, 110));
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(text, r#"{"cpu":"1500m","memory":"1024","pods":"110"}"#);
        assert_eq!(serde_json::from_str::<Resources>(&text).unwrap(), read);
    }

    #[test]
    fn values_keep_their_form() {
        for text in [r#""plain""#, r#"{"hidden":{"hash":"a:b","length":3}}"#] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
        let hidden = |hash: &str| Hidden { hash: hash.to_owned(), ..Hidden::default() };
        assert_eq!(hidden("a:1").equals(&hidden("a:1")), Some(true));
        assert_eq!(hidden("a:1").equals(&hidden("a:2")), Some(false));
        assert_eq!(hidden("a:1").equals(&hidden("b:1")), None);
    }
}
