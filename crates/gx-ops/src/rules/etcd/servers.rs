//! How the servers of a cluster are set up, what is kept of etcd, and how the servers are reached.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::{host_reference, most, tally};
use super::super::{Findings, Problem};
use super::subject;
use crate::facts::{EtcdSnapshot, Fact, Host, Known, Node, Object as _, ObjectRef, Snapshot};

/// What K3s does where a setting is not written.
const DEFAULTS: [(&str, &str); 7] = [
    ("cluster-cidr", "10.42.0.0/16"),
    ("cluster-dns", "10.43.0.10"),
    ("cluster-domain", "cluster.local"),
    ("egress-selector-mode", "agent"),
    ("flannel-backend", "vxlan"),
    ("secrets-encryption", "false"),
    ("service-cidr", "10.43.0.0/16"),
];

/// Files of a server whose content must be the same on all.
const SAME_FILES: [&str; 2] = [
    "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/k3s/server/cred/encryption-config.json",
];

/// ETC-05
pub(super) fn different_settings(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let servers = servers(snapshot, &mut findings);
    if servers.len() < 2 {
        return findings;
    }
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let settings = |host: &&Host| host.server_settings.get().cloned().unwrap_or_default();
    let names: BTreeSet<String> =
        servers.iter().flat_map(|host| settings(host).into_keys()).collect();
    for name in &names {
        let default = DEFAULTS.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        let value = |host: &&Host| {
            let own = settings(host).get(name).cloned();
            own.or(default.map(str::to_owned)).unwrap_or_else(|| "not set".to_owned())
        };
        let values: Vec<(&str, String)> =
            servers.iter().map(|host| (host.name.as_str(), value(host))).collect();
        for (host, own, usual) in unusual(&values) {
            let told = format!("{name} is {own}, elsewhere {usual}");
            wrong.entry(host).or_default().push(told);
        }
    }
    for path in SAME_FILES {
        let hash = |host: &&Host| {
            let configs = host.configs.get()?;
            let file = configs.iter().find(|file| file.path == path);
            let content = file.map(|file| file.content.as_ref().and_then(|one| one.hidden()));
            Some(match content {
                None => "missing".to_owned(),
                Some(hidden) => hidden?.hash.clone(),
            })
        };
        let mut values = Vec::new();
        for host in &servers {
            match hash(host) {
                Some(value) => values.push((host.name.as_str(), value)),
                None => findings.unknown(host_reference(&host.name), format!("what {path} is")),
            }
        }
        let salt = |hash: &str| hash.split_once(':').map(|(salt, _)| salt.to_owned());
        let salts: BTreeSet<String> = values.iter().filter_map(|(_, hash)| salt(hash)).collect();
        if salts.len() > 1 {
            let what =
                format!("{path} was hidden with different salts; collect the hosts together");
            findings.unknown(ObjectRef::global("File", path), what);
            continue;
        }
        for (host, own, _) in unusual(&values) {
            let told = if own == "missing" { "is missing" } else { "is not that of the others" };
            wrong.entry(host).or_default().push(format!("{path} {told}"));
        }
    }
    for host in &servers {
        findings.looked();
        if let Some(wrong) = wrong.get(host.name.as_str()) {
            findings.add(Problem::new(host_reference(&host.name), wrong.join("; ")));
        }
    }
    findings
}

/// The hosts of which servers run, or are to: those of the control plane, and those that are
/// declared so and have not joined.
fn servers<'a>(snapshot: &'a Snapshot, findings: &mut Findings) -> Vec<&'a Host> {
    let planes = snapshot.nodes.items().iter().filter(|node| node.is_control_plane());
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.hosts);
    let declared = declared.filter(|one| !one.is_standalone);
    let declared = declared.filter(|one| one.roles.iter().any(|role| role == "control-plane"));
    let names: BTreeSet<&str> =
        planes.map(Node::hostname).chain(declared.map(|one| one.name.as_str())).collect();
    // A server that is neither may have a cluster of its own, or be about to join this one.
    let is_declared = |name: &str| snapshot.declared().is_some_and(|one| one.host(name).is_some());
    let others = snapshot.hosts.items().iter().filter(|host| host.server_settings.get().is_some());
    for other in others.filter(|host| !names.contains(host.name.as_str())) {
        if !is_declared(&other.name) {
            let what = "whether this server is to join is not declared";
            findings.unknown_but(host_reference(&other.name), what, Fact::Inventory.how());
        }
    }
    let mut servers = Vec::new();
    for name in names {
        match snapshot.hosts.items().iter().find(|host| host.name == name) {
            Some(host) if host.server_settings.get().is_some() => servers.push(host),
            Some(host) => {
                let why = host.server_settings.reason().unwrap_or_default();
                findings.unknown(host_reference(name), format!("the server's settings: {why}"));
            }
            None => findings.unknown(host_reference(name), "its facts were not collected"),
        }
    }
    servers
}

/// Those whose value is not the one that most have, with their value and that one. Of values that
/// are equally common the first is the usual one.
fn unusual<'a>(values: &[(&'a str, String)]) -> Vec<(&'a str, String, String)> {
    let counts = tally(values.iter().map(|(_, value)| value.as_str()));
    let Some((usual, _)) = most(&counts) else { return Vec::new() };
    let others = values.iter().filter(|(_, value)| value != usual);
    others.map(|(host, value)| (*host, value.clone(), usual.to_owned())).collect()
}

/// Components of backups that hold the key by which Secrets are encrypted.
const KEY_BACKUPS: [&str; 3] = ["encryption", "k3s", "keys"];

/// ETC-06
pub(super) fn secrets_in_the_clear(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for etcd in snapshot.etcd.items() {
        let encrypts = match &etcd.encrypts_secrets {
            Known::Known(encrypts) => *encrypts,
            Known::Missing(missing) => {
                let what = format!("whether Secrets are encrypted: {}", missing.missing);
                findings.unknown(subject(etcd), what);
                continue;
            }
        };
        if !encrypts {
            findings.looked();
            let evidence = "Secrets are stored as they are";
            findings.add(Problem::new(subject(etcd), evidence).field("secrets-encryption"));
            continue;
        }
        if let Some(why) = snapshot.lacks(Fact::Backups) {
            let what = format!("whether the key is backed up: {why}");
            findings.unknown_but(subject(etcd), what, Fact::Backups.how());
            continue;
        }
        findings.looked();
        let mut kept = snapshot.backups.items().iter().filter(|backup| {
            KEY_BACKUPS.iter().any(|name| backup.component.starts_with(name))
                && backup.host != etcd.seen_from
        });
        if !kept.any(|backup| !backup.artifacts.is_empty()) {
            let evidence = "Secrets are encrypted, and no backup off this host holds the key";
            findings.add(Problem::new(subject(etcd), evidence));
        }
    }
    findings
}

const SNAPSHOT_AGE: u64 = 13 * 3600;
const SNAPSHOTS_KEPT: usize = 5;

/// ETC-07
pub(super) fn snapshots_lacking(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for etcd in snapshot.etcd.items() {
        let kept = match &etcd.snapshots {
            Known::Known(kept) => kept,
            Known::Missing(missing) => {
                findings.unknown(subject(etcd), format!("its snapshots: {}", missing.missing));
                continue;
            }
        };
        // One of no bytes is none.
        let whole: Vec<&EtcdSnapshot> = kept.iter().filter(|one| one.bytes > 0).collect();
        let mut wrong = Vec::new();
        match whole.iter().map(|one| one.at).max() {
            None => wrong.push("there is none".to_owned()),
            Some(newest) if snapshot.age(newest) > SNAPSHOT_AGE => {
                wrong.push(format!("the newest is {} hours old", snapshot.age(newest) / 3600));
            }
            Some(_) => {}
        }
        if !whole.is_empty() && whole.len() < SNAPSHOTS_KEPT {
            wrong.push(format!("{} are kept", whole.len()));
        }
        if !whole.iter().any(|one| one.is_off_host) {
            let backups = snapshot.backups.items().iter();
            let mut elsewhere = backups.filter(|backup| {
                let is_etcd = backup.component.starts_with("etcd");
                is_etcd && backup.host != etcd.seen_from && !backup.artifacts.is_empty()
            });
            let is_elsewhere = elsewhere.next().is_some();
            match snapshot.lacks(Fact::Backups) {
                Some(why) if wrong.is_empty() => {
                    let what = format!("whether one is kept off this host: {why}");
                    findings.unknown_but(subject(etcd), what, Fact::Backups.how());
                    continue;
                }
                None if !is_elsewhere => wrong.push("none is kept off this host".to_owned()),
                Some(_) | None => {}
            }
        }
        findings.looked();
        if !wrong.is_empty() {
            findings.add(Problem::new(subject(etcd), wrong.join("; ")));
        }
    }
    findings
}

/// Where K3s keeps the certificate by which its API servers are known.
const SERVING: [&str; 2] =
    ["Secret kube-system/k3s-serving tls.crt", "Secret kube-system/k3s-serving"];

/// ETC-10
pub(super) fn one_way_in(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let planes: Vec<&Node> =
        snapshot.nodes.items().iter().filter(|node| node.is_control_plane()).collect();
    let mut certificates = snapshot.certificates.items().iter();
    let serving = certificates.find(|one| one.position == 0 && SERVING.contains(&&*one.place));
    for node in &planes {
        let Some(serving) = serving else {
            let what = "which names its certificate has: kube-system/k3s-serving was not collected";
            findings.unknown_but(node.reference(), what, Fact::Certificates.how());
            continue;
        };
        findings.looked();
        let own = node.addresses.iter().filter(|one| one.kind != "Hostname");
        let missing: Vec<&str> = own
            .map(|address| address.value.as_str())
            .filter(|value| {
                let all = serving.addresses.iter().chain(&serving.dns_names);
                !all.into_iter().any(|name| name == value)
            })
            .collect();
        if !missing.is_empty() {
            let evidence = format!("the servers' certificate lacks {}", missing.join(", "));
            findings.add(Problem::new(node.reference(), evidence).field("tls-san"));
        }
    }
    if planes.len() < 2 {
        return findings;
    }
    if let Some(why) = snapshot.lacks(Fact::Hosts) {
        let what = format!("to which server people's configurations lead: {why}");
        findings.unknown_but(ObjectRef::global("Cluster", "kubeconfig"), what, Fact::Hosts.how());
    }
    for host in snapshot.hosts.items() {
        let Some(files) = host.kubeconfigs.get() else { continue };
        for (path, server) in files {
            findings.looked();
            let leads_to = |node: &&&Node| {
                let known = node.addresses.iter().any(|address| address.value == *server);
                known || node.name == *server || node.hostname() == server
            };
            if let Some(node) = planes.iter().find(leads_to) {
                let evidence = format!("{path} leads to {} alone, of {}", node.name, planes.len());
                let problem = Problem::new(host_reference(&host.name), evidence);
                findings.add(problem.field("clusters[].cluster.server"));
            }
        }
    }
    findings
}
