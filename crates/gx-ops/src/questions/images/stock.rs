//! What each node holds, as it and its host tell.

use std::collections::BTreeMap;

use super::Drifted;
use crate::facts::{Host, Snapshot, TOLD_IMAGES, normal_image};

/// An image on a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) bytes: u64,
    /// Empty: not told.
    pub(super) digest: String,
}

#[derive(Debug, Default)]
struct Shelf {
    images: BTreeMap<String, Held>,
    /// Whether what is not here is not on the node.
    is_whole: bool,
}

/// All nodes with their images.
#[derive(Debug)]
pub(super) struct Stock<'a> {
    shelves: BTreeMap<&'a str, Shelf>,
}

impl<'a> Stock<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut shelves = BTreeMap::new();
        for node in snapshot.nodes.items() {
            let mut shelf = Shelf::default();
            if let Some(images) = node.images.get() {
                shelf.is_whole = images.len() < TOLD_IMAGES;
                for image in images {
                    let digest = image.names.iter().find_map(|name| name.split_once('@'));
                    let digest = digest.map(|(_, digest)| digest.to_owned()).unwrap_or_default();
                    for name in &image.names {
                        let held = Held { bytes: image.bytes, digest: digest.clone() };
                        shelf.images.insert(normal_image(name), held);
                    }
                }
            }
            let hosts = snapshot.hosts.items().iter();
            let mut hosts =
                hosts.filter(|host| host.name == node.name || host.name == node.hostname());
            if let Some(host) = hosts.next() {
                shelf.add(host);
            }
            shelves.insert(node.name.as_str(), shelf);
        }
        Self { shelves }
    }

    /// Whether a node has an image; none when that is not known.
    pub(super) fn has(&self, node: &str, image: &str) -> Option<bool> {
        let shelf = self.shelves.get(node)?;
        match (shelf.images.contains_key(image), shelf.is_whole) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// A node that has it.
    pub(super) fn holder(&self, image: &str) -> Option<String> {
        let mut all = self.shelves.iter().filter(|(_, shelf)| shelf.images.contains_key(image));
        all.next().map(|(node, _)| (*node).to_owned())
    }

    /// Nodes of which not all images are known.
    pub(super) fn untold(&self, snapshot: &'a Snapshot) -> Vec<&'a str> {
        let nodes = snapshot.nodes.items().iter().map(|node| node.name.as_str());
        nodes.filter(|node| self.shelves.get(node).is_none_or(|shelf| !shelf.is_whole)).collect()
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Held>)> {
        self.shelves.iter().map(|(node, shelf)| (*node, &shelf.images))
    }

    /// Tags that stand for more than one digest.
    pub(super) fn drifted(&self) -> Vec<Drifted> {
        let mut tags: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (node, shelf) in &self.shelves {
            let tagged = shelf
                .images
                .iter()
                .filter(|(name, held)| !name.contains('@') && !held.digest.is_empty());
            for (name, held) in tagged {
                let nodes = tags.entry(name).or_default().entry(held.digest.clone()).or_default();
                nodes.push((*node).to_owned());
            }
        }
        let several = tags.into_iter().filter(|(_, digests)| digests.len() > 1);
        several.map(|(image, digests)| Drifted { image: image.to_owned(), digests }).collect()
    }
}

impl Shelf {
    /// Adds what the host itself lists, which leaves nothing out.
    fn add(&mut self, host: &Host) {
        let Some(images) = host.images.get() else { return };
        let own: Vec<_> = images.iter().filter(|image| image.runtime == "containerd").collect();
        for image in &own {
            let held = Held { bytes: image.bytes, digest: image.digest.clone() };
            self.images.insert(normal_image(&image.reference), held);
        }
        self.is_whole |= !own.is_empty();
    }
}

/// A reference without its tag.
pub(super) fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// The numbers of a tag, by which versions are ordered; a tag without any comes before all.
pub(super) fn versions(image: &str) -> Vec<u64> {
    let tag = image.get(repository(image).len()..).unwrap_or_default();
    let numbers = tag.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    numbers.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
}
