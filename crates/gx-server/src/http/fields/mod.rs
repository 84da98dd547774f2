//! Reads request bodies: every fault of every field at once, unknown fields refused.
//!
//! `request!` defines a body once: its struct, its JSON schema for the API description, and its
//! reader. A field's type carries its own rule and its own part of the schema.

mod kinds;
#[cfg(test)]
mod tests;
mod texts;
mod written;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

pub(crate) use kinds::{
    Misfit, choices, contract_fields, length_between, listed_fields, masked, number_field, one_of,
    text_field, unseen,
};
pub(crate) use texts::{Count, GxAmount, GxOrZero, Instant, List, Text, Truth, Written};
pub(crate) use written::{SEEN, SPEAKS, name, seen, written};

use crate::error::Detail;

/// Where in the body a value stands. It becomes text only when there is a fault to report.
#[derive(Debug, Clone, Copy)]
pub enum FieldPath<'a> {
    /// A JSON body.
    Root,
    /// A query string, whose values are all texts.
    Query,
    Key(&'a FieldPath<'a>, &'a str),
    Index(&'a FieldPath<'a>, usize),
}

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root | Self::Query => Ok(()),
            Self::Key(Self::Root | Self::Query, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, at) => write!(f, "{parent}[{at}]"),
        }
    }
}

/// The errors found so far.
#[derive(Debug, Default)]
pub struct FieldErrors(pub(crate) Vec<Detail>);

impl FieldErrors {
    pub(crate) fn add(
        &mut self,
        at: FieldPath<'_>,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        let field = match at {
            FieldPath::Root => "(body)".to_owned(),
            FieldPath::Query => "(query)".to_owned(),
            at => at.to_string(),
        };
        self.0.push(Detail { field, code: code.into(), message: message.into() });
    }
}

impl FieldPath<'_> {
    /// Whether the value stands in a query string.
    fn is_in_query(&self) -> bool {
        match self {
            Self::Root => false,
            Self::Query => true,
            Self::Key(parent, _) | Self::Index(parent, _) => parent.is_in_query(),
        }
    }
}

/// A value that a request can hold.
pub trait Field: Sized {
    /// Reads the value; `None` when a fault was added.
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self>;
}

/// A body or a part of one, or a query string. `any_of` names fields of which the description says
/// that one is needed; the handler sees to it.
macro_rules! request {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field:ident as $key:literal: $type:ty,)*
        }
        $(any_of [$($one:literal),+])?
    ) => {
        $(#[$meta])*
        #[derive(Debug, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        // What is null is not given.
        $(#[schemars(extend("anyOf" = [$({
            "required": [$one], "properties": { $one: { "not": { "type": "null" } } },
        }),+]))])?
        $vis struct $name {
            $($(#[$field_meta])* #[serde(rename = $key)] $vis $field: $type,)*
        }

        impl $crate::http::fields::Field for $name {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::FieldPath<'_>,
                errors: &mut $crate::http::fields::FieldErrors,
            ) -> Option<Self> {
                let object = $crate::http::fields::object(value, &[$($key),*], at, errors)?;
                let _ = object;
                $(let $field = <$type as $crate::http::fields::Field>::read(
                    object.get($key),
                    $crate::http::fields::FieldPath::Key(&at, $key),
                    errors,
                );)*
                Some(Self { $($field: $field?,)* })
            }
        }
    };
}
pub(crate) use request;

/// The object at a place; reports what is no object and every key that is not known.
pub(crate) fn object<'v>(
    value: Option<&'v Value>,
    known: &[&str],
    at: FieldPath<'_>,
    errors: &mut FieldErrors,
) -> Option<&'v Map<String, Value>> {
    let Some(Value::Object(object)) = required(value, at, errors)? else {
        errors.add(at, "not_an_object", "must be a JSON object");
        return None;
    };
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let key: String = key.chars().take(64).collect();
        errors.add(FieldPath::Key(&at, &key), "unknown_field", "is not a field of this request");
    }
    Some(object)
}

/// The value, or a fault that it is missing. `null` is the same as nothing.
#[expect(clippy::option_option, reason = "the outer one says that a fault was added")]
pub(crate) fn required<'v>(
    value: Option<&'v Value>,
    at: FieldPath<'_>,
    errors: &mut FieldErrors,
) -> Option<Option<&'v Value>> {
    match value {
        None | Some(Value::Null) => {
            errors.add(at, "required", "is required");
            None
        }
        some => Some(some),
    }
}

/// The text at a place.
pub(crate) fn text<'v>(
    value: Option<&'v Value>,
    at: FieldPath<'_>,
    errors: &mut FieldErrors,
) -> Option<&'v str> {
    match required(value, at, errors)? {
        Some(Value::String(text)) => Some(text),
        _ => {
            errors.add(at, "not_a_text", "must be a text");
            None
        }
    }
}

impl<T: Field> Field for Option<T> {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(None),
            some => T::read(some, at, errors).map(Some),
        }
    }
}

/// A value that may be `null`, but has to be said: who leaves it out has not thought of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<T>(pub(crate) Option<T>);

impl<T: Field> Field for Said<T> {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        match value {
            Some(Value::Null) => Some(Self(None)),
            some => {
                required(some, at, errors)?;
                T::read(some, at, errors).map(|value| Self(Some(value)))
            }
        }
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Said<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Said_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Option<T>>()
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        let Some(Value::Array(items)) = required(value, at, errors)? else {
            errors.add(at, "not_a_list", "must be a list");
            return None;
        };
        // All items are read before the first missing one ends the list: all errors at once.
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| T::read(Some(item), FieldPath::Index(&at, index), errors))
            .collect();
        read.into_iter().collect()
    }
}

request! {
    /// Nothing has to be said.
    pub struct NoBody {
    }
}

/// A whole number: a number in a body, a text in a query string.
pub(crate) fn whole_number(
    value: Option<&Value>,
    at: FieldPath<'_>,
    errors: &mut FieldErrors,
) -> Option<Option<u64>> {
    let given = required(value, at, errors)?;
    Some(match given {
        Some(Value::String(text)) if at.is_in_query() => {
            text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        }
        // To JSON Schema 2.0 is a whole number as well.
        Some(given) => {
            given.as_u64().or_else(|| given.to_string().strip_suffix(".0")?.parse().ok())
        }
        None => None,
    })
}

/// Fields whose rule is `FromStr` of the type.
macro_rules! from_str_fields {
    ($($type:ty: $code:literal;)+) => {$(
        impl Field for $type {
            fn read(
                value: Option<&Value>,
                at: FieldPath<'_>,
                errors: &mut FieldErrors,
            ) -> Option<Self> {
                match text(value, at, errors)?.parse() {
                    Ok(read) => Some(read),
                    Err(error) => {
                        errors.add(at, $code, error.to_string());
                        None
                    }
                }
            }
        }
    )+};
}

from_str_fields! {
    gx_types::AccountId: "invalid_account_id";
    gx_types::AdminId: "invalid_admin_id";
    gx_types::AttesterId: "invalid_attester_id";
    gx_types::CountryCode: "invalid_country_code";
    gx_contract::PublicKey: "invalid_public_key";
    gx_contract::SignatureBytes: "invalid_signature";
}
