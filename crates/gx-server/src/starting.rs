//! A start that waits for what is away.
//!
//! On a cluster everything starts at once, and a process that ends because its database comes a
//! second later is started again only after pauses that grow to minutes. So a start tries again
//! while something on the network does not answer; meanwhile its listeners say for what it waits.
//! Wrong settings end it: they do not mend themselves.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use gx_engine::{Backoff, Random};
use tokio::sync::watch;

use crate::app::{Away, StartError};
use crate::error::Error;
use crate::http::answer::Json;
use crate::system::{Health, Readiness};

/// Longest pause between two attempts: what has come back is found within a second.
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// How often the log says that a start still waits.
const REMIND_EVERY: Duration = Duration::from_secs(60);

/// A start, and what it waits for at this moment.
#[derive(Debug, Clone)]
pub struct Starting {
    waits: bool,
    minds_lost_database: bool,
    began: Instant,
    away: watch::Sender<Option<Away>>,
}

impl Starting {
    /// One that waits for what is away.
    pub fn patient() -> Self {
        Self {
            waits: true,
            minds_lost_database: true,
            began: Instant::now(),
            away: watch::Sender::new(None),
        }
    }

    /// One that fails when something is away, as befits a command that ends by itself.
    pub fn once() -> Self {
        Self { waits: false, ..Self::patient() }
    }

    /// One that takes a ledger in use beside a database that is new, as benchmarks do.
    #[must_use]
    pub fn beside_any_ledger(self) -> Self {
        Self { minds_lost_database: false, ..self }
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn minds_lost_database(&self) -> bool {
        self.minds_lost_database
    }

    /// Repeats a step of the start while what it needs is away.
    pub(crate) async fn until_there<T>(
        &self,
        mut step: impl AsyncFnMut() -> Result<T, StartError>,
    ) -> Result<T, StartError> {
        let mut backoff = Backoff::new(PAUSE_MAX, Random::system());
        let mut told: Option<(Instant, Away)> = None;
        loop {
            let error = match step().await {
                Ok(done) => {
                    if told.is_some() {
                        tracing::info!("what the start waited for is there");
                    }
                    self.away.send_replace(None);
                    return Ok(done);
                }
                Err(error) => error,
            };
            let Some(away) = error.away().filter(|_| self.waits) else { return Err(error) };
            let is_told = told
                .as_ref()
                .is_some_and(|(at, last)| *last == away && at.elapsed() < REMIND_EVERY);
            if !is_told {
                let (class, error) = (away.class, &away.message);
                tracing::warn!(class, error, "waiting for the {}", away.dependency);
                told = Some((Instant::now(), away.clone()));
            }
            self.away.send_replace(Some(away));
            tokio::time::sleep(backoff.delay()).await;
        }
    }

    /// Answers of a process that is starting: alive, not ready, and nothing else yet.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .fallback(starting)
            .with_state(self.clone())
    }
}

async fn livez(State(starting): State<Starting>) -> Json<Health> {
    Json(Health::alive(starting.began.elapsed()))
}

async fn readyz(State(starting): State<Starting>) -> Readiness {
    Readiness::starting(starting.away.borrow().as_ref())
}

async fn starting(State(starting): State<Starting>) -> impl IntoResponse {
    let message = match &*starting.away.borrow() {
        Some(away) => format!("The service is starting and waits for the {}", away.dependency),
        None => "The service is starting".to_owned(),
    };
    Error::new(StatusCode::SERVICE_UNAVAILABLE, "starting", message).retry_after(1)
}
