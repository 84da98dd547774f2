//! Whoever logs in: users and admins have credentials, sessions and refresh tokens alike.
//!
//! Each table has one row shape for every kind of subject, so that a further kind, or a further
//! way to prove who one is, comes once. Who somebody is stands in the table of their kind; only
//! `standing`, which every request asks, reads both.

use std::fmt;

use crate::Error;

pub mod challenges;
pub mod credentials;
pub mod passkeys;
pub mod password_resets;
pub mod refresh_tokens;
pub mod second_factors;
pub mod sessions;
pub mod standing;

/// What kind of subject logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    User,
    Admin,
}

impl SubjectKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Admin => "ADMIN",
        }
    }

    /// As it stands before an id, or before what a subject does: `user:u1`, `user.login`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn from_text(text: &str) -> Result<Self, Error> {
        [Self::User, Self::Admin]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Error::corrupt("kind of subject", text))
    }
}

/// Somebody who logs in, by user id or admin id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject<'a> {
    pub kind: SubjectKind,
    pub id: &'a str,
}

impl<'a> Subject<'a> {
    pub const fn user(id: &'a str) -> Self {
        Self { kind: SubjectKind::User, id }
    }

    pub const fn admin(id: &'a str) -> Self {
        Self { kind: SubjectKind::Admin, id }
    }
}

/// `user:<id>` or `admin:<id>`.
impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.word(), self.id)
    }
}
