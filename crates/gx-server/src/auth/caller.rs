//! Handlers take who calls as a value: a [`User`], an [`Admin`], either, an admin who [`May`], or a
//! [`Partner`].
//!
//! The extractor is the permission: the route's access rule follows from it, and the guard has
//! applied that rule before a handler runs.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::gate::{Admin, Caller, User};
use super::partners::Partner;
use super::permissions::Grant;
use crate::error::{Error, Result};

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Error::internal("the guard let a request without a caller pass"))
    }
}

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::User(user)) => Ok(user.clone()),
            _ => Err(Error::internal("the guard let somebody else than a user pass")),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::Admin(admin)) => Ok(admin.clone()),
            _ => Err(Error::internal("the guard let somebody else than an admin pass")),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Partner {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let partner = parts.extensions.get::<Self>().cloned();
        partner.ok_or_else(|| Error::internal("the guard let somebody else than a partner pass"))
    }
}

/// An admin who has the permission `G`.
#[derive(Clone)]
pub struct May<G>(Admin, PhantomData<G>);

impl<G> fmt::Debug for May<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<G> Deref for May<G> {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.0
    }
}

impl<G: Grant, S: Sync> FromRequestParts<S> for May<G> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let admin = Admin::from_request_parts(parts, state).await?;
        // The guard has asked already; a permission is worth asking twice.
        if admin.may(G::PERMISSION) {
            Ok(Self(admin, PhantomData))
        } else {
            Err(Error::forbidden())
        }
    }
}
