//! Fields of request bodies: what is read, and that every fault is told at once.
//!
//! Pure: no server runs.

use serde_json::json;

use super::*;
use crate::auth::fields::Email;
use crate::identity::fields::{BirthDate, Phone};

request! {
    /// A body with one field of each kind.
    struct Sample {
        /// Who.
        email as "email": Email,
        amount as "amount": GxAmount,
        country as "countryCode": gx_types::CountryCode,
        born as "dateOfBirth": Option<BirthDate>,
        phone as "phone": Option<Phone>,
        parts as "parts": List<Part, 1, 3>,
    }
}

request! {
    struct Part {
        weight as "weight": Count<0, 100>,
    }
}

fn errors(body: Value) -> Vec<(String, String)> {
    let mut errors = FieldErrors::default();
    let read = Sample::read(Some(&body), FieldPath::Root, &mut errors);
    assert_eq!(read.is_none(), !errors.0.is_empty());
    errors.0.into_iter().map(|fault| (fault.field, fault.code.into_owned())).collect()
}

fn good() -> Value {
    json!({
        "email": "Ada@Example.org", "amount": "50.00", "countryCode": "IN",
        "parts": [{"weight": 1}]
    })
}

#[test]
fn a_good_body_is_read() {
    let mut none = FieldErrors::default();
    let sample = Sample::read(Some(&good()), FieldPath::Root, &mut none).unwrap();
    assert_eq!(sample.email.0, "ada@example.org");
    assert_eq!(sample.amount.0.qirat(), 50_000_000);
    assert_eq!(sample.country.as_str(), "IN");
    assert!(sample.born.is_none() && sample.phone.is_none());
    assert_eq!(sample.parts.0[0].weight.0, 1);
}

#[test]
fn every_fault_is_listed_at_once_with_its_place() {
    let found = errors(json!({
        "email": "ada", "amount": 50, "dateOfBirth": "2023-02-29", "phone": "0151",
        "parts": [{"weight": 1}, {"weight": -1}, 7], "pin": "1234"
    }));
    let found: Vec<(&str, &str)> = found.iter().map(|(f, c)| (f.as_str(), c.as_str())).collect();
    assert_eq!(
        found,
        [
            ("pin", "unknown_field"),
            ("email", "invalid_email"),
            ("amount", "money_as_number"),
            ("countryCode", "required"),
            ("dateOfBirth", "invalid_date"),
            ("phone", "invalid_phone"),
            ("parts[1].weight", "invalid_number"),
            ("parts[2]", "not_an_object"),
        ]
    );
}

#[test]
fn lists_are_bounded_and_have_each_item_once() {
    for weights in [vec![], vec![1, 1], vec![1, 2, 3, 4]] {
        let mut body = good();
        body["parts"] = weights.iter().map(|weight| json!({ "weight": weight })).collect();
        assert!(errors(body).contains(&("parts".to_owned(), "list_invalid".to_owned())));
    }
}

#[test]
fn a_whole_number_is_whole_however_it_is_written() {
    for (weight, fits) in [(json!(2), true), (json!(2.0), true), (json!(2.5), false)] {
        let mut body = good();
        body["parts"] = json!([{ "weight": weight }]);
        assert_eq!(errors(body).is_empty(), fits, "{weight}");
    }
}

#[test]
fn amounts_and_addresses_are_checked() {
    for (field, text, code) in [
        ("amount", "0", "amount_zero"),
        ("amount", "1.0000001", "invalid_amount"),
        ("amount", "-1", "invalid_amount"),
        ("email", "a@b", "invalid_email"),
        ("email", "a@b@c.de", "invalid_email"),
        ("email", "a b@c.de", "invalid_email"),
        ("countryCode", "in", "invalid_country_code"),
    ] {
        let mut body = good();
        body[field] = json!(text);
        assert_eq!(errors(body), [(field.to_owned(), code.to_owned())], "{field}={text}");
    }
}

#[test]
fn the_schema_has_the_same_keys_as_the_reader() {
    let schema = schemars::schema_for!(Sample);
    let keys: Vec<&String> = schema.as_value()["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["amount", "countryCode", "dateOfBirth", "email", "parts", "phone"]);
    let mut required: Vec<&str> = schema.as_value()["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap())
        .collect();
    required.sort_unstable();
    assert_eq!(required, ["amount", "countryCode", "email", "parts"]);
    assert_eq!(schema.as_value()["additionalProperties"], false);
}
