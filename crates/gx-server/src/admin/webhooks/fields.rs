//! What endpoints of webhooks look like on the wire.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use gx_contract::Event;
use gx_engine::event_type;
use gx_store::webhooks::deliveries::{Delivery, DeliveryState};
use gx_store::webhooks::{ALL_EVENTS, Webhook};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::calendar::rfc3339;
use crate::http::answer::Pagination;
use crate::http::fields::{
    Count, List, Truth, Written, listed_fields, one_of, request, text_field,
};
use crate::outbound::Target;

/// Types of events, as they are told.
static EVENT_TYPES: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| Event::NAMES.iter().map(|name| event_type(name)).collect());

/// A type of event, or `*` for all.
#[derive(Debug, Clone)]
pub(crate) struct EventType(pub(super) String);

text_field!(
    [] EventType,
    "EventType",
    |text| {
        if text == ALL_EVENTS || EVENT_TYPES.contains(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(("unknown_event", "must be * or a type that GET /webhooks/events lists".into()))
        }
    },
    { "type": "string", "pattern": r"^(\*|[a-z0-9]+(\.[a-z0-9]+)*)$" }
);

/// Where messages go.
#[derive(Clone)]
pub(crate) struct EndpointUrl {
    pub(super) text: String,
    pub(super) target: Target,
}

impl std::fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.target.fmt(f)
    }
}

text_field!(
    [] EndpointUrl,
    "EndpointUrl",
    |text| match Target::parse(text) {
        Ok(target) => Ok(Self { text: text.to_owned(), target }),
        Err(fault) => Err(("invalid_url", fault.to_string().into())),
    },
    {
        "type": "string", "format": "uri", "maxLength": 2000,
        "description": "https:// and a host on the public internet"
    }
);

request! {
    /// An endpoint.
    pub(crate) struct WebhookBody {
        name as "name": Written<1, 100>,
        url as "url": EndpointUrl,
        events as "events": List<EventType, 1, 100>,
    }
}

request! {
    /// What changes about an endpoint; what is left out stays.
    pub(crate) struct WebhookChangeBody {
        name as "name": Option<Written<1, 100>>,
        url as "url": Option<EndpointUrl>,
        events as "events": Option<List<EventType, 1, 100>>,
        /// `true` takes an endpoint up again that was disabled.
        is_active as "isActive": Option<Truth>,
    }
}

request! {
    /// Which part of the list.
    pub(crate) struct WebhooksQuery {
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

listed_fields! {
    DeliveryState: "invalid_state";
}

/// How far a delivery has come, as a field.
pub(crate) struct StateSchema;

impl JsonSchema for StateSchema {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeliveryState".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        one_of(DeliveryState::ALL.map(DeliveryState::as_str))
    }
}

request! {
    /// Which messages, newest first.
    pub(crate) struct DeliveriesQuery {
        #[schemars(with = "Option<StateSchema>")]
        state as "state": Option<DeliveryState>,
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// An endpoint. Its secret is shown when it is made, and never again.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookReply {
    id: String,
    name: String,
    url: String,
    events: Vec<String>,
    is_active: bool,
    /// Why it was disabled, when the platform did it.
    disabled_reason: Option<String>,
    created_by_id: String,
    last_triggered_at: Option<String>,
    last_success_at: Option<String>,
    last_failure_at: Option<String>,
    /// Failed attempts since the last that was taken.
    failure_count: u64,
    created_at: String,
    updated_at: String,
}

impl From<Webhook> for WebhookReply {
    fn from(row: Webhook) -> Self {
        Self {
            id: row.webhook_id,
            name: row.name,
            url: row.url,
            events: row.events,
            is_active: row.enabled,
            disabled_reason: row.disabled_reason,
            created_by_id: row.created_by,
            last_triggered_at: row.last_triggered_at.map(|at| rfc3339(at.0)),
            last_success_at: row.last_success_at.map(|at| rfc3339(at.0)),
            last_failure_at: row.last_failure_at.map(|at| rfc3339(at.0)),
            failure_count: row.failure_count,
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

/// A page of endpoints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WebhooksReply {
    pub(super) webhooks: Vec<WebhookReply>,
    pub(super) pagination: Pagination,
}

/// A new endpoint with its secret, which nobody is shown again.
#[derive(Serialize, JsonSchema)]
pub(crate) struct WebhookMade {
    pub(super) webhook: WebhookReply,
    /// `whsec_` and base64: what signatures are made with.
    pub(super) secret: String,
}

/// A new secret, which nobody is shown again.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretReply {
    pub(super) secret: String,
    /// Until then messages are signed with the one before as well.
    pub(super) previous_valid_until: String,
}

/// A message to an endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryReply {
    /// The `webhook-id` of the message.
    id: String,
    event_type: String,
    /// `PENDING`, `DELIVERED` or `FAILED`.
    state: &'static str,
    attempts: u32,
    /// The status of the last answer; absent when there was none.
    http_status: Option<u16>,
    /// Why there was none.
    error: Option<String>,
    /// The `data` of the message.
    data: Value,
    occurred_at: String,
    created_at: String,
    last_attempt_at: Option<String>,
    next_retry_at: Option<String>,
    delivered_at: Option<String>,
}

impl From<Delivery> for DeliveryReply {
    fn from(row: Delivery) -> Self {
        let pending = row.state == DeliveryState::Pending;
        Self {
            id: row.message_id,
            event_type: row.event_type,
            state: row.state.as_str(),
            attempts: row.attempts,
            http_status: row.last_status,
            error: row.last_error,
            data: serde_json::from_str(&row.data).unwrap_or_default(),
            occurred_at: rfc3339(row.occurred_at.0),
            created_at: rfc3339(row.created_at.0),
            last_attempt_at: row.last_at.map(|at| rfc3339(at.0)),
            next_retry_at: pending.then(|| rfc3339(row.next_at.0)),
            delivered_at: row.delivered_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// A page of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeliveriesReply {
    pub(super) deliveries: Vec<DeliveryReply>,
    pub(super) pagination: Pagination,
}

/// A message that is on its way.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryAsked {
    pub(super) success: bool,
    /// To be found among the deliveries of the endpoint.
    pub(super) delivery_id: String,
}

/// A type of event.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventTypeReply {
    #[serde(rename = "type")]
    event_type: String,
    /// Of `data.event`.
    schema: Value,
}

/// The types of events, and what their schemas refer to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventTypesReply {
    events: Vec<EventTypeReply>,
    #[serde(rename = "$defs")]
    definitions: Map<String, Value>,
}

impl EventTypesReply {
    pub(super) fn all() -> &'static Self {
        static ALL: LazyLock<EventTypesReply> = LazyLock::new(|| {
            let mut generator = SchemaGenerator::default();
            let schemas = Event::schemas(&mut generator);
            let of = |(name, schema): (&str, schemars::Schema)| EventTypeReply {
                event_type: event_type(name),
                schema: schema.to_value(),
            };
            let events = schemas.into_iter().map(of).collect();
            EventTypesReply { events, definitions: generator.take_definitions(true) }
        });
        &ALL
    }
}
