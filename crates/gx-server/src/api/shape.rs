//! What is known of an endpoint from the types of its handler.
//!
//! Nothing here is written down by hand for a route: extractors and answers say it of themselves.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::route::Access;
use crate::auth::partners;

pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A way in which a request can fail: the status of the answer, and the code in its body.
pub(crate) type Failure = (u16, &'static str);

/// How administrators are kept out who have not made their own log-in safe.
pub(crate) const UNSETTLED: [Failure; 2] =
    [(403, "password_change_required"), (403, "mfa_required")];

/// What a successful answer carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    Json(SchemaOf),
    /// Another media type.
    Other(&'static str),
}

/// An endpoint: who may call it, what it takes, what it answers, how it can fail.
#[derive(Debug, Clone)]
pub struct Shape {
    pub(crate) access: Access,
    pub(crate) query: Option<SchemaOf>,
    pub(crate) body: Option<SchemaOf>,
    /// It can be asked to come after a command.
    pub(crate) after: bool,
    /// Its body holds a file, and may come as a form as well.
    pub(crate) uploads: bool,
    /// It needs an idempotency key.
    pub(crate) is_command: bool,
    /// Its body may carry a signature for the ledger.
    pub(crate) is_signed: bool,
    /// It can be asked to wait for the outcome.
    pub(crate) waits: bool,
    /// The contract function that it submits.
    pub(crate) command: Option<&'static str>,
    pub(crate) answers: Vec<(StatusCode, Content)>,
    pub(crate) failures: BTreeSet<Failure>,
}

impl Shape {
    pub(super) fn new() -> Self {
        Self {
            access: Access::Public,
            query: None,
            body: None,
            after: false,
            uploads: false,
            is_command: false,
            is_signed: false,
            waits: false,
            command: None,
            answers: Vec::new(),
            failures: BTreeSet::new(),
        }
    }

    /// The extractor of the caller is the permission.
    pub(crate) fn access(&mut self, access: Access) {
        debug_assert_eq!(self.access, Access::Public, "a handler has one caller");
        self.access = access;
        if access == Access::Partner {
            return self.fails(&partners::OWN_FAILURES);
        }
        self.fails(&[
            (401, "authorization_missing"),
            (401, "authorization_malformed"),
            (401, "token_invalid"),
        ]);
        if !matches!(access, Access::User) {
            self.fails(&[(401, "idle_timeout")]);
        }
        // Whoever is shut out learns that on every route, also on one that is not for them.
        let shut_out = ["account_frozen", "account_suspended", "account_closed"];
        self.failures.extend(shut_out.map(|code| (403, code)));
        if matches!(access, Access::Admin(_) | Access::Either) {
            self.fails(&UNSETTLED);
        }
        if access != Access::Either {
            self.fails(&[(403, "forbidden")]);
        }
    }

    pub(crate) fn fails(&mut self, failures: &[Failure]) {
        self.failures.extend(failures);
    }

    pub(crate) fn json<T: JsonSchema>(&mut self, status: StatusCode) {
        self.answers.push((status, Content::Json(|schemas| schemas.subschema_for::<T>())));
    }

    pub(crate) fn other(&mut self, media_type: &'static str) {
        self.answers.push((StatusCode::OK, Content::Other(media_type)));
    }
}
