//! The API description: OpenAPI 3.1 as JSON, and the same for people at `/docs`.
//!
//! Both are made from the route table; nothing about a route is written down a second time.

mod page;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

pub(crate) use page::page;

use super::limits::Class;
use super::route::{Access, Route};
use crate::error::Problem;
use crate::service::Services;

/// The OpenAPI 3.1 document of a set of services.
pub fn openapi(routes: &[Route], services: Services) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<Problem<'static>>();
    let mut paths: Map<String, Value> = Map::new();
    let served = |route: &&Route| route.service.is_none_or(|service| services.contains(service));
    for route in routes.iter().filter(served) {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(operations) = operations.as_object_mut() {
            let operation = operation(route, &problem, &mut schemas);
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
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

const DESCRIPTION: &str = "Money is a decimal text of GX with at most six places, never a number. \
    Times are RFC 3339 in UTC. A request that changes the ledger is a command: it is answered 202 \
    with a command id as soon as it is durable, and settled by the ledger a moment later. Send \
    `Prefer: wait=5` to get the outcome in the same answer. Commands need the header \
    `Idempotency-Key`; the same key with the same body is the same command, however often it is \
    sent. Reads carry `GX-Applied-Block` and `GX-Lag-Blocks`; `?after=<commandId>` waits until \
    that command can be read.";

fn operation(route: &Route, problem: &Schema, schemas: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [route.service.map_or("system", |service| service.as_str())],
        "x-gx-access": access(route.access),
        "x-gx-rate-limit": limit(route.class),
        "responses": {
            route.status.as_str(): success(route, schemas),
            "default": {
                "description": "What went wrong, as RFC 9457 problem details",
                "content": { "application/problem+json": { "schema": problem } },
            },
        },
    });
    let Some(fields) = operation.as_object_mut() else { return operation };
    if !matches!(route.access, Access::Public | Access::System) {
        fields.insert("security".to_owned(), json!([{ "bearer": [] }]));
    }
    if let Some(command) = route.command {
        fields.insert("x-gx-command".to_owned(), json!(command));
    }
    if let Some(path) = route.alias_of {
        fields.insert("description".to_owned(), json!(format!("Another name of `{path}`.")));
    }
    if let Some(body) = route.body {
        let schema = body(schemas);
        let content = json!({ "application/json": { "schema": schema } });
        fields.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    let parameters = parameters(route, schemas);
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), Value::Array(parameters));
    }
    operation
}

fn success(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let description = route.status.canonical_reason().unwrap_or("OK");
    match route.answer {
        Some(answer) => {
            let schema = answer(schemas);
            json!({
                "description": description,
                "content": { "application/json": { "schema": schema } },
            })
        }
        None => json!({ "description": description }),
    }
}

fn parameters(route: &Route, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    for name in route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let schema = json!({ "type": "string" });
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    let query = route.query.map(|query| query(schemas).to_value()).unwrap_or_default();
    for (name, schema) in query.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let description = schema.get("description").cloned().unwrap_or_default();
        parameters.push(json!({
            "name": name, "in": "query", "required": false, "description": description,
            "schema": schema,
        }));
    }
    if route.class == Class::Read && route.path.starts_with("/api/v1/") {
        parameters.push(json!({
            "name": "after", "in": "query", "required": false,
            "description": "Wait, at most 5 seconds, until this command can be read",
            "schema": { "type": "string" },
        }));
    }
    if route.command.is_some() {
        for (name, required, description) in [
            ("Idempotency-Key", true, "8 to 255 characters: a new one for a new command"),
            ("Prefer", false, "wait=N: answer with the outcome, after at most 30 seconds"),
        ] {
            parameters.push(json!({
                "name": name, "in": "header", "required": required, "description": description,
                "schema": { "type": "string" },
            }));
        }
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

fn access(access: Access) -> String {
    match access {
        Access::Public => "everybody".to_owned(),
        Access::User => "a user".to_owned(),
        Access::Either => "a user or an admin".to_owned(),
        Access::AnyAdmin => "any admin".to_owned(),
        Access::Admin(permission) => format!("an admin with {}", permission.code()),
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
