//! The kinds of text that requests hold, each with its rule and its part of the JSON schema.

use std::borrow::Cow;
use std::fmt;

use gx_types::Amount;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{At, Faults, Field, address, text, whole_number, written};
use crate::calendar::{Date, parse_rfc3339};

/// Why a text does not fit: a code for programs, a sentence for people.
pub(super) type Misfit = (&'static str, Cow<'static, str>);

/// Implements [`Field`] by a function from text, and the schema by a JSON object.
macro_rules! text_field {
    ([$($param:tt)*] $type:ty, $name:literal, $read:expr, $schema:tt) => {
        impl<$($param)*> Field for $type {
            fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
                let read: fn(&str) -> Result<Self, Misfit> = $read;
                match read(text(value, at, faults)?) {
                    Ok(read) => Some(read),
                    Err((code, message)) => {
                        faults.add(at, code, message);
                        None
                    }
                }
            }
        }

        impl<$($param)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

fn length_between(text: &str, min: usize, max: usize) -> Result<(), Misfit> {
    let length = text.chars().count();
    if length < min {
        return Err(("too_short", format!("must have at least {min} characters").into()));
    }
    if length > max {
        return Err(("too_long", format!("must have at most {max} characters").into()));
    }
    Ok(())
}

fn no_control_characters(text: &str) -> Result<(), Misfit> {
    if text.chars().any(char::is_control) {
        return Err(("invalid_characters", "must not have control characters".into()));
    }
    Ok(())
}

fn unseen(besides: &str) -> Misfit {
    let seen = "must have characters only that everybody sees as they were written";
    let message = format!("{seen} {besides}");
    ("invalid_characters", message.trim_end().to_owned().into())
}

/// Money as a decimal text of GX.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GxAmount(pub(crate) Amount);

impl Field for GxAmount {
    fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
        if matches!(value, Some(Value::Number(_))) {
            let message = "money is a decimal text such as \"50.00\", never a number";
            faults.add(at, "money_as_number", message);
            return None;
        }
        match Amount::from_gx_text(text(value, at, faults)?) {
            Ok(amount) if amount.is_zero() => {
                faults.add(at, "amount_zero", "must be more than zero");
                None
            }
            Ok(amount) => Some(Self(amount)),
            Err(error) => {
                faults.add(at, "invalid_amount", error.to_string());
                None
            }
        }
    }
}

impl JsonSchema for GxAmount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "GxAmount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[0-9]{1,14}(\\.[0-9]{1,6})?$", "examples": ["50.00"],
            "description": "GX as a decimal text with at most six places, more than zero"
        })
    }
}

/// An e-mail address as it is kept: in lower case, its domain in ASCII.
#[derive(Clone)]
pub(crate) struct Email(pub(crate) String);

text_field!([] Email, "Email", |text| address::registered(text).map(Self), {
    "type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"],
    "description": "The local part is written in one script; an internationalized domain is kept \
                    in its ASCII form"
});

/// The address that somebody logs in with.
#[derive(Clone)]
pub(crate) struct LoginEmail {
    /// As addresses are kept.
    pub(crate) kept: String,
    /// As it was kept before domains were compared in their ASCII form, if that is another text.
    pub(crate) before: Option<String>,
}

text_field!(
    [] LoginEmail,
    "Email",
    |text| {
        let before = address::plain(text)?;
        let kept = address::kept(text).unwrap_or_else(|_| before.clone());
        let before = (before != kept).then_some(before);
        Ok(Self { kept, before })
    },
    { "type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"] }
);

/// A password as typed. Its rules are those of the account that it is for; see `auth::password`.
#[derive(Clone)]
pub(crate) struct GivenPassword(pub(crate) String);

text_field!(
    [] GivenPassword,
    "Password",
    |text| {
        // The limit keeps the cost of hashing bounded.
        length_between(text, 1, 128).map(|()| Self(text.to_owned()))
    },
    { "type": "string", "format": "password", "minLength": 1, "maxLength": 128 }
);

/// A person's first or last name.
#[derive(Clone)]
pub(crate) struct PersonName(pub(crate) String);

text_field!(
    [] PersonName,
    "PersonName",
    |text| {
        length_between(text.trim(), 1, 100)?;
        let name = written::name(text).ok_or_else(|| unseen("and a letter or a digit"))?;
        length_between(&name, 1, 100)?;
        Ok(Self(name))
    },
    {
        "type": "string", "minLength": 1, "maxLength": 100,
        "description": "Kept in NFC with single spaces; has a letter or a digit, and no control, \
                        bidirectional or invisible characters"
    }
);

/// A telephone number in the international form.
#[derive(Clone)]
pub(crate) struct Phone(pub(crate) String);

text_field!(
    [] Phone,
    "Phone",
    |text| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let fits = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        let misfit = ("invalid_phone", Cow::from("must be + and 7 to 15 digits, country first"));
        if fits { Ok(Self(text.to_owned())) } else { Err(misfit) }
    },
    { "type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$", "examples": ["+4915112345678"] }
);

/// Number of a passport or identity card, in upper case without spaces and dashes.
#[derive(Clone)]
pub(crate) struct DocumentNumber(pub(crate) String);

text_field!(
    [] DocumentNumber,
    "DocumentNumber",
    |text| {
        let number: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '/'))
            .flat_map(char::to_uppercase)
            .collect();
        length_between(&number, 4, 40)?;
        if !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(("invalid_characters", "must be letters and digits".into()));
        }
        Ok(Self(number))
    },
    { "type": "string", "minLength": 4, "maxLength": 40 }
);

/// A birth date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BirthDate(pub(crate) Date);

text_field!(
    [] BirthDate,
    "BirthDate",
    |text| match text.parse::<Date>() {
        Ok(date) if date.year() >= 1880 => Ok(Self(date)),
        _ => Err(("invalid_date", "must be a date such as 1990-12-31".into())),
    },
    { "type": "string", "format": "date", "examples": ["1990-12-31"] }
);

/// Text of MIN to MAX characters without control characters.
#[derive(Debug, Clone)]
pub(crate) struct Text<const MIN: usize, const MAX: usize>(pub(crate) String);

text_field!(
    [const MIN: usize, const MAX: usize] Text<MIN, MAX>,
    "Text",
    |text| {
        length_between(text, MIN, MAX)?;
        no_control_characters(text)?;
        Ok(Self(text.to_owned()))
    },
    { "type": "string", "minLength": MIN, "maxLength": MAX }
);

/// Text of MIN to MAX characters that somebody writes and somebody else reads.
#[derive(Debug, Clone)]
pub struct Written<const MIN: usize, const MAX: usize>(pub(crate) String);

text_field!(
    [const MIN: usize, const MAX: usize] Written<MIN, MAX>,
    "Written",
    |text| {
        length_between(text, MIN, MAX)?;
        let text = written::written(text).ok_or_else(|| unseen(""))?;
        length_between(&text, MIN, MAX)?;
        Ok(Self(text.into_owned()))
    },
    {
        "type": "string", "minLength": MIN, "maxLength": MAX,
        "description": "Kept in NFC; no control, bidirectional or invisible characters"
    }
);

impl<const MIN: usize, const MAX: usize> From<Written<MIN, MAX>> for String {
    fn from(text: Written<MIN, MAX>) -> Self {
        text.0
    }
}

/// A remark on a payment: everybody on the ledger can read it.
pub(crate) type Remark = Written<0, 200>;

/// A whole number from MIN to MAX.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

/// Implements [`Field`] for numbers that a function takes, and the schema by a JSON object.
macro_rules! number_field {
    ([$($param:tt)*] $type:ty, $name:literal, $read:expr, $schema:tt) => {
        impl<$($param)*> Field for $type {
            fn read(value: Option<&Value>, at: At<'_>, faults: &mut Faults) -> Option<Self> {
                let read: fn(Option<u64>) -> Result<Self, Cow<'static, str>> = $read;
                match read(whole_number(value, at, faults)?) {
                    Ok(read) => Some(read),
                    Err(message) => {
                        faults.add(at, "invalid_number", message);
                        None
                    }
                }
            }
        }

        impl<$($param)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

number_field!(
    [const MIN: u32, const MAX: u32] Count<MIN, MAX>,
    "Count",
    |number| {
        let number = number.and_then(|number| u32::try_from(number).ok());
        let fits = number.filter(|number| (MIN..=MAX).contains(number));
        fits.map(Self).ok_or_else(|| format!("must be a whole number from {MIN} to {MAX}").into())
    },
    { "type": "integer", "minimum": MIN, "maximum": MAX }
);

/// A number of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockNumber(pub(crate) u64);

number_field!(
    [] BlockNumber,
    "BlockNumber",
    |number| {
        let fits = number.filter(|number| i64::try_from(*number).is_ok());
        fits.map(Self).ok_or_else(|| "must be the number of a block".into())
    },
    { "type": "integer", "minimum": 0, "maximum": i64::MAX }
);

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant(pub(crate) i64);

text_field!(
    [] Instant,
    "Instant",
    |text| {
        let misfit = ("invalid_time", Cow::from("must be a time such as 2025-12-31T23:59:59Z"));
        parse_rfc3339(text).map(Self).ok_or(misfit)
    },
    { "type": "string", "format": "date-time" }
);

/// An opaque token of ours. It is a secret.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) String);

text_field!(
    [] Token,
    "Token",
    |text| length_between(text, 1, 256).map(|()| Self(text.to_owned())),
    { "type": "string", "minLength": 1, "maxLength": 256 }
);

/// What says something of a person, or is a secret, is not printed.
macro_rules! masked {
    ($($type:ty),+) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("…")
            }
        }
    )+};
}

masked!(Email, LoginEmail, GivenPassword, PersonName, Phone, DocumentNumber, Token);
