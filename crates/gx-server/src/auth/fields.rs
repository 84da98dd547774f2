//! Fields by which somebody says who they are. They are secrets, or say something of a person.

use super::address;
use super::permissions::Permission;
use crate::http::fields::{length_between, masked, seen, text_field};

/// An address in plain letters, as a pattern of JSON Schema.
const PLAIN: &str = concat!(
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@",
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
);

/// An e-mail address as it is kept: in lower case, its domain in ASCII.
#[derive(Clone)]
pub(crate) struct Email(pub(crate) String);

text_field!([] Email, "Email", |text| address::registered(text).map(Self), {
    "type": "string", "format": "email", "maxLength": 254, "pattern": PLAIN,
    "examples": ["ada@example.org"],
    "description": "Other letters than these are taken as well where the local part is in one \
                    script and does not look like Latin letters, and the domain is a domain of \
                    IDNA; it is kept in its ASCII form"
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
    {
        "type": "string", "format": "email", "maxLength": 254, "pattern": PLAIN,
        "examples": ["ada@example.org"]
    }
);

/// A new password of a user.
#[derive(Clone)]
pub(crate) struct NewUserPassword(pub(crate) String);

text_field!([] NewUserPassword, "NewUserPassword", |text| Ok(Self(text.to_owned())), {
    "type": "string", "format": "password", "minLength": 8, "maxLength": 128,
    "pattern": seen!(r"(?=.*\p{Lu})(?=.*\p{Ll})(?=.*[0-9])"),
    "description": "8 to 128 characters with upper case, lower case and digit; not one of those \
                    that are tried first, and without the local part of the e-mail address"
});

/// A new password of an admin.
#[derive(Clone)]
pub(crate) struct NewAdminPassword(pub(crate) String);

text_field!([] NewAdminPassword, "NewAdminPassword", |text| Ok(Self(text.to_owned())), {
    "type": "string", "format": "password", "minLength": 12, "maxLength": 128,
    "pattern": seen!(r"(?=.*\p{Lu})(?=.*\p{Ll})(?=.*[0-9])(?=.*[^\p{L}\p{N}])"),
    "description": "12 to 128 characters with upper case, lower case, digit and another \
                    character; not one of those that are tried first"
});

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

/// An opaque token of ours. It is a secret.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) String);

text_field!(
    [] Token,
    "Token",
    |text| length_between(text, 1, 256).map(|()| Self(text.to_owned())),
    { "type": "string", "minLength": 1, "maxLength": 256 }
);

/// The id of a partner.
#[derive(Debug, Clone)]
pub(crate) struct PartnerId(pub(crate) String);

text_field!(
    [] PartnerId,
    "PartnerId",
    |text| {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        let fits = (3..=32).contains(&text.len()) && starts && text.bytes().all(legal);
        fits.then(|| Self(text.to_owned())).ok_or(("invalid_partner_id", PARTNER_ID.into()))
    },
    { "type": "string", "pattern": "^[a-z][a-z0-9-]{2,31}$", "examples": ["example-shop"] }
);

const PARTNER_ID: &str = "must be 3 to 32 lower-case letters, digits or hyphens, a letter first";

/// The code of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PermissionCode(pub(crate) Permission);

fn permission_codes() -> Vec<&'static str> {
    Permission::ALL.iter().map(|permission| permission.code()).collect()
}

text_field!(
    [] PermissionCode,
    "PermissionCode",
    |text| Permission::parse(text).map(Self).ok_or_else(|| {
        let message = format!("must be one of {}", permission_codes().join(", "));
        ("invalid_permission", message.into())
    }),
    { "type": "string", "enum": permission_codes() }
);

/// What proves that somebody has their second factor.
#[derive(Clone)]
pub(crate) enum SecondFactorCode {
    /// Six digits from a device.
    Totp(u32),
    /// One of the codes that were shown when the factor was set up, in lower case without hyphen.
    Recovery(String),
}

text_field!(
    [] SecondFactorCode,
    "SecondFactorCode",
    |text| second_factor_code(text).ok_or(("invalid_code", CODE.into())),
    {
        "type": "string", "pattern": "^([0-9]{6}|[A-Za-z2-7]{5}-?[A-Za-z2-7]{5})$",
        "examples": ["123456"],
        "description": "Six digits from the device, or a recovery code"
    }
);

const CODE: &str = "must be six digits, or a recovery code such as abcde-fgh23";

fn second_factor_code(text: &str) -> Option<SecondFactorCode> {
    if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(SecondFactorCode::Totp);
    }
    let code = match text.split_once('-') {
        Some((first, second)) if first.len() == 5 => [first, second].concat(),
        Some(_) => return None,
        None => text.to_owned(),
    };
    let legal = |byte: u8| byte.is_ascii_alphabetic() || (b'2'..=b'7').contains(&byte);
    (code.len() == 10 && code.bytes().all(legal))
        .then(|| SecondFactorCode::Recovery(code.to_ascii_lowercase()))
}

masked!(Email, LoginEmail, NewUserPassword, NewAdminPassword, GivenPassword, Token);
masked!(SecondFactorCode);

#[cfg(test)]
mod tests {
    use super::{SecondFactorCode, second_factor_code};

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert!(matches!(second_factor_code("012345"), Some(SecondFactorCode::Totp(12_345))));
        for text in ["abcde-fgh23", "ABCDE-FGH23", "abcdefgh23"] {
            let Some(SecondFactorCode::Recovery(code)) = second_factor_code(text) else {
                panic!("{text}")
            };
            assert_eq!(code, "abcdefgh23");
        }
        for text in ["", "12345", "1234567", "+12345", "abc-defgh23", "abcde-fgh18", "äbcdefgh2"] {
            assert!(second_factor_code(text).is_none(), "{text}");
        }
    }
}
