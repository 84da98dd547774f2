//! What hosts listen at, lead elsewhere, and let in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::shared::{
    WEB_SERVERS, environments_of_host, host_reference, is_cluster_host, node_of_host, told_by,
};
use super::super::{Findings, Problem};
use super::cidr::Cidr;
use super::controllers;
use crate::facts::{Fact, Host, Listener, Node, Object as _, ObjectRef, Pod, Snapshot};

const DAY: u64 = 86_400;

/// NET-19
pub(super) fn led_astray(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items().iter();
    let ranges: Vec<Cidr> =
        nodes.flat_map(|node| &node.pod_cidrs).filter_map(|one| Cidr::read(one)).collect();
    let entries: Vec<&Pod> =
        controllers(snapshot).into_iter().flat_map(|one| snapshot.pods_of(one)).collect();
    let entries: Vec<&str> =
        entries.into_iter().filter(|pod| pod.is_active()).map(|pod| pod.ip.as_str()).collect();
    for host in snapshot.hosts.items() {
        let Some(rules) = told_by(&mut findings, host, "what it leads elsewhere", &host.dnat)
        else {
            continue;
        };
        let mut wrong = Vec::new();
        for rule in rules {
            let target = rule.target.rsplit_once(':').map_or(rule.target.as_str(), |(ip, _)| ip);
            let Ok(address) = target.parse::<IpAddr>() else { continue };
            if !ranges.iter().any(|range| range.has(address)) {
                continue;
            }
            findings.looked();
            let is_entry = [80, 443].contains(&rule.port) && !entries.is_empty();
            let pods = snapshot.pods.items().iter().filter(|pod| pod.is_active());
            let is_there = if is_entry {
                entries.contains(&target)
            } else {
                pods.into_iter().any(|pod| pod.ip == target)
            };
            if !is_there {
                let now = if is_entry { entries.join(", ") } else { "no pod".to_owned() };
                wrong.push(format!("port {} is led to {}, there is {now}", rule.port, rule.target));
            }
        }
        if wrong.is_empty() {
            findings.looked();
        } else {
            findings.add(Problem::new(host_reference(&host.name), wrong.join("; ")));
        }
    }
    findings
}

fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// NET-22
pub(super) fn wrong_names(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for node in snapshot.nodes.items() {
        let addresses = node.addresses.iter().filter(|one| one.kind != "Hostname");
        let own = known.entry(node.hostname()).or_default();
        own.extend(addresses.map(|one| one.value.as_str()));
    }
    for host in snapshot.hosts.items() {
        known.entry(&host.name).or_default().extend(host.addresses.iter().map(String::as_str));
    }
    for host in snapshot.hosts.items() {
        let Some(names) = told_by(&mut findings, host, "its own names", &host.names) else {
            continue;
        };
        findings.looked();
        let mut wrong = Vec::new();
        for (address, name) in names {
            let short = name.split('.').next().unwrap_or_default();
            let is_own = short == host.name || *name == host.name;
            let is_usual = name.starts_with("localhost") || name.starts_with("ip6-");
            if is_loopback(address) && (is_own || is_usual) {
                continue;
            }
            let there = known.get(name.as_str()).or_else(|| known.get(short));
            let is_service = name.split('.').any(|part| part == "svc");
            if is_loopback(address) {
                wrong.push(format!("{name} is {address}, this host itself"));
            } else if is_service {
                wrong.push(format!("{name} is fixed to {address}"));
            } else if let Some(there) = there.filter(|there| !there.is_empty())
                && !there.contains(address.as_str())
            {
                let now: Vec<&str> = there.iter().copied().collect();
                wrong.push(format!("{name} is {address}, and has {}", now.join(", ")));
            }
        }
        let tried = snapshot.reached.items().iter().filter(|one| one.from == host.name);
        for one in tried.filter(|one| !one.to.starts_with("localhost") && one.to != host.name) {
            let is_name = one.to.parse::<IpAddr>().is_err();
            if is_name && one.addresses.iter().any(|address| is_loopback(address)) {
                wrong.push(format!("{} resolves to {}", one.to, one.addresses.join(", ")));
            }
        }
        if !wrong.is_empty() {
            let problem = Problem::new(host_reference(&host.name), wrong.join("; "));
            findings.add(problem.field("/etc/hosts"));
        }
    }
    findings
}

fn is_everybody(source: &str) -> bool {
    source == "any" || Cidr::read(source).is_some_and(|range| range.is_everything())
}

/// NET-26
pub(super) fn open_ssh(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let environments = environments_of_host(snapshot, host);
        let is_other = |all: &Vec<String>| !all.iter().any(|one| one == "mainnet");
        if environments.as_ref().is_some_and(is_other) {
            continue;
        }
        let subject = host_reference(&host.name);
        let Some(listeners) = told_by(&mut findings, host, "what listens", &host.listeners) else {
            continue;
        };
        let settings = host.ssh.get().map(|ssh| &ssh.settings);
        let port = settings.and_then(|all| all.get("port")?.parse().ok()).unwrap_or(22);
        let is_ssh = |one: &&Listener| one.program == "sshd" || one.port == port;
        let mut outside = listeners.iter().filter(is_ssh).filter(|one| is_public(one));
        if outside.next().is_none() {
            findings.looked();
            continue;
        }
        let what = "whom the firewall lets reach SSH";
        let Some(sources) = told_by(&mut findings, host, what, &host.ssh_sources) else { continue };
        if !sources.iter().any(|source| is_everybody(source)) {
            findings.looked();
        } else if environments.is_none() {
            let what = "whether a host that lets everybody reach SSH is for mainnet";
            findings.unknown_but(subject, what, Fact::Inventory.how());
        } else {
            findings.looked();
            findings.add(Problem::new(subject, format!("everybody may reach it at port {port}")));
        }
    }
    findings
}

/// Whether others than the host itself reach a listener.
fn is_public(listener: &Listener) -> bool {
    let address = listener.address.trim_matches(['[', ']']);
    let address = address.split('%').next().unwrap_or_default();
    !is_loopback(address.trim_matches(['[', ']']))
}

/// Programs of Kubernetes that listen for its Services.
fn is_of_kubernetes(program: &str) -> bool {
    ["k3s", "kube", "flannel", "calico", "cilium"].iter().any(|one| program.starts_with(one))
}

/// The ports of a node that Kubernetes wants, with what wants each.
fn wanted_ports(
    snapshot: &Snapshot,
    host: &Host,
    node: &Node,
) -> BTreeMap<(u16, bool), BTreeSet<String>> {
    let mut wanted: BTreeMap<(u16, bool), BTreeSet<String>> = BTreeMap::new();
    let own: BTreeSet<&str> = node
        .addresses
        .iter()
        .map(|one| one.value.as_str())
        .chain(host.addresses.iter().map(String::as_str))
        .collect();
    for service in snapshot.services.items() {
        let told = service.reference().to_string();
        let outside = service.load_balancer.iter().chain(&service.external_ips);
        let is_here = outside.into_iter().any(|address| own.contains(address.as_str()));
        for port in &service.ports {
            let is_udp = port.protocol == "UDP";
            let ports = port.node_port.into_iter().chain(is_here.then_some(port.port));
            for number in ports {
                wanted.entry((number, is_udp)).or_default().insert(told.clone());
            }
        }
    }
    // A pod in its host's network listens there itself.
    let pods = snapshot.pods_on(&node.name).into_iter();
    for pod in pods.filter(|pod| pod.is_active() && !pod.spec.host_network) {
        for port in pod.spec.containers.iter().flat_map(|one| &one.ports) {
            if let Some(number) = port.host_port {
                let key = (number, port.protocol == "UDP");
                wanted.entry(key).or_default().insert(pod.reference().to_string());
            }
        }
    }
    wanted
}

/// NET-27
pub(super) fn port_taken(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(node) = node_of_host(snapshot, host) else { continue };
        let Some(listeners) = told_by(&mut findings, host, "what listens", &host.listeners) else {
            continue;
        };
        findings.looked();
        let wanted = wanted_ports(snapshot, host, node);
        let (mut taken, mut unsure) = (BTreeSet::new(), BTreeSet::new());
        for listener in listeners.iter().filter(|one| is_public(one)) {
            let Some(by) = wanted.get(&(listener.port, listener.protocol == "udp")) else {
                continue;
            };
            let by: Vec<&str> = by.iter().map(String::as_str).collect();
            match listener.program.as_str() {
                "" => {
                    unsure.insert(listener.port);
                }
                program if is_of_kubernetes(program) => {}
                program => {
                    let by = by.join(", ");
                    taken.insert(format!(
                        "{program} listens at {}, which {by} wants",
                        listener.port
                    ));
                }
            }
        }
        if !taken.is_empty() {
            let told: Vec<String> = taken.into_iter().collect();
            findings.add(Problem::new(host_reference(&host.name), told.join("; ")));
        } else if !unsure.is_empty() {
            let ports: Vec<String> = unsure.iter().map(u16::to_string).collect();
            let what = format!("what listens at {}: run the script as root", ports.join(", "));
            findings.unknown(host_reference(&host.name), what);
        }
    }
    findings
}

/// NET-28
pub(super) fn not_needed(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(listeners) = told_by(&mut findings, host, "what listens", &host.listeners) else {
            continue;
        };
        let is_cluster = is_cluster_host(snapshot, host);
        let declared = snapshot.declared().and_then(|inventory| inventory.host(&host.name));
        let is_origin = declared.is_some_and(|one| !one.origin_of.is_empty());
        let (mut wrong, mut unsure) = (BTreeSet::new(), BTreeSet::new());
        for one in listeners.iter().filter(|one| is_public(one)) {
            let told = format!("{} at {}", one.program, one.port);
            if one.port == 111 || one.program == "rpcbind" {
                wrong.insert("rpcbind at 111".to_owned());
            } else if WEB_SERVERS.contains(&one.program.as_str()) {
                match is_cluster {
                    Some(false) => {}
                    _ if is_origin => {}
                    Some(true) if snapshot.lacks(Fact::Inventory).is_none() => {
                        wrong.insert(told);
                    }
                    Some(true) | None => {
                        unsure.insert(told);
                    }
                }
            } else if (3000..4000).contains(&one.port)
                && one.protocol == "tcp"
                && !is_of_kubernetes(&one.program)
            {
                wrong.insert(told.trim_start_matches(' ').to_owned());
            }
        }
        if !wrong.is_empty() {
            findings.looked();
            let told: Vec<String> = wrong.into_iter().collect();
            let evidence = format!("open to others: {}", told.join(", "));
            findings.add(Problem::new(host_reference(&host.name), evidence));
        } else if !unsure.is_empty() {
            let told: Vec<String> = unsure.into_iter().collect();
            let what = format!("whether it is a node that names lead to: {}", told.join(", "));
            findings.unknown_but(host_reference(&host.name), what, Fact::Inventory.how());
        } else {
            findings.looked();
        }
    }
    findings
}

/// NET-29
pub(super) fn forwarded(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(programs) = told_by(&mut findings, host, "what runs", &host.programs) else {
            continue;
        };
        findings.looked();
        let kinds = ["port-forward", "socat", "ssh-tunnel"];
        let old: Vec<String> = programs
            .iter()
            .filter(|one| kinds.contains(&one.name.as_str()) && one.oldest_seconds > DAY)
            .map(|one| format!("{} for {} hours", one.name, one.oldest_seconds / 3600))
            .collect();
        if !old.is_empty() {
            findings.add(Problem::new(host_reference(&host.name), old.join(", ")));
        }
    }
    findings
}

/// NET-30
pub(super) fn untrusted_pods(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items().iter();
    let pods: BTreeSet<&String> = nodes.flat_map(|node| &node.pod_cidrs).collect();
    for host in snapshot.hosts.items() {
        if node_of_host(snapshot, host).is_none() {
            continue;
        }
        let Some(firewall) = told_by(&mut findings, host, "its firewall", &host.firewall) else {
            continue;
        };
        let subject = host_reference(&host.name);
        if !firewall.active {
            findings.looked();
            continue;
        }
        if !["firewalld", "ufw"].contains(&firewall.kind.as_str()) {
            let what = format!("whom {} trusts is not read from its rules", firewall.kind);
            findings.unknown(subject, what);
            continue;
        }
        let trusted: Vec<Cidr> =
            firewall.trusted_sources.iter().filter_map(|one| Cidr::read(one)).collect();
        let is_trusted = |range: &str| {
            Cidr::read(range).is_some_and(|one| trusted.iter().any(|t| t.covers(&one)))
        };
        let mut missing: Vec<String> =
            pods.iter().filter(|range| !is_trusted(range)).map(|range| (*range).clone()).collect();
        let services = snapshot.services.items().iter().map(|one| one.cluster_ip.as_str());
        if let Some(first) =
            services.filter(|ip| !["", "None"].contains(ip)).find(|ip| !is_trusted(ip))
        {
            missing.push(format!("the Services' range, of {first}"));
        }
        if pods.is_empty() && missing.is_empty() {
            findings.unknown(subject, "no node tells the addresses of its pods");
            continue;
        }
        findings.looked();
        if !missing.is_empty() {
            let evidence = format!("{} does not trust {}", firewall.kind, missing.join(", "));
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// Whether an address is one that the world can reach.
pub(super) fn is_of_the_world(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(four)) => !(four.is_private() || four.is_loopback() || four.is_link_local()),
        Ok(IpAddr::V6(six)) => !(six.is_loopback() || six.is_unique_local()),
        Err(_) => false,
    }
}

/// A thing of the network that has a name alone.
pub(super) fn name_reference(name: &str) -> ObjectRef {
    ObjectRef::global("Name", name)
}
