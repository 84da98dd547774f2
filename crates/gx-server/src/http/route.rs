//! What a route is: one row of the table in `routes.rs`.
//!
//! Router, API description and coverage tests are made from the same row, so that none of them can
//! forget a route.

use std::fmt;
use std::sync::Arc;

use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::limits::Class;
use crate::app::App;
use crate::auth::Permission;
use crate::service::Service;

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
    /// Operators and machines, by way of the network: health, metrics, description.
    System,
}

/// The HTTP method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Get,
    Post,
}

impl Verb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
        }
    }
}

pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A row of the route table.
#[derive(Clone)]
pub struct Route {
    pub verb: Verb,
    /// The whole path, with `{name}` for its parameters.
    pub path: &'static str,
    /// The service that serves it; `None` for routes that every service has.
    pub service: Option<Service>,
    pub access: Access,
    /// The contract function that it submits, `Contract:Function`.
    pub command: Option<&'static str>,
    /// The path of which this one is another name.
    pub alias_of: Option<&'static str>,
    pub summary: &'static str,
    pub(crate) class: Class,
    /// The answer holds tokens, so that it is never kept.
    gives_tokens: bool,
    pub(crate) query: Option<SchemaOf>,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: Option<SchemaOf>,
    pub(crate) status: StatusCode,
    install: Arc<dyn Fn() -> MethodRouter<App> + Send + Sync>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.as_str(), self.path)
    }
}

impl Route {
    fn new<H, T>(verb: Verb, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App> + Sync,
        T: 'static,
    {
        let class = match (access, verb) {
            (Access::System, _) => Class::Unlimited,
            (_, Verb::Get) => Class::Read,
            (_, Verb::Post) => Class::Command,
        };
        Self {
            verb,
            path,
            service: None,
            access,
            command: None,
            alias_of: None,
            summary: "",
            class,
            gives_tokens: false,
            query: None,
            body: None,
            answer: None,
            status: StatusCode::OK,
            install: Arc::new(move || on(verb.filter(), handler.clone())),
        }
    }

    pub(crate) fn get<H, T>(path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App> + Sync,
        T: 'static,
    {
        Self::new(Verb::Get, path, access, handler)
    }

    pub(crate) fn post<H, T>(path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App> + Sync,
        T: 'static,
    {
        Self::new(Verb::Post, path, access, handler)
    }

    /// One sentence for the API description.
    pub(crate) fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// The route takes a password or makes an account: its limit is the tightest.
    pub(crate) fn credentials(self) -> Self {
        Self { class: Class::Credentials, ..self }
    }

    /// The answer holds tokens: it is never kept for retries.
    pub(crate) fn gives_tokens(self) -> Self {
        Self { gives_tokens: true, ..self }
    }

    /// The route submits a command of the contract.
    pub(crate) fn submits(self, command: &'static str) -> Self {
        Self { command: Some(command), status: StatusCode::ACCEPTED, ..self }
    }

    pub(crate) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(|schemas| T::json_schema(schemas)), ..self }
    }

    pub(crate) fn body<T: JsonSchema>(self) -> Self {
        Self { body: Some(|schemas| schemas.subschema_for::<T>()), ..self }
    }

    pub(crate) fn answer<T: JsonSchema>(self) -> Self {
        Self { answer: Some(|schemas| schemas.subschema_for::<T>()), ..self }
    }

    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    /// The same route under another path.
    pub(crate) fn alias(&self, path: &'static str) -> Self {
        Self { path, alias_of: Some(self.path), ..self.clone() }
    }

    pub(crate) fn of(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    pub(crate) fn method_router(&self) -> MethodRouter<App> {
        (self.install)()
    }

    /// Whether the answer is kept and given again under the same idempotency key. Commands are
    /// idempotent by themselves.
    pub(crate) fn is_replayed(&self) -> bool {
        self.mutates() && self.command.is_none() && !self.gives_tokens
    }

    /// Whether the route changes something.
    pub fn mutates(&self) -> bool {
        self.verb != Verb::Get
    }
}
