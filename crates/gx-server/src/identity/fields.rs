//! Fields that say something of a person.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gx_store::identity::documents::DocumentType;
use schemars::{Schema, SchemaGenerator};

use crate::calendar::Date;
use crate::http::fields::{
    SPEAKS, length_between, listed_fields, masked, name, one_of, text_field, unseen,
};

/// A person's first or last name.
#[derive(Clone)]
pub(crate) struct PersonName(pub(crate) String);

text_field!(
    [] PersonName,
    "PersonName",
    |text| {
        length_between(text.trim(), 1, 100)?;
        let name = name(text).ok_or_else(|| unseen("and a letter or a digit"))?;
        length_between(&name, 1, 100)?;
        Ok(Self(name))
    },
    {
        "type": "string", "minLength": 1, "maxLength": 100, "pattern": SPEAKS,
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
    {
        "type": "string", "pattern": r"^[ ./-]*([A-Za-z0-9][ ./-]*){4,40}$",
        "description": "4 to 40 letters and digits; spaces, dots, dashes and slashes do not count"
    }
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
    {
        "type": "string", "format": "date", "pattern": "^(190[6-9]|19[1-9][0-9]|20[0-9]{2})-",
        "examples": ["1990-12-31"]
    }
);

/// A day on which a document was issued or ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(pub(crate) Date);

text_field!(
    [] Day,
    "Day",
    |text| match text.parse::<Date>() {
        Ok(date) if (1900..2200).contains(&date.year()) => Ok(Self(date)),
        _ => Err(("invalid_date", "must be a date such as 2031-12-31".into())),
    },
    { "type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-" }
);

/// SHA-256 of a file.
#[derive(Debug, Clone)]
pub(crate) struct FileHash(pub(crate) String);

text_field!(
    [] FileHash,
    "FileHash",
    |text| {
        let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let misfit = ("invalid_hash", Cow::from("must be 64 hexadecimal digits"));
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(misfit) }
    },
    { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }
);

/// A file as base64.
#[derive(Clone)]
pub(crate) struct FileContent(pub(crate) Vec<u8>);

text_field!(
    [] FileContent,
    "FileContent",
    |text| {
        let misfit = |_| ("invalid_base64", Cow::from("must be base64"));
        BASE64_STANDARD.decode(text).map(Self).map_err(misfit)
    },
    { "type": "string", "contentEncoding": "base64" }
);

listed_fields! {
    DocumentType: "invalid_document_type";
}

/// A type of document, where the description names it.
pub(crate) fn document_types(_: &mut SchemaGenerator) -> Schema {
    one_of(DocumentType::ALL.map(DocumentType::as_str))
}

masked!(PersonName, Phone, DocumentNumber, FileContent);
