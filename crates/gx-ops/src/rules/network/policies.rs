//! Whether policies let pass what must pass.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, component, lasting};
use super::super::{Findings, Problem};
use super::places::{Place, Places, behind, places, service_of, target_port, targets};
use super::reach::{Answer, Spot, Wanted, Way, allowed, limiting, passes};
use super::{controllers, is_acme};
use crate::facts::{
    Fact, Issuer, Labels, NetworkPolicy, Object as _, ObjectRef, Port, Snapshot, Workload,
};

/// Whatever makes pods that talk to others.
fn talkers(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    let is_scheduled = |one: &Workload| one.cron.as_ref().is_some_and(|cron| !cron.suspended);
    snapshot
        .top_workloads()
        .filter(move |one| one.is_lasting() && one.replicas > 0 || is_scheduled(one))
}

/// The policy that a block is a consequence of.
fn cause(policies: &[&NetworkPolicy]) -> Option<ObjectRef> {
    policies.first().map(|policy| policy.reference())
}

fn blamed(mut problem: Problem, cause: Option<ObjectRef>) -> Problem {
    problem.because = cause;
    problem
}

/// NET-01
pub(super) fn no_names(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let usual = Labels::from([("k8s-app".to_owned(), "kube-dns".to_owned())]);
    let server = lasting(snapshot).find(|one| {
        one.namespace == "kube-system"
            && usual.iter().all(|(key, value)| one.template.labels.get(key) == Some(value))
    });
    let assumed = Spot {
        namespace: "kube-system",
        labels: &usual,
        containers: &[],
        host_network: false,
        addresses: Vec::new(),
    };
    let server = server.map_or(assumed, |one| Spot::of(snapshot, one));
    for workload in talkers(snapshot) {
        let own = Spot::of(snapshot, workload);
        let limits = limiting(snapshot, &own, Way::Out);
        if limits.is_empty() {
            continue;
        }
        let udp = allowed(snapshot, &own, Way::Out, &server, Wanted::udp(53));
        let tcp = allowed(snapshot, &own, Way::Out, &server, Wanted::tcp(53));
        if udp == Answer::Unknown || udp == Answer::Yes && tcp == Answer::Unknown {
            findings
                .unknown(workload.reference(), "whether a range it may reach has the DNS server");
            continue;
        }
        findings.looked();
        let (severity, evidence) = match (udp, tcp) {
            (Answer::Yes, Answer::Yes) => continue,
            (Answer::Yes, _) => (
                Severity::Medium,
                "53/TCP is blocked: answers that do not fit in a datagram are lost",
            ),
            _ => (Severity::Critical, "53/UDP to kube-system is blocked: no name is resolved"),
        };
        let problem = Problem::new(workload.reference(), evidence).severity(severity);
        findings.add(blamed(problem.field("spec.egress"), cause(&limits)));
    }
    findings
}

/// What a place leads to, by the workload behind it or by its port.
fn is_store(component: Component, port: u16) -> bool {
    use Component::{CouchDb, Postgres, Redis, Sentinel};
    matches!(component, Postgres | Redis | Sentinel | CouchDb)
        || [5432, 5984, 6379, 26379].contains(&port)
}

fn is_ledger(component: Component, port: u16) -> bool {
    use Component::{Authority, Chaincode, Orderer, Peer};
    matches!(component, Orderer | Peer | Authority | Chaincode) || (7050..=7054).contains(&port)
}

/// A place that a workload has to reach.
struct Need<'a> {
    name: String,
    to: &'a Workload,
    port: Wanted,
    /// The setting, where several workloads share it.
    shared: Option<(String, String, Option<u16>)>,
}

/// Checks that workloads reach all places of a kind that their environment names. Settings that
/// many share are enough reached when one of them does: what each uses of them nobody tells.
fn reaches<'a>(
    snapshot: &'a Snapshot,
    findings: &mut Findings,
    is_wanted: fn(Component, u16) -> bool,
    words: &[&str],
    more: impl Fn(&'a Workload) -> Vec<Need<'a>>,
) {
    let mut reached = BTreeSet::new();
    let mut all = Vec::new();
    for workload in talkers(snapshot) {
        let own = Spot::of(snapshot, workload);
        let told = places(snapshot, workload);
        let named = told.known.iter().flat_map(|place| {
            let found = targets(snapshot, &workload.namespace, place).into_iter();
            found.map(|(to, _, port)| Need {
                name: told_as(place),
                to,
                port,
                shared: place.is_shared.then(|| place.key(&workload.namespace)),
            })
        });
        let mut needs: Vec<Need<'a>> =
            named.filter(|need| is_wanted(component(&need.to.name), need.port.port)).collect();
        if needs.is_empty() {
            needs = more(workload);
        }
        needs.retain(|need| need.to.reference() != workload.reference());
        let answers: Vec<(Need<'a>, Answer)> = needs
            .into_iter()
            .map(|need| {
                let answer = passes(snapshot, &own, &Spot::of(snapshot, need.to), need.port);
                (need, answer)
            })
            .collect();
        let passed = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Yes));
        reached.extend(passed.filter_map(|(need, _)| need.shared.clone()));
        all.push((workload, answers));
        note_unknown(snapshot, findings, workload, &told, words);
    }
    for (workload, mut answers) in all {
        answers.retain(|(need, answer)| {
            let is_others = need.shared.as_ref().is_some_and(|key| reached.contains(key));
            matches!(answer, Answer::Yes) || !is_others
        });
        tell(snapshot, findings, workload, &answers);
    }
}

/// Tells what of all that a workload needs it does not reach.
fn tell<'a>(
    snapshot: &'a Snapshot,
    findings: &mut Findings,
    workload: &'a Workload,
    answers: &[(Need<'a>, Answer)],
) {
    let own = Spot::of(snapshot, workload);
    let (mut blocked, mut unsure, mut by) = (BTreeSet::new(), BTreeSet::new(), None);
    for (Need { name, to, port, .. }, answer) in answers {
        match answer {
            Answer::Yes => findings.looked(),
            Answer::Unknown => {
                unsure.insert(format!("{name}:{}", port.port));
            }
            Answer::No => {
                findings.looked();
                let spot = Spot::of(snapshot, to);
                let (side, limits) = match allowed(snapshot, &own, Way::Out, &spot, *port) {
                    Answer::No => ("not let out", limiting(snapshot, &own, Way::Out)),
                    _ => ("not let in", limiting(snapshot, &spot, Way::In)),
                };
                by = by.or_else(|| cause(&limits));
                blocked.insert(format!("{name}, port {}: {side}", port.port));
            }
        }
    }
    if !blocked.is_empty() {
        let evidence = blocked.into_iter().collect::<Vec<String>>().join("; ");
        findings.add(blamed(Problem::new(workload.reference(), evidence), by));
    } else if !unsure.is_empty() {
        let names: Vec<String> = unsure.into_iter().collect();
        let what = format!("whether a range that is allowed has {}", names.join(", "));
        findings.unknown(workload.reference(), what);
    }
}

fn told_as(place: &Place) -> String {
    format!("{} ({})", place.host, place.variable)
}

/// Variables that were not collected matter where policies limit what the workload may do.
fn note_unknown(
    snapshot: &Snapshot,
    findings: &mut Findings,
    workload: &Workload,
    told: &Places,
    words: &[&str],
) {
    let own = Spot::of(snapshot, workload);
    if limiting(snapshot, &own, Way::Out).is_empty() {
        return;
    }
    let is_named = |name: &String| {
        let upper = name.to_ascii_uppercase();
        name.contains(' ') || words.iter().any(|word| upper.contains(word))
    };
    let names: Vec<&str> =
        told.unknown.iter().filter(|name| is_named(name)).map(String::as_str).collect();
    if !names.is_empty() {
        let what = format!("where {} leads was not collected", names.join(", "));
        findings.unknown_but(workload.reference(), what, Fact::Secrets.how());
    }
}

/// NET-02
pub(super) fn no_store(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let words = ["COUCH", "DATABASE", "DB_", "PG", "POSTGRES", "REDIS"];
    reaches(snapshot, &mut findings, is_store, &words, |_| Vec::new());
    findings
}

/// NET-03
pub(super) fn no_ledger(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let words = ["CHAINCODE", "FABRIC", "ORDERER", "PEER", "_CA_"];
    // Connection profiles are files: what writes to the ledger needs the peers of its environment.
    let more = |workload: &Workload| {
        let is_worker =
            matches!(component(&workload.name), Component::Projector | Component::Submitter)
                || workload.name.split('-').any(|word| word == "identity");
        let environment = snapshot.environment(&workload.namespace);
        if !is_worker || environment.is_none() {
            return Vec::new();
        }
        let peers = lasting(snapshot).filter(|other| {
            component(&other.name) == Component::Peer
                && snapshot.environment(&other.namespace) == environment
        });
        let port = Wanted::tcp(7051);
        peers.map(|to| Need { name: to.name.clone(), to, port, shared: None }).collect()
    };
    reaches(snapshot, &mut findings, is_ledger, &words, more);
    findings
}

/// Ports at which figures are read, by number where they have no name that says so.
fn figures(workload: &Workload) -> Vec<&Port> {
    let ports = workload.template.spec.containers.iter().flat_map(|one| &one.ports);
    ports
        .filter(|port| {
            let name = port.name.as_str();
            name.contains("metrics")
                || name == "operations"
                || [9090, 9091, 9443].contains(&port.port)
        })
        .filter(|port| port.protocol != "UDP")
        .collect()
}

/// NET-05
pub(super) fn no_figures(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let collector = lasting(snapshot).find(|one| component(&one.name) == Component::Prometheus);
    let Some(collector) = collector.map(|one| Spot::of(snapshot, one)) else { return findings };
    for workload in lasting(snapshot) {
        if component(&workload.name) == Component::Prometheus {
            continue;
        }
        let own = Spot::of(snapshot, workload);
        for port in figures(workload) {
            match passes(snapshot, &collector, &own, Wanted::tcp(port.port)) {
                Answer::Yes => findings.looked(),
                Answer::Unknown => {
                    let what = format!("whether Prometheus reaches port {}", port.port);
                    findings.unknown(workload.reference(), what);
                }
                Answer::No => {
                    findings.looked();
                    let evidence = format!("Prometheus is not let in at port {}", port.port);
                    let by = cause(&limiting(snapshot, &own, Way::In));
                    findings.add(blamed(Problem::new(workload.reference(), evidence), by));
                }
            }
        }
    }
    findings
}

/// NET-06
pub(super) fn no_ingress(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let controllers: Vec<Spot<'_>> =
        controllers(snapshot).into_iter().map(|one| Spot::of(snapshot, one)).collect();
    let mut seen: BTreeMap<ObjectRef, BTreeSet<u16>> = BTreeMap::new();
    for ingress in snapshot.ingresses.items() {
        for path in &ingress.paths {
            let Some(service) = service_of(snapshot, &ingress.namespace, &path.service) else {
                continue;
            };
            let is_port = |name: &str, number: u16| {
                path.port == name && !name.is_empty() || path.port == number.to_string()
            };
            let Some(port) = service.ports.iter().find(|one| is_port(&one.name, one.port)) else {
                continue;
            };
            for workload in behind(snapshot, service) {
                let containers = &workload.template.spec.containers;
                let Some(target) = target_port(&port.target, containers) else { continue };
                if !seen.entry(workload.reference()).or_default().insert(target) {
                    continue;
                }
                let own = Spot::of(snapshot, workload);
                let limits = limiting(snapshot, &own, Way::In);
                if !limits.is_empty() && controllers.is_empty() {
                    findings.unknown(workload.reference(), "which pods are the ingress controller");
                    continue;
                }
                // With a controller in its host's network the sender is a node, and no label helps.
                let from = controllers.iter();
                let answers: Vec<Answer> =
                    from.map(|one| passes(snapshot, one, &own, Wanted::tcp(target))).collect();
                if answers.contains(&Answer::Unknown) && !answers.contains(&Answer::No) {
                    findings.unknown(workload.reference(), "whether a range has the controller");
                    continue;
                }
                findings.looked();
                if answers.contains(&Answer::No) {
                    let evidence = format!(
                        "{} leads to it, and the ingress controller is not let in at port {target}",
                        ingress.name
                    );
                    let problem = Problem::new(workload.reference(), evidence)
                        .field("spec.template.metadata.labels");
                    findings.add(blamed(problem, cause(&limits)));
                }
            }
        }
    }
    findings
}

/// NET-10
pub(super) fn no_challenge(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let labels =
        Labels::from([("acme.cert-manager.io/http01-solver".to_owned(), "true".to_owned())]);
    let controllers: Vec<Spot<'_>> =
        controllers(snapshot).into_iter().map(|one| Spot::of(snapshot, one)).collect();
    let mut namespaces: BTreeSet<&str> = BTreeSet::new();
    for certificate in snapshot.managed_certificates.items() {
        let mut issuers = snapshot.issuers.items().iter();
        let issuer = issuers.find(|issuer| {
            let is_near = issuer.namespace.is_empty() || issuer.namespace == certificate.namespace;
            issuer.name == certificate.issuer && is_near
        });
        let Some(issuer) = issuer else {
            let what = format!("who signs it, {}, was not collected", certificate.issuer);
            findings.unknown_but(certificate.reference(), what, Fact::Issuers.how());
            continue;
        };
        if proves_by_web(issuer) {
            namespaces.insert(&certificate.namespace);
        }
    }
    for namespace in namespaces {
        let subject = ObjectRef::global("Namespace", namespace);
        let solver = Spot {
            namespace,
            labels: &labels,
            containers: &[],
            host_network: false,
            addresses: Vec::new(),
        };
        let limits = limiting(snapshot, &solver, Way::In);
        if limits.is_empty() {
            findings.looked();
            continue;
        }
        let answers: Vec<Answer> = controllers
            .iter()
            .map(|one| passes(snapshot, one, &solver, Wanted::tcp(8089)))
            .collect();
        if answers.is_empty() || answers.contains(&Answer::Unknown) {
            findings.unknown(subject, "whether the ingress controller is let in at port 8089");
            continue;
        }
        findings.looked();
        if answers.contains(&Answer::No) {
            let evidence = "the ingress controller is not let in to solvers at port 8089";
            findings.add(blamed(Problem::new(subject, evidence), cause(&limits)));
        }
    }
    findings
}

/// Whether an issuer asks for an answer over the web; where it does not say how, it may.
fn proves_by_web(issuer: &Issuer) -> bool {
    is_acme(issuer)
        && (issuer.solvers.is_empty() || issuer.solvers.iter().any(|one| one == "http01"))
}
