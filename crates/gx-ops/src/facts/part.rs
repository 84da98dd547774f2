//! What is known, from where and since when; or why it is not.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Time;

/// A single fact: known, or missing with the reason. JSON: the value, or `{"missing": "why"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Known<T> {
    Missing(Missing),
    Known(T),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Why it is not known.
    pub missing: String,
}

/// From an object alone. A derived one would take a list of one text for a reason as well, and a
/// fact that is such a list for one that is missing.
impl<'de> Deserialize<'de> for Missing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Missing;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the field missing")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Missing, A::Error> {
                let mut why = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key != "missing" || why.is_some() {
                        return Err(A::Error::unknown_field(&key, &["missing"]));
                    }
                    why = Some(map.next_value()?);
                }
                let missing = why.ok_or_else(|| A::Error::missing_field("missing"))?;
                Ok(Missing { missing })
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<T> Known<T> {
    pub fn missing(why: impl Into<String>) -> Self {
        Self::Missing(Missing { missing: why.into() })
    }

    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Missing(_) => None,
        }
    }

    /// Why it is missing.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Missing(missing) => Some(&missing.missing),
        }
    }
}

/// What nobody has looked at.
impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::missing("it was not collected")
    }
}

impl<T> From<T> for Known<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

/// What a collection covered of its kind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All there is, such as a list over all namespaces: what is not in it does not exist.
    #[default]
    Whole,
    /// Some of it, such as the objects of one namespace: what is not in it may exist.
    Some,
}

/// Where a part of a snapshot comes from.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Source {
    /// A file, an API server's address, a host.
    pub from: String,
    pub at: Time,
    /// Version of the collector.
    pub collector: String,
    pub scope: Scope,
}

/// What tells one item of a part from another of the same part.
pub trait Keyed {
    fn key(&self) -> String;
}

/// One kind of facts. JSON: `{"sources": [...], "items": [...]}` or `{"missing": "why"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Part<T> {
    Missing(Missing),
    Known(Collected<T>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collected<T> {
    pub sources: Vec<Source>,
    /// In the order of their keys.
    pub items: Vec<T>,
}

impl<T> Part<T> {
    /// A part that could not be collected.
    pub fn missing(why: impl Into<String>) -> Self {
        Self::Missing(Missing { missing: why.into() })
    }

    /// What was collected; nothing when the part is missing, which is why a rule has to name the
    /// parts it needs.
    pub fn items(&self) -> &[T] {
        match self {
            Self::Known(collected) => &collected.items,
            Self::Missing(_) => &[],
        }
    }

    /// The same to be changed: nothing when the part is missing. Whoever changes it calls
    /// `Snapshot::forget_index`.
    pub(crate) fn items_mut(&mut self) -> Option<&mut Vec<T>> {
        match self {
            Self::Known(collected) => Some(&mut collected.items),
            Self::Missing(_) => None,
        }
    }

    pub fn sources(&self) -> &[Source] {
        match self {
            Self::Known(collected) => &collected.sources,
            Self::Missing(_) => &[],
        }
    }

    /// Why it is missing.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Missing(missing) => Some(&missing.missing),
        }
    }

    /// Whether everything of this kind is known, so that what is not listed does not exist.
    pub fn is_whole(&self) -> bool {
        self.sources().iter().any(|source| source.scope == Scope::Whole)
    }
}

impl<T: Keyed> Part<T> {
    /// What one source has told. Of items with the same key the last one stays.
    pub fn collected(source: Source, items: Vec<T>) -> Self {
        let items = items.into_iter().map(|item| (item.key(), item));
        let items: std::collections::BTreeMap<String, T> = items.collect();
        Self::Known(Collected { sources: vec![source], items: items.into_values().collect() })
    }

    /// Both together. Where they differ the later one holds; what a later one that covers
    /// everything does not have is gone.
    #[must_use]
    pub(super) fn merged(self, other: Self) -> Self {
        let (a, b) = match (self, other) {
            (Self::Missing(_), other) => return other,
            (this, Self::Missing(_)) => return this,
            (Self::Known(a), Self::Known(b)) => (a, b),
        };
        let (older, newer) = if latest(&a) <= latest(&b) { (a, b) } else { (b, a) };
        if newer.sources.iter().any(|source| source.scope == Scope::Whole) {
            return Self::Known(newer);
        }
        let items = older.items.into_iter().chain(newer.items).map(|item| (item.key(), item));
        let items: std::collections::BTreeMap<String, T> = items.collect();
        let mut sources: Vec<Source> = older.sources.into_iter().chain(newer.sources).collect();
        sources.sort();
        sources.dedup();
        Self::Known(Collected { sources, items: items.into_values().collect() })
    }
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self::missing("it was not collected")
    }
}

fn latest<T>(collected: &Collected<T>) -> Option<Time> {
    collected.sources.iter().map(|source| source.at).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_one_text_is_no_reason() {
        let read = |text: &str| serde_json::from_str::<Known<Vec<String>>>(text);
        assert_eq!(read(r#"["any"]"#).unwrap(), Known::Known(vec!["any".to_owned()]));
        assert_eq!(read(r#"{"missing":"why"}"#).unwrap(), Known::missing("why"));
        assert!(read(r#"{"missing":"why","more":"x"}"#).is_err() && read("{}").is_err());
    }
}
