//! Fields that say something of a person.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gx_store::identity::documents::DocumentType;
use schemars::{Schema, SchemaGenerator};

use crate::calendar::Date;
use crate::http::fields::{
    Misfit, SPEAKS, length_between, listed_fields, masked, name, one_of, text_field, unseen,
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
    |text| international(text.strip_prefix('+').unwrap_or_default()).map(Self),
    { "type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$", "examples": ["+4915112345678"] }
);

/// The same, where the plus may be missing.
#[derive(Clone)]
pub(crate) struct DialledPhone(pub(crate) String);

text_field!(
    [] DialledPhone,
    "DialledPhone",
    |text| international(text.strip_prefix('+').unwrap_or(text)).map(Self),
    { "type": "string", "pattern": "^\\+?[1-9][0-9]{6,14}$", "examples": ["+4915112345678"] }
);

fn international(digits: &str) -> Result<String, Misfit> {
    let fits = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let misfit = ("invalid_phone", Cow::from("must be + and 7 to 15 digits, country first"));
    if fits { Ok(format!("+{digits}")) } else { Err(misfit) }
}

/// A code of six digits that was sent to somebody.
#[derive(Clone)]
pub(crate) struct OneTimeCode(pub(crate) String);

text_field!(
    [] OneTimeCode,
    "OneTimeCode",
    |text| {
        let fits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        let misfit = ("otp_invalid_format", Cow::from("must be six digits"));
        if fits { Ok(Self(text.to_owned())) } else { Err(misfit) }
    },
    { "type": "string", "pattern": "^[0-9]{6}$", "examples": ["123456"] }
);

/// `MALE` or `FEMALE`.
#[derive(Clone)]
pub(crate) struct Gender(pub(crate) &'static str);

text_field!(
    [] Gender,
    "Gender",
    |text| {
        let found = ["MALE", "FEMALE"].into_iter().find(|word| word.eq_ignore_ascii_case(text));
        found.map(Self).ok_or(("gender_invalid", "must be MALE or FEMALE".into()))
    },
    { "type": "string", "enum": ["MALE", "FEMALE", "male", "female"] }
);

/// The tag of a language (BCP 47), in its usual spelling.
#[derive(Debug, Clone)]
pub(crate) struct LanguageTag(pub(crate) String);

text_field!(
    [] LanguageTag,
    "LanguageTag",
    |text| language(text).map(Self).ok_or_else(|| {
        ("invalid_language", "must be the tag of a language such as de or pt-BR".into())
    }),
    {
        "type": "string", "maxLength": 35,
        "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "examples": ["de", "pt-BR"]
    }
);

/// Languages in lower case, scripts with a capital, regions in capitals.
fn language(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let first = parts.next().filter(|part| (2..=3).contains(&part.len()))?;
    if text.len() > 35 || !first.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let mut tag = first.to_ascii_lowercase();
    for part in parts {
        let legal = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !legal || !(2..=8).contains(&part.len()) {
            return None;
        }
        tag.push('-');
        match part.split_at_checked(1) {
            Some((first, rest)) if part.len() == 4 => {
                tag.push_str(&first.to_ascii_uppercase());
                tag.push_str(&rest.to_ascii_lowercase());
            }
            _ if part.len() == 2 => tag.push_str(&part.to_ascii_uppercase()),
            _ => tag.push_str(&part.to_ascii_lowercase()),
        }
    }
    Some(tag)
}

/// Number of a passport or identity card, in upper case without spaces and dashes.
#[derive(Clone)]
pub(crate) struct DocumentNumber(pub(crate) String);

impl DocumentNumber {
    pub(crate) const LENGTH: std::ops::RangeInclusive<usize> = 4..=40;
}

text_field!(
    [] DocumentNumber,
    "DocumentNumber",
    |text| {
        let number: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '/'))
            .flat_map(char::to_uppercase)
            .collect();
        length_between(&number, *Self::LENGTH.start(), *Self::LENGTH.end())?;
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

masked!(PersonName, Phone, DialledPhone, OneTimeCode, Gender, DocumentNumber, FileContent);

#[cfg(test)]
mod tests {
    use super::{international, language};

    #[test]
    fn tags_of_languages_have_one_spelling() {
        for (text, tag) in [("DE", "de"), ("pt-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW")] {
            assert_eq!(language(text).as_deref(), Some(tag));
        }
        for text in ["", "d", "deutsch", "de_DE", "de-", "1e", "de-ö1"] {
            assert_eq!(language(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_begin_with_their_country() {
        assert_eq!(international("4915112345678").as_deref(), Ok("+4915112345678"));
        for digits in ["", "04915112345", "123456", "49 1511234", "1234567890123456"] {
            assert!(international(digits).is_err(), "{digits}");
        }
    }
}
