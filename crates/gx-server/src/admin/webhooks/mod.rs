//! Webhooks: where other systems are told what the ledger did.
//!
//! An endpoint is made by an administrator. Its secret is shown once and kept sealed; another one
//! takes its place without a gap, as both sign for a day. Sending is the messenger's.

mod fields;

use axum::extract::State;
use gx_engine::{RETRY_MS, TEST_EVENT};
use gx_store::Store;
use gx_store::webhooks::deliveries::{self, NewDelivery};
use gx_store::webhooks::{self, Webhook};
use gx_types::TimeMs;

use crate::api::{Failure, Route};
use crate::audit::{Audit, Change, Entry};
use crate::auth::{Logins, May, grant, random_id};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Message, Pagination};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{Count, NoBody};
use crate::outbound::Reach;
use crate::webhook_client::{new_secret, sealed_of};
use fields::{
    DeliveriesQuery, DeliveriesReply, DeliveryAsked, DeliveryReply, EndpointUrl, EventTypesReply,
    SecretReply, WebhookBody, WebhookChangeBody, WebhookMade, WebhookReply, WebhooksQuery,
    WebhooksReply,
};

/// How many endpoints there may be.
const WEBHOOKS_MAX: u64 = 50;

/// How long a secret signs after another has taken its place.
const OVERLAP_MS: i64 = 24 * 3600 * 1000;

const DISABLED: [Failure; 1] = [(409, "webhook_disabled")];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/webhooks/events", events)
            .summary("The types of events that endpoints can be told of, with their schemas"),
        Route::get("/api/v1/admin/webhooks", list).summary("All endpoints, newest first"),
        Route::post("/api/v1/admin/webhooks", create)
            .summary("Makes an endpoint and shows its secret, once")
            .sample(concat!(
                r#"{"name": "Books", "url": "https://hooks.example.org/gx", "#,
                r#""events": ["transferred", "loan.approved"]}"#
            ))
            .gives_tokens()
            .concerns("webhooks")
            .fails(&[(409, "too_many_webhooks")]),
        Route::get("/api/v1/admin/webhooks/{webhookId}", get).summary("One endpoint"),
        Route::patch("/api/v1/admin/webhooks/{webhookId}", update)
            .summary("Changes an endpoint, or takes it up again")
            .sample(r#"{"name": "Books", "events": ["*"], "isActive": true}"#),
        Route::delete("/api/v1/admin/webhooks/{webhookId}", remove)
            .summary("Removes an endpoint with all that it was told"),
        Route::post("/api/v1/admin/webhooks/{webhookId}/rotate-secret", rotate)
            .summary("Gives an endpoint another secret and shows it, once")
            .sample("{}")
            .gives_tokens(),
        Route::get("/api/v1/admin/webhooks/{webhookId}/deliveries", delivered)
            .summary("What an endpoint was told and what came of it, newest first"),
        Route::post("/api/v1/admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay", replay)
            .summary("Sends a message again, under the same id")
            .sample("{}")
            .fails(&DISABLED),
        Route::post("/api/v1/admin/webhooks/{webhookId}/test", test)
            .summary("Sends a message that tells of nothing, once")
            .sample("{}")
            .fails(&DISABLED),
    ]
}

fn unknown() -> Error {
    Error::not_found("Webhook")
}

/// `GET /webhooks/events`
async fn events() -> Result<Json<&'static EventTypesReply>> {
    Ok(Json(EventTypesReply::all()))
}

/// Which page of how many rows.
fn part(page: Option<Count<1, 1_000_000>>, limit: Option<Count<1, 100>>) -> (u64, u32, u64) {
    let (page, limit) = (page.map_or(1, |page| page.0), limit.map_or(20, |limit| limit.0));
    (u64::from(page), limit, u64::from(page - 1) * u64::from(limit))
}

/// `GET /admin/webhooks`
async fn list(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    Query(query): Query<WebhooksQuery>,
) -> Result<Json<WebhooksReply>> {
    let (page, limit, offset) = part(query.page, query.limit);
    let (rows, total) = webhooks::list(&store, offset, limit).await?;
    let webhooks = rows.into_iter().map(WebhookReply::from).collect();
    Ok(Json(WebhooksReply { webhooks, pagination: Pagination::new(page, limit, total) }))
}

/// `GET /admin/webhooks/{webhookId}`
async fn get(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<WebhookReply>> {
    let row = webhooks::get(&store, &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(unknown)
}

/// Whether an endpoint may be told anything.
async fn reachable(reach: Reach, url: &EndpointUrl) -> Result<()> {
    let checked = reach.check(&url.target).await;
    checked.map_err(|fault| Error::field("url", "url_refused", fault.to_string()))
}

/// `POST /admin/webhooks`
async fn create(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    State(reach): State<Reach>,
    State(logins): State<Logins>,
    Body(body): Body<WebhookBody>,
) -> Result<Created<WebhookMade>> {
    reachable(reach, &body.url).await?;
    let (new, secret) = made(&logins, admin.id(), body)?;
    let mut change = audit.begin().await?;
    if !webhooks::create(change.tx(), &new, WEBHOOKS_MAX).await? {
        let message = format!("There are {WEBHOOKS_MAX} endpoints already");
        return Err(Error::conflict("too_many_webhooks", message));
    }
    let target = new.webhook_id.clone();
    change
        .commit(Entry { actor: admin.scope(), action: "webhook.create", target: &target })
        .await?;
    Ok(Created(WebhookMade { webhook: new.into(), secret }))
}

/// The endpoint, and its secret as it is shown.
fn made(logins: &Logins, by: &str, body: WebhookBody) -> Result<(Webhook, String)> {
    let WebhookBody { name, url, events } = body;
    let (webhook_id, secret) = (random_id().map_err(Error::internal)?, new_secret()?);
    let now = TimeMs(now_ms());
    let row = Webhook {
        name: name.0,
        url: url.text,
        events: events.0.into_iter().map(|event| event.0).collect(),
        enabled: true,
        disabled_reason: None,
        secret: logins.sealer().seal(&sealed_of(&webhook_id), secret.as_bytes())?,
        previous: None,
        created_by: by.to_owned(),
        created_at: now,
        updated_at: now,
        last_triggered_at: None,
        last_success_at: None,
        last_failure_at: None,
        failure_count: 0,
        webhook_id,
    };
    Ok((row, secret))
}

/// `PATCH /admin/webhooks/{webhookId}`
async fn update(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    State(reach): State<Reach>,
    Path(id): Path<String>,
    Body(body): Body<WebhookChangeBody>,
) -> Result<Json<WebhookReply>> {
    if let Some(url) = &body.url {
        reachable(reach, url).await?;
    }
    let mut change = audit.begin().await?;
    let kept = webhooks::get(change.tx(), &id).await?.ok_or_else(unknown)?;
    let to = changed(kept, body);
    webhooks::update(change.tx(), &to).await?;
    change.commit(Entry { actor: admin.scope(), action: "webhook.change", target: &id }).await?;
    Ok(Json(to.into()))
}

fn changed(mut row: Webhook, body: WebhookChangeBody) -> Webhook {
    let WebhookChangeBody { name, url, events, is_active } = body;
    row.name = name.map_or(row.name, |name| name.0);
    row.url = url.map_or(row.url, |url| url.text);
    if let Some(events) = events {
        row.events = events.0.into_iter().map(|event| event.0).collect();
    }
    if let Some(is_active) = is_active {
        row.enabled = is_active.0;
        row.disabled_reason = None;
        row.failure_count = 0;
    }
    row.updated_at = TimeMs(now_ms());
    row
}

/// `DELETE /admin/webhooks/{webhookId}`
async fn remove(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    let mut change = audit.begin().await?;
    if !webhooks::remove(change.tx(), &id).await? {
        return Err(unknown());
    }
    change.commit(Entry { actor: admin.scope(), action: "webhook.remove", target: &id }).await?;
    Ok(Json(Message::done("Removed")))
}

/// `POST /admin/webhooks/{webhookId}/rotate-secret`
async fn rotate(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    State(logins): State<Logins>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<SecretReply>> {
    let (secret, now) = (new_secret()?, now_ms());
    let sealed = logins.sealer().seal(&sealed_of(&id), secret.as_bytes())?;
    let until = TimeMs(now.saturating_add(OVERLAP_MS));
    let mut change = audit.begin().await?;
    if !webhooks::rotate(change.tx(), &id, &sealed, until, TimeMs(now)).await? {
        return Err(unknown());
    }
    let action = "webhook.rotate_secret";
    change.commit(Entry { actor: admin.scope(), action, target: &id }).await?;
    Ok(Json(SecretReply { secret, previous_valid_until: rfc3339(until.0) }))
}

/// `GET /admin/webhooks/{webhookId}/deliveries`
async fn delivered(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<DeliveriesReply>> {
    webhooks::get(&store, &id).await?.ok_or_else(unknown)?;
    let (page, limit, offset) = part(query.page, query.limit);
    let (rows, total) = deliveries::list_of(&store, &id, query.state, offset, limit).await?;
    let deliveries = rows.into_iter().map(DeliveryReply::from).collect();
    Ok(Json(DeliveriesReply { deliveries, pagination: Pagination::new(page, limit, total) }))
}

/// An endpoint that is told things now.
async fn active(change: &mut Change, id: &str) -> Result<()> {
    let row = webhooks::get(change.tx(), id).await?.ok_or_else(unknown)?;
    if row.enabled {
        return Ok(());
    }
    let message = "The endpoint is disabled; take it up again first";
    Err(Error::conflict("webhook_disabled", message))
}

/// `POST /admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay`
async fn replay(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Path((id, delivery_id)): Path<(String, String)>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeliveryAsked>> {
    let mut change = audit.begin().await?;
    active(&mut change, &id).await?;
    let now = now_ms();
    let times = (TimeMs(now), TimeMs(now.saturating_add(RETRY_MS)));
    if !deliveries::replay(change.tx(), &id, &delivery_id, times).await? {
        return Err(Error::not_found("Delivery"));
    }
    change.commit(Entry { actor: admin.scope(), action: "webhook.replay", target: &id }).await?;
    Ok(Json(DeliveryAsked { success: true, delivery_id }))
}

/// `POST /admin/webhooks/{webhookId}/test`
async fn test(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeliveryAsked>> {
    let delivery_id = format!("test_{}", random_id().map_err(Error::internal)?);
    let mut change = audit.begin().await?;
    active(&mut change, &id).await?;
    deliveries::add(change.tx(), &[probe(&id, &delivery_id)]).await?;
    change.commit(Entry { actor: admin.scope(), action: "webhook.test", target: &id }).await?;
    Ok(Json(DeliveryAsked { success: true, delivery_id }))
}

/// A message that tells of nothing. Its time is over after the first attempt.
fn probe(webhook_id: &str, message_id: &str) -> NewDelivery {
    let now = TimeMs(now_ms());
    NewDelivery {
        webhook_id: webhook_id.to_owned(),
        message_id: message_id.to_owned(),
        event_type: TEST_EVENT.to_owned(),
        data: "{}".to_owned(),
        occurred_at: now,
        created_at: now,
        until: now,
    }
}
