//! Nodes of a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Known, Resources, Time};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum Effect {
    #[default]
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// Of a condition. What is not said is unknown, which is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Truth {
    True,
    False,
    #[default]
    Unknown,
}

facts! {
    pub struct Taint {
        pub key: String,
        pub value: String,
        pub effect: Effect,
        pub since: Option<Time>,
    }

    /// A condition of any object.
    pub struct Condition {
        pub kind: String,
        pub status: Truth,
        pub reason: String,
        pub since: Option<Time>,
    }

    /// An image that a node has.
    pub struct NodeImage {
        /// With tags and with digests, as the node names it.
        pub names: Vec<String>,
        pub bytes: u64,
    }

    pub struct Address {
        pub kind: String,
        pub value: String,
    }
}

objects! {
    pub struct Node = "Node" {
        pub unschedulable: bool,
        pub taints: Vec<Taint>,
        pub conditions: Vec<Condition>,
        pub capacity: Resources,
        pub allocatable: Resources,
        /// Those that it tells of; kubelet tells of 50 unless it is set otherwise.
        pub images: Known<Vec<NodeImage>>,
        /// What is used now, from the metrics API.
        pub usage: Known<Resources>,
        pub addresses: Vec<Address>,
        pub pod_cidrs: Vec<String>,
        pub kubelet: String,
        pub kernel: String,
        pub os: String,
        pub runtime: String,
        pub architecture: String,
        pub volumes_attached: Vec<String>,
    }
}

/// How many images kubelet tells of unless `nodeStatusMaxImages` says otherwise.
pub const TOLD_IMAGES: usize = 50;

impl Node {
    /// The status of a condition; unknown when the node does not have it.
    pub fn condition(&self, kind: &str) -> Truth {
        condition(&self.conditions, kind).map_or(Truth::Unknown, |one| one.status)
    }

    /// Ready is the condition `Ready` being `True`; `NotReady` and `Unknown` are neither.
    pub fn is_ready(&self) -> bool {
        self.condition("Ready") == Truth::True
    }

    /// The name that volumes and affinities know it by.
    pub fn hostname(&self) -> &str {
        self.labels.get("kubernetes.io/hostname").map_or(self.name.as_str(), String::as_str)
    }

    pub fn is_control_plane(&self) -> bool {
        ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
            .iter()
            .any(|label| self.labels.contains_key(*label))
    }

    /// Whether it holds the image by this reference; none when its list may be cut.
    pub fn has_image(&self, reference: &str) -> Option<bool> {
        let images = self.images.get()?;
        let wanted = normal_image(reference);
        let held = images.iter().flat_map(|image| &image.names);
        if held.into_iter().any(|name| normal_image(name) == wanted) {
            return Some(true);
        }
        (images.len() < TOLD_IMAGES).then_some(false)
    }
}

/// A condition by its kind.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// The full form of a reference to an image: with registry, library and tag.
pub fn normal_image(reference: &str) -> String {
    let (first, rest) = reference.split_once('/').unwrap_or(("", reference));
    let is_registry = first.contains(['.', ':']) || first == "localhost";
    let mut full = match (is_registry, first.is_empty()) {
        (true, _) => format!("{first}/{rest}"),
        (false, true) => format!("docker.io/library/{rest}"),
        (false, false) => format!("docker.io/{first}/{rest}"),
    };
    let last = full.rsplit('/').next().unwrap_or_default();
    if !last.contains([':', '@']) {
        full.push_str(":latest");
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_one_name() {
        for (short, full) in [
            ("redis", "docker.io/library/redis:latest"),
            ("example/app:1", "docker.io/example/app:1"),
            ("localhost:30500/app:1", "localhost:30500/app:1"),
            ("registry.example.org/app@sha256:00", "registry.example.org/app@sha256:00"),
            ("localhost:30500/app", "localhost:30500/app:latest"),
        ] {
            assert_eq!(normal_image(short), full);
        }
    }

    #[test]
    fn a_list_that_may_be_cut_does_not_say_no() {
        let image = |n: usize| NodeImage { names: vec![format!("a:{n}")], bytes: 0 };
        let node = |count: usize| {
            let images = Known::Known((0..count).map(image).collect());
            Node { images, ..Node::default() }
        };
        assert_eq!(node(2).has_image("docker.io/library/a:1"), Some(true));
        assert_eq!(node(2).has_image("a:7"), Some(false));
        assert_eq!(node(TOLD_IMAGES).has_image("a:77"), None);
        assert_eq!(Node::default().has_image("a:1"), None);
    }

    #[test]
    fn a_node_without_the_condition_is_not_ready() {
        let condition =
            |status| Condition { kind: "Ready".to_owned(), status, ..Condition::default() };
        let node = |status| Node { conditions: vec![condition(status)], ..Node::default() };
        assert!(node(Truth::True).is_ready());
        assert!(!node(Truth::False).is_ready() && !node(Truth::Unknown).is_ready());
        assert!(!Node::default().is_ready());
    }
}
