//! Reads request bodies: every fault of every field at once, unknown fields refused.
//!
//! `request!` defines a body once: its struct, its JSON schema for the API description, and its
//! reader. A field's type carries its own rule and its own part of the schema.

mod address;
#[cfg(test)]
mod tests;
mod texts;
mod written;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

pub(crate) use texts::{
    BirthDate, BlockNumber, Count, DocumentNumber, Email, GivenPassword, GxAmount, Instant,
    LoginEmail, PersonName, Phone, Remark, Text, Token, Written,
};
pub(crate) use written::written;

use crate::error::Detail;

/// Where in the body a value stands. It becomes text only when there is a fault to report.
#[derive(Debug, Clone, Copy)]
pub enum At<'a> {
    /// A JSON body.
    Root,
    /// A query string, whose values are all texts.
    Query,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root | Self::Query => Ok(()),
            Self::Key(Self::Root | Self::Query, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, at) => write!(f, "{parent}[{at}]"),
        }
    }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Faults(pub(crate) Vec<Detail>);

impl Faults {
    pub(crate) fn add(
        &mut self,
        at: At<'_>,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        let field = match at {
            At::Root => "(body)".to_owned(),
            At::Query => "(query)".to_owned(),
            at => at.to_string(),
        };
        self.0.push(Detail { field, code: code.into(), message: message.into() });
    }
}

impl At<'_> {
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
    fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self>;
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
        $(#[schemars(extend("anyOf" = [$({ "required": [$one] }),+]))])?
        $vis struct $name {
            $($(#[$field_meta])* #[serde(rename = $key)] $vis $field: $type,)*
        }

        impl $crate::http::fields::Field for $name {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::At<'_>,
                faults: &mut $crate::http::fields::Faults,
            ) -> Option<Self> {
                let object = $crate::http::fields::object(value, &[$($key),*], at, faults)?;
                let _ = object;
                $(let $field = <$type as $crate::http::fields::Field>::read(
                    object.get($key),
                    $crate::http::fields::At::Key(&at, $key),
                    faults,
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
    at: At<'_>,
    faults: &mut Faults,
) -> Option<&'v Map<String, Value>> {
    let Some(Value::Object(object)) = required(value, at, faults)? else {
        faults.add(at, "not_an_object", "must be a JSON object");
        return None;
    };
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let key: String = key.chars().take(64).collect();
        faults.add(At::Key(&at, &key), "unknown_field", "is not a field of this request");
    }
    Some(object)
}

/// The value, or a fault that it is missing. `null` is the same as nothing.
#[expect(clippy::option_option, reason = "the outer one says that a fault was added")]
pub(crate) fn required<'v>(
    value: Option<&'v Value>,
    at: At<'_>,
    faults: &mut Faults,
) -> Option<Option<&'v Value>> {
    match value {
        None | Some(Value::Null) => {
            faults.add(at, "required", "is required");
            None
        }
        some => Some(some),
    }
}

/// The text at a place.
pub(crate) fn text<'v>(
    value: Option<&'v Value>,
    at: At<'_>,
    faults: &mut Faults,
) -> Option<&'v str> {
    match required(value, at, faults)? {
        Some(Value::String(text)) => Some(text),
        _ => {
            faults.add(at, "not_a_text", "must be a text");
            None
        }
    }
}

impl<T: Field> Field for Option<T> {
    fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(None),
            some => T::read(some, at, faults).map(Some),
        }
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
        let Some(Value::Array(items)) = required(value, at, faults)? else {
            faults.add(at, "not_a_list", "must be a list");
            return None;
        };
        // All items are read before the first missing one ends the list: all faults at once.
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| T::read(Some(item), At::Index(&at, index), faults))
            .collect();
        read.into_iter().collect()
    }
}

impl Field for u32 {
    fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
        let number = whole_number(value, at, faults)?;
        let number = number.and_then(|number| number.try_into().ok());
        if number.is_none() {
            faults.add(at, "not_a_number", "must be a whole number from 0 to 4294967295");
        }
        number
    }
}

request! {
    /// Nothing has to be said.
    pub struct NoBody {
    }
}

/// A whole number: a number in a body, a text in a query string.
fn whole_number(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Option<u64>> {
    let given = required(value, at, faults)?;
    Some(match given {
        Some(Value::String(text)) if at.is_in_query() => {
            text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        }
        Some(given) => given.as_u64(),
        None => None,
    })
}

/// Fields whose rule is `FromStr` of the type.
macro_rules! from_str_fields {
    ($($type:ty: $code:literal;)+) => {$(
        impl Field for $type {
            fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
                match text(value, at, faults)?.parse() {
                    Ok(read) => Some(read),
                    Err(error) => {
                        faults.add(at, $code, error.to_string());
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
    gx_types::CountryCode: "invalid_country_code";
}

/// Fields whose text is one of a list that the type knows.
macro_rules! listed_fields {
    ($($type:ty: $code:literal;)+) => {$(
        impl $crate::http::fields::Field for $type {
            fn read(
                value: Option<&serde_json::Value>,
                at: $crate::http::fields::At<'_>,
                faults: &mut $crate::http::fields::Faults,
            ) -> Option<Self> {
                let given = $crate::http::fields::text(value, at, faults)?;
                let found = Self::ALL.into_iter().find(|one| one.as_str() == given);
                if found.is_none() {
                    let known: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    faults.add(at, $code, format!("must be one of {}", known.join(", ")));
                }
                found
            }
        }
    )+};
}

pub(crate) use listed_fields;

/// The schema of a text that is one of a list.
pub(crate) fn one_of(texts: impl IntoIterator<Item = &'static str>) -> schemars::Schema {
    let texts: Vec<&str> = texts.into_iter().collect();
    schemars::json_schema!({ "type": "string", "enum": texts })
}

/// Fields whose rule is the `Deserialize` of a contract type.
macro_rules! contract_fields {
    ($($type:ty: $code:literal, $message:literal;)+) => {$(
        impl Field for $type {
            fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
                let given = required(value, at, faults)??;
                let read = serde::Deserialize::deserialize(given).ok();
                if read.is_none() {
                    faults.add(at, $code, $message);
                }
                read
            }
        }
    )+};
}

contract_fields! {
    gx_contract::tokenomics::FreezeReason: "invalid_reason",
        "must be ADMIN_ACTION, SUSPICIOUS_ACTIVITY, COMPLIANCE_REVIEW, COURT_ORDER, \
         USER_REQUEST, INACTIVITY or DEBT_COLLECTION";
}
