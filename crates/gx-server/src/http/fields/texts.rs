//! The kinds of field that belong to no service, each with its rule and its part of the schema.

use std::borrow::Cow;
use std::collections::HashSet;

use gx_types::Amount;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::kinds::{length_between, number_field, text_field, unseen};
use super::{Field, FieldErrors, FieldPath, SEEN, required, text, written};
use crate::calendar::parse_rfc3339;

fn no_control_characters(text: &str) -> Result<(), super::kinds::Misfit> {
    if text.chars().any(char::is_control) {
        return Err(("invalid_characters", "must not have control characters".into()));
    }
    Ok(())
}

/// Money as a decimal text of GX.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GxAmount(pub(crate) Amount);

/// The amount that a decimal text of GX says.
fn money(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Amount> {
    if matches!(value, Some(Value::Number(_))) {
        let message = "money is a decimal text such as \"50.00\", never a number";
        errors.add(at, "money_as_number", message);
        return None;
    }
    match Amount::from_gx_text(text(value, at, errors)?) {
        Ok(amount) => Some(amount),
        Err(error) => {
            errors.add(at, "invalid_amount", error.to_string());
            None
        }
    }
}

impl Field for GxAmount {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        let amount = money(value, at, errors)?;
        if amount.is_zero() {
            errors.add(at, "amount_zero", "must be more than zero");
            return None;
        }
        Some(Self(amount))
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

/// Money as a decimal text of GX that may be nothing: a limit, or where a rule begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GxOrZero(pub(crate) Amount);

impl Field for GxOrZero {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        money(value, at, errors).map(Self)
    }
}

impl JsonSchema for GxOrZero {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "GxOrZero".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[0-9]{1,14}(\\.[0-9]{1,6})?$", "examples": ["50.00"],
            "description": "GX as a decimal text with at most six places"
        })
    }
}

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
    {
        "type": "string", "minLength": MIN, "maxLength": MAX,
        "pattern": r"^[^\u0000-\u001F\u007F-\u009F]*$"
    }
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
        "type": "string", "minLength": MIN, "maxLength": MAX, "pattern": SEEN,
        "description": "Kept in NFC; no control, bidirectional or invisible characters. Joiners \
                        stand where a script or a picture needs them"
    }
);

impl<const MIN: usize, const MAX: usize> From<Written<MIN, MAX>> for String {
    fn from(text: Written<MIN, MAX>) -> Self {
        text.0
    }
}

/// A whole number from MIN to MAX.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

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

/// Yes or no.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth(pub(crate) bool);

impl Field for Truth {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        match required(value, at, errors)? {
            Some(Value::Bool(truth)) => Some(Self(*truth)),
            _ => {
                errors.add(at, "not_a_truth_value", "must be true or false");
                None
            }
        }
    }
}

impl JsonSchema for Truth {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Truth".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

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

/// A list of MIN to MAX items, each once.
#[derive(Debug, Clone)]
pub(crate) struct List<T, const MIN: usize, const MAX: usize>(pub(crate) Vec<T>);

impl<T: Field, const MIN: usize, const MAX: usize> Field for List<T, MIN, MAX> {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        let items = Vec::read(value, at, errors)?;
        if !(MIN..=MAX).contains(&items.len()) {
            errors.add(at, "list_invalid", format!("must have {MIN} to {MAX} items"));
            return None;
        }
        let given = value.and_then(Value::as_array).into_iter().flatten();
        let distinct: HashSet<String> = given.map(Value::to_string).collect();
        if distinct.len() < items.len() {
            errors.add(at, "list_invalid", "must have each item once");
            return None;
        }
        Some(Self(items))
    }
}

impl<T: JsonSchema, const MIN: usize, const MAX: usize> JsonSchema for List<T, MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let items = schemas.subschema_for::<T>();
        json_schema!({
            "type": "array", "items": items, "minItems": MIN, "maxItems": MAX, "uniqueItems": true
        })
    }
}
