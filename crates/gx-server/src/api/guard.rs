//! What stands before every handler: authentication, permission, rate limit, counting.
//!
//! It takes the rule from the route's row; a handler cannot be reached around it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use tower_service::Service as _;

use super::replay;
use super::route::{Access, Route, Served};
use crate::app::App;
use crate::auth::{Caller, Partner, partners};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::front::asked_wait;
use crate::http::limits::{Allowance, Class, Limited};
use crate::service::{Service, Services};
use gx_engine::{Span, SpanKind};
use gx_metrics::{ByRoute, ByStatus, Histogram};

/// Whom the guard lets pass.
#[derive(Debug)]
enum Admitted {
    /// Whoever it is: nobody was asked.
    Anybody,
    Caller(Caller),
    Partner(Partner),
}

impl Admitted {
    /// As the audit log names whoever it is.
    fn scope(&self) -> Option<&str> {
        match self {
            Self::Anybody => None,
            Self::Caller(caller) => Some(caller.scope()),
            Self::Partner(partner) => Some(&partner.actor),
        }
    }
}

/// A route and what is counted for it.
#[derive(Debug)]
struct Guarded {
    app: App,
    route: &'static Route,
    served: Served,
    seconds: Histogram,
}

/// The router of a set of services, from the table.
pub(crate) fn router(app: &App, routes: &'static [Route], services: Services) -> Router {
    let is_served = |route: &&Route| route.service.is_none_or(|service| services.contains(service));
    let mut router = Router::new();
    for route in routes.iter().filter(is_served) {
        router = router.route(route.path, guarded(app, route, Served { routes, services }));
    }
    router.fallback(no_route).with_state(app.clone())
}

/// The handler of a route behind its guard.
fn guarded(app: &App, route: &'static Route, served: Served) -> MethodRouter<App> {
    let labels = ByRoute { api: api(route), method: route.verb.as_str(), route: route.path };
    let seconds = app.metrics().http_request_duration_seconds.get_or_create(&labels).clone();
    let guarded = Arc::new(Guarded { app: app.clone(), route, served, seconds });
    route.method_router().route_layer(from_fn_with_state(guarded, guard))
}

/// The word for the service of a route; those that every service has are common.
fn api(route: &Route) -> &'static str {
    route.service.map_or("common", Service::as_str)
}

/// Has a route answer a request that another route was asked with, as if it had come in by itself.
pub(crate) async fn dispatch(
    app: &App,
    route: &'static Route,
    served: Served,
    request: Request,
) -> Response {
    let router = Router::new().route(route.path, guarded(app, route, served));
    match router.fallback(no_route).with_state(app.clone()).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

pub(crate) async fn no_route(request: Request) -> Error {
    let (method, path) = (request.method(), request.uri().path());
    no_such_route(method.as_str(), path)
}

pub(crate) fn no_such_route(method: &str, path: &str) -> Error {
    let path: String = path.chars().take(200).collect();
    let message = format!("Route {method} {path} not found");
    Error::new(axum::http::StatusCode::NOT_FOUND, "route_not_found", message)
}

async fn guard(State(guarded): State<Arc<Guarded>>, mut request: Request, next: Next) -> Response {
    let Some(context) = request.extensions().get::<Context>().cloned() else {
        return Error::internal("the request did not come through the front").into_response();
    };
    let waits = asked_wait(request.headers()).is_some();
    let mut allowance = None;
    let response =
        match guarded.admit(&context, request.headers(), request.uri(), &mut allowance).await {
            Ok(admitted) => {
                let kept = replay::applies(guarded.route, request.headers()).then(|| {
                    let client = || format!("client:{}", context.client);
                    admitted.scope().map_or_else(client, str::to_owned)
                });
                let extensions = request.extensions_mut();
                match admitted {
                    Admitted::Anybody => {}
                    Admitted::Caller(caller) => drop(extensions.insert(caller)),
                    Admitted::Partner(partner) => drop(extensions.insert(partner)),
                }
                if guarded.route.mutates() {
                    extensions.insert(guarded.route.facts());
                }
                extensions.insert(guarded.served);
                match kept {
                    Some(scope) => {
                        replay::run(&guarded.app, guarded.route, &scope, request, next).await
                    }
                    None => next.run(request).await,
                }
            }
            Err(error) => error.into_response(),
        };
    guarded.finish(&context, waits, allowance, response)
}

impl Guarded {
    /// Who calls, when they may.
    async fn admit(
        &self,
        context: &Context,
        headers: &HeaderMap,
        uri: &Uri,
        allowance: &mut Option<Allowance>,
    ) -> Result<Admitted> {
        let (class, client) = (self.route.class, Limited::Client(context.client));
        match self.route.access() {
            Access::System => return Ok(Admitted::Anybody),
            Access::Public => {
                self.count(class, client, context, allowance).await?;
                return Ok(Admitted::Anybody);
            }
            Access::Partner => {
                let partner = self.admit_partner(context, headers, uri, allowance).await?;
                return Ok(Admitted::Partner(partner));
            }
            Access::User | Access::Either | Access::AnyAdmin | Access::Admin(_) => {}
        }
        if class == Class::Credentials {
            self.count(class, client, context, allowance).await?;
        }
        let caller = match self.authenticate(context, headers, uri).await {
            Ok(caller) => caller,
            Err(error) => {
                self.log_denial(context, "nobody", &error);
                // Guessing tokens and keys is limited as well.
                self.count(Class::Command, client, context, allowance).await?;
                return Err(error);
            }
        };
        if class != Class::Credentials {
            let limited = match caller.limited() {
                (key, Some(limit)) => Limited::Own(key, limit),
                (caller, None) => Limited::Caller(caller),
            };
            self.count(class, limited, context, allowance).await?;
        }
        self.permit(&caller)
            .inspect_err(|error| self.log_denial(context, caller.scope(), error))?;
        Ok(Admitted::Caller(caller))
    }

    /// The partner that calls for itself, when it may.
    async fn admit_partner(
        &self,
        context: &Context,
        headers: &HeaderMap,
        uri: &Uri,
        allowance: &mut Option<Allowance>,
    ) -> Result<Partner> {
        let partner = match self.authenticate_partner(context, headers, uri).await {
            Ok(partner) => partner,
            Err(error) => {
                self.log_denial(context, "nobody", &error);
                let client = Limited::Client(context.client);
                self.count(Class::Command, client, context, allowance).await?;
                return Err(error);
            }
        };
        let limited = match partner.requests_per_minute {
            Some(limit) => Limited::Own(&partner.key_id, limit),
            None => Limited::Caller(&partner.key_id),
        };
        self.count(self.route.class, limited, context, allowance).await?;
        Ok(partner)
    }

    async fn authenticate_partner(
        &self,
        context: &Context,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Result<Partner> {
        // A row without a scope is closed.
        let scope = self.route.partner_scope().ok_or_else(Error::forbidden)?;
        partners::refuse_in_query(uri.query())?;
        one_credential(headers)?;
        self.app.partners().authenticate_alone(headers, context.client, scope).await
    }

    /// Counts the request where a limit has to be kept.
    async fn count(
        &self,
        class: Class,
        limited: Limited<'_>,
        context: &Context,
        allowance: &mut Option<Allowance>,
    ) -> Result<()> {
        *allowance = self.app.limiter().count(class, limited, context.came).await;
        match allowance {
            Some(Allowance { allowed: false, seconds, .. }) => Err(too_many(*seconds)),
            _ => Ok(()),
        }
    }

    /// Who calls: somebody with a token, or a partner with a key where the row lets partners in.
    async fn authenticate(
        &self,
        context: &Context,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Result<Caller> {
        let Some(scope) = self.route.partner_scope() else {
            return self.app.gate().authenticate(headers).await;
        };
        partners::refuse_in_query(uri.query())?;
        if !headers.contains_key(partners::KEY_HEADER) {
            return self.app.gate().authenticate(headers).await;
        }
        one_credential(headers)?;
        let user = self.app.partners().authenticate(headers, context.client, scope).await?;
        Ok(Caller::User(user))
    }

    /// Whoever is kept out is logged whatever the settings say of requests. Whoever is only asked
    /// to wait is counted by the metrics: a line for each would help who sends too much.
    fn log_denial(&self, context: &Context, caller: &str, error: &Error) {
        let (id, trace, route) = (&context.request_id, context.trace, self.route.path);
        let (method, code) = (self.route.verb.as_str(), error.code());
        tracing::info!(
            request_id = %id, trace = %trace, caller, method, route, code, "access denied"
        );
    }

    fn permit(&self, caller: &Caller) -> Result<()> {
        match (self.route.access(), caller) {
            (Access::User, Caller::User(_))
            | (Access::AnyAdmin, Caller::Admin(_))
            | (Access::Either, Caller::User(_)) => Ok(()),
            (Access::Either, Caller::Admin(admin)) => admin.is_settled(),
            (Access::Admin(permission), Caller::Admin(admin)) => {
                admin.is_settled()?;
                if admin.may(permission) { Ok(()) } else { Err(Error::forbidden()) }
            }
            _ => Err(Error::forbidden()),
        }
    }

    /// Tells of the request in its trace: the route as the table has it, never the path, which may
    /// name people.
    fn tell(&self, context: &Context, status: u16, took: Duration) {
        let (method, path) = (self.route.verb.as_str(), self.route.path);
        let took = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        let to_us = now_ms().saturating_mul(1000);
        let mut attributes = vec![
            ("http.request.method", method.into()),
            ("http.route", path.into()),
            ("http.response.status_code", u64::from(status).into()),
        ];
        if let Some(service) = self.route.service {
            attributes.push(("gx.service", service.as_str().into()));
        }
        self.app.spans().tell(Span {
            name: format!("{method} {path}").into(),
            kind: SpanKind::Server,
            at: context.trace,
            parent: context.caller_span,
            links: Vec::new(),
            from_us: to_us.saturating_sub(took),
            to_us,
            attributes,
            is_failed: status >= 500,
        });
    }

    fn finish(
        &self,
        context: &Context,
        waits: bool,
        allowance: Option<Allowance>,
        mut response: Response,
    ) -> Response {
        let route = self.route;
        let (method, path) = (route.verb.as_str(), route.path);
        let status_code = response.status().as_u16();
        let metrics = self.app.metrics();
        let labels = ByStatus { api: api(route), method, route: path, status_code };
        metrics.http_requests.get_or_create(&labels).inc();
        let took = Instant::now().saturating_duration_since(context.came);
        // Waiting that the client asked for says nothing of how fast the service is.
        if !waits {
            self.seconds.observe(took.as_secs_f64());
        }
        if context.trace.is_sampled() && route.access() != Access::System {
            self.tell(context, status_code, took);
        }
        if let Some(Allowance { limit, remaining, seconds, .. }) = allowance {
            let headers = response.headers_mut();
            headers.insert(LIMIT, HeaderValue::from(limit));
            headers.insert(REMAINING, HeaderValue::from(remaining));
            headers.insert(RESET, HeaderValue::from(seconds));
        }
        if self.app.config().log.requests && route.access() != Access::System {
            let (id, ms) = (&context.request_id, took.as_millis());
            let trace = context.trace;
            tracing::info!(
                request_id = %id, trace = %trace, method, route = path, status = status_code, ms,
                "request answered"
            );
        }
        response
    }
}

/// Refuses a request that shows a partner's key and a token.
fn one_credential(headers: &HeaderMap) -> Result<()> {
    let has = |name: HeaderName| headers.contains_key(name);
    if has(HeaderName::from_static(partners::KEY_HEADER)) && has(header::AUTHORIZATION) {
        let message = "Send X-API-Key or Authorization, not both";
        return Err(Error::bad_request("two_credentials", message));
    }
    Ok(())
}

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

fn too_many(seconds: u32) -> Error {
    let message = format!("Too many requests; try again in {seconds} seconds");
    Error::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
        .retry_after(seconds)
}
