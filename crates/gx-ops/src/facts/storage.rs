//! Claims, volumes and classes of storage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Labels, NodeTerm, Operator, Time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum BindingMode {
    /// A volume is found at once, wherever it is.
    #[default]
    Immediate,
    /// A volume is found or made where the first pod goes.
    WaitForFirstConsumer,
}

facts! {
    pub struct ClaimRef {
        pub namespace: String,
        pub name: String,
        pub uid: String,
    }
}

objects! {
    pub struct Claim = "PersistentVolumeClaim" {
        /// None: none was named, and there was no default one.
        pub class: Option<String>,
        /// Volume that it is bound to; empty while it is not.
        pub volume: String,
        /// `Pending`, `Bound` or `Lost`.
        pub phase: String,
        pub modes: Vec<String>,
        /// Bytes asked for.
        pub bytes: u64,
        /// Bytes it has; 0 while it has none.
        pub capacity_bytes: u64,
        /// Bytes used, from kubelet.
        pub used_bytes: Option<u64>,
        pub volume_selector: Option<super::Selector>,
        /// Node that the scheduler has chosen for a volume to be made on.
        pub selected_node: String,
    }

    pub struct PersistentVolume = "PersistentVolume" {
        pub class: String,
        /// Bytes.
        pub bytes: u64,
        /// `Retain`, `Delete` or `Recycle`.
        pub reclaim: String,
        pub modes: Vec<String>,
        /// `Available`, `Bound`, `Released` or `Failed`.
        pub phase: String,
        pub claim: Option<ClaimRef>,
        /// Nodes it can be used from; none: all.
        pub node_terms: Option<Vec<NodeTerm>>,
        /// Field name of its source, such as `hostPath`, `local`, `csi`.
        pub source: String,
        /// Folder on the node, of `hostPath` and `local`.
        pub path: String,
        /// Of `csi`.
        pub driver: String,
        /// When it became what its phase says.
        pub phase_since: Option<Time>,
    }

    pub struct StorageClass = "StorageClass" {
        pub provisioner: String,
        pub binding: BindingMode,
        pub reclaim: String,
        pub expandable: bool,
        pub is_default: bool,
        /// Topologies that volumes may be made in; none: all.
        pub allowed_topologies: Vec<NodeTerm>,
    }

    /// A volume of Longhorn.
    pub struct LonghornVolume = "Volume" {
        pub state: String,
        /// `healthy`, `degraded`, `faulted` or `unknown`.
        pub robustness: String,
        pub replicas_wanted: u32,
        /// Nodes that hold a replica which works.
        pub replica_nodes: Vec<String>,
    }
}

impl PersistentVolume {
    /// The host names it is bound to, when it is bound to some by name.
    pub fn hostnames(&self) -> Vec<&str> {
        let terms = self.node_terms.as_deref().unwrap_or_default();
        let keys = ["kubernetes.io/hostname", "metadata.name"];
        let named = terms.iter().flat_map(|term| term.expressions.iter().chain(&term.fields));
        let named =
            named.filter(|one| one.operator == Operator::In && keys.contains(&one.key.as_str()));
        named.flat_map(|one| one.values.iter().map(String::as_str)).collect()
    }

    /// Whether a node of this name and these labels can use it.
    pub fn is_usable_on(&self, name: &str, labels: &Labels) -> bool {
        let matches = |terms: &Vec<NodeTerm>| terms.iter().any(|term| term.matches(name, labels));
        self.node_terms.as_ref().is_none_or(matches)
    }
}
