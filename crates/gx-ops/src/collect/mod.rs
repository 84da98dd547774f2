//! Makes snapshots: from what `kubectl get` prints, from a live API server, from the host script's
//! output, from the inventory.
//!
//! What is secret is replaced here, before anything is kept (`redact.rs`). A collector says what it
//! could not understand in the snapshot's notes, and never quotes it there.

mod ask;
mod careless;
mod gather;
mod host;
mod inventory;
mod kubernetes;
mod live;
mod redact;
mod stream;

pub use ask::{ASK_SCRIPT, AskError, POSTGRES_SCRIPT};
pub use gather::{GatherError, Input, gather};
pub use host::{HostError, SCRIPT, parse_host};
pub use inventory::{InventoryError, parse_inventory};
pub use kubernetes::{Objects, collected_facts as kubernetes_facts};
pub use live::{LiveError, collect_live, connect};
pub(crate) use redact::is_secret_name;
pub use redact::{Redactor, Salt};
pub use stream::{StreamError, read_stream};

use crate::facts::{Fact, Time};

/// Version of the collectors, as sources name it.
pub const COLLECTOR: &str = concat!("gx-ops ", env!("CARGO_PKG_VERSION"));

/// Where and when something is collected from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// A file, an address.
    pub from: String,
    pub at: Time,
}

/// Every kind of facts that one of these collectors collects.
pub fn collected_facts() -> Vec<Fact> {
    let others = [
        Fact::Hosts,
        Fact::Etcd,
        Fact::Reached,
        Fact::Inventory,
        Fact::Postgres,
        Fact::Redis,
        Fact::Ledgers,
        Fact::Processes,
        Fact::Monitoring,
        Fact::Backups,
        Fact::DeploymentRecords,
    ];
    kubernetes_facts().into_iter().chain(others).collect()
}
