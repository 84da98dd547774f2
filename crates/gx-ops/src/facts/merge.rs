//! Several snapshots as one.

use super::{Known, Snapshot};

/// Snapshots that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("these are snapshots of two clusters, {0} and {1}; keep them apart and compare them")]
    TwoClusters(String, String),
}

impl Snapshot {
    /// Adds what another one knows. Where both know the same thing, the one that was told later
    /// holds.
    ///
    /// # Errors
    /// When they are of different clusters.
    pub fn merge(mut self, other: Self) -> Result<Self, MergeError> {
        if let (Known::Known(a), Known::Known(b)) = (&self.cluster, &other.cluster)
            && a != b
        {
            return Err(MergeError::TwoClusters(a.clone(), b.clone()));
        }
        if self.cluster.get().is_none() {
            self.cluster = other.cluster.clone();
        }
        if self.api_version.get().is_none() || self.taken < other.taken {
            let known = other.api_version.get().is_some();
            self.api_version = if known { other.api_version.clone() } else { self.api_version };
        }
        self.taken = self.taken.max(other.taken);
        self.notes.extend(other.notes.iter().cloned());
        self.notes.sort();
        self.notes.dedup();
        self.index = super::index::Cached::default();
        self.merge_parts(other);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    fn pods(at: i64, scope: Scope, names: &[&str], phase: Phase) -> Snapshot {
        let at = Time::from_seconds(at);
        let mut snapshot = Snapshot::empty(at);
        let source = Source { at, scope, ..Source::default() };
        let pod = |name: &&str| Pod { name: (*name).to_owned(), phase, ..Pod::default() };
        snapshot.pods = Part::collected(source, names.iter().map(pod).collect());
        snapshot
    }

    fn told(snapshot: &Snapshot) -> Vec<(&str, Phase)> {
        snapshot.pods.items().iter().map(|pod| (pod.name.as_str(), pod.phase)).collect()
    }

    #[test]
    fn the_later_holds_in_whatever_order_they_are_merged() {
        let old = pods(1, Scope::Whole, &["a", "b"], Phase::Running);
        let some = pods(2, Scope::Some, &["b", "c"], Phase::Failed);
        let whole = pods(3, Scope::Whole, &["d"], Phase::Pending);
        for (one, other) in [(old.clone(), some.clone()), (some.clone(), old.clone())] {
            let merged = one.merge(other).unwrap();
            let expected = [("a", Phase::Running), ("b", Phase::Failed), ("c", Phase::Failed)];
            assert_eq!(told(&merged), expected);
            assert_eq!(merged.pods.sources().len(), 2);
            assert_eq!(merged.taken, Time::from_seconds(2));
        }
        // What a later list of everything does not have is gone.
        assert_eq!(told(&old.merge(whole).unwrap()), [("d", Phase::Pending)]);
    }

    #[test]
    fn a_missing_part_takes_nothing_away() {
        let known = pods(1, Scope::Whole, &["a"], Phase::Running);
        let merged = known.merge(Snapshot::empty(Time::from_seconds(9))).unwrap();
        assert_eq!(told(&merged), [("a", Phase::Running)]);
    }

    #[test]
    fn two_clusters_are_not_mixed() {
        let of = |uid: &str| Snapshot {
            cluster: Known::Known(uid.to_owned()),
            ..Snapshot::empty(Time::default())
        };
        let error = of("a").merge(of("b")).unwrap_err();
        assert_eq!(error, MergeError::TwoClusters("a".to_owned(), "b".to_owned()));
    }
}
