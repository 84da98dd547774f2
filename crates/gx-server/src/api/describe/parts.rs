//! The parts that operations of the API description share: schemas, failures, parameters.
//!
//! What several operations have in common stands once and is referred to by its name, so that the
//! document grows with what is new and not with the number of routes.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::error::Problem;
use crate::http::signature::{FIELD, SignatureBody};

/// A failure with more codes than this is hardly shared, and its name would be a page long.
const NAMED_CODES_MAX: usize = 4;

/// Components of the document, as they are found.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) schemas: SchemaGenerator,
    pub(super) responses: Map<String, Value>,
    pub(super) parameters: Map<String, Value>,
    problem: Schema,
}

impl Parts {
    pub(super) fn new(mut schemas: SchemaGenerator) -> Self {
        let problem = schemas.subschema_for::<Problem<'static>>();
        Self { schemas, responses: Map::new(), parameters: Map::new(), problem }
    }

    /// The answer of a status that comes with one of these codes. Its name says which: nothing is
    /// called otherwise because a route was added.
    pub(super) fn failure(&mut self, status: u16, codes: &BTreeSet<&str>) -> Value {
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let schema = json!({
            "allOf": [self.problem, { "properties": { "code": { "enum": codes } } }],
        });
        let response = json!({
            "description": title.unwrap_or("Error"),
            "content": { "application/problem+json": { "schema": schema } },
        });
        if codes.len() > NAMED_CODES_MAX {
            return response;
        }
        let codes: Vec<&str> = codes.iter().copied().collect();
        let name = format!("{status}.{}", codes.join("."));
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        self.responses.insert(name, response);
        reference
    }

    /// The body with a signature beside its fields, under a name of its own.
    pub(super) fn signed(&mut self, body: Value) -> Value {
        let field = self.schemas.subschema_for::<SignatureBody>().to_value();
        let Some(name) = name_of(&body).map(ToOwned::to_owned) else { return body };
        let definitions = self.schemas.definitions_mut();
        let Some(mut signed) = definitions.get(&name).cloned() else { return body };
        if let Some(object) = signed.as_object_mut() {
            let properties = object.entry("properties").or_insert_with(|| json!({}));
            if let Some(properties) = properties.as_object_mut() {
                properties.insert(FIELD.to_owned(), field);
            }
        }
        let signed_name = format!("Signed{name}");
        let reference = json!({ "$ref": format!("#/components/schemas/{signed_name}") });
        definitions.insert(signed_name, signed);
        reference
    }

    /// Whether a body has a field that must be given. Without one, no body is an empty body.
    pub(super) fn needs_fields(&self, body: &Value) -> bool {
        let schema =
            name_of(body).and_then(|name| self.schemas.definitions().get(name)).unwrap_or(body);
        schema.get("required").is_some() || schema.get("anyOf").is_some()
    }

    /// A parameter that several operations have.
    pub(super) fn shared(
        &mut self,
        name: &str,
        parameter: impl FnOnce(&mut SchemaGenerator) -> Value,
    ) -> Value {
        if !self.parameters.contains_key(name) {
            self.parameters.insert(name.to_owned(), parameter(&mut self.schemas));
        }
        json!({ "$ref": format!("#/components/parameters/{name}") })
    }
}

/// The name of the definition that a schema refers to.
fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}
