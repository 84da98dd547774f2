//! Texts of `kubectl get -o json|yaml` as JSON values: lists or single objects, and several
//! documents one after the other.

use serde_json::Value;

/// A text that is neither JSON nor YAML. What stands in it is not quoted: it may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    #[error("this is no JSON; the fault is in line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("this is neither JSON nor YAML that can be read")]
    Yaml,
}

/// The documents of a text.
///
/// # Errors
/// When it is neither JSON nor YAML.
pub fn read_stream(text: &str) -> Result<Vec<Value>, StreamError> {
    if text.trim_start().starts_with(['{', '[']) {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        return documents
            .map(|one| one.map_err(|e| StreamError::Json { line: e.line(), column: e.column() }))
            .collect();
    }
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|_| StreamError::Yaml)?;
    // An empty document is null, and says nothing.
    Ok(documents.into_iter().filter(|one| !one.is_null()).collect())
}

/// A JSON value as one of Kubernetes' types; none when it is not one.
pub(super) fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Option<T> {
    T::deserialize(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_come_in_several_documents() {
        let json = "{\"kind\":\"Pod\"}\n{\"kind\":\"Node\"}";
        let yaml = "---\nkind: Pod\n---\nkind: Node\n---\n";
        let expected = [serde_json::json!({"kind": "Pod"}), serde_json::json!({"kind": "Node"})];
        assert_eq!(read_stream(json).unwrap(), expected);
        assert_eq!(read_stream(yaml).unwrap(), expected);
    }

    #[test]
    fn what_is_neither_is_refused_without_being_quoted() {
        let error = read_stream("{\"password\": hunter2}").unwrap_err();
        assert_eq!(error, StreamError::Json { line: 1, column: 14 });
        let error = read_stream("a: [hunter2").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
