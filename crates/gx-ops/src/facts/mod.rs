//! The snapshot: everything that is known about a platform's infrastructure at one time, and what
//! is not known, with the reason.
//!
//! Rules, placement, questions, plans and reports read this and nothing else. No type here knows
//! the JSON of Kubernetes or the output of a program; `collect` translates. Nothing here reads a
//! clock, a file or a network.

#[macro_use]
mod macros;

mod backup;
mod certificate;
mod config;
mod etcd;
mod event;
mod host;
mod index;
mod inventory;
mod ledger;
mod merge;
mod meta;
mod monitoring;
mod network;
mod node;
mod part;
mod pod;
mod policy;
mod process;
mod rbac;
mod records;
mod selector;
mod snapshot;
mod storage;
mod stores;
mod values;
mod workload;

pub use backup::*;
pub use certificate::*;
pub use config::*;
pub use etcd::*;
pub use event::*;
pub use host::*;
pub use index::Index;
pub use inventory::*;
pub use ledger::*;
pub use merge::MergeError;
pub use meta::{Object, ObjectRef, Owner};
pub use monitoring::*;
pub use network::*;
pub use node::*;
pub use part::{Keyed, Known, Part, Scope, Source};
pub use pod::*;
pub use policy::*;
pub use process::*;
pub use rbac::*;
pub use records::*;
pub use selector::{Labels, NodeTerm, Operator, Requirement, Selector};
pub use snapshot::{Fact, Note, SCHEMA_VERSION, Snapshot, SnapshotError};
pub use storage::*;
pub use stores::*;
pub use values::{Class, Dsn, Hidden, QuantityError, Resources, Time, Value, parse_quantity};
pub use workload::*;

/// Whether a fact says nothing beyond its default, so that it need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
