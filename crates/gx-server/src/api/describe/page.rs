//! `/docs`: the API description as one page that works without scripts and foreign assets.

use std::fmt::Write as _;

use serde_json::Value;

const STYLE: &str = include_str!("page.css");

/// The page for an OpenAPI document made by [`super::openapi`].
pub(crate) fn page(document: &Value) -> String {
    let mut html = String::with_capacity(128 * 1024);
    let version = document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
    let about = document.pointer("/info/description").and_then(Value::as_str).unwrap_or_default();
    // Writing into a String cannot fail, here and below.
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>GX Protocol API</title><style>{STYLE}</style></head><body><nav>\
         <h1>GX Protocol</h1><p class=\"version\">API {}</p>",
        text(version)
    );
    let groups = groups(document);
    for (tag, operations) in &groups {
        let _ = write!(html, "<h2>{}</h2><ul>", text(tag));
        for operation in operations {
            let _ = write!(
                html,
                "<li><a href=\"#{}\"><b class=\"{verb}\">{verb}</b> {}</a></li>",
                text(operation.id()),
                text(operation.short_path()),
                verb = operation.verb,
            );
        }
        html.push_str("</ul>");
    }
    let _ = write!(
        html,
        "</nav><main><p class=\"about\">{}</p><p>The same as \
         <a href=\"/openapi.json\">OpenAPI 3.1</a>.</p>",
        code_spans(about)
    );
    for (tag, operations) in &groups {
        let _ = write!(html, "<h2>{}</h2>", text(tag));
        for operation in operations {
            operation.write(&mut html, document);
        }
    }
    html.push_str("</main></body></html>");
    html
}

struct Operation<'d> {
    path: &'d str,
    verb: &'d str,
    fields: &'d Value,
}

/// The operations by tag, in the order of the document's tags, then of the paths.
fn groups(document: &Value) -> Vec<(&str, Vec<Operation<'_>>)> {
    let tags = document.get("tags").and_then(Value::as_array).into_iter().flatten();
    let names = tags.filter_map(|tag| tag.get("name").and_then(Value::as_str));
    let mut groups: Vec<(&str, Vec<Operation<'_>>)> = names.map(|tag| (tag, Vec::new())).collect();
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, operations) in paths {
        for (verb, fields) in operations.as_object().into_iter().flatten() {
            let tag = fields.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
            if let Some((_, group)) = groups.iter_mut().find(|(name, _)| *name == tag) {
                group.push(Operation { path, verb, fields });
            }
        }
    }
    groups.retain(|(_, operations)| !operations.is_empty());
    groups
}

impl<'d> Operation<'d> {
    fn text(&self, key: &str) -> &'d str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn id(&self) -> &'d str {
        self.text("operationId")
    }

    fn short_path(&self) -> &'d str {
        self.path.strip_prefix("/api/v1").unwrap_or(self.path)
    }

    fn write(&self, html: &mut String, document: &Value) {
        let _ = write!(
            html,
            "<section id=\"{}\"><h3><b class=\"{verb}\">{verb}</b> <code>{}</code></h3>\
             <p>{}</p><p class=\"facts\">for {}",
            text(self.id()),
            text(self.path),
            text(self.text("summary")),
            text(self.text("x-gx-access")),
            verb = self.verb,
        );
        if let Some(command) = self.fields.get("x-gx-command").and_then(Value::as_str) {
            let _ = write!(html, " · ledger command <code>{}</code>", text(command));
        }
        let _ = write!(html, " · limit: {}</p>", text(self.text("x-gx-rate-limit")));
        let alias = self.text("description");
        if !alias.is_empty() {
            let _ = write!(html, "<p>{}</p>", code_spans(alias));
        }
        self.write_parameters(html, document);
        let body = self.fields.pointer("/requestBody/content/application~1json/schema");
        write_schema(html, "Body", body, document);
        let responses = self.fields.get("responses").and_then(Value::as_object);
        for (status, response) in responses.into_iter().flatten() {
            let response = resolve(response, document);
            let schema = response.pointer("/content/application~1json/schema");
            write_schema(html, &format!("Answer {status}"), schema, document);
        }
        self.write_failures(html, document);
        html.push_str("</section>");
    }

    fn write_failures(&self, html: &mut String, document: &Value) {
        let responses = self.fields.get("responses").and_then(Value::as_object);
        html.push_str("<details><summary>Failures</summary><table>");
        for (status, response) in responses.into_iter().flatten() {
            let codes = "/content/application~1problem+json/schema/allOf/1/properties/code/enum";
            let response = resolve(response, document);
            let Some(codes) = response.pointer(codes).and_then(Value::as_array) else { continue };
            let codes: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
            let codes = text(&codes.join(", "));
            let _ = write!(html, "<tr><td>{}</td><td>{codes}</td></tr>", text(status));
        }
        html.push_str("</table></details>");
    }

    fn write_parameters(&self, html: &mut String, document: &Value) {
        let parameters = self.fields.get("parameters").and_then(Value::as_array);
        let Some(parameters) = parameters else { return };
        html.push_str("<h4>Parameters</h4><table>");
        for parameter in parameters {
            let parameter = resolve(parameter, document);
            let of = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
            let _ = write!(
                html,
                "<tr><td><code>{}</code></td><td>{}{}</td><td>{}</td></tr>",
                text(of("name")),
                text(of("in")),
                if required { ", required" } else { "" },
                code_spans(of("description")),
            );
        }
        html.push_str("</table>");
    }
}

fn write_schema(html: &mut String, title: &str, schema: Option<&Value>, document: &Value) {
    let Some(schema) = schema else { return };
    let _ = write!(html, "<h4>{}</h4>", text(title));
    let shown = resolve(schema, document);
    let items = shown.get("items").map(|items| resolve(items, document));
    let object = items.unwrap_or(shown);
    if object.get("properties").is_none() {
        let _ = write!(html, "<p>{}</p>", text(&kind(shown, document)));
        return;
    }
    if items.is_some() {
        html.push_str("<p>A list of:</p>");
    }
    html.push_str("<table>");
    write_fields(html, object, document, "", 0);
    html.push_str("</table>");
}

/// Nested objects are shown to this depth.
const DEPTH_MAX: usize = 4;

/// A row for each field; those of nested objects follow under their full names.
fn write_fields(html: &mut String, object: &Value, document: &Value, path: &str, depth: usize) {
    let properties = object.get("properties").and_then(Value::as_object);
    let required: Vec<&str> = object
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in properties.into_iter().flatten() {
        let described =
            field.get("description").or_else(|| resolve(field, document).get("description"));
        let _ = write!(
            html,
            "<tr><td><code>{path}{}</code></td><td>{}{}</td><td>{}</td></tr>",
            text(name),
            text(&kind(field, document)),
            if required.contains(&name.as_str()) { ", required" } else { "" },
            code_spans(described.and_then(Value::as_str).unwrap_or_default()),
        );
        if let Some((inner, is_list)) = nested(field, document).filter(|_| depth < DEPTH_MAX) {
            let path = format!("{path}{}{}.", text(name), if is_list { "[]" } else { "" });
            write_fields(html, inner, document, &path, depth + 1);
        }
    }
}

/// The object inside a field, through references, lists and options, and whether it is in a list.
fn nested<'d>(field: &'d Value, document: &'d Value) -> Option<(&'d Value, bool)> {
    let field = resolve(field, document);
    if field.get("properties").is_some() {
        return Some((field, false));
    }
    if let Some(items) = field.get("items") {
        return nested(items, document).map(|(object, _)| (object, true));
    }
    let any = field.get("anyOf").and_then(Value::as_array)?;
    any.iter().find_map(|one| nested(one, document))
}

fn resolve<'d>(schema: &'d Value, document: &'d Value) -> &'d Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    reference.and_then(|path| document.pointer(path.trim_start_matches('#'))).unwrap_or(schema)
}

/// What a value is, in a few words.
fn kind(schema: &Value, document: &Value) -> String {
    let schema = resolve(schema, document);
    let named = |value: &Value| match value {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    };
    let mut words = schema.get("type").map(named).unwrap_or_default();
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        words = any.iter().map(|one| kind(one, document)).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        words = format!("one of {}", values.join(", "));
    }
    for (key, what) in [("format", ""), ("pattern", "like ")] {
        if let Some(value) = schema.get(key).and_then(Value::as_str) {
            let _ = write!(words, " {what}{value}");
        }
    }
    for (key, what) in [
        ("minLength", "at least"),
        ("maxLength", "at most"),
        ("minimum", "from"),
        ("maximum", "to"),
    ] {
        if let Some(value) = schema.get(key).filter(|value| value.as_f64() > Some(0.0)) {
            let _ = write!(words, ", {what} {value}");
        }
    }
    words
}

/// Text in HTML.
fn text(plain: &str) -> String {
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text in HTML, with `code` between backticks.
fn code_spans(plain: &str) -> String {
    let parts = text(plain);
    let parts = parts.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.into() })
        .collect()
}
