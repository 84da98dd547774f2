//! What a route is: a row that names its handler, whose types say the rest.
//!
//! Router, API description and coverage tests are made from the same row, so that none of them can
//! forget a route.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::endpoint::Endpoint;
use super::shape::{Failure, Shape};
use crate::app::App;
use crate::auth::partners;
use crate::auth::{Permission, Scope};
use crate::error::{Error, Result};
use crate::http::accept::Format;
use crate::http::limits::Class;
use crate::service::{Service, Services};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// A user with a token.
    User,
    /// A user or an admin; the handler decides what each may see.
    Either,
    /// An admin with a token, whatever the permissions.
    AnyAdmin,
    /// An admin with a permission.
    Admin(Permission),
    /// A partner with a key, for itself; what the key needs stands in the row.
    Partner,
    /// Operators and machines, by way of the network: health, metrics, description.
    System,
}

/// How a partner's payment is refused that is more than the user has agreed to.
const CONSENT_LIMITS: [Failure; 3] =
    [(403, "consent_payment_limit"), (403, "consent_day_limit"), (403, "forbidden")];

/// Declares the HTTP methods of routes.
macro_rules! verbs {
    ($($variant:ident = $name:literal, $filter:ident, $function:ident;)+) => {
        /// The HTTP method of a route.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Verb {
            $($variant,)+
        }

        impl Verb {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            const fn filter(self) -> MethodFilter {
                match self { $(Self::$variant => MethodFilter::$filter,)+ }
            }
        }

        impl Route {
            $(
                #[doc = concat!("A row for `", $name, "`.")]
                pub fn $function<H, T>(path: &'static str, handler: H) -> Self
                where
                    H: Endpoint<T>,
                    T: 'static,
                {
                    Self::new(Verb::$variant, path, handler)
                }
            )+
        }
    };
}

verbs! {
    Get = "GET", GET, get;
    Post = "POST", POST, post;
    Put = "PUT", PUT, put;
    Patch = "PATCH", PATCH, patch;
    Delete = "DELETE", DELETE, delete;
}

/// A row of the route table.
#[derive(Clone)]
pub struct Route {
    pub verb: Verb,
    /// The whole path, with `{name}` for its parameters.
    pub path: &'static str,
    /// The service that serves it; `None` for routes that every service has.
    pub service: Option<Service>,
    /// The path of which this one is another name.
    pub alias_of: Option<&'static str>,
    pub summary: &'static str,
    /// A body that the route accepts, as JSON. `{name}` stands for what the moment gives: a token,
    /// an id.
    pub sample: Option<&'static str>,
    pub(super) class: Class,
    /// It changes nothing although its method is not `GET`: the question does not fit a URL.
    only_asks: bool,
    /// The answer holds tokens, so that it is never kept.
    gives_tokens: bool,
    /// What audit rows say was changed, when the path names nothing.
    target: &'static str,
    /// What a partner needs who calls it, for a user or for itself; closed to partners without.
    partner: Option<Scope>,
    pub(super) shape: Shape,
    install: Arc<dyn Fn() -> MethodRouter<App> + Send + Sync>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.as_str(), self.path)
    }
}

impl Route {
    fn new<H, T>(verb: Verb, path: &'static str, handler: H) -> Self
    where
        H: Endpoint<T>,
        T: 'static,
    {
        let class = if verb == Verb::Get { Class::Read } else { Class::Command };
        Self {
            verb,
            path,
            service: None,
            alias_of: None,
            summary: "",
            sample: None,
            class,
            only_asks: false,
            gives_tokens: false,
            target: "",
            partner: None,
            shape: H::shape(),
            install: Arc::new(move || on(verb.filter(), handler.clone())),
        }
    }

    /// One sentence for the API description.
    #[must_use]
    pub fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// A body that the route accepts: the example of the description, which the tests send.
    #[must_use]
    pub fn sample(self, sample: &'static str) -> Self {
        Self { sample: Some(sample), ..self }
    }

    /// The route takes a password or makes an account: its limit is the tightest.
    pub(crate) fn credentials(self) -> Self {
        Self { class: Class::Credentials, ..self }
    }

    /// The route changes nothing: what it asks with is too much for a URL.
    pub(crate) fn only_asks(self) -> Self {
        Self { class: Class::Read, only_asks: true, ..self }
    }

    /// The answer holds tokens: it is never kept for retries.
    pub(crate) fn gives_tokens(self) -> Self {
        Self { gives_tokens: true, ..self }
    }

    /// The route is for operators and machines, is not limited, and answers on every port.
    pub(crate) fn for_operators(mut self) -> Self {
        debug_assert_eq!(self.shape.access, Access::Public, "{self:?} takes a caller");
        self.shape.access = Access::System;
        Self { class: Class::Unlimited, ..self }
    }

    /// What audit rows say was changed, where the path has no parameter.
    pub(crate) fn concerns(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    /// Partners may call it with this: for a user who has agreed to it, or for themselves where the
    /// handler takes a partner. Every other route is closed to them.
    pub(crate) fn partner(mut self, scope: Scope) -> Self {
        let is_own = self.access() == Access::Partner;
        debug_assert!(is_own || matches!(self.access(), Access::User | Access::Either), "{self:?}");
        if !is_own {
            self.shape.fails(&partners::FAILURES);
        }
        if self.shape.is_command {
            self.shape.fails(&CONSENT_LIMITS);
        }
        Self { partner: Some(scope), ..self }
    }

    /// How the handler itself can fail, beside what its types say.
    pub(crate) fn fails(mut self, failures: &[Failure]) -> Self {
        self.shape.fails(failures);
        self
    }

    /// The answer can be had in these forms besides.
    pub(crate) fn also_as(mut self, formats: &[Format]) -> Self {
        for format in formats {
            self.shape.other(format.media_type());
        }
        self
    }

    /// The same route under another path.
    pub(crate) fn alias(&self, path: &'static str) -> Self {
        Self { path, alias_of: Some(self.path), ..self.clone() }
    }

    pub(crate) fn of(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    pub(super) fn method_router(&self) -> MethodRouter<App> {
        (self.install)()
    }

    /// Who may call it.
    pub fn access(&self) -> Access {
        self.shape.access
    }

    /// What a partner needs who calls it, for a user or for itself.
    pub fn partner_scope(&self) -> Option<Scope> {
        self.partner
    }

    /// The contract function that it submits, `Contract:Function`.
    pub fn command(&self) -> Option<&'static str> {
        self.shape.command
    }

    /// Whether its body may carry a signature: it gives a command, and nothing else.
    pub(crate) fn is_signed(&self) -> bool {
        self.shape.is_signed
    }

    /// Whether the answer is kept and given again under the same idempotency key. Commands are
    /// idempotent by themselves.
    pub(crate) fn is_replayed(&self) -> bool {
        self.mutates() && !self.shape.is_command && !self.gives_tokens
    }

    /// Whether its body holds a file.
    pub(super) fn takes_uploads(&self) -> bool {
        self.shape.uploads
    }

    /// Whether the route changes something.
    pub fn mutates(&self) -> bool {
        self.verb != Verb::Get && !self.only_asks
    }

    /// Whether an answer of this status and code is one that the description lists.
    pub fn admits(&self, status: u16, code: Option<&str>) -> bool {
        match code {
            None => self.shape.answers.iter().any(|(answer, _)| answer.as_u16() == status),
            Some(code) => self.failures().any(|failure| failure == (status, code)),
        }
    }

    /// Every way in which a request can fail.
    pub(super) fn failures(&self) -> impl Iterator<Item = Failure> {
        let limited = (self.class != Class::Unlimited).then_some((429, "rate_limited"));
        let replayed: &[Failure] = if self.is_replayed() { &super::replay::FAILURES } else { &[] };
        let everywhere = (self.shape.access != Access::System).then_some([
            (500, "internal"),
            (503, "store_unavailable"),
            (503, "timeout"),
        ]);
        let own = self.shape.failures.iter().chain(replayed).copied();
        own.chain(limited).chain(everywhere.into_iter().flatten())
    }

    pub(super) fn facts(&self) -> Facts {
        Facts { service: self.service, target: self.target }
    }
}

/// What a handler is told of its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) service: Option<Service>,
    pub(crate) target: &'static str,
}

/// What the listener that a request came in on serves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    pub(crate) routes: &'static [Route],
    pub(crate) services: Services,
}

impl<S: Sync> FromRequestParts<S> for Served {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let served = parts.extensions.get::<Self>().copied();
        served.ok_or_else(|| Error::internal("the request did not come through a router"))
    }
}
