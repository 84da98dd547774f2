//! Labels, and what selects by them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub type Labels = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    #[default]
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

facts! {
    /// What a label must be.
    pub struct Requirement {
        pub key: String,
        pub operator: Operator,
        pub values: Vec<String>,
    }

    /// A label selector: all of both must hold. An empty one selects everything.
    pub struct Selector {
        pub labels: Labels,
        pub expressions: Vec<Requirement>,
    }

    /// One of the terms of which a node must satisfy at least one. An empty one selects nothing.
    pub struct NodeTerm {
        pub expressions: Vec<Requirement>,
        /// On fields of the node; Kubernetes knows `metadata.name` alone.
        pub fields: Vec<Requirement>,
    }
}

impl Requirement {
    /// Whether the label holds. What is compared as a number and is none does not.
    pub fn holds(&self, labels: &Labels) -> bool {
        self.holds_value(labels.get(&self.key).map(String::as_str))
    }

    fn holds_value(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|one| one == value);
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt | Operator::Lt => {
                let bound = match self.values.as_slice() {
                    [one] => one.parse::<i64>().ok(),
                    _ => None,
                };
                let (Some(value), Some(bound)) = (value.and_then(|v| v.parse::<i64>().ok()), bound)
                else {
                    return false;
                };
                if self.operator == Operator::Gt { value > bound } else { value < bound }
            }
        }
    }
}

impl Selector {
    /// Selects one value of one label.
    pub fn label(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { labels: Labels::from([(key.into(), value.into())]), expressions: Vec::new() }
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|requirement| requirement.holds(labels))
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }
}

impl NodeTerm {
    /// Whether a node of this name with these labels satisfies the term.
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        if self.expressions.is_empty() && self.fields.is_empty() {
            return false;
        }
        let field = |requirement: &Requirement| {
            let value = (requirement.key == "metadata.name").then_some(name);
            requirement.holds_value(value)
        };
        self.expressions.iter().all(|one| one.holds(labels)) && self.fields.iter().all(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(operator: Operator, values: &[&str]) -> Requirement {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Requirement { key: "a".to_owned(), operator, values }
    }

    #[test]
    fn each_operator_does_what_kubernetes_says() {
        let has = |value: &str| Labels::from([("a".to_owned(), value.to_owned())]);
        let none = Labels::new();
        for (operator, values, labels, expected) in [
            (Operator::In, vec!["x", "y"], has("y"), true),
            (Operator::In, vec!["x"], none.clone(), false),
            (Operator::NotIn, vec!["x"], has("y"), true),
            (Operator::NotIn, vec!["x"], none.clone(), true),
            (Operator::NotIn, vec!["x"], has("x"), false),
            (Operator::Exists, vec![], has(""), true),
            (Operator::DoesNotExist, vec![], has(""), false),
            (Operator::Gt, vec!["5"], has("6"), true),
            (Operator::Gt, vec!["5"], has("5"), false),
            (Operator::Gt, vec!["5"], has("many"), false),
            (Operator::Lt, vec!["5"], has("-6"), true),
            (Operator::Lt, vec!["5"], none.clone(), false),
        ] {
            let one = requirement(operator, &values);
            assert_eq!(one.holds(&labels), expected, "{one:?} on {labels:?}");
        }
    }

    #[test]
    fn an_empty_selector_selects_all_and_an_empty_term_nothing() {
        assert!(Selector::default().matches(&Labels::new()));
        assert!(!NodeTerm::default().matches("n", &Labels::new()));
        let key = "metadata.name".to_owned();
        let field = Requirement { key, operator: Operator::In, values: vec!["n".to_owned()] };
        let term = NodeTerm { fields: vec![field], ..NodeTerm::default() };
        assert!(term.matches("n", &Labels::new()) && !term.matches("m", &Labels::new()));
    }
}
