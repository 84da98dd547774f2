//! What all objects of a Kubernetes API have, and how one of them is named.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Labels, Time, Value};

facts! {
    /// The object that controls another.
    pub struct Owner {
        pub kind: String,
        pub name: String,
        pub uid: String,
    }
}

/// What rules ask of any object.
pub trait Object {
    fn kind(&self) -> &str;
    fn name(&self) -> &str;
    fn namespace(&self) -> &str;
    fn uid(&self) -> &str;
    fn created(&self) -> Option<Time>;
    fn labels(&self) -> &Labels;
    fn annotations(&self) -> &BTreeMap<String, Value>;
    fn owner(&self) -> Option<&Owner>;

    /// Its name for people and programs.
    fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.kind(), self.namespace(), self.name())
    }
}

/// One thing by kind, namespace and name. Text form: `Pod backend-mainnet/postgres-0`, and
/// `Pod backend-mainnet/postgres-0:exporter` for one container of it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectRef {
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
    /// One container of it, when the matter concerns no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl ObjectRef {
    pub fn new(
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        let (kind, namespace, name) = (kind.into(), namespace.into(), name.into());
        Self { kind, namespace, name, container: None }
    }

    /// What belongs to no namespace: nodes, hosts, the cluster.
    pub fn global(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(kind, "", name)
    }

    #[must_use]
    pub fn container(mut self, name: impl Into<String>) -> Self {
        self.container = Some(name.into());
        self
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}", self.name)?;
        match &self.container {
            Some(container) => write!(f, ":{container}"),
            None => Ok(()),
        }
    }
}
