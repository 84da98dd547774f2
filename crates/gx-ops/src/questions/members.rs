//! Who is a member of what, by what the servers themselves tell.

use crate::facts::{Etcd, EtcdMember, Known, Node, Pod, Postgres, Snapshot};

/// The view of etcd that knows most members.
fn view(snapshot: &Snapshot) -> Option<(&Etcd, &Vec<EtcdMember>)> {
    let views = snapshot.etcd.items().iter();
    let known = views.filter_map(|one| Some((one, one.members.get()?)));
    known.max_by_key(|(one, members)| (members.len(), std::cmp::Reverse(&one.seen_from)))
}

/// Whether a member runs on a node: K3s names it after its node with a random ending; else its
/// address tells.
fn is_on(member: &EtcdMember, node: &Node) -> bool {
    let by_name = [node.name.as_str(), node.hostname()].into_iter().any(|name| {
        let rest = member.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    let hosts = member.peer_urls.iter().filter_map(|url| {
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        rest.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']))
    });
    by_name || hosts.into_iter().any(|host| node.addresses.iter().any(|one| one.value == host))
}

/// The node of a member. A longer name wins: `node-1` is not `node-1-b`.
fn node_of<'a>(snapshot: &'a Snapshot, member: &EtcdMember) -> Option<&'a Node> {
    let nodes = snapshot.nodes.items().iter().filter(|node| is_on(member, node));
    nodes.max_by_key(|node| node.name.len())
}

/// The nodes that hold a member of etcd, with its name, and whether that is told by etcd itself.
pub(super) fn etcd_members(snapshot: &Snapshot) -> Option<Vec<(String, Option<String>, bool)>> {
    if let Some((_, members)) = view(snapshot) {
        let told = members.iter().map(|member| {
            let node = node_of(snapshot, member);
            let healthy = match &member.healthy {
                Known::Known(healthy) => *healthy,
                Known::Missing(_) => node.is_none_or(Node::is_ready),
            };
            (member.name.clone(), node.map(|node| node.name.clone()), healthy)
        });
        return Some(told.collect());
    }
    let labelled = snapshot.nodes.items().iter().filter(|node| {
        let role = node.labels.get("node-role.kubernetes.io/etcd");
        role.is_some_and(|value| value != "false")
    });
    let members: Vec<(String, Option<String>, bool)> = labelled
        .map(|node| (node.name.clone(), Some(node.name.clone()), node.is_ready()))
        .collect();
    (!members.is_empty()).then_some(members)
}

/// The servers that a set's pods are, where they tell of themselves.
pub(super) fn servers<'a>(snapshot: &'a Snapshot, pods: &[&Pod]) -> Vec<(String, &'a Postgres)> {
    let all = snapshot.postgres.items().iter();
    let named = all.filter_map(|server| {
        let pod = pods
            .iter()
            .find(|pod| server.place == format!("Pod {}/{}", pod.namespace, pod.name))?;
        Some((pod.name.clone(), server))
    });
    named.collect()
}
