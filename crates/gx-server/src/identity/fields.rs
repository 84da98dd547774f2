//! Fields that say something of a person.

use std::borrow::Cow;

use crate::calendar::Date;
use crate::http::fields::{SPEAKS, length_between, masked, name, text_field, unseen};

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

masked!(PersonName, Phone, DocumentNumber);
