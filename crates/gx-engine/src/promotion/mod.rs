//! Promotion: one image digest from a network to the next, in small steps that can be taken back.
//!
//! `Cluster` is what runs the workloads, handed in; `gates` says what stands in the way; `Promoter`
//! is the worker that goes from step to step. Every step is written down before it has an effect,
//! and every effect may happen twice, so that another process takes up what one that was killed has
//! left, wherever that was.

mod cluster;
mod gates;
mod nodes;
mod promoter;

pub use cluster::{
    Build, BuildTests, Change, Cluster, ClusterError, Container, Known, Pod, SchemaRange, Workload,
};
pub use gates::{
    Gate, GateResult, Terms as GateTerms, Verdict, Wanted, digest as image_digest, in_the_way,
    look as look_at_gates,
};
pub use nodes::{Expression, Node, Operator, Placement, Taint, Toleration};
pub use promoter::{Pace, Promoter};
