//! How fixtures are written: the smallest snapshot that shows a rule, in YAML.
//!
//! ```yaml
//! expect: [high StatefulSet m/db]    # exactly what is found; in fail.yaml at least one
//! unknown: [Node b]                  # of what nothing can be said
//! taken: 2026-11-30T12:00:00Z        # the present; this day at noon when it is left out
//! nodes:                             # a part: its items; a part that is not there is missing
//! - {name: a, labels: {node-id: one}}
//! workloads: []                      # nothing of it exists
//! ```

use serde_json::{Map, Value, json};

use crate::facts::{Fact, Snapshot};

/// A fixture, read.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) expect: Vec<String>,
    pub(crate) unknown: Vec<String>,
    pub(crate) snapshot: Snapshot,
}

/// Reads a fixture, or says what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Fixture, String> {
    let mut fixture: Map<String, Value> =
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let expect = list(&mut fixture, "expect")?;
    let unknown = list(&mut fixture, "unknown")?;
    fixture.entry("taken").or_insert_with(|| json!("2026-11-30T12:00:00Z"));
    fixture.insert("version".to_owned(), json!(1));
    let source = json!({"from": "fixture", "at": fixture["taken"], "collector": "fixture"});
    for (name, value) in &mut fixture {
        let is_part = Fact::ALL.iter().any(|fact| camel(fact.name()) == *name);
        if is_part && value.is_array() {
            *value = json!({"sources": [source], "items": value.take()});
        }
    }
    let snapshot =
        serde_json::from_value(Value::Object(fixture)).map_err(|error| error.to_string())?;
    Ok(Fixture { expect, unknown, snapshot })
}

fn list(fixture: &mut Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    let value = fixture.remove(name).unwrap_or_else(|| json!([]));
    serde_json::from_value(value).map_err(|error| format!("{name}: {error}"))
}

/// The name of a part as it stands in a snapshot.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (head, tail) = word.split_at(1);
        format!("{text}{}{tail}", head.to_uppercase())
    })
}
