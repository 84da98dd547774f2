//! The API description: OpenAPI 3.1 as JSON, and the same for people at `/docs`.
//!
//! Both are made from the route table; nothing about a route is written down a second time.

mod examples;
mod page;
mod parts;

use std::collections::{BTreeMap, BTreeSet};

use gx_types::CommandId;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

pub(crate) use page::page;

use parts::Parts;

use super::route::{Access, Route};
use super::shape::Content;
use crate::http::limits::Class;
use crate::service::{Service, Services};

/// The OpenAPI 3.1 document of a set of services.
pub fn openapi(routes: &[Route], services: Services) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut parts = Parts::new(settings.into_generator());
    let mut paths: Map<String, Value> = Map::new();
    let served = |route: &&Route| route.service.is_none_or(|service| services.contains(service));
    for route in routes.iter().filter(served) {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(operations) = operations.as_object_mut() {
            let operation = operation(route, &mut parts);
            operations.insert(route.verb.as_str().to_lowercase(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "GX Protocol",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": tags(services),
        "paths": paths,
        "components": {
            "schemas": parts.schemas.take_definitions(true),
            "responses": parts.responses,
            "parameters": parts.parameters,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "partnerKey": {
                    "type": "apiKey", "in": "header", "name": "X-API-Key",
                    "description": "The key of a partner, who acts for the user that the header \
                        X-On-Behalf-Of names, within what that user has agreed to, or looks after \
                        what is its own",
                },
            },
        },
    })
}

/// Name and purpose of each service, in the order in which they are shown.
fn tags(services: Services) -> Vec<Value> {
    let served = Service::ALL.iter().filter(|service| services.contains(**service));
    let mut tags: Vec<Value> = served
        .map(|service| json!({ "name": service.as_str(), "description": service.about() }))
        .collect();
    let system = "For operators and machines: the same routes on every port.";
    tags.push(json!({ "name": SYSTEM, "description": system }));
    tags
}

/// The tag of routes that every service has.
const SYSTEM: &str = "system";

const DESCRIPTION: &str = "Money is a decimal text of GX with at most six places, never a number. \
    Times are RFC 3339 in UTC. A request that changes the ledger is a command: it is answered 202 \
    with a command id as soon as it is durable, and settled by the ledger a moment later. Send \
    `Prefer: wait=5` to get the outcome in the same answer. Commands need the header \
    `Idempotency-Key`; the same key with the same body is the same command, however often it is \
    sent. Commands of one role are settled in the order of their acceptance; what has to come \
    after a command of another role is given when that one is committed. Reads carry \
    `GX-Applied-Block` and `GX-Lag-Blocks`; `?after=<commandId>` waits until that command can be \
    read.";

fn operation(route: &Route, parts: &mut Parts) -> Value {
    let shape = &route.shape;
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [route.service.map_or(SYSTEM, Service::as_str)],
        "x-gx-access": access(route),
        "x-gx-rate-limit": limit(route.class),
        "responses": responses(route, parts),
    });
    let Some(fields) = operation.as_object_mut() else { return operation };
    if !matches!(route.access(), Access::Public | Access::System) {
        let security = match route.partner_scope() {
            Some(_) if route.access() == Access::Partner => json!([{ "partnerKey": [] }]),
            Some(_) => json!([{ "bearer": [] }, { "partnerKey": [] }]),
            None => json!([{ "bearer": [] }]),
        };
        fields.insert("security".to_owned(), security);
    }
    if let Some(scope) = route.partner_scope() {
        fields.insert("x-gx-partner-scope".to_owned(), json!(scope.as_str()));
    }
    if let Some(command) = route.command() {
        fields.insert("x-gx-command".to_owned(), json!(command));
    }
    if let Some(path) = route.alias_of {
        fields.insert("description".to_owned(), json!(format!("Another name of `{path}`.")));
    }
    if let Some(body) = shape.body {
        let schema = body(&mut parts.schemas).to_value();
        let schema = if shape.is_signed { parts.signed(schema) } else { schema };
        let is_required = parts.needs_fields(&schema);
        let mut content = Map::from_iter([("schema".to_owned(), schema)]);
        if let Some(sample) = sample(route) {
            content.insert("example".to_owned(), sample);
        }
        // A form has the same parts as the object has fields; its file needs no base64.
        let form = content.get("schema").filter(|_| shape.uploads).cloned();
        let mut forms = Map::from_iter([("application/json".to_owned(), content.into())]);
        if let Some(schema) = form {
            forms.insert("multipart/form-data".to_owned(), json!({ "schema": schema }));
        }
        let body = json!({ "required": is_required, "content": forms });
        fields.insert("requestBody".to_owned(), body);
    }
    let parameters = parameters(route, parts);
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), Value::Array(parameters));
    }
    operation
}

/// The sample as an example, with made-up values for what the moment has to fill in.
fn sample(route: &Route) -> Option<Value> {
    let sample = examples::filled(route.sample?)?;
    serde_json::from_str(&sample).ok()
}

/// Every status with its content; failures with the codes that they come with.
fn responses(route: &Route, parts: &mut Parts) -> Value {
    let mut responses = Map::new();
    for (status, content) in &route.shape.answers {
        let description = status.canonical_reason().unwrap_or("OK");
        let (media_type, schema) = match content {
            Content::Json(schema) => {
                ("application/json", json!({ "schema": schema(&mut parts.schemas) }))
            }
            Content::Other(media_type) => (*media_type, json!({ "schema": { "type": "string" } })),
        };
        // An answer can come in several forms.
        let new = || json!({ "description": description, "content": {} });
        let response = responses.entry(status.as_str()).or_insert_with(new);
        if let Some(forms) = response.get_mut("content").and_then(Value::as_object_mut) {
            forms.insert(media_type.to_owned(), schema);
        }
    }
    let mut codes: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for (status, code) in route.failures() {
        codes.entry(status).or_default().insert(code);
    }
    for (status, codes) in codes {
        responses.insert(status.to_string(), parts.failure(status, &codes));
    }
    Value::Object(responses)
}

fn parameters(route: &Route, parts: &mut Parts) -> Vec<Value> {
    let mut parameters = Vec::new();
    for name in route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let schema = json!({ "type": "string" });
        let example = examples::in_path(route.path, name);
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "schema": schema, "example": example,
        }));
    }
    let query = route.shape.query.map(|query| query(&mut parts.schemas).to_value());
    let query = query.unwrap_or_default();
    let required = query.get("required").and_then(Value::as_array);
    for (name, schema) in query.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let description = schema.get("description").cloned().unwrap_or_default();
        let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
        parameters.push(json!({
            "name": name, "in": "query", "required": is_required, "description": description,
            "schema": schema,
        }));
    }
    if route.shape.after {
        parameters.push(parts.shared("after", |schemas| {
            json!({
                "name": "after", "in": "query", "required": false,
                "description": "Wait, at most 5 seconds, until this command can be read",
                "schema": schemas.subschema_for::<CommandId>(),
            })
        }));
    }
    if route.shape.is_command || route.is_replayed() {
        let is_required = route.shape.is_command;
        let name = if is_required { "Idempotency-Key" } else { "Idempotency-Key.optional" };
        parameters.push(parts.shared(name, |_| {
            json!({
                "name": "Idempotency-Key", "in": "header", "required": is_required,
                "description": "A new one for a new request, the same one to repeat it",
                "schema": {
                    "type": "string", "minLength": 8, "maxLength": 255,
                    "pattern": "^[!-~]{8,255}$",
                },
            })
        }));
    }
    if route.partner_scope().is_some() && route.access() != Access::Partner {
        parameters.push(parts.shared("X-On-Behalf-Of", |schemas| {
            json!({
                "name": "X-On-Behalf-Of", "in": "header", "required": false,
                "description": "With the key of a partner: the user's id on the ledger",
                "schema": schemas.subschema_for::<String>(),
            })
        }));
    }
    if route.shape.waits {
        parameters.push(parts.shared("Prefer", |_| {
            json!({
                "name": "Prefer", "in": "header", "required": false,
                "description": "wait=N: answer with the outcome, after at most 30 seconds",
                "schema": { "type": "string", "examples": ["wait=5"] },
            })
        }));
    }
    parameters
}

/// `post_transfers`, `get_wallets_userId_balance`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = route.verb.as_str().to_lowercase();
    for word in words {
        id.push('_');
        id.push_str(word);
    }
    id
}

fn access(route: &Route) -> String {
    let everybody = words(route.access());
    match route.partner_scope() {
        Some(scope) if route.access() == Access::Partner => {
            format!("{everybody} with {}", scope.as_str())
        }
        Some(scope) => format!("{everybody}, or a partner with {}", scope.as_str()),
        None => everybody,
    }
}

fn words(access: Access) -> String {
    match access {
        Access::Public => "everybody".to_owned(),
        Access::User => "a user".to_owned(),
        Access::Either => "a user or an admin".to_owned(),
        Access::AnyAdmin => "any admin".to_owned(),
        Access::Admin(permission) => format!("an admin with {}", permission.code()),
        Access::Partner => "a partner".to_owned(),
        Access::System => "operators".to_owned(),
    }
}

fn limit(class: Class) -> &'static str {
    match class {
        Class::Credentials => "credentials",
        Class::Command => "commands",
        Class::Read => "reads",
        Class::Unlimited => "none",
    }
}
