//! Several inputs of different kinds as one snapshot. What an input is, is told by its content.

use super::ask::{Answers, AskError, is_bundle, is_info};
use super::{
    HostError, InventoryError, Objects, Origin, Redactor, StreamError, parse_host, parse_inventory,
    read_stream,
};
use crate::facts::{MergeError, Snapshot, SnapshotError, Time};

/// A text that was read from somewhere.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where from; shown to people.
    pub name: String,
    pub text: String,
    /// When it was written.
    pub at: Time,
}

/// Inputs that make no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error("{name} cannot be read")]
    Stream { name: String, source: StreamError },
    #[error("{name} cannot be read")]
    Host { name: String, source: HostError },
    #[error("{name} cannot be read")]
    Ask { name: String, source: AskError },
    #[error("{name} cannot be read")]
    Inventory { name: String, source: InventoryError },
    #[error("{name} cannot be read")]
    Snapshot { name: String, source: SnapshotError },
    #[error("{name} does not belong to the others")]
    Merge { name: String, source: MergeError },
    #[error("there is nothing to read")]
    Nothing,
}

/// Makes one snapshot of all inputs: snapshots, objects of `kubectl get -o json|yaml`, what
/// kubelets answer under `/stats/summary`, output of the host script, an inventory in TOML, and
/// what running things answer (`ask`).
///
/// # Errors
/// When one of them is none of these, or they belong to different clusters.
pub fn gather(inputs: Vec<Input>, redactor: Redactor) -> Result<Snapshot, GatherError> {
    let mut objects = Objects::default();
    // The oldest of the files decides how old the objects are.
    let mut origin: Option<Origin> = None;
    let mut parts: Vec<(String, Snapshot)> = Vec::new();
    let mut answers = Answers::default();
    for Input { name, text, at } in inputs {
        let from = Origin { from: name.clone(), at };
        if text.starts_with("#gx-host ") {
            let host = parse_host(&text, &name, &redactor);
            let host = host.map_err(|source| GatherError::Host { name: name.clone(), source })?;
            parts.push((name, host));
        } else if is_bundle(&text) {
            answers.bundles(&text, &from, &redactor).map_err(asked(&name))?;
        } else if is_info(&text) {
            answers.info(&text, &from).map_err(asked(&name))?;
        } else if text.starts_with("# HELP ") || text.starts_with("# TYPE ") {
            answers.metrics(&text, &from).map_err(asked(&name))?;
        } else if name.ends_with(".toml") {
            let inventory = parse_inventory(&text, &from);
            let inventory = inventory
                .map_err(|source| GatherError::Inventory { name: name.clone(), source })?;
            parts.push((name, inventory));
        } else if is_snapshot(&text) {
            let snapshot = Snapshot::parse(&text);
            let snapshot =
                snapshot.map_err(|source| GatherError::Snapshot { name: name.clone(), source })?;
            parts.push((name, snapshot));
        } else {
            let documents = read_stream(&text)
                .map_err(|source| GatherError::Stream { name: name.clone(), source })?;
            let mut has_objects = documents.is_empty();
            for document in documents {
                if !answers.take(&document, &from, &redactor).map_err(asked(&name))? {
                    objects.add(document);
                    has_objects = true;
                }
            }
            if has_objects {
                origin = Some(match origin {
                    None => from,
                    Some(before) => {
                        Origin { from: format!("{}, {name}", before.from), at: before.at.min(at) }
                    }
                });
            }
        }
    }
    let answered = answers.into_snapshot().map(|snapshot| ("answers".to_owned(), snapshot));
    parts.extend(answered);
    if let Some(origin) = origin {
        let snapshot = objects.into_snapshot(&origin, redactor);
        parts.insert(0, (origin.from, snapshot));
    }
    let mut parts = parts.into_iter();
    let (_, first) = parts.next().ok_or(GatherError::Nothing)?;
    parts.try_fold(first, |all, (name, more)| {
        all.merge(more).map_err(|source| GatherError::Merge { name, source })
    })
}

/// An answer of this input that cannot be used.
fn asked(name: &str) -> impl Fn(AskError) -> GatherError + '_ {
    move |source| GatherError::Ask { name: name.to_owned(), source }
}

/// Whether a text is a snapshot rather than an object of Kubernetes, which has a kind.
fn is_snapshot(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        version: Option<u32>,
        taken: Option<String>,
        kind: Option<String>,
    }
    let head = serde_json::from_str::<Head>(text);
    head.is_ok_and(|head| head.version.is_some() && head.taken.is_some() && head.kind.is_none())
}
