//! Notifications as they come.
//!
//! The id of an event is the number of its notification: a client that comes back with
//! `Last-Event-ID` is told what it has missed. A stream ends with the session, with the token that
//! it was opened with, and with the process.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use gx_store::login::{Subject, SubjectKind};
use gx_store::notifications::{self, Notification};
use tokio::sync::mpsc;

use super::Reader;
use super::fields::NotificationReply;
use crate::app::App;
use crate::error::Result;
use crate::http::stream::Streamed;

/// How often a quiet stream says that it lives, and it is seen whether its session does.
const BEAT: Duration = Duration::from_secs(5);

/// Notifications of one look.
const ROWS: u32 = 50;

/// `GET /notifications/stream`
pub(super) async fn stream<R: Reader>(
    State(app): State<App>,
    reader: R,
    headers: HeaderMap,
) -> Result<Streamed> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let seen = match last {
        Some(last) => last,
        None => notifications::newest(app.store()).await?,
    };
    let Subject { kind, id } = reader.session().subject;
    let (sender, events) = mpsc::channel(4);
    let follower = Follower { app, headers, kind, id: id.to_owned(), seen, events: sender };
    tokio::spawn(follower.follow());
    Ok(Streamed(events))
}

/// Whoever is told, and how far.
struct Follower {
    app: App,
    headers: HeaderMap,
    kind: SubjectKind,
    id: String,
    seen: i64,
    events: mpsc::Sender<Event>,
}

impl Follower {
    async fn follow(mut self) {
        let (mut stopping, mut bell) = (self.app.stopping(), self.app.bell().listen());
        let mut beat = tokio::time::interval(BEAT);
        loop {
            if self.tell().await.is_none() {
                return;
            }
            let is_quiet = tokio::select! {
                () = self.events.closed() => return,
                _ = stopping.wait_for(|stop| *stop) => return,
                rung = bell.changed() => if rung.is_err() { return } else { false },
                _ = beat.tick() => true,
            };
            if is_quiet {
                // Proxies close connections that are quiet.
                let quiet = Event::default().comment("");
                if !self.is_let_in().await || self.events.send(quiet).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn is_let_in(&self) -> bool {
        self.app.gate().still_admits(&self.headers).await
    }

    /// Tells what has come since; `None` when nobody is to be told any more.
    async fn tell(&mut self) -> Option<()> {
        loop {
            let subject = Subject { kind: self.kind, id: &self.id };
            let rows = notifications::since(self.app.store(), subject, self.seen, ROWS).await;
            // Whoever listens comes back with what was told last.
            let rows = rows.ok()?;
            let is_last = rows.len() < ROWS as usize;
            if !rows.is_empty() && !self.is_let_in().await {
                return None;
            }
            for row in rows {
                self.seen = row.number;
                self.events.send(event(row)).await.ok()?;
            }
            if is_last {
                return Some(());
            }
        }
    }
}

fn event(row: Notification) -> Event {
    let id = row.number.to_string();
    // A plain struct of texts always serialises.
    let data = serde_json::to_string(&NotificationReply::from(row)).unwrap_or_default();
    Event::default().id(id).event("notification").data(data)
}
