//! What a node is, what it carries, and what would follow if it went.

use super::super::members::etcd_members;
use super::super::names::{NameError, find_node};
use super::super::what_if::{Change, Place, what_if};
use super::Explanation;
use crate::facts::{Node, Object as _, Pod, Resources, Snapshot, Truth};
use crate::report::plural;
use crate::rules::shared::{environments, region, tally};

/// Explains a node.
///
/// # Errors
/// When there is none of the name.
pub fn explain_node(snapshot: &Snapshot, name: &str) -> Result<Explanation, NameError> {
    let node = find_node(snapshot, name)?;
    let mut answer = Explanation::new(node.reference(), state(node));
    answer.add("What it is for", purpose(snapshot, node));
    answer.add("What it carries", carries(snapshot, node));
    answer.add("What lies on it alone", bound(snapshot, node));
    let lost = what_if(snapshot, &[Change::Lose(Place::Node(node.name.clone()))])?;
    let mut lines = vec![lost.verdict.to_string()];
    lines.extend(lost.because.iter().map(|one| format!("{}: {}", one.verdict, one.text)));
    answer.add("If it were lost", lines);
    Ok(answer)
}

fn state(node: &Node) -> String {
    let mut words = vec![if node.is_ready() { "ready" } else { "NOT READY" }.to_owned()];
    if node.unschedulable {
        words.push("cordoned".to_owned());
    }
    let pressing =
        node.conditions.iter().filter(|one| one.kind != "Ready" && one.status == Truth::True);
    words.extend(pressing.map(|one| one.kind.clone()));
    words.extend(
        node.taints.iter().map(|one| format!("taint {}={}:{:?}", one.key, one.value, one.effect)),
    );
    words.join(", ")
}

fn purpose(snapshot: &Snapshot, node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    if node.is_control_plane() {
        lines.push("control plane".to_owned());
    }
    match etcd_members(snapshot) {
        Some(members) => {
            let own = members.iter().filter(|(_, at, _)| at.as_deref() == Some(node.name.as_str()));
            lines.extend(own.map(|(name, _, healthy)| {
                let state = if *healthy { "healthy" } else { "NOT HEALTHY" };
                format!("member {name} of etcd, {state}, one of {}", members.len())
            }));
        }
        None => lines.push("whether it is a member of etcd is not known".to_owned()),
    }
    match region(snapshot, node) {
        Some(region) => lines.push(format!("region {region}")),
        None => lines.push("no region is declared for it".to_owned()),
    }
    let of = environments(snapshot, node);
    lines.push(match of.as_slice() {
        [] => "given to no environment".to_owned(),
        some => format!("given to {}", some.join(" and ")),
    });
    lines
}

fn carries(snapshot: &Snapshot, node: &Node) -> Vec<String> {
    let pods: Vec<&Pod> =
        snapshot.pods_on(&node.name).into_iter().filter(|pod| pod.is_active()).collect();
    let mut requested = Resources::default();
    pods.iter().for_each(|pod| requested.add(&pod.spec.effective_requests()));
    let share = |name: &str| {
        let all = node.allocatable.of(name);
        let taken = requested.of(name).saturating_mul(100).checked_div(all);
        taken.map_or_else(|| format!("{name} not told"), |percent| format!("{percent}% of {name}"))
    };
    let ready = pods.iter().filter(|pod| pod.is_ready()).count();
    let mut lines = vec![format!(
        "{}, {ready} ready; they request {} and {}",
        plural(pods.len(), "pod"),
        share("cpu"),
        share("memory")
    )];
    let spaces = tally(pods.iter().map(|pod| pod.namespace.as_str()));
    lines.extend(spaces.iter().map(|(space, count)| format!("{space}: {}", plural(*count, "pod"))));
    let broken = pods.iter().filter(|pod| !pod.is_ready());
    lines.extend(broken.map(|pod| format!("{} is not ready", pod.reference())));
    lines
}

fn bound(snapshot: &Snapshot, node: &Node) -> Vec<String> {
    let names = [node.hostname(), node.name.as_str()];
    let own = snapshot
        .volumes
        .items()
        .iter()
        .filter(|volume| matches!(volume.hostnames().as_slice(), [one] if names.contains(one)));
    let told = own.map(|volume| {
        let size = volume.bytes / (1 << 30);
        let claim = volume.claim.as_ref().map_or_else(
            || "no claim".to_owned(),
            |claim| format!("claim {}/{}", claim.namespace, claim.name),
        );
        format!("{claim}: volume {} ({}, {size} GiB)", volume.name, volume.class)
    });
    let mut lines: Vec<String> = told.collect();
    lines.sort();
    lines
}
