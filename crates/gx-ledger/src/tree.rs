//! A hash tree over the texts of a block's section, so that one text can be shown to belong to it
//! without the others: neighbours in a block are nobody's business.
//!
//! It is that of RFC 6962: leaves and nodes are hashed apart, and a node without a neighbour is
//! carried up as it is.

use crate::encoding::{Malformed, Reader};
use crate::hash::Hash;

const LEAF: &[u8] = &[0];
const NODE: &[u8] = &[1];

fn leaf(text: &[u8]) -> Hash {
    Hash::of_parts(&[LEAF, text])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of_parts(&[NODE, left.as_bytes(), right.as_bytes()])
}

/// The leaves of a section: texts that each are preceded by their length, and nothing else.
fn leaves(section: &[u8]) -> Result<Vec<Hash>, Malformed> {
    let (mut reader, mut found) = (Reader::new(section), Vec::new());
    while !reader.is_empty() {
        found.push(leaf(reader.bytes()?));
    }
    Ok(found)
}

fn above(level: &[Hash]) -> Vec<Hash> {
    let pair = |pair: &[Hash]| match pair {
        [left, right] => node(left, right),
        [alone, ..] => *alone,
        [] => Hash::of(&[]),
    };
    level.chunks(2).map(pair).collect()
}

/// The root over a section.
pub(crate) fn root(section: &[u8]) -> Result<Hash, Malformed> {
    let mut level = leaves(section)?;
    while level.len() > 1 {
        level = above(&level);
    }
    Ok(level.first().copied().unwrap_or_else(|| Hash::of(&[])))
}

/// The nodes that lead from a text of a section to the root, the lowest first. `None` when it has
/// no such text.
pub(crate) fn path(section: &[u8], index: u32) -> Result<Option<Vec<Hash>>, Malformed> {
    let mut level = leaves(section)?;
    let Ok(mut at) = usize::try_from(index) else { return Ok(None) };
    if at >= level.len() {
        return Ok(None);
    }
    let mut path = Vec::new();
    while level.len() > 1 {
        path.extend(level.get(at ^ 1));
        level = above(&level);
        at /= 2;
    }
    Ok(Some(path))
}

/// The root that a text at this place among `count` leads to. `None` when the path is too short or
/// too long for that place.
pub(crate) fn root_of(text: &[u8], index: u32, count: u32, path: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    let (mut found, mut at, mut size) = (leaf(text), index, count);
    let mut path = path.iter();
    while size > 1 {
        if at % 2 == 1 {
            found = node(path.next()?, &found);
        } else if at.saturating_add(1) < size {
            found = node(&found, path.next()?);
        }
        at /= 2;
        size = size.div_ceil(2);
    }
    path.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::put_bytes;

    fn section(count: u32) -> Vec<u8> {
        let mut section = Vec::new();
        (0..count).for_each(|n| put_bytes(&mut section, format!("text {n}").as_bytes()));
        section
    }

    #[test]
    fn every_text_leads_to_the_root_from_its_place_only() {
        for count in 1..=17 {
            let section = section(count);
            let root = root(&section).unwrap();
            for index in 0..count {
                let path = path(&section, index).unwrap().unwrap();
                let text = format!("text {index}");
                let found = |text: &str, index, count, path: &[Hash]| {
                    root_of(text.as_bytes(), index, count, path) == Some(root)
                };
                assert!(found(&text, index, count, &path), "{index} of {count}");
                assert!(!found("another", index, count, &path));
                for other in (0..count + 2).filter(|other| *other != index) {
                    assert!(!found(&text, other, count, &path), "{other} for {index} of {count}");
                }
                let longer = [&*path, &[root]].concat();
                assert!(!found(&text, index, count, &longer));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!found(&text, index, count, shorter));
                }
            }
            assert_eq!(path(&section, count).unwrap(), None);
        }
    }

    #[test]
    fn roots_differ_where_sections_do() {
        let roots: std::collections::BTreeSet<Hash> =
            (0..40).map(|count| root(&section(count)).unwrap()).collect();
        assert_eq!(roots.len(), 40);
        let mut cut = section(3);
        cut.pop();
        assert_eq!(root(&cut), Err(Malformed::Short));
        // What two leaves hash to is no leaf.
        let two = section(2);
        let nodes: Vec<Hash> = leaves(&two).unwrap();
        let mut forged = Vec::new();
        let joined: Vec<u8> = nodes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        put_bytes(&mut forged, &joined);
        assert_ne!(root(&forged), root(&two));
    }
}
