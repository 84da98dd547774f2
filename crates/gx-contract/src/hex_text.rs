//! Fixed-size hashes as lower-case hexadecimal text.

/// Fills `text` with the digits of `bytes`, two each.
pub(crate) fn write<'t>(bytes: &[u8], text: &'t mut [u8]) -> &'t str {
    let filled = hex::encode_to_slice(bytes, text);
    debug_assert!(filled.is_ok(), "two digits for each byte");
    std::str::from_utf8(text).unwrap_or_default()
}

/// Reads exactly two lower-case digits per byte: a hash has one text.
pub(crate) fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_canonical = !text.bytes().any(|digit| digit.is_ascii_uppercase());
    (is_canonical && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Gives a newtype over `[u8; $length]` its hexadecimal text in Display, FromStr, serde and schema.
macro_rules! hex_text {
    ($type:ident, $length:literal, $description:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::hex_text::write(&self.0, &mut [0; 2 * $length]))
            }
        }

        impl std::str::FromStr for $type {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::hex_text::read(text).map(Self).ok_or(concat!($description, " expected"))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::hex_text::write(&self.0, &mut [0; 2 * $length]))
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
                let pattern = format!("^[0-9a-f]{{{}}}$", 2 * $length);
                schemars::json_schema!({
                    "type": "string", "description": $description, "pattern": pattern
                })
            }
        }
    };
}
pub(crate) use hex_text;
