//! Things that people name on a command line.

use crate::facts::{Node, Object as _, Pod, Snapshot, Workload};

/// A name that leads to nothing, or to more than one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("there is no {what} {name}; there are {known}")]
    Nothing { what: &'static str, name: String, known: String },
    #[error("{name} may be each of {found}; say which")]
    Several { name: String, found: String },
}

/// At most so many names are told of what there is.
const TOLD: usize = 12;

/// `a, b and 7 more`, or `none`.
fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    names.sort();
    let more = names.len().saturating_sub(TOLD);
    names.truncate(TOLD);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

fn one_of<'a, T>(
    what: &'static str,
    name: &str,
    found: Vec<&'a T>,
    all: impl Iterator<Item = String>,
    shown: impl Fn(&T) -> String,
) -> Result<&'a T, NameError> {
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(NameError::Nothing { what, name: name.to_owned(), known: listed(all) }),
        several => Err(NameError::Several {
            name: name.to_owned(),
            found: listed(several.iter().map(|one| shown(one))),
        }),
    }
}

/// A node by its name or its host name, never by an ordinal or an alias.
///
/// # Errors
/// When there is none.
pub fn find_node<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Node, NameError> {
    let found = snapshot.node(name).or_else(|| snapshot.node_of_hostname(name));
    let all = snapshot.nodes.items().iter().map(|node| node.name.clone());
    one_of("node", name, found.into_iter().collect(), all, |node| node.name.clone())
}

/// A pod as `NAMESPACE/NAME`, or by its name when no other has it.
///
/// # Errors
/// When there is none, or more than one.
pub fn find_pod<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Pod, NameError> {
    let shown = |pod: &Pod| format!("{}/{}", pod.namespace, pod.name);
    let pods = snapshot.pods.items().iter();
    let found = pods.clone().filter(|pod| pod.name == name || shown(pod) == name).collect();
    one_of("pod", name, found, pods.map(shown), shown)
}

/// A workload as `NAMESPACE/NAME` or `KIND/NAMESPACE/NAME`, or by its name when no other has it.
/// What other workloads make is none.
///
/// # Errors
/// When there is none, or more than one.
pub fn find_workload<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Workload, NameError> {
    let short = |one: &Workload| format!("{}/{}", one.namespace, one.name);
    let full = |one: &Workload| format!("{}/{}/{}", one.kind.as_str(), one.namespace, one.name);
    let is_it = |one: &&Workload| {
        one.name == name || short(one) == name || full(one).eq_ignore_ascii_case(name)
    };
    let found = snapshot.top_workloads().filter(is_it).collect();
    let all = snapshot.top_workloads().map(short);
    one_of("workload", name, found, all, |one| one.reference().to_string())
}
