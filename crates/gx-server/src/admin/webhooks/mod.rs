//! Webhooks: where other systems are told what the ledger did.
//!
//! An endpoint is made by an administrator, or by a partner's program for what concerns users who
//! have agreed to it. Its secret is shown once and kept sealed; another one takes its place without
//! a gap, as both sign for a day. Sending is the messenger's.

mod fields;
mod keeper;

use axum::extract::State;
use gx_engine::{RETRY_MS, TEST_EVENT};
use gx_store::Store;
use gx_store::webhooks::deliveries::{self, NewDelivery};
use gx_store::webhooks::{self, Webhook};
use gx_types::TimeMs;

use crate::api::{Failure, Route, Verb};
use crate::audit::{Audit, Change, Entry};
use crate::auth::{Logins, May, Partner, Scope, grant, random_id};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Message, Pagination};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{Count, NoBody};
use crate::outbound::Reach;
use crate::webhook_client::{new_secret, sealed_of};
use keeper::{Keeper, own};

use fields::{
    DeliveriesQuery, DeliveriesReply, DeliveryAsked, DeliveryReply, EndpointUrl, EventTypesReply,
    SecretReply, WebhookBody, WebhookChangeBody, WebhookMade, WebhookReply, WebhooksQuery,
    WebhooksReply,
};

/// How long a secret signs after another has taken its place.
const OVERLAP_MS: i64 = 24 * 3600 * 1000;

const DISABLED: [Failure; 1] = [(409, "webhook_disabled")];

/// An administrator who may look at the platform's endpoints.
type Looking = May<grant::ConfigView>;
/// One who may change them.
type Changing = May<grant::ConfigUpdate>;

pub(super) fn routes() -> Vec<Route> {
    let events = Route::get("/api/v1/webhooks/events", events)
        .summary("The types of events that endpoints can be told of, with their schemas");
    let of_platform = [
        Route::get("/api/v1/admin/webhooks", list::<Looking>)
            .summary("All endpoints of the platform, newest first"),
        Route::post("/api/v1/admin/webhooks", create::<Changing>)
            .summary("Makes an endpoint and shows its secret, once"),
        Route::get("/api/v1/admin/webhooks/{webhookId}", get::<Looking>).summary("One endpoint"),
        Route::patch("/api/v1/admin/webhooks/{webhookId}", update::<Changing>)
            .summary("Changes an endpoint, or takes it up again"),
        Route::delete("/api/v1/admin/webhooks/{webhookId}", remove::<Changing>)
            .summary("Removes an endpoint with all that it was told"),
        Route::post("/api/v1/admin/webhooks/{webhookId}/rotate-secret", rotate::<Changing>)
            .summary("Gives an endpoint another secret and shows it, once"),
        Route::get("/api/v1/admin/webhooks/{webhookId}/deliveries", delivered::<Looking>)
            .summary("What an endpoint was told and what came of it, newest first"),
        Route::post(
            "/api/v1/admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay",
            replay::<Changing>,
        )
        .summary("Sends a message again, under the same id"),
        Route::post("/api/v1/admin/webhooks/{webhookId}/test", test::<Changing>)
            .summary("Sends a message that tells of nothing, once"),
    ];
    let of_partners = [
        Route::get("/api/v1/partner/webhooks", list::<Partner>)
            .summary("The partner's endpoints, newest first"),
        Route::post("/api/v1/partner/webhooks", create::<Partner>)
            .summary("Makes an endpoint of the partner's and shows its secret, once"),
        Route::get("/api/v1/partner/webhooks/{webhookId}", get::<Partner>)
            .summary("One endpoint of the partner's"),
        Route::patch("/api/v1/partner/webhooks/{webhookId}", update::<Partner>)
            .summary("Changes an endpoint of the partner's, or takes it up again"),
        Route::delete("/api/v1/partner/webhooks/{webhookId}", remove::<Partner>)
            .summary("Removes an endpoint of the partner's with all that it was told"),
        Route::post("/api/v1/partner/webhooks/{webhookId}/rotate-secret", rotate::<Partner>)
            .summary("Gives an endpoint of the partner's another secret and shows it, once"),
        Route::get("/api/v1/partner/webhooks/{webhookId}/deliveries", delivered::<Partner>)
            .summary("What an endpoint of the partner's was told and what came of it"),
        Route::post(
            "/api/v1/partner/webhooks/{webhookId}/deliveries/{deliveryId}/replay",
            replay::<Partner>,
        )
        .summary("Sends a message to an endpoint of the partner's again, under the same id"),
        Route::post("/api/v1/partner/webhooks/{webhookId}/test", test::<Partner>)
            .summary("Sends an endpoint of the partner's a message that tells of nothing, once"),
    ];
    let of_partners = of_partners.map(|route| route.partner(Scope::EventsRead));
    let both = of_platform.into_iter().chain(of_partners).map(detailed);
    [events].into_iter().chain(both).collect()
}

/// What does not depend on whose endpoint it is.
fn detailed(route: Route) -> Route {
    let rest = route.path.split_once("/webhooks").map_or("", |(_, rest)| rest);
    match (route.verb, rest) {
        (Verb::Post, "") => route
            .sample(concat!(
                r#"{"name": "Books", "url": "https://hooks.example.org/gx", "#,
                r#""events": ["transferred", "loan.approved"]}"#
            ))
            .gives_tokens()
            .concerns("webhooks")
            .fails(&[(409, "too_many_webhooks")]),
        (Verb::Patch, _) => route.sample(r#"{"name": "Books", "events": ["*"], "isActive": true}"#),
        (Verb::Post, "/{webhookId}/rotate-secret") => route.sample("{}").gives_tokens(),
        (Verb::Post, _) => route.sample("{}").fails(&DISABLED),
        _ => route,
    }
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

/// `GET /admin/webhooks`, `GET /partner/webhooks`
async fn list<By: Keeper>(
    by: By,
    State(store): State<Store>,
    Query(query): Query<WebhooksQuery>,
) -> Result<Json<WebhooksReply>> {
    let (page, limit, offset) = part(query.page, query.limit);
    let (rows, total) = webhooks::list(&store, by.owner(), offset, limit).await?;
    let webhooks = rows.into_iter().map(WebhookReply::from).collect();
    Ok(Json(WebhooksReply { webhooks, pagination: Pagination::new(page, limit, total) }))
}

/// `GET /admin/webhooks/{webhookId}`, `GET /partner/webhooks/{webhookId}`
async fn get<By: Keeper>(
    by: By,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<WebhookReply>> {
    Ok(Json(own(&by, &store, &id).await?.into()))
}

/// Whether an endpoint may be told anything.
async fn reachable(reach: Reach, url: &EndpointUrl) -> Result<()> {
    let checked = reach.check(&url.target).await;
    checked.map_err(|fault| Error::field("url", "url_refused", fault.to_string()))
}

/// `POST /admin/webhooks`, `POST /partner/webhooks`
async fn create<By: Keeper>(
    by: By,
    audit: Audit,
    State(reach): State<Reach>,
    State(logins): State<Logins>,
    Body(body): Body<WebhookBody>,
) -> Result<Created<WebhookMade>> {
    reachable(reach, &body.url).await?;
    let (new, secret) = made(&logins, &by, body)?;
    let mut change = audit.begin().await?;
    if !webhooks::create(change.tx(), &new, By::MAX).await? {
        let message = format!("There are {} endpoints already", By::MAX);
        return Err(Error::conflict("too_many_webhooks", message));
    }
    let target = new.webhook_id.clone();
    change.commit(Entry { actor: by.actor(), action: "webhook.create", target: &target }).await?;
    Ok(Created(WebhookMade { webhook: new.into(), secret }))
}

/// The endpoint, and its secret as it is shown.
fn made(logins: &Logins, by: &impl Keeper, body: WebhookBody) -> Result<(Webhook, String)> {
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
        partner_id: by.owner().map(str::to_owned),
        created_by: by.id().to_owned(),
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

/// `PATCH /admin/webhooks/{webhookId}`, and `/partner/…`
async fn update<By: Keeper>(
    by: By,
    audit: Audit,
    State(reach): State<Reach>,
    Path(id): Path<String>,
    Body(body): Body<WebhookChangeBody>,
) -> Result<Json<WebhookReply>> {
    if let Some(url) = &body.url {
        reachable(reach, url).await?;
    }
    let mut change = audit.begin().await?;
    let kept = own(&by, change.tx(), &id).await?;
    let to = changed(kept, body);
    webhooks::update(change.tx(), &to).await?;
    change.commit(Entry { actor: by.actor(), action: "webhook.change", target: &id }).await?;
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

/// `DELETE /admin/webhooks/{webhookId}`, and `/partner/…`
async fn remove<By: Keeper>(by: By, audit: Audit, Path(id): Path<String>) -> Result<Json<Message>> {
    let mut change = audit.begin().await?;
    own(&by, change.tx(), &id).await?;
    webhooks::remove(change.tx(), &id).await?;
    change.commit(Entry { actor: by.actor(), action: "webhook.remove", target: &id }).await?;
    Ok(Json(Message::done("Removed")))
}

/// `POST /admin/webhooks/{webhookId}/rotate-secret`, and `/partner/…`
async fn rotate<By: Keeper>(
    by: By,
    audit: Audit,
    State(logins): State<Logins>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<SecretReply>> {
    let (secret, now) = (new_secret()?, now_ms());
    let sealed = logins.sealer().seal(&sealed_of(&id), secret.as_bytes())?;
    let until = TimeMs(now.saturating_add(OVERLAP_MS));
    let mut change = audit.begin().await?;
    own(&by, change.tx(), &id).await?;
    webhooks::rotate(change.tx(), &id, &sealed, until, TimeMs(now)).await?;
    let action = "webhook.rotate_secret";
    change.commit(Entry { actor: by.actor(), action, target: &id }).await?;
    Ok(Json(SecretReply { secret, previous_valid_until: rfc3339(until.0) }))
}

/// `GET /admin/webhooks/{webhookId}/deliveries`, and `/partner/…`
async fn delivered<By: Keeper>(
    by: By,
    State(store): State<Store>,
    Path(id): Path<String>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<DeliveriesReply>> {
    own(&by, &store, &id).await?;
    let (page, limit, offset) = part(query.page, query.limit);
    let (rows, total) = deliveries::list_of(&store, &id, query.state, offset, limit).await?;
    let deliveries = rows.into_iter().map(DeliveryReply::from).collect();
    Ok(Json(DeliveriesReply { deliveries, pagination: Pagination::new(page, limit, total) }))
}

/// An endpoint that is told things now.
async fn active(by: &impl Keeper, change: &mut Change, id: &str) -> Result<()> {
    let row = own(by, change.tx(), id).await?;
    if row.enabled {
        return Ok(());
    }
    let message = "The endpoint is disabled; take it up again first";
    Err(Error::conflict("webhook_disabled", message))
}

/// `POST /admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay`, and `/partner/…`
async fn replay<By: Keeper>(
    by: By,
    audit: Audit,
    Path((id, delivery_id)): Path<(String, String)>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeliveryAsked>> {
    let mut change = audit.begin().await?;
    active(&by, &mut change, &id).await?;
    let now = now_ms();
    let times = (TimeMs(now), TimeMs(now.saturating_add(RETRY_MS)));
    if !deliveries::replay(change.tx(), &id, &delivery_id, times).await? {
        return Err(Error::not_found("Delivery"));
    }
    change.commit(Entry { actor: by.actor(), action: "webhook.replay", target: &id }).await?;
    Ok(Json(DeliveryAsked { success: true, delivery_id }))
}

/// `POST /admin/webhooks/{webhookId}/test`, and `/partner/…`
async fn test<By: Keeper>(
    by: By,
    audit: Audit,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeliveryAsked>> {
    let delivery_id = format!("test_{}", random_id().map_err(Error::internal)?);
    let mut change = audit.begin().await?;
    active(&by, &mut change, &id).await?;
    deliveries::add(change.tx(), &[probe(&id, &delivery_id)]).await?;
    change.commit(Entry { actor: by.actor(), action: "webhook.test", target: &id }).await?;
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
