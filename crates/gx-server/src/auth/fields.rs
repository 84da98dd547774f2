//! Fields by which somebody says who they are. They are secrets, or say something of a person.

use super::address;
use crate::http::fields::{length_between, masked, text_field};

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

/// An opaque token of ours. It is a secret.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) String);

text_field!(
    [] Token,
    "Token",
    |text| length_between(text, 1, 256).map(|()| Self(text.to_owned())),
    { "type": "string", "minLength": 1, "maxLength": 256 }
);

masked!(Email, LoginEmail, GivenPassword, Token);
