//! What checks look at where no rule of the audit does.

use std::collections::BTreeSet;

use super::Seen;
use crate::facts::{Ledger, Object as _, ObjectRef, Process, Reached, Redis, Snapshot};
use crate::questions::what_if::{Change, Place, Verdict, what_if};
use crate::rules::{Findings, Problem};

const TRY: &str = "gx ops host-script | ssh HOST 'sudo sh -s -- NAME:PORT …' > HOST.txt";
const SECONDS_OF_A_DAY: i64 = 86_400;

/// Something listened there, whatever it thought of what it was asked.
fn answered(reached: &Reached) -> bool {
    ["ok", "tls", "unauthorized"].contains(&reached.outcome.as_str())
}

/// Holds one thing against every try to reach it at a port; without a try nothing is known.
fn tried(
    findings: &mut Findings,
    snapshot: &Snapshot,
    what: &ObjectRef,
    names: &BTreeSet<&str>,
    port: u16,
) {
    let tries = snapshot.reached.items().iter();
    let tries: Vec<&Reached> = tries
        .filter(|one| one.port == port && one.path.is_empty() && names.contains(one.to.as_str()))
        .collect();
    if tries.is_empty() {
        findings.unknown_but(what.clone(), format!("nobody has tried its port {port}"), TRY);
        return;
    }
    findings.looked();
    for one in tries.into_iter().filter(|one| !answered(one)) {
        let seen = format!("port {port} from {}: {}", one.from, one.outcome);
        findings.add(Problem::new(what.clone(), seen));
    }
}

/// net/ssh
pub(super) fn ssh_answers(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for host in seen.now.declared().into_iter().flat_map(|inventory| &inventory.hosts) {
        let addresses = host.addresses.iter().map(String::as_str);
        let names = [host.name.as_str()].into_iter().chain(addresses).collect();
        tried(&mut findings, seen.now, &ObjectRef::global("Host", &host.name), &names, 22);
    }
    findings
}

/// net/api-servers
pub(super) fn servers_answer(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for node in seen.now.nodes.items().iter().filter(|node| node.is_control_plane()) {
        let addresses = node.addresses.iter().map(|one| one.value.as_str());
        let names = [node.name.as_str()].into_iter().chain(addresses).collect();
        tried(&mut findings, seen.now, &node.reference(), &names, 6443);
    }
    findings
}

fn reference(ledger: &Ledger) -> ObjectRef {
    ObjectRef::global("Ledger", format!("{}/{}", ledger.environment, ledger.name))
}

/// Ledgers that several machines hold together.
fn networks(snapshot: &Snapshot) -> impl Iterator<Item = &Ledger> {
    snapshot.ledgers.items().iter().filter(|ledger| ledger.engine == "fabric")
}

/// net/ledger-ports
pub(super) fn ledger_answers(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for ledger in networks(seen.now) {
        let peers = ledger.nodes.iter().map(|one| ("Peer", &one.name, &one.endpoint));
        let orderers = ledger.orderers.get().into_iter().flatten();
        let orderers = orderers.map(|one| ("Orderer", &one.name, &one.endpoint));
        for (kind, name, endpoint) in peers.chain(orderers) {
            let what = ObjectRef::global(kind, name);
            let place = endpoint.rsplit_once("://").map_or(endpoint.as_str(), |(_, place)| place);
            let port = place
                .rsplit_once(':')
                .and_then(|(host, port)| port.parse::<u16>().ok().map(|port| (host, port)));
            match port {
                Some((host, port)) => {
                    tried(&mut findings, seen.now, &what, &BTreeSet::from([host]), port);
                }
                None => findings.unknown(what, "its address is not known"),
            }
        }
        if let Some(why) = ledger.orderers.reason() {
            findings.unknown(reference(ledger), format!("its orderers: {why}"));
        }
    }
    findings
}

/// fabric/leader
pub(super) fn one_leader(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for ledger in networks(seen.now) {
        match ledger.orderers.get() {
            Some(orderers) => {
                findings.looked();
                let leaders: Vec<&str> = orderers
                    .iter()
                    .filter(|one| one.is_leader)
                    .map(|one| one.name.as_str())
                    .collect();
                if leaders.len() != 1 {
                    let seen = match leaders.as_slice() {
                        [] => format!("none of {} orderers leads", orderers.len()),
                        several => format!("several lead: {}", several.join(", ")),
                    };
                    findings.add(Problem::new(reference(ledger), seen));
                }
            }
            None => findings.unknown(reference(ledger), "its orderers are not known"),
        }
    }
    findings
}

fn process(one: &Process) -> ObjectRef {
    ObjectRef::global("Process", &one.place)
}

/// app/alive-and-ready
pub(super) fn alive(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for one in seen.now.processes.items() {
        findings.looked();
        for (what, status) in [("/livez", &one.live), ("/readyz", &one.ready)] {
            match (status.get(), status.reason()) {
                (Some(200), _) => {}
                (Some(status), _) => {
                    let failed = one.checks.iter().filter(|check| !check.ok);
                    let failed: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
                    let failed = match failed.is_empty() {
                        true => String::new(),
                        false => format!("; {}", failed.join(", ")),
                    };
                    let seen = format!("{what} answers {status}{failed}");
                    findings.add(Problem::new(process(one), seen));
                }
                (None, why) => {
                    let why = why.unwrap_or("it was not collected");
                    findings.unknown(process(one), format!("{what}: {why}"));
                }
            }
        }
    }
    findings
}

/// app/edge
pub(super) fn edge_answers(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    let asked = seen.now.reached.items().iter().filter(|one| !one.path.is_empty());
    for one in asked {
        let what = ObjectRef::global("Address", format!("{}:{}{}", one.to, one.port, one.path));
        findings.looked();
        match one.status {
            // What asks for a login does answer.
            Some(200..=399 | 401 | 403) => {}
            Some(status) => {
                findings.add(Problem::new(what, format!("{status}, asked from {}", one.from)));
            }
            None => findings.add(Problem::new(what, format!("{} from {}", one.outcome, one.from))),
        }
    }
    findings
}

/// db/redis-room
pub(super) fn redis_room(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for one in seen.now.redis.items().iter().filter(|one: &&Redis| one.role != "sentinel") {
        let what = ObjectRef::global("Redis", &one.place);
        if one.max_bytes == 0 {
            findings.unknown_but(what, "it has no limit of memory", "CONFIG SET maxmemory");
            continue;
        }
        findings.looked();
        if one.used_bytes.saturating_mul(10) >= one.max_bytes.saturating_mul(9) {
            let (used, most) = (one.used_bytes >> 20, one.max_bytes >> 20);
            findings.add(Problem::new(what, format!("{used} of {most} MiB are used")));
        }
    }
    findings
}

fn height(ledger: &Ledger) -> Option<u64> {
    ledger.nodes.iter().filter_map(|node| node.height.get().copied()).max()
}

/// e2e/growth: a ledger is seen to work when it has grown, not when it has not shrunk.
pub(super) fn chain_grows(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for ledger in seen.now.ledgers.items() {
        let what = reference(ledger);
        let Some(before) = seen.before else {
            let how = "collect before and after a command was given, and name both: --before FILE";
            findings.unknown_but(what, "there is no earlier snapshot", how);
            continue;
        };
        let older = before.ledgers.items().iter();
        let mut older = older
            .filter(|one| (&one.name, &one.environment) == (&ledger.name, &ledger.environment));
        match (older.next().and_then(height), height(ledger)) {
            (Some(was), Some(is)) => {
                findings.looked();
                if is <= was {
                    let seen = format!("{was} blocks before, {is} now");
                    findings.add(Problem::new(what, seen));
                }
            }
            (None, _) => findings.unknown(what, "its height before is not known"),
            (_, None) => findings.unknown(what, "its height is not known"),
        }
    }
    findings
}

/// ha/one-node-less
pub(super) fn one_node_less(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for node in seen.now.nodes.items() {
        let lost = Change::Lose(Place::Node(node.name.clone()));
        match what_if(seen.now, &[lost]) {
            Ok(answer) => {
                findings.looked();
                if answer.verdict >= Verdict::Outage {
                    let because = answer.because.first().map(|one| one.text.clone());
                    let seen = format!(
                        "without it: {}; {}",
                        answer.verdict,
                        because.unwrap_or_else(|| "gx ops what-if says why".to_owned())
                    );
                    findings.add(Problem::new(node.reference(), seen));
                }
            }
            Err(error) => findings.unknown(node.reference(), error.to_string()),
        }
    }
    findings
}

/// Less than half of a host's root file system is used.
pub(super) fn half_a_disk(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for host in seen.now.hosts.items() {
        let what = ObjectRef::global("Host", &host.name);
        let mounts = host.mounts.get().into_iter().flatten();
        let Some(root) = mounts.into_iter().find(|one| one.path == "/" && one.bytes > 0) else {
            findings.unknown(what, "its root file system is not known");
            continue;
        };
        findings.looked();
        let percent = root.used_bytes.saturating_mul(100) / root.bytes;
        if percent >= 50 {
            findings.add(Problem::new(what, format!("{percent} % of / are used")));
        }
    }
    findings
}

/// Less than four fifths of a host's memory is used.
pub(super) fn memory_left(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for host in seen.now.hosts.items() {
        let what = ObjectRef::global("Host", &host.name);
        if host.memory_bytes == 0 {
            findings.unknown(what, "its memory is not known");
            continue;
        }
        findings.looked();
        let used = host.memory_bytes.saturating_sub(host.memory_available_bytes);
        let percent = used.saturating_mul(100) / host.memory_bytes;
        if percent >= 80 {
            findings.add(Problem::new(what, format!("{percent} % of its memory are used")));
        }
    }
    findings
}

/// Every certificate is good for 30 days more.
pub(super) fn month_of_certificates(seen: Seen<'_>) -> Findings {
    let mut findings = Findings::default();
    for one in seen.now.certificates.items() {
        findings.looked();
        let left = one.not_after.seconds().saturating_sub(seen.now.taken.seconds());
        if left < 30 * SECONDS_OF_A_DAY {
            let what = ObjectRef::global("Certificate", &one.place);
            let seen = format!("{} ends on {}", one.common_name, one.not_after.date());
            findings.add(Problem::new(what, seen));
        }
    }
    findings
}
