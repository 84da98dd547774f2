//! JSON schemas as tables of fields.
//!
//! It knows the forms that the contract's types take and shows any other as it is.

use std::fmt::Write;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// A schema with its definition looked up.
#[derive(Debug)]
pub(super) struct Shape<'a> {
    /// As it is mentioned.
    mention: &'a Value,
    /// As it is defined.
    schema: &'a Value,
}

impl<'a> Shape<'a> {
    pub(super) fn of(mention: &'a Schema, generator: &'a SchemaGenerator) -> Self {
        let mention = mention.as_value();
        let name = mention.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
        let schema = name.and_then(|name| generator.definitions().get(name)).unwrap_or(mention);
        Self { mention, schema }
    }

    pub(super) fn defined(schema: &'a Value) -> Self {
        Self { mention: schema, schema }
    }

    pub(super) fn description(&self) -> String {
        text(self.schema, "description").replace("\n\n", "\n").replace('\n', " ")
    }

    pub(super) fn type_name(&self) -> String {
        type_of(self.mention)
    }

    /// The table of an object's fields; empty when there are none.
    pub(super) fn fields(&self) -> String {
        let Some(properties) = self.schema.get("properties").and_then(Value::as_object) else {
            return String::new();
        };
        // Required fields are listed in the order of their declaration; optional ones follow them.
        let required = list(self.schema, "required");
        let required: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
        let optional = properties.keys().map(String::as_str);
        let optional = optional.filter(|name| !required.contains(name));
        let mut table = "\n| Field | Type | Meaning |\n|---|---|---|\n".to_owned();
        for name in required.iter().copied().chain(optional) {
            let Some(field) = properties.get(name) else { continue };
            let absent = if required.contains(&name) { "" } else { "; may be absent" };
            let (kind, meaning) = (cell(&type_of(field)), cell(text(field, "description")));
            let _ = writeln!(table, "| `{name}` | {kind}{absent} | {meaning} |");
        }
        table
    }

    /// Fields, or the values that it can have.
    pub(super) fn body(&self) -> String {
        let variants = ["oneOf", "anyOf"].map(|key| list(self.schema, key)).concat();
        if variants.is_empty() {
            let fields = self.fields();
            return if fields.is_empty() {
                format!("\n{}\n", type_of(self.schema))
            } else {
                fields
            };
        }
        let mut lines = "\n".to_owned();
        for variant in &variants {
            let meaning = cell(text(variant, "description"));
            let gap = if meaning.is_empty() { "" } else { ": " };
            let _ = writeln!(lines, "- {}{gap}{meaning}", type_of(variant));
        }
        lines
    }
}

fn text<'v>(schema: &'v Value, key: &str) -> &'v str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list(schema: &Value, key: &str) -> Vec<Value> {
    schema.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A text as the cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.trim().replace('\n', " ").replace('|', "\\|")
}

/// What a schema admits, in few words.
fn type_of(schema: &Value) -> String {
    if let Some(name) = text(schema, "$ref").rsplit('/').next().filter(|name| !name.is_empty()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", value.to_string().trim_matches('"'));
    }
    let values = list(schema, "enum");
    if !values.is_empty() {
        let values = values.iter().filter(|value| !value.is_null());
        let values = values.map(|value| format!("`{}`", value.to_string().trim_matches('"')));
        return values.collect::<Vec<_>>().join(", ");
    }
    let either = ["anyOf", "oneOf"].map(|key| list(schema, key)).concat();
    if !either.is_empty() {
        return either.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match schema.get("type") {
        Some(Value::String(kind)) => plain(kind, schema),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            kinds.map(|kind| plain(kind, schema)).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn plain(kind: &str, schema: &Value) -> String {
    match kind {
        "array" => {
            let places = list(schema, "prefixItems");
            if places.is_empty() {
                return format!("list of {}", schema.get("items").map_or("any".into(), type_of));
            }
            let places: Vec<String> = places.iter().map(type_of).collect();
            format!("[{}]", places.join(", "))
        }
        "object" => {
            let fields = schema.get("properties").and_then(Value::as_object);
            let fields = fields.into_iter().flatten();
            let fields = fields.map(|(name, field)| format!("`{name}`: {}", type_of(field)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        "null" => "nothing".to_owned(),
        "integer" => match text(schema, "format") {
            "" => "integer".to_owned(),
            format => format!("integer ({format})"),
        },
        "string" => match text(schema, "pattern") {
            "" => "text".to_owned(),
            pattern => format!("text `{pattern}`"),
        },
        other => other.to_owned(),
    }
}
