//! Which images nodes have, by their own lists and by those of their hosts.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Host, HostImage, Node, Snapshot, normal_image};

/// The host of a node, when its facts were collected.
pub(super) fn host_of<'a>(snapshot: &'a Snapshot, node: &Node) -> Option<&'a Host> {
    let hosts = snapshot.hosts.items();
    hosts.iter().find(|host| host.name == node.hostname() || host.name == node.name)
}

/// The images that the cluster's runtime has on a host; those of docker are not the cluster's.
pub(super) fn runtime_images(host: &Host) -> Option<Vec<&HostImage>> {
    let images: Vec<&HostImage> =
        host.images.get()?.iter().filter(|image| image.runtime == "containerd").collect();
    // A host that tells of docker's alone has not been asked for the others.
    (!images.is_empty()).then_some(images)
}

/// Whether a node has an image; none when that cannot be told.
pub(super) fn has(snapshot: &Snapshot, node: &Node, reference: &str) -> Option<bool> {
    node.has_image(reference).or_else(|| {
        let images = runtime_images(host_of(snapshot, node)?)?;
        let wanted = normal_image(reference);
        Some(images.iter().any(|image| normal_image(&image.reference) == wanted))
    })
}

/// Bytes of each image that a node tells of, by every name.
pub(super) fn sizes(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let mut add = |name: &str, bytes: u64| {
        let most = sizes.entry(normal_image(name)).or_default();
        *most = (*most).max(bytes);
    };
    for node in snapshot.nodes.items() {
        for image in node.images.get().into_iter().flatten() {
            image.names.iter().for_each(|name| add(name, image.bytes));
        }
        let host = host_of(snapshot, node).and_then(runtime_images);
        for image in host.into_iter().flatten() {
            add(&image.reference, image.bytes);
        }
    }
    sizes
}

/// The digests of each reference with a tag on a node.
pub(super) fn digests(snapshot: &Snapshot, node: &Node) -> BTreeMap<String, Option<String>> {
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for image in node.images.get().into_iter().flatten() {
        let digest = image.names.iter().find_map(|name| name.split_once('@'));
        let digest = digest.map(|(_, digest)| digest.to_owned());
        for name in image.names.iter().filter(|name| !name.contains('@')) {
            found.insert(normal_image(name), digest.clone());
        }
    }
    // The runtime's own list is whole, and tells the digest of what was brought by hand as well.
    for image in host_of(snapshot, node).and_then(runtime_images).into_iter().flatten() {
        if !image.reference.contains('@') && !image.reference.starts_with("sha256:") {
            found.insert(normal_image(&image.reference), Some(image.digest.clone()));
        }
    }
    found
}

/// The references that workloads and pods name, in their full form.
pub(super) fn used(snapshot: &Snapshot) -> BTreeSet<String> {
    let templates = snapshot.workloads.items().iter().map(|one| &one.template.spec);
    let specs = templates.chain(snapshot.pods.items().iter().map(|pod| &pod.spec));
    specs.flat_map(|spec| spec.all_containers()).map(|one| normal_image(&one.image)).collect()
}
