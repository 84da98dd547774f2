//! How a kind of field is defined: its rule and its part of the JSON schema in one place.
//!
//! Kinds that every service knows stand in `texts.rs`, the others with the service that owns them.

use std::borrow::Cow;

/// Why a text does not fit: a code for programs, a sentence for people.
pub(crate) type Misfit = (&'static str, Cow<'static, str>);

/// Implements [`Field`](super::Field) by a function from text, and the schema by a JSON object.
macro_rules! text_field {
    ([$($param:tt)*] $type:ty, $name:literal, $read:expr, $schema:tt) => {
        impl<$($param)*> $crate::http::fields::Field for $type {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::FieldPath<'_>,
                errors: &mut $crate::http::fields::FieldErrors,
            ) -> Option<Self> {
                let read: fn(&str) -> Result<Self, $crate::http::fields::Misfit> = $read;
                match read($crate::http::fields::text(value, at, errors)?) {
                    Ok(read) => Some(read),
                    Err((code, message)) => {
                        errors.add(at, code, message);
                        None
                    }
                }
            }
        }

        impl<$($param)*> schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(crate) use text_field;

/// Implements [`Field`](super::Field) for numbers that a function takes, and the schema by a JSON
/// object.
macro_rules! number_field {
    ([$($param:tt)*] $type:ty, $name:literal, $read:expr, $schema:tt) => {
        impl<$($param)*> $crate::http::fields::Field for $type {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::FieldPath<'_>,
                errors: &mut $crate::http::fields::FieldErrors,
            ) -> Option<Self> {
                let read: fn(Option<u64>) -> Result<Self, std::borrow::Cow<'static, str>> = $read;
                match read($crate::http::fields::whole_number(value, at, errors)?) {
                    Ok(read) => Some(read),
                    Err(message) => {
                        errors.add(at, "invalid_number", message);
                        None
                    }
                }
            }
        }

        impl<$($param)*> schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(crate) use number_field;

/// What says something of a person, or is a secret, is not printed.
macro_rules! masked {
    ($($type:ty),+) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("…")
            }
        }
    )+};
}

pub(crate) use masked;

pub(crate) fn length_between(text: &str, min: usize, max: usize) -> Result<(), Misfit> {
    let length = text.chars().count();
    if length < min {
        return Err(("too_short", format!("must have at least {min} characters").into()));
    }
    if length > max {
        return Err(("too_long", format!("must have at most {max} characters").into()));
    }
    Ok(())
}

pub(crate) fn unseen(besides: &str) -> Misfit {
    let seen = "must have characters only that everybody sees as they were written";
    let message = format!("{seen} {besides}");
    ("invalid_characters", message.trim_end().to_owned().into())
}

/// Fields whose text is one of a list that the type knows.
macro_rules! listed_fields {
    ($($type:ty: $code:literal;)+) => {$(
        impl $crate::http::fields::Field for $type {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::FieldPath<'_>,
                errors: &mut $crate::http::fields::FieldErrors,
            ) -> Option<Self> {
                let given = $crate::http::fields::text(value, at, errors)?;
                let found = Self::ALL.into_iter().find(|one| one.as_str() == given);
                if found.is_none() {
                    let known: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    errors.add(at, $code, format!("must be one of {}", known.join(", ")));
                }
                found
            }
        }
    )+};
}

pub(crate) use listed_fields;

/// A text that is one of a few, where the description names them.
macro_rules! choices {
    ($(
        $(#[$meta:meta])*
        $name:ident($code:literal) { $($variant:ident = $text:literal,)+ }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $($variant,)+
        }

        impl $name {
            pub(crate) const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        $crate::http::fields::listed_fields! {
            $name: $code;
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::http::fields::one_of([$($text),+])
            }
        }
    )+};
}

pub(crate) use choices;

/// The schema of a text that is one of a list.
pub(crate) fn one_of(texts: impl IntoIterator<Item = &'static str>) -> schemars::Schema {
    let texts: Vec<&str> = texts.into_iter().collect();
    schemars::json_schema!({ "type": "string", "enum": texts })
}

/// Fields whose rule is the `Deserialize` of a contract type.
macro_rules! contract_fields {
    ($($type:ty: $code:literal, $message:literal;)+) => {$(
        impl $crate::http::fields::Field for $type {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::FieldPath<'_>,
                errors: &mut $crate::http::fields::FieldErrors,
            ) -> Option<Self> {
                let given = $crate::http::fields::required(value, at, errors)??;
                let read = serde::Deserialize::deserialize(given).ok();
                if read.is_none() {
                    errors.add(at, $code, $message);
                }
                read
            }
        }
    )+};
}

pub(crate) use contract_fields;
