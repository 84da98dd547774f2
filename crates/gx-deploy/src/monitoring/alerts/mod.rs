//! Every alert, by subject.

mod backups;
mod cluster;
mod data;
mod edge;
mod fabric;
mod nodes;
mod own;
mod pipeline;
mod services;

use super::alert::{Alert, Group};

/// All groups of alerts, in the order of their files.
pub const GROUPS: &[Group] = &[
    pipeline::GROUP,
    services::GROUP,
    edge::GROUP,
    fabric::GROUP,
    data::GROUP,
    backups::GROUP,
    nodes::GROUP,
    cluster::GROUP,
    own::GROUP,
];

/// All alerts.
pub fn alerts() -> impl Iterator<Item = &'static Alert> {
    GROUPS.iter().flat_map(|group| group.alerts)
}
