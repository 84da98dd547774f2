//! The store of a cluster.

use super::{Keyed, Known, Time};

facts! {
    pub struct EtcdMember {
        pub id: String,
        pub name: String,
        pub peer_urls: Vec<String>,
        pub is_learner: bool,
        pub is_leader: bool,
        pub healthy: Known<bool>,
        /// How long it took to answer.
        pub latency_ms: Option<u32>,
        pub database_bytes: Option<u64>,
    }

    pub struct EtcdSnapshot {
        pub name: String,
        pub at: Time,
        pub bytes: u64,
        /// Host or bucket that holds it.
        pub place: String,
        pub is_off_host: bool,
    }

    /// The etcd of a cluster, as one of its servers sees it.
    pub struct Etcd {
        /// Name of the host that was asked.
        pub seen_from: String,
        pub members: Known<Vec<EtcdMember>>,
        pub snapshots: Known<Vec<EtcdSnapshot>>,
        /// Whether Secrets are encrypted at rest.
        pub encrypts_secrets: Known<bool>,
        /// Name of the member on the host that was asked, and when it joined.
        pub own_name: String,
        pub joined: Option<Time>,
    }
}

impl Keyed for Etcd {
    fn key(&self) -> String {
        self.seen_from.clone()
    }
}
