//! Fixed-size hashes as lower-case hexadecimal text.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Fills `text` with the digits of `bytes`, two each.
pub(crate) fn write<'t>(bytes: &[u8], text: &'t mut [u8]) -> &'t str {
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 15)).copied().unwrap_or(b'0');
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(*byte)]);
    }
    std::str::from_utf8(text).unwrap_or_default()
}

/// Reads exactly two lower-case digits per byte.
pub(crate) fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let value = |digit: u8| DIGITS.iter().position(|d| *d == digit).map(|at| at as u8);
    let mut bytes = [0; N];
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() || pairs.len() != N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = *pair else { return None };
        *byte = (value(high)? << 4) | value(low)?;
    }
    Some(bytes)
}

/// Gives a newtype over `[u8; $length]` its hexadecimal text in Display, FromStr, serde and schema.
macro_rules! hex_text {
    ($type:ident, $length:literal, $description:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::hex::write(&self.0, &mut [0; 2 * $length]))
            }
        }

        impl std::str::FromStr for $type {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::hex::read(text).map(Self).ok_or(concat!($description, " expected"))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::hex::write(&self.0, &mut [0; 2 * $length]))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description })
            }
        }
    };
}
pub(crate) use hex_text;
