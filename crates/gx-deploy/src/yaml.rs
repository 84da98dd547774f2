//! YAML as it is written and read here: keys in the order of the alphabet, one form for one value.

use serde_json::Value;

/// Why a text is no YAML.
#[derive(Debug, thiserror::Error)]
#[error("no YAML: {0}")]
pub struct Unreadable(String);

/// Indentation and quotes are those of this writer; readers of YAML 1.1 and 1.2 read the same.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// One text of several documents.
pub fn documents(values: &[Value]) -> String {
    values.iter().map(text).collect::<Vec<_>>().join("---\n")
}

/// The documents of a text; empty ones are left out.
///
/// # Errors
/// With what the parser says, line and column in it.
pub fn read(text: &str) -> Result<Vec<Value>, Unreadable> {
    let values: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| Unreadable(error.to_string()))?;
    Ok(values.into_iter().filter(|value| !value.is_null()).collect())
}

fn write(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| order(key));
            for (key, value) in fields {
                out.push_str(&format!("{pad}{}:", scalar(key)));
                nested(value, indent, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut lines = String::new();
                match item {
                    Value::Object(_) | Value::Array(_) if !is_empty(item) => {
                        write(item, indent + 2, &mut lines);
                        out.push_str(&format!("{pad}- {}", lines.trim_start()));
                    }
                    _ => {
                        out.push_str(&format!("{pad}-"));
                        nested(item, indent, out);
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&format!("{pad}{}\n", leaf(value)));
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

/// What names an object stands first, as people write it.
fn order(key: &str) -> (usize, &str) {
    let first = ["apiVersion", "kind", "metadata", "name"];
    (first.iter().position(|one| *one == key).unwrap_or(first.len()), key)
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            write(value, indent + 2, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write(value, indent, out);
        }
        Value::String(text) if is_block(text) => {
            let pad = " ".repeat(indent + 2);
            out.push_str(" |\n");
            for line in text.lines() {
                let line = if line.is_empty() { String::new() } else { format!("{pad}{line}") };
                out.push_str(&format!("{line}\n"));
            }
        }
        _ => out.push_str(&format!(" {}\n", leaf(value))),
    }
}

/// Whether a text can stand line by line: it ends with one new line and holds nothing unusual.
fn is_block(text: &str) -> bool {
    let plain = |c: char| c == '\n' || !c.is_control();
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n'])
        && text.len() > 1
        && text.chars().all(plain)
        && text.lines().all(|line| !line.ends_with(' '))
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Plain where no reader could take it for anything but this text, quoted as JSON elsewhere.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let fits = |c: char| c.is_ascii_alphanumeric() || " ./_-$()=,+".contains(c);
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_word = words.contains(&text.to_ascii_lowercase().as_str());
    if begins && text.chars().all(fits) && !text.ends_with(' ') && !is_word {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({
            "words": ["yes", "On", "null", "~", "1", "1e3", "0x10", "12:30"],
            "signs": ["a: b", "# c", "- d", "", "*", "&a", "!b", "%", "@", "`"],
            "lines": "first\n\n  second: |\nthird\n",
            "ragged": [" first\n", "two\n\n", "tab\tend\n", "trailing \n", "\n"],
            "nested": [[], {}, [{"a": [1, 2, {"b": null}]}, true], {"k": {"l": []}}],
            "app.kubernetes.io/name": "svc-identity", "@odd key": -1.5, "path": "/api/v1(/|$)",
        });
        let written = text(&value);
        assert_eq!(read(&written).unwrap(), std::slice::from_ref(&value), "{written}");
        let both = documents(&[value.clone(), json!({"kind": "Second"})]);
        assert_eq!(read(&both).unwrap().len(), 2);
    }

    #[test]
    fn names_come_first_and_the_rest_by_the_alphabet() {
        let value = json!({"spec": 1, "metadata": {"labels": {}, "name": "a"}, "kind": "K"});
        assert_eq!(text(&value), "kind: K\nmetadata:\n  name: a\n  labels: {}\nspec: 1\n");
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        let error = read("a: [1\nb: 2\n").unwrap_err().to_string();
        assert!(error.starts_with("no YAML: ") && error.contains("line"), "{error}");
    }
}
