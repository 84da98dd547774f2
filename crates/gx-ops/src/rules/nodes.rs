//! Nodes: whether they work, are what they are declared to be, and may be taken away.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::shared::{ZONE, told};
use super::{Findings, Problem, Rule};
use crate::facts::{
    Fact, Inventory, Known, Node, Object as _, ObjectRef, PersistentVolume, Snapshot, Truth,
    condition,
};

pub(super) const RULES: [Rule; 14] = [
    Rule {
        id: "NOD-01",
        severity: Severity::Critical,
        title: "A node is not ready",
        needs: &[Fact::Nodes],
        check: not_ready,
        why: "Ready is a condition with the status True. A check that counted lines with the word \
              Ready counted NotReady as well.",
        otherwise: "Its pods are moved after five minutes, and those with local volumes wait for \
                    it.",
        remedy: "See what the node says: `kubectl describe node NODE`; on it, look at its agent's \
                 log.",
        runbook: None,
    },
    Rule {
        id: "NOD-02",
        severity: Severity::Critical,
        title: "Two nodes have the same identity label",
        needs: &[Fact::Nodes],
        check: same_identity,
        why: "Nodes were renumbered, and two answered to one number; workloads pinned to it went \
              to either.",
        otherwise: "What is pinned to one node may run on the other, without its data.",
        remedy: "Take the label from one of them, after listing what it pins: \
                 `kubectl label node NODE node-id-`.",
        runbook: None,
    },
    Rule {
        id: "NOD-03",
        severity: Severity::High,
        title: "A node lacks a label that every node must have",
        needs: &[Fact::Nodes],
        check: missing_labels,
        why: "A node that is installed again comes without the labels that people gave it.",
        otherwise: "Workloads that select by the label do not come back to it.",
        remedy: "Label it as the inventory says: `kubectl label node NODE KEY=VALUE`.",
        runbook: None,
    },
    Rule {
        id: "NOD-04",
        severity: Severity::Medium,
        title: "A zone label contradicts the declared place",
        needs: &[Fact::Nodes, Fact::Inventory],
        check: wrong_zone,
        why: "Nodes in Asia and Europe were labelled with American zones, and spreading over zones \
              spread over names.",
        otherwise: "Replicas that seem to be in several regions are not.",
        remedy: "Label it again after listing the volumes and workloads that the label binds: \
                 `kubectl label --overwrite node NODE topology.kubernetes.io/zone=ZONE`.",
        runbook: None,
    },
    Rule {
        id: "NOD-05",
        severity: Severity::High,
        title: "A node's role is not the declared one",
        needs: &[Fact::Nodes, Fact::Inventory],
        check: wrong_role,
        why: "A node that was meant to carry the control plane was a worker for months.",
        otherwise: "The cluster survives fewer losses than the plan says.",
        remedy: "Promote or demote it by a plan, one node at a time, or correct the inventory.",
        runbook: None,
    },
    Rule {
        id: "NOD-06",
        severity: Severity::Medium,
        title: "A node has not the declared size",
        needs: &[Fact::Nodes, Fact::Inventory],
        check: wrong_size,
        why: "Plans counted with 16 processors and 64 GB a node where there were 8 and 32.",
        otherwise: "What is planned to fit does not.",
        remedy: "Correct the inventory, or have the host made as it was ordered.",
        runbook: None,
    },
    Rule {
        id: "NOD-07",
        severity: Severity::Critical,
        title: "A node is used to its limits",
        needs: &[Fact::Nodes],
        check: used_up,
        why: "Above 90 % of its memory the next peak evicts pods.",
        otherwise: "Pods are slowed, evicted or killed, and not the greediest first.",
        remedy: "Move workloads away or lower their limits: `kubectl top pods -A`.",
        runbook: None,
    },
    Rule {
        id: "NOD-08",
        severity: Severity::Medium,
        title: "Nodes run different versions",
        needs: &[Fact::Nodes],
        check: different_versions,
        why: "A fault that only one version has moves with the pods, and is looked for where it is \
              not.",
        otherwise: "An upgrade that was begun is never finished.",
        remedy: "Upgrade the rest, one node at a time.",
        runbook: None,
    },
    Rule {
        id: "NOD-09",
        severity: Severity::High,
        title: "A node is under pressure",
        needs: &[Fact::Nodes],
        check: under_pressure,
        why: "Kubelet reports pressure when it is about to evict.",
        otherwise: "Pods are evicted, and images that nobody can pull again are deleted.",
        remedy: "Free what it is short of; for disks begin with build caches and old images.",
        runbook: None,
    },
    Rule {
        id: "NOD-10",
        severity: Severity::High,
        title: "A node that is away still holds pods or volumes",
        needs: &[Fact::Nodes, Fact::Pods],
        check: away_and_holding,
        why: "A pod that is being deleted on a lost node is never confirmed gone, and its volume \
              is not given to another.",
        otherwise: "The replacement waits for ever.",
        remedy: "Prove that the machine is off, then `kubectl delete pod --force` and delete the \
                 node object.",
        runbook: None,
    },
    Rule {
        id: "NOD-11",
        severity: Severity::Medium,
        title: "A node has been cordoned for more than a day",
        needs: &[Fact::Nodes],
        check: long_cordoned,
        why: "Somebody began maintenance and has not come back.",
        otherwise: "Capacity is missing when another node fails.",
        remedy: "`kubectl uncordon NODE`, or say in the record why not.",
        runbook: None,
    },
    Rule {
        id: "NOD-12",
        severity: Severity::Medium,
        title: "A node is younger than volumes that are bound to it",
        needs: &[Fact::Nodes, Fact::Volumes],
        check: younger_than_volumes,
        why: "A node that was installed again under its name has none of the data that its volumes \
              promise.",
        otherwise: "Pods fail to mount, and whoever deletes claims to help deletes the only trace.",
        remedy: "Treat the data as lost until it is seen on the disk; restore from backup before \
                 deleting any claim.",
        runbook: None,
    },
    Rule {
        id: "NOD-13",
        severity: Severity::Critical,
        title: "A node that holds the only copy of volumes is being removed",
        needs: &[Fact::Nodes, Fact::Volumes],
        check: removed_with_data,
        why: "A reinstallation that was rated low risk took two of three database replicas, two of \
              three caches and a test network: the risk was judged by its pods, not its volumes.",
        otherwise: "The data of these claims is gone with the machine.",
        remedy: "Stop. Back each claim up and verify it, or move it, until the list is empty.",
        runbook: None,
    },
    Rule {
        id: "NOD-14",
        severity: Severity::Medium,
        title: "A host that names lead to does not serve the web",
        needs: &[Fact::Hosts, Fact::Inventory],
        check: origin_serves_nothing,
        why: "A web server was switched off as unneeded; the host was the origin of a CDN, which \
              answered 521 the next day.",
        otherwise: "Those names answer with errors.",
        remedy: "Start the web server again, or lead the names elsewhere first: \
                 `systemctl enable --now SERVICE`.",
        runbook: None,
    },
];

/// NOD-01
fn not_ready(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        findings.looked();
        if node.is_ready() {
            continue;
        }
        let evidence = match condition(&node.conditions, "Ready") {
            None => "it has no condition Ready".to_owned(),
            Some(one) => {
                let since = one.since.map_or_else(String::new, |since| format!(" since {since}"));
                format!("Ready is {:?}{since}: {}", one.status, one.reason)
            }
        };
        findings.add(Problem::new(node.reference(), evidence));
    }
    findings
}

/// Labels that name nodes, when the inventory says nothing of it.
const IDENTITY: [&str; 1] = ["node-id"];

/// NOD-02
fn same_identity(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().map(|one| one.identity_labels.as_slice());
    let keys: Vec<&str> = match declared {
        Some([]) | None => IDENTITY.to_vec(),
        Some(some) => some.iter().map(String::as_str).collect(),
    };
    for key in keys {
        let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in snapshot.nodes.items() {
            if let Some(value) = node.labels.get(key) {
                findings.looked();
                owners.entry(value).or_default().push(&node.name);
            }
        }
        for (value, nodes) in owners.into_iter().filter(|(_, nodes)| nodes.len() > 1) {
            let evidence = format!("{key}={value} stands on {}", nodes.join(" and "));
            let subject = ObjectRef::global("NodeLabel", format!("{key}={value}"));
            findings.add(Problem::new(subject, evidence).field("metadata.labels"));
        }
    }
    findings
}

/// Labels that people give nodes, when the inventory says nothing of it: those that some node has
/// are wanted on all.
const WANTED: [&str; 4] = ["node-id", "node-role", ZONE, "environment"];

/// NOD-03
fn missing_labels(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items();
    let declared = snapshot.declared();
    if let Some(why) = snapshot.lacks(Fact::Inventory) {
        let subject = ObjectRef::global("Inventory", "inventory");
        let what = format!("which labels nodes must have: {why}");
        findings.unknown_but(subject, what, Fact::Inventory.how());
    }
    let mut wanted: BTreeSet<&str> =
        declared.into_iter().flat_map(|one| &one.required_labels).map(String::as_str).collect();
    if wanted.is_empty() {
        let used = |key: &&str| nodes.iter().any(|node| node.labels.contains_key(*key));
        wanted = WANTED.iter().copied().filter(used).collect();
    }
    if wanted.is_empty() {
        return findings;
    }
    for node in nodes {
        findings.looked();
        let own = declared.and_then(|one| one.host(node.hostname()));
        let own = own.into_iter().flat_map(|host| &host.labels);
        let wrong = own.filter(|(key, value)| node.labels.get(*key) != Some(*value));
        let wrong = wrong.map(|(key, value)| format!("{key}={value}"));
        let missing = wanted.iter().filter(|key| !node.labels.contains_key(**key));
        let lacks: Vec<String> = missing.map(|key| (*key).to_owned()).chain(wrong).collect();
        if !lacks.is_empty() {
            let evidence = format!("it lacks {}", lacks.join(", "));
            findings.add(Problem::new(node.reference(), evidence).field("metadata.labels"));
        }
    }
    findings
}

/// Nodes with what is declared of their hosts; of the others nothing can be said.
fn declared<'a>(
    snapshot: &'a Snapshot,
    findings: &mut Findings,
) -> Vec<(&'a Node, &'a crate::facts::DeclaredHost)> {
    let inventory: Option<&Inventory> = snapshot.declared();
    let mut pairs = Vec::new();
    for node in snapshot.nodes.items() {
        let host = inventory.and_then(|one| one.host(node.hostname()).or(one.host(&node.name)));
        match host {
            Some(host) => pairs.push((node, host)),
            None => findings.unknown(node.reference(), "the inventory does not have this host"),
        }
    }
    pairs
}

/// NOD-04
fn wrong_zone(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (node, host) in declared(snapshot, &mut findings) {
        let mut wrong = Vec::new();
        let region = "topology.kubernetes.io/region";
        for (key, declared) in [(ZONE, &host.zone), (region, &host.region)] {
            let Some(label) = node.labels.get(key).filter(|_| !declared.is_empty()) else {
                continue;
            };
            findings.looked();
            if label != declared {
                wrong.push(format!("{key} is {label}, declared is {declared}"));
            }
        }
        if !wrong.is_empty() {
            let problem = Problem::new(node.reference(), wrong.join("; "));
            findings.add(problem.field("metadata.labels"));
        }
    }
    findings
}

/// NOD-05
fn wrong_role(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (node, host) in declared(snapshot, &mut findings) {
        if host.roles.is_empty() {
            continue;
        }
        findings.looked();
        let is_declared = |role: &str| host.roles.iter().any(|one| one == role);
        let has_etcd = node.labels.contains_key("node-role.kubernetes.io/etcd");
        let mut wrong = Vec::new();
        match (is_declared("control-plane"), node.is_control_plane()) {
            (true, false) => wrong.push("it is declared control-plane and is a worker"),
            (false, true) => wrong.push("it is of the control plane and is not declared so"),
            (true, true) | (false, false) => {}
        }
        if is_declared("etcd") && !has_etcd {
            wrong.push("it is declared etcd and has not that role");
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(node.reference(), wrong.join("; ")));
        }
    }
    findings
}

/// NOD-06
fn wrong_size(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (node, host) in declared(snapshot, &mut findings) {
        let mut wrong = Vec::new();
        for (name, declared) in &host.capacity.0 {
            let Some(measured) = node.capacity.0.get(name).copied() else { continue };
            findings.looked();
            // 5 % either way: systems keep some memory for themselves.
            let apart = measured.abs_diff(*declared);
            if apart.saturating_mul(20) > *declared {
                wrong.push(format!(
                    "{name}: {} measured, {} declared",
                    shown(name, measured),
                    shown(name, *declared)
                ));
            }
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(node.reference(), wrong.join("; ")));
        }
    }
    findings
}

/// An amount for people.
fn shown(name: &str, amount: u64) -> String {
    match name {
        "cpu" => format!("{} cores", amount / 1000),
        "pods" => amount.to_string(),
        _ => format!("{} GiB", amount >> 30),
    }
}

const METRICS: &str = "kubectl get --raw /apis/metrics.k8s.io/v1beta1/nodes";

/// NOD-07
fn used_up(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        let usage = match &node.usage {
            Known::Known(usage) => usage,
            Known::Missing(missing) => {
                let what = format!("what a node uses: {}", missing.missing);
                findings.unknown_but(node.reference(), what, METRICS);
                continue;
            }
        };
        findings.looked();
        let mut worst = 0;
        let mut told = Vec::new();
        for name in ["cpu", "memory", "ephemeral-storage"] {
            let room = node.allocatable.of(name);
            let used = usage.of(name);
            if room == 0 || used == 0 {
                continue;
            }
            let percent = used.saturating_mul(100) / room;
            if percent > 80 {
                told.push(format!("{percent} % of {name}"));
                worst = worst.max(percent);
            }
        }
        if !told.is_empty() {
            let severity = if worst > 90 { Severity::Critical } else { Severity::Medium };
            let evidence = format!("it uses {}", told.join(", "));
            findings.add(Problem::new(node.reference(), evidence).severity(severity));
        }
    }
    findings
}

/// A version that a node tells of itself.
type Told = fn(&Node) -> &str;

/// NOD-08
fn different_versions(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items();
    let kinds: [(&str, Told); 4] = [
        ("kubelet", |node| &node.kubelet),
        ("container runtime", |node| &node.runtime),
        ("kernel", |node| &node.kernel),
        ("operating system", |node| &node.os),
    ];
    for (what, of) in kinds {
        let versions: Vec<&str> =
            nodes.iter().map(of).filter(|version| !version.is_empty()).collect();
        if versions.len() < 2 {
            continue;
        }
        findings.looked();
        let counts = super::shared::tally(versions.into_iter());
        if counts.len() > 1 {
            // Kubernetes bounds how far kubelets may be apart; of the rest it is untidy.
            let is_kubelet = what == "kubelet";
            let severity = if is_kubelet { Severity::Medium } else { Severity::Low };
            let subject = ObjectRef::global("Version", what);
            let problem = Problem::new(subject, told(&counts, "of"));
            findings.add(problem.severity(severity));
        }
    }
    findings
}

/// NOD-09
fn under_pressure(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        findings.looked();
        let kinds = ["MemoryPressure", "DiskPressure", "PIDPressure"];
        let under: Vec<&str> =
            kinds.into_iter().filter(|kind| node.condition(kind) == Truth::True).collect();
        if !under.is_empty() {
            findings.add(Problem::new(node.reference(), under.join(", ")));
        }
    }
    findings
}

/// NOD-10
fn away_and_holding(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        findings.looked();
        if node.is_ready() {
            continue;
        }
        let pods = snapshot.pods_on(&node.name).into_iter();
        let leaving: Vec<String> = pods
            .filter(|pod| pod.deleting.is_some())
            .map(|pod| format!("{}/{}", pod.namespace, pod.name))
            .collect();
        let volumes = node.volumes_attached.len();
        if leaving.is_empty() && volumes == 0 {
            continue;
        }
        let evidence = match leaving.is_empty() {
            true => format!("{volumes} volumes are attached to it"),
            false => format!(
                "{} wait to be deleted, and {volumes} volumes are attached",
                leaving.join(", ")
            ),
        };
        findings.add(Problem::new(node.reference(), evidence));
    }
    findings
}

const DAY: u64 = 86_400;

/// NOD-11
fn long_cordoned(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        if !node.unschedulable {
            findings.looked();
            continue;
        }
        let mut taints = node.taints.iter();
        let taint = taints.find(|one| one.key == "node.kubernetes.io/unschedulable");
        let Some(since) = taint.and_then(|taint| taint.since) else {
            findings.unknown(node.reference(), "since when it is cordoned is not told");
            continue;
        };
        findings.looked();
        let age = snapshot.age(since);
        if age > DAY {
            let evidence = format!("cordoned since {since}, {} hours", age / 3600);
            findings.add(Problem::new(node.reference(), evidence).field("spec.unschedulable"));
        }
    }
    findings
}

/// Volumes that can be used on a node alone.
fn bound_to<'a>(snapshot: &'a Snapshot, node: &Node) -> Vec<&'a PersistentVolume> {
    let volumes = snapshot.volumes.items().iter();
    let names = [node.hostname(), node.name.as_str()];
    volumes
        .filter(|volume| match volume.hostnames().as_slice() {
            [one] => names.contains(one),
            _ => false,
        })
        .collect()
}

/// NOD-12
fn younger_than_volumes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        let Some(created) = node.created else {
            findings.unknown(node.reference(), "when it was registered is not told");
            continue;
        };
        findings.looked();
        if snapshot.age(created) >= 7 * DAY {
            continue;
        }
        let bound = bound_to(snapshot, node);
        let older: Vec<String> = bound
            .iter()
            .filter(|volume| volume.created.is_some_and(|at| at < created))
            .map(|volume| claim_of(volume))
            .collect();
        if !older.is_empty() {
            let evidence =
                format!("registered {created}; bound to it before: {}", older.join(", "));
            findings.add(Problem::new(node.reference(), evidence));
        }
    }
    findings
}

/// The claim of a volume by name, or the volume when it has none.
fn claim_of(volume: &PersistentVolume) -> String {
    match &volume.claim {
        Some(claim) => format!("{}/{}", claim.namespace, claim.name),
        None => volume.name.clone(),
    }
}

/// NOD-13
fn removed_with_data(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        findings.looked();
        let claims = claims_bound_to(snapshot, node);
        // A cordon alone is maintenance; a deletion takes the volumes.
        if node.deleting.is_some() && !claims.is_empty() {
            let evidence = format!("it is being deleted and holds {}", claims.join(", "));
            findings.add(Problem::new(node.reference(), evidence));
        }
    }
    findings
}

/// The claims whose data are on a node and can be used nowhere else, as `NAMESPACE/NAME`. As long
/// as there are any, the node must not be taken away.
fn claims_bound_to(snapshot: &Snapshot, node: &Node) -> Vec<String> {
    let bound = bound_to(snapshot, node).into_iter();
    bound.filter(|volume| volume.claim.is_some()).map(claim_of).collect()
}

/// NOD-14
fn origin_serves_nothing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.hosts);
    for host in declared.filter(|host| !host.origin_of.is_empty()) {
        let subject = ObjectRef::global("Host", &host.name);
        let Some(seen) = snapshot.hosts.items().iter().find(|one| one.name == host.name) else {
            findings.unknown(subject, "its facts were not collected");
            continue;
        };
        let listeners = match &seen.listeners {
            Known::Known(listeners) => listeners,
            Known::Missing(missing) => {
                findings.unknown(subject, format!("what listens: {}", missing.missing));
                continue;
            }
        };
        findings.looked();
        let is_web =
            |port: u16| listeners.iter().any(|one| one.port == port && one.protocol == "tcp");
        if is_web(80) || is_web(443) {
            continue;
        }
        let units = seen.units.get().map(Vec::as_slice).unwrap_or_default();
        let servers = ["httpd", "nginx", "apache2", "caddy", "haproxy"];
        let stopped: Vec<String> = units
            .iter()
            .filter(|unit| servers.iter().any(|name| unit.name.starts_with(name)))
            .map(|unit| format!("{} is {}", unit.name, unit.active))
            .collect();
        let mut evidence =
            format!("{} lead here, and nothing listens on 80 or 443", host.origin_of.join(", "));
        if !stopped.is_empty() {
            evidence.push_str(&format!("; {}", stopped.join(", ")));
        }
        findings.add(Problem::new(subject, evidence));
    }
    findings
}
