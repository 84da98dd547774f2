//! Secrets and ConfigMaps without what is secret in them.

use std::collections::BTreeMap;

use super::{Hidden, Time, Value};

objects! {
    pub struct Secret = "Secret" {
        /// Such as `kubernetes.io/tls`.
        pub kind: String,
        /// Never plain.
        pub data: BTreeMap<String, Value>,
        pub immutable: bool,
        /// When its data were last changed, from the managers of its fields.
        pub changed: Option<Time>,
    }

    pub struct ConfigMap = "ConfigMap" {
        /// Plain where name and value are known to be harmless.
        pub data: BTreeMap<String, Value>,
        /// Keys of binary data.
        pub binary: Vec<String>,
        pub changed: Option<Time>,
        /// Private IPv4 addresses and names of Services that its texts mention, also those that are
        /// hidden.
        pub places: Vec<String>,
        /// Dashboards of Grafana among the data, by uid: hash of what they show.
        pub dashboards: BTreeMap<String, Hidden>,
        /// Switches for TLS in files in YAML, as `FILE:PATH`, such as
        /// `orderer.yaml:general.tls.enabled`.
        pub tls_switches: BTreeMap<String, bool>,
        /// What scripts do carelessly, by key.
        pub careless: BTreeMap<String, Vec<String>>,
    }
}
