//! Routes for operators and machines: health, readiness, metrics, version, description.
//!
//! Liveness never touches a dependency. Readiness says for each dependency how it is, and keeps
//! apart an idle ledger, which is fine, from a projector that is stuck.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use gx_store::SCHEMA_VERSION;
use gx_store::mailbox::{self, Channel};
use gx_store::projection::{self, Position};
use gx_store::submission::{self, StuckLane, Waiting};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Answer, Route, Served, Shape, describe, guard};
use crate::app::{Away, Dependency, Process};
use crate::calendar::{now_ms, rfc3339};
use crate::error::Result;
use crate::http::answer::{Html, Json, json};
use crate::mail::is_delivered;
use crate::metrics::{refresh, refresh_certificates, refresh_dependencies, refresh_hashing};
use crate::redis::{Condition, Redis};

/// Routes that every service has.
pub(crate) fn routes() -> Vec<Route> {
    let routes = [
        Route::get("/health", health)
            .summary("That the process answers, and whether the database does"),
        Route::get("/livez", livez).summary("That the process answers; touches nothing else"),
        Route::get("/readyz", readyz).summary("Whether the process can serve, and why not"),
        Route::get("/metrics", metrics).summary("Figures for Prometheus"),
        Route::get("/version", version).summary("What is running here"),
        Route::get("/openapi.json", openapi).summary("This description"),
        Route::get("/docs", docs).summary("This description for people"),
    ];
    routes.map(Route::for_operators).into()
}

/// The same routes for a process that serves no service: nobody logs in there, so it needs none of
/// the keys.
pub(crate) fn of_worker(process: Process) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .fallback(guard::no_route)
        .with_state(process)
}

/// How long a health route waits for the database.
const PATIENCE: Duration = Duration::from_secs(1);

/// That the process answers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    status: &'static str,
    service: &'static str,
    /// `connected` or `disconnected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    version: &'static str,
    timestamp: String,
    /// Seconds since the start.
    uptime: u64,
}

impl Health {
    /// Of a process that answers.
    pub(crate) fn alive(uptime: Duration) -> Self {
        Self {
            status: "alive",
            service: "gx",
            database: None,
            version: env!("CARGO_PKG_VERSION"),
            timestamp: rfc3339(now_ms()),
            uptime: uptime.as_secs(),
        }
    }
}

/// `GET /health`
async fn health(State(process): State<Process>) -> Result<Json<Health>> {
    let answered = tokio::time::timeout(PATIENCE, process.store.ping()).await;
    let database = if matches!(answered, Ok(Ok(()))) { "connected" } else { "disconnected" };
    Ok(Json(Health {
        status: "ok",
        database: Some(database),
        ..Health::alive(process.started.elapsed())
    }))
}

/// `GET /livez`
async fn livez(State(process): State<Process>) -> Result<Json<Health>> {
    Ok(Json(Health::alive(process.started.elapsed())))
}

/// Whether the process can serve, and why not.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Readiness {
    /// `ready` or `not_ready`.
    status: &'static str,
    ready: bool,
    timestamp: String,
    checks: Checks,
    lag_blocks: Option<u64>,
    oldest_unapplied_seconds: Option<f64>,
    heartbeat_age_seconds: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checks {
    database: Check,
    projection: Check,
    /// Whether the place of documents answers, in a process that takes them. A process is ready
    /// without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    documents: Option<Check>,
    /// Whether the virus scanner answers, where one is set up. Without it documents are not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    virus_scanner: Option<Check>,
    /// Whether commands reach the ledger. A process is ready without it: it goes on accepting
    /// them, and nothing is lost.
    submission: Check,
    /// Whether mail gets away. A process is ready without it: what was accepted is sent later.
    mail: Check,
    /// The same of text messages.
    texts: Check,
    /// Whether processes share limits and news, where that is set up. A process is ready without
    /// it: it counts requests by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Check>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    /// `healthy`, `unhealthy`, or `not_configured` of what this network does without.
    status: &'static str,
    /// What is wrong, as a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What is wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Check {
    const HEALTHY: Self = Self { status: "healthy", error: None, message: None };
    const NOT_CONFIGURED: Self = Self { status: "not_configured", error: None, message: None };

    fn failed(error: &str, message: String) -> Self {
        Self { status: "unhealthy", error: Some(error.to_owned()), message: Some(message) }
    }

    fn is_healthy(&self) -> bool {
        self.error.is_none()
    }
}

/// `GET /readyz`
async fn readyz(State(process): State<Process>) -> Result<Readiness> {
    Ok(readiness(&process).await)
}

async fn readiness(process: &Process) -> Readiness {
    let position = tokio::time::timeout(PATIENCE, projection::position(&process.store)).await;
    let (database, position) = match position {
        Ok(Ok(position)) => (Check::HEALTHY, Some(position)),
        Ok(Err(error)) => (Check::failed(error.class().as_str(), error.to_string()), None),
        Err(_) => (Check::failed("unavailable", "no answer within a second".to_owned()), None),
    };
    let projection = match &position {
        Some(position) => projection_check(process, position),
        None => Check::failed("unknown", "the database does not answer".to_owned()),
    };
    let waiting = tokio::time::timeout(PATIENCE, submission::waiting(&process.store)).await;
    let submission = match waiting {
        Ok(Ok(waiting)) => submission_check(process, &waiting),
        Ok(Err(error)) => Check::failed(error.class().as_str(), error.to_string()),
        Err(_) => Check::failed("unknown", "the database does not answer".to_owned()),
    };
    let (documents, virus_scanner) = document_checks(process).await;
    let redis = process.redis.as_ref().map(redis_check);
    let ready = database.is_healthy() && projection.is_healthy();
    let heartbeat = position.as_ref().and_then(|position| position.heartbeat);
    Readiness {
        status: if ready { "ready" } else { "not_ready" },
        ready,
        timestamp: rfc3339(now_ms()),
        lag_blocks: position.as_ref().map(Position::lag_blocks),
        oldest_unapplied_seconds: position.as_ref().map(|p| p.behind_ms() as f64 / 1000.0),
        heartbeat_age_seconds: heartbeat.map(|heartbeat| heartbeat.age.as_secs_f64()),
        checks: Checks {
            database,
            projection,
            submission,
            documents,
            virus_scanner,
            redis,
            mail: messages_check(process, Channel::Mail).await,
            texts: messages_check(process, Channel::Text).await,
        },
    }
}

impl Readiness {
    /// Of a process that is starting, and of what it waits for.
    pub(crate) fn starting(away: Option<&Away>) -> Self {
        let unknown = || Check::failed("starting", "the process is starting".to_owned());
        let mut checks = Checks {
            database: unknown(),
            projection: unknown(),
            submission: unknown(),
            documents: None,
            virus_scanner: None,
            redis: None,
            mail: unknown(),
            texts: unknown(),
        };
        if let Some(Away { dependency, class, message }) = away {
            let check = match dependency {
                Dependency::Database => &mut checks.database,
                Dependency::Fabric => &mut checks.submission,
            };
            *check = Check::failed(class, message.clone());
        }
        Self {
            status: "not_ready",
            ready: false,
            timestamp: rfc3339(now_ms()),
            checks,
            lag_blocks: None,
            oldest_unapplied_seconds: None,
            heartbeat_age_seconds: None,
        }
    }
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response<Body> {
        if self.ready {
            return json(StatusCode::OK, &self);
        }
        let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &self);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}

impl Answer for Readiness {
    fn describe(shape: &mut Shape) {
        shape.json::<Self>(StatusCode::OK);
        shape.json::<Self>(StatusCode::SERVICE_UNAVAILABLE);
    }
}

/// How the place of documents and the virus scanner are, where there are some.
async fn document_checks(process: &Process) -> (Option<Check>, Option<Check>) {
    let Some(documents) = &process.documents else { return (None, None) };
    let scanner = async {
        match documents.probe_scanner() {
            Some(probe) => Some(answered(probe).await),
            None => None,
        }
    };
    // Each has its own time: one that is slow must not hide how the other is.
    let (place, scanner) = tokio::join!(answered(documents.probe()), scanner);
    (Some(place), scanner)
}

/// How something is that answers a probe.
async fn answered<P>(probe: P) -> Check
where
    P: Future<Output = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>>,
{
    match tokio::time::timeout(PATIENCE, probe).await {
        Ok(Ok(())) => Check::HEALTHY,
        Ok(Err(error)) => Check::failed("unavailable", gx_types::with_causes(&*error)),
        Err(_) => Check::failed("unavailable", "no answer within a second".to_owned()),
    }
}

fn projection_check(process: &Process, position: &Position) -> Check {
    let limits = &process.config.readiness;
    let Some(heartbeat) = position.heartbeat else {
        return Check::failed("never_seen", "no projector has been seen yet".to_owned());
    };
    let age_ms = u64::try_from(heartbeat.age.as_millis()).unwrap_or(u64::MAX);
    if age_ms > limits.heartbeat_threshold_ms {
        let message = format!("the projector was last seen {} seconds ago", age_ms / 1000);
        return Check::failed("no_heartbeat", message);
    }
    let behind_ms = position.behind_ms();
    if u64::try_from(behind_ms).unwrap_or_default() > limits.lag_threshold_ms {
        let lag = position.lag_blocks();
        let message = format!("{lag} blocks are not applied, the oldest for {behind_ms} ms");
        return Check::failed("lagging", message);
    }
    Check::HEALTHY
}

fn redis_check(redis: &Redis) -> Check {
    let message = "Redis does not answer: limits hold for each process by itself";
    match redis.condition() {
        Condition::Up => Check::HEALTHY,
        Condition::Starting => Check::failed("starting", message.to_owned()),
        Condition::Down(class) => Check::failed(class, message.to_owned()),
    }
}

fn submission_check(process: &Process, waiting: &Waiting) -> Check {
    if let Some(first) = waiting.stuck.first() {
        let lane = |StuckLane { role, stuck }: &StuckLane| {
            let seconds = now_ms().saturating_sub(stuck.since.0).max(0) / 1000;
            format!("the commands of {role} have waited for {seconds} seconds: {}", stuck.reason)
        };
        let lanes: Vec<String> = waiting.stuck.iter().map(lane).collect();
        return Check::failed(&first.stuck.class, lanes.join("; "));
    }
    let since = [waiting.oldest, waiting.unanswered_since].into_iter().flatten().min();
    let waited_ms = since.map_or(0, |since| now_ms().saturating_sub(since.0).max(0));
    if u64::try_from(waited_ms).unwrap_or_default() <= process.config.readiness.queue_threshold_ms {
        return Check::HEALTHY;
    }
    let Waiting { queued, unanswered_batches, .. } = waiting;
    let message = format!(
        "{queued} commands wait to be sent and {unanswered_batches} batches for the ledger's \
         answer, the oldest for {} seconds; the submitter's log says why",
        waited_ms / 1000
    );
    Check::failed("waiting", message)
}

/// Whether the messages of a channel get away, as the mailbox shows it, which every process sees.
async fn messages_check(process: &Process, channel: Channel) -> Check {
    if !is_delivered(&process.config, channel) {
        return Check::NOT_CONFIGURED;
    }
    let now = TimeMs(now_ms());
    let queue = mailbox::queue(&process.store, channel, now);
    let queue = match tokio::time::timeout(PATIENCE, queue).await {
        Ok(Ok(queue)) => queue,
        Ok(Err(error)) => return Check::failed(error.class().as_str(), error.to_string()),
        Err(_) => return Check::failed("unknown", "the database does not answer".to_owned()),
    };
    let waited_ms = queue.oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
    let late_ms = process.config.readiness.queue_threshold_ms;
    let is_late = u64::try_from(waited_ms).unwrap_or_default() > late_ms;
    let Some(class) = queue.failure.as_deref().or(is_late.then_some("waiting")) else {
        return Check::HEALTHY;
    };
    let waiting = queue.waiting;
    let message = format!("{waiting} messages wait, the oldest for {} seconds", waited_ms / 1000);
    Check::failed(class, message)
}

/// Figures in the form of OpenMetrics.
#[derive(Debug)]
struct Figures(String);

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl IntoResponse for Figures {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.0));
        let kind = HeaderValue::from_static(OPENMETRICS);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl Answer for Figures {
    fn describe(shape: &mut Shape) {
        shape.other(OPENMETRICS);
    }
}

/// `GET /metrics`
async fn metrics(State(process): State<Process>) -> Result<Figures> {
    // Figures that live in SQL are read when somebody looks. Without an answer the last ones stay.
    let (metrics, now) = (&process.metrics, TimeMs(now_ms()));
    let read = tokio::time::timeout(PATIENCE, refresh(metrics, &process.store, now)).await;
    show_dependencies(&process, matches!(read, Ok(Ok(())))).await;
    if let Some(hasher) = &process.hasher {
        refresh_hashing(metrics, hasher.load());
    }
    if let Some(chain) = &process.chain {
        refresh_certificates(metrics, chain, now);
    }
    Ok(Figures(metrics.render()))
}

/// Shows what this process depends on, and whether it answers.
async fn show_dependencies(process: &Process, is_database_up: bool) {
    let (documents, scanner) = document_checks(process).await;
    let is_up = |check: Option<Check>| check.map(|check| check.is_healthy());
    let answers = [
        ("database", Some(is_database_up)),
        ("documents", is_up(documents)),
        ("virus_scanner", is_up(scanner)),
        ("redis", is_up(process.redis.as_ref().map(redis_check))),
    ];
    refresh_dependencies(&process.metrics, answers);
}

/// What is running here.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Version {
    version: &'static str,
    /// The commit that was built; `null` when that was done outside a repository.
    git_hash: Option<&'static str>,
    built_at: Option<String>,
    /// Processes that should be set alike show the same.
    config_digest: String,
    schema_version: i64,
    #[schemars(with = "String")]
    network: gx_types::NetworkId,
    /// `embedded` or `fabric`.
    ledger: &'static str,
    /// `sqlite` or `postgres`.
    database: &'static str,
}

/// `GET /version`
async fn version(State(process): State<Process>) -> Result<Json<Version>> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        git_hash: process.build.git_hash,
        built_at: process.build.built_at_ms.map(rfc3339),
        config_digest: process.config.digest(),
        schema_version: SCHEMA_VERSION,
        network: process.config.network,
        ledger: process.config.ledger.engine.as_str(),
        database: process.store.engine().as_str(),
    };
    Ok(Json(version))
}

/// `GET /openapi.json`
async fn openapi(served: Served) -> Result<Json<serde_json::Value>> {
    Ok(Json(describe::openapi(served.routes, served.services)))
}

/// `GET /docs`
async fn docs(served: Served) -> Result<Html> {
    let page = describe::page(&describe::openapi(served.routes, served.services));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    Ok(Html { page, policy })
}
