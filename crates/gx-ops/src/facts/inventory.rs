//! What people say there is: the file `inventory.toml`.
//!
//! Hosts are named by their host name. Ordinals and labels are names for people.

use std::collections::BTreeMap;

use super::{Keyed, Labels, Resources};

facts! {
    pub struct DeclaredHost {
        pub name: String,
        /// For people; nothing is decided by it.
        pub alias: String,
        pub region: String,
        pub zone: String,
        /// Such as `control-plane`, `etcd`, `worker`, `website`.
        pub roles: Vec<String>,
        /// Environments it is for: `mainnet`, `testnet`, `devnet`.
        pub environments: Vec<String>,
        pub addresses: Vec<String>,
        /// What it has: `cpu`, `memory`, `ephemeral-storage`.
        pub capacity: Resources,
        /// Labels that its node must have.
        pub labels: Labels,
        /// Names whose DNS or CDN records lead to it.
        pub origin_of: Vec<String>,
        pub is_standalone: bool,
    }

    pub struct DeclaredEnvironment {
        pub namespaces: Vec<String>,
        pub channel: String,
        /// Identifiers of the organizations.
        pub msps: Vec<String>,
        pub chaincode: String,
    }

    /// Something whose absence is a fault.
    pub struct Expected {
        pub kind: String,
        pub namespace: String,
        pub name: String,
    }

    /// Limits that one operator sets otherwise than another.
    pub struct Thresholds {
        /// Percent of a disk.
        pub disk_warn: Option<u8>,
        pub disk_critical: Option<u8>,
        /// Hours that a backup may be old.
        pub backup_hours: Option<u32>,
        /// Days after which credentials are to be changed.
        pub credential_days: Option<u32>,
        /// Hours of work that may be lost.
        pub recovery_point_hours: Option<u32>,
    }

    pub struct Inventory {
        pub name: String,
        pub hosts: Vec<DeclaredHost>,
        /// By name: `mainnet`, `testnet`, `devnet`.
        pub environments: BTreeMap<String, DeclaredEnvironment>,
        /// Labels that every node must have.
        pub required_labels: Vec<String>,
        /// Labels whose values are the names of nodes: no two may be equal.
        pub identity_labels: Vec<String>,
        pub must_exist: Vec<Expected>,
        /// Workloads that are one by intent, as `NAMESPACE/NAME`; `*` ends a beginning.
        pub single_replica: Vec<String>,
        /// Workloads that may do what privileged ones do.
        pub privileged: Vec<String>,
        /// Prefixes of registries of the project's images.
        pub registries: Vec<String>,
        pub thresholds: Thresholds,
        /// Programs that crontabs may start; `*` ends a beginning.
        pub cron_allowed: Vec<String>,
        /// Variables that workloads must have, by `NAMESPACE/NAME`; `*` ends a beginning.
        pub required_settings: BTreeMap<String, Vec<String>>,
    }
}

impl Keyed for Inventory {
    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Inventory {
    pub fn host(&self, name: &str) -> Option<&DeclaredHost> {
        self.hosts.iter().find(|host| host.name == name)
    }
}
