//! Things of one environment beside those of another: what they are called without it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::{ENVIRONMENTS, rank};
use crate::facts::{Object, Snapshot};

/// What a namespace is for, and how far up its environment stands: `backend-testnet` is `backend`.
/// None for what belongs to no environment, or has a name of its own.
pub(super) fn stem(snapshot: &Snapshot, namespace: &str) -> Option<(String, usize)> {
    let environment = snapshot.environment(namespace)?;
    let rank = rank(environment)?;
    if namespace == "fabric" {
        return Some((namespace.to_owned(), rank));
    }
    let stem = namespace.strip_suffix(environment)?.strip_suffix('-')?;
    Some((stem.to_owned(), rank))
}

/// The name of an environment by how far up it stands.
pub(super) fn environment(rank: usize) -> &'static str {
    ENVIRONMENTS.get(rank).copied().unwrap_or_default()
}

/// A name without its environment, and without the hash of content that generators add.
pub(super) fn common_name(name: &str, environment: &str) -> String {
    let mut words: Vec<&str> = name.split('-').filter(|word| *word != environment).collect();
    let is_hash =
        |word: &str| word.len() == 10 && word.chars().all(|c| "bcdfghkmt2456789".contains(c));
    if words.len() > 1 && words.last().is_some_and(|last| is_hash(last)) {
        words.pop();
    }
    words.join("-")
}

/// Things of one name in several environments, by what their namespaces are for and their name,
/// then by environment. Of two generations of one thing the younger one counts.
pub(super) fn side_by_side<'a, T: Object>(
    snapshot: &'a Snapshot,
    things: impl Iterator<Item = &'a T>,
) -> BTreeMap<(String, String), BTreeMap<usize, &'a T>> {
    let mut all: BTreeMap<(String, String), BTreeMap<usize, &T>> = BTreeMap::new();
    for thing in things {
        let Some((stem, rank)) = stem(snapshot, thing.namespace()) else { continue };
        let name = common_name(thing.name(), environment(rank));
        let known = all.entry((stem, name)).or_default().entry(rank).or_insert(thing);
        if thing.created() > known.created() {
            *known = thing;
        }
    }
    all
}

/// Every namespace that anything is known of.
pub(super) fn namespaces(snapshot: &Snapshot) -> BTreeSet<&str> {
    let named = snapshot.namespaces.items().iter().map(|one| one.name.as_str());
    let used = snapshot.workloads.items().iter().map(|one| one.namespace.as_str());
    named.chain(used).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Time;

    #[test]
    fn names_lose_their_environment_and_their_hash() {
        assert_eq!(common_name("gx-settings-h7k2m9bt4c", "mainnet"), "gx-settings");
        assert_eq!(common_name("gxtv3-testnet", "testnet"), "gxtv3");
        assert_eq!(common_name("chaincode-testnet-a", "testnet"), "chaincode-a");
        assert_eq!(common_name("svc-governance", "testnet"), "svc-governance");
        let snapshot = Snapshot::empty(Time::default());
        assert_eq!(stem(&snapshot, "backend-testnet"), Some(("backend".to_owned(), 1)));
        assert_eq!(stem(&snapshot, "fabric"), Some(("fabric".to_owned(), 2)));
        assert_eq!(stem(&snapshot, "monitoring"), None);
    }
}
