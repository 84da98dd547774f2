//! Data that lie on one host: where, and whether they are there.

use std::path::Path;

use crate::facts::{Claim, Host, HostPath, PersistentVolume, Snapshot};

/// Folders in which provisioners of local volumes make them, as the host script looks into them.
pub(super) const ROOTS: [&str; 2] = ["/opt/local-path-provisioner", "/var/lib/rancher/k3s/storage"];

/// The one host on which a volume can be used.
pub(super) fn host_of(volume: &PersistentVolume) -> Option<&str> {
    match volume.hostnames().as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Where the data of a claim lie, when that is one host: `a` or `one node` when it is not yet
/// known which. None when they do not, and an error when that cannot be told.
pub(super) fn is_local<'a>(
    snapshot: &'a Snapshot,
    claim: &Claim,
) -> Result<Option<&'a str>, String> {
    if let Some(volume) = snapshot.volume(&claim.volume) {
        let is_folder = ["hostPath", "local"].contains(&volume.source.as_str());
        return Ok(match host_of(volume) {
            Some(host) if is_folder => Some(host),
            None if is_folder => Some("one node"),
            _ => None,
        });
    }
    let class = claim.class.as_deref().unwrap_or_default();
    let classes = snapshot.storage_classes.items();
    let provisioner = classes.iter().find(|one| one.name == class).map(|one| &one.provisioner);
    match provisioner {
        Some(name) if name.ends_with("local-path") || name.ends_with("no-provisioner") => {
            Ok(Some("one node"))
        }
        Some(_) => Ok(None),
        None if class.contains("local") => Ok(Some("one node")),
        None => Err("its volume and its class were not collected".to_owned()),
    }
}

pub(super) fn host<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Host> {
    // A node's host name may be another than its own name; the host knows itself by the former.
    let alias = snapshot.node_of_hostname(name).map(|node| node.name.as_str());
    let hosts = snapshot.hosts.items();
    hosts.iter().find(|host| host.name == name || Some(host.name.as_str()) == alias)
}

/// Whether the host script would have told of a folder.
pub(super) fn is_looked_at(path: &str) -> bool {
    ROOTS.iter().any(|root| Path::new(path).parent() == Some(Path::new(root)))
}

/// The folder of a claim's volume on its host, as the host script tells of it.
pub(super) fn folder<'a>(snapshot: &'a Snapshot, claim: &Claim) -> Option<&'a HostPath> {
    let volume = snapshot.volume(&claim.volume)?;
    let host = host(snapshot, host_of(volume)?)?;
    host.volumes.get()?.iter().find(|one| one.path == volume.path)
}
