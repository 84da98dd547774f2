//! What each act wants done, before anything of it is judged. One file for each family.

pub(super) mod clean;
mod etcd;
mod images;
mod nodes;
mod postgres;
mod secrets;
mod storage;
mod workloads;

use super::build::Wanted;
use super::{PlanError, Request};
use crate::facts::Snapshot;

/// The steps of a request.
pub(super) fn wanted(snapshot: &Snapshot, request: &Request) -> Result<Wanted, PlanError> {
    match request {
        Request::Clean(policy) => Ok(clean::clean(snapshot, policy)),
        Request::Scale { workload, replicas } => workloads::scale(snapshot, workload, *replicas),
        Request::Restart { workloads, at_once, settle_seconds } => {
            workloads::restart(snapshot, workloads, *at_once, *settle_seconds)
        }
        Request::Cordon { node } => nodes::close(snapshot, node, true),
        Request::Uncordon { node } => nodes::close(snapshot, node, false),
        Request::Drain { node } => nodes::drain(snapshot, node),
        Request::Label { node, key, value } => nodes::label(snapshot, node, key, value.as_deref()),
        Request::EtcdRemove { member } => etcd::remove(snapshot, member),
        Request::EtcdAdd { node, even } => etcd::add(snapshot, node, *even),
        Request::ImagesDistribute { image } => images::distribute(snapshot, image.as_deref()),
        Request::SecretsRotate { environment, service } => {
            secrets::rotate(snapshot, environment, service)
        }
        Request::StorageMigrate { workload, class } => storage::migrate(snapshot, workload, class),
        Request::PostgresSwitchover { to } => postgres::switch_over(snapshot, to),
    }
}
