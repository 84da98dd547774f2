//! Who belongs to a cluster of etcd, who votes, and who answers.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{quorum, region, tally};
use super::super::{Findings, Problem};
use super::subject;
use crate::facts::{
    Etcd, EtcdMember, Fact, Known, Node, Object as _, ObjectRef, Snapshot, Truth, condition,
};

/// One cluster of etcd as one of its hosts sees it.
struct View<'a> {
    etcd: &'a Etcd,
    members: &'a [EtcdMember],
}

impl View<'_> {
    fn reference(&self) -> ObjectRef {
        subject(self.etcd)
    }

    /// Those that vote. Learners do not, and count for no majority.
    fn voters(&self) -> impl Iterator<Item = &EtcdMember> {
        self.members.iter().filter(|member| !member.is_learner)
    }
}

fn member_reference(member: &EtcdMember) -> ObjectRef {
    let name = if member.name.is_empty() { &member.id } else { &member.name };
    ObjectRef::global("EtcdMember", name)
}

const MEMBERS: &str = "gx ops host-script | ssh SERVER 'sudo sh -s' > SERVER.txt, on a server that \
                       has etcdctl or curl";

/// Every cluster that is seen, once: hosts that see the same members are of one.
fn views<'a>(snapshot: &'a Snapshot, findings: &mut Findings) -> Vec<View<'a>> {
    let mut views: Vec<View<'a>> = Vec::new();
    let same = |a: &[EtcdMember], b: &[EtcdMember]| {
        let key = |members: &[EtcdMember]| -> BTreeSet<(String, Vec<String>, bool)> {
            let keys = members.iter();
            keys.map(|one| (one.name.clone(), one.peer_urls.clone(), one.is_learner)).collect()
        };
        key(a) == key(b)
    };
    for etcd in snapshot.etcd.items() {
        let Some(members) = etcd.members.get().filter(|members| !members.is_empty()) else {
            continue;
        };
        if !views.iter().any(|view| same(view.members, members)) {
            views.push(View { etcd, members });
        }
    }
    // A host that could not be asked is no matter where another was.
    if views.is_empty() {
        for etcd in snapshot.etcd.items() {
            let why = etcd.members.reason().unwrap_or("none was told");
            findings.unknown_but(subject(etcd), format!("the members: {why}"), MEMBERS);
        }
    }
    views
}

/// Whether a member is that of a host: K3s names it after the host, with eight digits of its own.
fn is_named(member: &str, host: &str) -> bool {
    let rest = member.strip_prefix(host);
    let is_own = |rest: &str| {
        let digits = rest.strip_prefix('-');
        digits.is_some_and(|own| own.len() == 8 && own.chars().all(|c| c.is_ascii_hexdigit()))
    };
    rest.is_some_and(|rest| rest.is_empty() || is_own(rest))
}

/// The addresses of a member's URLs.
fn addresses(member: &EtcdMember) -> impl Iterator<Item = &str> {
    member.peer_urls.iter().map(|url| {
        let place = url.split_once("://").map_or(url.as_str(), |(_, place)| place);
        let place = place.split('/').next().unwrap_or_default();
        let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
        host.trim_matches(['[', ']'])
    })
}

/// Whether a member runs on a host of this name and these addresses.
fn is_on<'a>(
    member: &EtcdMember,
    names: &[&str],
    mut known: impl Iterator<Item = &'a String>,
) -> bool {
    names.iter().any(|name| is_named(&member.name, name))
        || known.any(|address| addresses(member).any(|one| one == address))
}

fn node_of<'a>(snapshot: &'a Snapshot, member: &EtcdMember) -> Option<&'a Node> {
    snapshot.nodes.items().iter().find(|node| is_of(node, member))
}

fn is_of(node: &Node, member: &EtcdMember) -> bool {
    let known = node.addresses.iter().map(|address| &address.value);
    is_on(member, &[&node.name, node.hostname()], known)
}

/// The region that is declared for the host of a member.
fn region_of<'a>(snapshot: &'a Snapshot, member: &EtcdMember) -> Option<&'a str> {
    if let Some(found) = node_of(snapshot, member).and_then(|node| region(snapshot, node)) {
        return Some(found);
    }
    let hosts = &snapshot.declared()?.hosts;
    let host = hosts.iter().find(|host| is_on(member, &[&host.name], host.addresses.iter()))?;
    (!host.region.is_empty()).then_some(host.region.as_str())
}

/// ETC-01
pub(super) fn even(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for view in views(snapshot, &mut findings) {
        findings.looked();
        let voters = view.voters().count();
        if voters.is_multiple_of(2) {
            let evidence = format!(
                "{voters} members vote; a majority is {}, so {} may fail, as with {}",
                quorum(voters),
                voters.saturating_sub(quorum(voters)),
                voters.saturating_sub(1)
            );
            findings.add(Problem::new(view.reference(), evidence));
        }
    }
    findings
}

/// ETC-02
pub(super) fn one_region(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for view in views(snapshot, &mut findings) {
        let voters: Vec<&EtcdMember> = view.voters().collect();
        // One alone is in one region whatever is done.
        if voters.len() < 2 {
            continue;
        }
        let known: Vec<&str> =
            voters.iter().filter_map(|member| region_of(snapshot, member)).collect();
        let unknown: Vec<&str> = voters
            .iter()
            .filter(|member| region_of(snapshot, member).is_none())
            .map(|member| member.name.as_str())
            .collect();
        let counts = tally(known.into_iter());
        let stops = voters.len().saturating_sub(quorum(voters.len())).saturating_add(1);
        let heavy: Vec<String> = counts
            .iter()
            .filter(|(_, count)| **count >= stops)
            .map(|(region, count)| format!("{count} of {} are in {region}", voters.len()))
            .collect();
        if !heavy.is_empty() {
            findings.looked();
            let evidence = format!("{}; losing {stops} stops writing", heavy.join("; "));
            findings.add(Problem::new(view.reference(), evidence));
        } else if unknown.is_empty() {
            findings.looked();
        } else {
            let what = format!("no region is declared for {}", unknown.join(", "));
            findings.unknown_but(view.reference(), what, Fact::Inventory.how());
        }
    }
    findings
}

/// ETC-03
pub(super) fn stale_member(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for view in views(snapshot, &mut findings) {
        let is_own =
            snapshot.nodes.items().iter().any(|node| {
                node.name == view.etcd.seen_from || node.hostname() == view.etcd.seen_from
            });
        if !is_own {
            let what = "the host that was asked is no node of this cluster";
            findings.unknown(view.reference(), what);
            continue;
        }
        for member in view.members {
            let Some(node) = node_of(snapshot, member) else {
                if !snapshot.nodes.is_whole() {
                    findings.unknown(member_reference(member), "not all nodes are known");
                    continue;
                }
                findings.looked();
                let evidence =
                    format!("no node has its name or its address {}", told_addresses(member));
                findings.add(Problem::new(member_reference(member), evidence));
                continue;
            };
            findings.looked();
            // A host that was installed again has a new member; the one before has its name too.
            let mut others = view.members.iter().filter(|other| other.id != member.id);
            let Some(other) = others.find(|other| is_of(node, other)) else { continue };
            let other = member_reference(other).name;
            match &member.healthy {
                Known::Known(true) => {}
                Known::Known(false) => {
                    let evidence = format!("{} has another member, {other}", node.name);
                    let problem = Problem::new(member_reference(member), evidence);
                    findings.add(problem.because(node.reference()));
                }
                Known::Missing(missing) => {
                    let what =
                        format!("which of two members of {} works: {}", node.name, missing.missing);
                    findings.unknown_but(member_reference(member), what, MEMBERS);
                }
            }
        }
    }
    findings
}

fn told_addresses(member: &EtcdMember) -> String {
    addresses(member).collect::<Vec<&str>>().join(", ")
}

const LONG_LEARNER: u64 = 600;

/// ETC-04
pub(super) fn long_learner(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    // K3s says of each node whether its member votes, and since when.
    for node in snapshot.nodes.items() {
        let Some(voter) = condition(&node.conditions, "EtcdIsVoter") else { continue };
        told.insert(&node.name);
        match (voter.status, voter.since) {
            (Truth::True, _) => findings.looked(),
            (Truth::False, Some(since)) => {
                findings.looked();
                let minutes = snapshot.age(since) / 60;
                if snapshot.age(since) > LONG_LEARNER {
                    let evidence = format!("its member has not voted for {minutes} minutes");
                    findings.add(Problem::new(node.reference(), evidence));
                }
            }
            (Truth::False | Truth::Unknown, _) => {
                findings.unknown(node.reference(), "since when its member does not vote");
            }
        }
    }
    let mut missing = Findings::default();
    for view in views(snapshot, &mut missing) {
        for member in view.members {
            let node = node_of(snapshot, member);
            if node.is_some_and(|node| told.contains(node.name.as_str())) {
                continue;
            }
            told.extend(node.map(|node| node.name.as_str()));
            if !member.is_learner {
                findings.looked();
                continue;
            }
            let mut all = snapshot.etcd.items().iter();
            let own = all.find(|one| one.own_name == member.name && !member.name.is_empty());
            let Some(joined) = own.and_then(|own| own.joined) else {
                let what = "it is a learner; since when is known on its own host";
                findings.unknown(member_reference(member), what);
                continue;
            };
            findings.looked();
            if snapshot.age(joined) > LONG_LEARNER {
                let evidence = format!("it joined {joined} and is a learner still");
                findings.add(Problem::new(member_reference(member), evidence));
            }
        }
    }
    for node in snapshot.nodes.items() {
        let has_etcd = node.labels.contains_key("node-role.kubernetes.io/etcd");
        if has_etcd && !told.contains(node.name.as_str()) {
            let what = "whether its member votes is told by no condition and no list of members";
            findings.unknown_but(node.reference(), what, MEMBERS);
        }
    }
    findings
}

/// ETC-08
pub(super) fn slow(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    // Hosts see one member differently; the worst that any has seen counts.
    let mut worst: BTreeMap<String, (&EtcdMember, &Etcd)> = BTreeMap::new();
    let rank = |member: &EtcdMember| (member.healthy == Known::Known(false), member.latency_ms);
    for etcd in snapshot.etcd.items() {
        for member in etcd.members.get().into_iter().flatten() {
            let seen = worst.entry(member_reference(member).name).or_insert((member, etcd));
            if rank(member) > rank(seen.0) {
                *seen = (member, etcd);
            }
        }
    }
    if worst.is_empty() {
        views(snapshot, &mut findings);
    }
    for (member, etcd) in worst.into_values() {
        let subject = member_reference(member);
        let from = &etcd.seen_from;
        match (&member.healthy, member.latency_ms) {
            (Known::Known(false), _) => {
                findings.looked();
                let evidence = format!("it does not answer {from}");
                findings.add(Problem::new(subject, evidence).severity(Severity::High));
            }
            (_, Some(took)) => {
                findings.looked();
                let severity = if took > 2000 { Severity::High } else { Severity::Medium };
                if took > 1000 {
                    let evidence = format!("it took {took} ms to answer {from}");
                    findings.add(Problem::new(subject, evidence).severity(severity));
                }
            }
            (_, None) => findings.unknown_but(subject, "how long it takes to answer", MEMBERS),
        }
    }
    findings
}

/// By it a person asks K3s to take the member of a node away.
const REMOVE: &str = "etcd.k3s.cattle.io/remove";

/// ETC-09
pub(super) fn quorum_at_stake(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let leaving: Vec<&Node> = snapshot
        .nodes
        .items()
        .iter()
        .filter(|node| node.deleting.is_some() || node.annotations.contains_key(REMOVE))
        .collect();
    for view in views(snapshot, &mut findings) {
        let voters: Vec<&EtcdMember> = view.voters().collect();
        let silent = voters.iter().filter(|member| member.healthy.get().is_none()).count();
        let is_leaving = |member: &&&EtcdMember| leaving.iter().any(|node| is_of(node, member));
        let healthy: Vec<&&EtcdMember> =
            voters.iter().filter(|member| member.healthy == Known::Known(true)).collect();
        let removed: Vec<&&EtcdMember> = voters.iter().filter(is_leaving).collect();
        let left = healthy.iter().filter(|member| !is_leaving(member)).count();
        let (members, wanted) = (voters.len(), quorum(voters.len()));
        let after = members.saturating_sub(removed.len());
        let names: Vec<&str> = removed.iter().map(|member| member.name.as_str()).collect();
        // What did not tell may be healthy: only when even that is too few it is certain.
        let evidence = if healthy.len().saturating_add(silent) < wanted {
            format!("{} of {members} members are healthy; a majority is {wanted}", healthy.len())
        } else if removed.len() > 1 {
            format!("{} are being removed at once; one at a time", names.join(" and "))
        } else if !removed.is_empty() && left.saturating_add(silent) < quorum(after) {
            format!(
                "without {} {left} of {after} are healthy; a majority is {}",
                names.join(", "),
                quorum(after)
            )
        } else if silent > 0 && left < quorum(after).max(1) {
            findings.unknown_but(view.reference(), "how many members are healthy", MEMBERS);
            continue;
        } else {
            findings.looked();
            continue;
        };
        findings.looked();
        findings.add(Problem::new(view.reference(), evidence));
    }
    findings
}
