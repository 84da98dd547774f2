//! What users and administrators are told: their own lists, and nobody else's.
//!
//! The same handlers serve both; who reads is the type of their first argument.

mod fields;
mod stream;

use axum::extract::{FromRequestParts, State};
use gx_store::Store;
use gx_store::login::Subject;
use gx_store::notifications::{self, Channels, Topic, Which};
use gx_types::TimeMs;

use crate::api::{Input, Route};
use crate::app::App;
use crate::audit::{Audit, Entry};
use crate::auth::{Admin, InSession, User};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Json, place};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::NoBody;
use fields::{
    CountReply, NotificationKept, NotificationReply, NotificationsQuery, NotificationsReply,
    OffsetPage, PreferenceBody, PreferenceReply, PreferencesBody, PreferencesReply, ReadStatus,
    UnreadReply,
};
use stream::stream;

/// Somebody who is told things.
pub(crate) trait Reader:
    Input + FromRequestParts<App, Rejection = Error> + Send + Sync + 'static
{
    fn session(&self) -> InSession<'_>;

    fn actor(&self) -> &str;
}

impl Reader for User {
    fn session(&self) -> InSession<'_> {
        self.in_session()
    }

    fn actor(&self) -> &str {
        self.scope()
    }
}

impl Reader for Admin {
    fn session(&self) -> InSession<'_> {
        self.in_session()
    }

    fn actor(&self) -> &str {
        self.scope()
    }
}

/// The rows below a path, for one kind of reader.
macro_rules! rows {
    ($base:literal, $reader:ty) => {{
        let all = Route::patch(concat!($base, "/mark-all-read"), read_all::<$reader>)
            .summary("Notes that the caller has read everything")
            .sample("{}")
            .concerns("notifications");
        let unread = Route::get(concat!($base, "/unread-count"), unread_count::<$reader>);
        vec![
            Route::get($base, list::<$reader>)
                .summary("What the caller was told, newest first")
                .fails(&[(400, "invalid_cursor")]),
            unread.summary("How much of it the caller has not read"),
            Route::get(concat!($base, "/stream"), stream::<$reader>)
                .summary("The same as server-sent events, as it comes, while the session lasts"),
            Route::get(concat!($base, "/preferences"), preferences::<$reader>)
                .summary("How the caller is told: in the application, by e-mail, or not"),
            Route::put(concat!($base, "/preferences"), set_preferences::<$reader>)
                .summary("Changes how the caller is told; alarms are shown in any case")
                .sample(concat!(
                    r#"{"preferences": [{"type": "WALLET_CREDITED", "inApp": true, "#,
                    r#""byEmail": true}]}"#
                ))
                .concerns("notifications"),
            Route::patch(concat!($base, "/{notificationId}/read"), read::<$reader>)
                .summary("Notes that the caller has read something")
                .sample("{}"),
            all,
            Route::post(concat!($base, "/mark-all-read"), read_all::<$reader>)
                .summary("Notes that the caller has read everything")
                .sample("{}")
                .concerns("notifications"),
        ]
    }};
}

/// The rows for users.
pub(crate) fn of_users() -> Vec<Route> {
    rows!("/api/v1/notifications", User)
}

/// The rows for administrators.
pub(crate) fn of_admins() -> Vec<Route> {
    rows!("/api/v1/admin/notifications", Admin)
}

/// `GET /notifications`
async fn list<R: Reader>(
    reader: R,
    State(store): State<Store>,
    Query(query): Query<NotificationsQuery>,
) -> Result<Json<NotificationsReply>> {
    Ok(Json(page(&store, reader.session().subject, query).await?))
}

async fn page(
    store: &Store,
    subject: Subject<'_>,
    query: NotificationsQuery,
) -> Result<NotificationsReply> {
    let limit = query.limit.map_or(20, |limit| limit.0);
    let offset = query.offset.map_or(0, |offset| offset.0);
    let read = query.status.map(|status| status == ReadStatus::Read);
    let which = Which { read, before: place(query.cursor)?, offset: offset.into() };
    let mut view = store.snapshot().await?;
    let more = limit.saturating_add(1);
    let mut rows = notifications::page(&mut view, subject, which, more).await?;
    let (total, unread_count) = notifications::count(&mut view, subject, read).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.number.to_string());
    let notifications = rows.into_iter().map(NotificationReply::from).collect();
    let pagination = OffsetPage { limit, offset, has_more };
    Ok(NotificationsReply { notifications, total, unread_count, pagination, next_cursor })
}

/// `GET /notifications/unread-count`
async fn unread_count<R: Reader>(
    reader: R,
    State(store): State<Store>,
) -> Result<Json<UnreadReply>> {
    let unread_count = notifications::unread(&store, reader.session().subject).await?;
    Ok(Json(UnreadReply { unread_count }))
}

/// `PATCH /notifications/{notificationId}/read`
async fn read<R: Reader>(
    reader: R,
    audit: Audit,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<NotificationKept>> {
    let mut change = audit.begin().await?;
    let subject = reader.session().subject;
    let row = notifications::read(change.tx(), subject, &id, TimeMs(now_ms())).await?;
    let row = row.ok_or_else(|| Error::not_found("Notification"))?;
    let entry = Entry { actor: reader.actor(), action: "notification.read", target: &id };
    change.commit(entry).await?;
    Ok(Json(NotificationKept { success: true, notification: row.into() }))
}

/// `PATCH /notifications/mark-all-read`, and by POST
async fn read_all<R: Reader>(
    reader: R,
    audit: Audit,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<CountReply>> {
    let mut change = audit.begin().await?;
    let subject = reader.session().subject;
    let count = notifications::read_all(change.tx(), subject, TimeMs(now_ms())).await?;
    let action = "notification.read_all";
    change.commit(Entry { actor: reader.actor(), action, target: "notifications" }).await?;
    Ok(Json(CountReply { success: true, count }))
}

/// `GET /notifications/preferences`
async fn preferences<R: Reader>(
    reader: R,
    State(store): State<Store>,
) -> Result<Json<PreferencesReply>> {
    let rows = notifications::preferences(&store, reader.session().subject).await?;
    let preferences = rows.into_iter().map(PreferenceReply::from).collect();
    Ok(Json(PreferencesReply { preferences }))
}

/// `PUT /notifications/preferences`
async fn set_preferences<R: Reader>(
    reader: R,
    audit: Audit,
    Body(body): Body<PreferencesBody>,
) -> Result<Json<PreferencesReply>> {
    let (subject, wanted) = (reader.session().subject, said(&body.preferences.0)?);
    let mut change = audit.begin().await?;
    notifications::set_preferences(change.tx(), subject, &wanted).await?;
    let rows = notifications::preferences(change.tx(), subject).await?;
    let action = "notification.preferences";
    change.commit(Entry { actor: reader.actor(), action, target: "notifications" }).await?;
    let preferences = rows.into_iter().map(PreferenceReply::from).collect();
    Ok(Json(PreferencesReply { preferences }))
}

/// What was said of each type; nothing may be said twice.
fn said(bodies: &[PreferenceBody]) -> Result<Vec<(Topic, Channels)>> {
    let mut wanted: Vec<(Topic, Channels)> = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        let topic = body.topic.0;
        if wanted.iter().any(|(other, _)| *other == topic) {
            let field = format!("preferences[{at}].type");
            return Err(Error::field(&field, "list_invalid", "must be there once"));
        }
        wanted.push((topic, Channels { in_app: body.in_app.0, by_mail: body.by_mail.0 }));
    }
    Ok(wanted)
}
