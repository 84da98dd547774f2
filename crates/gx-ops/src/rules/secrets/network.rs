//! Whom settings lead to: environments, organizations, public names.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::{
    Component, ENVIRONMENTS, Variables, all_containers, component, organization, words,
};
use super::super::{Findings, Problem};
use super::certificates::{is_own_machine, place_of};
use super::holders::{holders, incomplete};
use super::settings::is_public_by_name;
use crate::facts::{Fact, Ledger, Object as _, ObjectRef, Snapshot, Value};

/// Words of names whose values name other environments by intent.
const ABOUT_OTHERS: [&str; 8] =
    ["environments", "from", "networks", "previous", "promote", "promotion", "source", "target"];

/// Another environment than this one that a text names: as a word, as part of an organization's
/// identifier, or by a name that the inventory gives to it.
fn names_other<'a>(snapshot: &'a Snapshot, own: &str, text: &str) -> Option<&'a str> {
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.environments);
    let declared: Vec<_> = declared.collect();
    let is_declared = |name: &str| {
        let of = declared.iter().find(|(one, _)| one.as_str() == name);
        of.is_some_and(|(_, one)| {
            one.channel == text || one.chaincode == text || one.msps.iter().any(|msp| msp == text)
        })
    };
    // Environments may share a name; then it is this one's as well.
    if !text.is_empty() && is_declared(own) {
        return None;
    }
    if let Some((name, _)) = declared.iter().find(|(name, _)| !text.is_empty() && is_declared(name))
    {
        return Some(name);
    }
    let words = words(text);
    ENVIRONMENTS.into_iter().filter(|one| *one != own).find(|one| {
        words.iter().any(|word| {
            word == one || (word.contains(*one) && word.starts_with("org") && word.ends_with("msp"))
        })
    })
}

/// SEC-11
pub(super) fn names_another(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for holder in holders(snapshot).into_iter().filter(|one| one.place.kind != "Secret") {
        let Some(own) = snapshot.environment(holder.namespace) else { continue };
        let about = words(holder.key);
        if about.iter().any(|word| ABOUT_OTHERS.contains(&word.as_str())) {
            continue;
        }
        let text = match holder.value {
            Value::Plain(text) => text.as_str(),
            Value::Dsn(dsn) => dsn.host.as_str(),
            Value::Hidden(_) => continue,
        };
        findings.looked();
        if let Some(other) = names_other(snapshot, own, text) {
            let evidence = format!("{} is {text}, which is of {other}", holder.key);
            let field = if holder.place.kind == "ConfigMap" { "data" } else { "env" };
            findings.add(Problem::new(holder.place, evidence).field(field));
        }
    }
    findings
}

/// Identifiers of the organizations whose peers run in an environment; and whether each peer tells
/// of its own.
fn organizations(snapshot: &Snapshot, environment: &str) -> (BTreeSet<String>, bool) {
    let mut found = BTreeSet::new();
    let mut is_complete = true;
    for (workload, container) in all_containers(snapshot) {
        let is_there = snapshot.environment(&workload.namespace) == Some(environment);
        let main = workload.template.spec.containers.first().map(|one| &one.name);
        if !is_there
            || component(&workload.name) != Component::Peer
            || !workload.is_lasting()
            || main != Some(&container.name)
        {
            continue;
        }
        let variables = Variables::of(snapshot, &workload.namespace, container);
        match variables.plain("CORE_PEER_LOCALMSPID") {
            Some(id) => {
                found.insert(id.to_owned());
            }
            None => is_complete = false,
        }
    }
    (found, is_complete)
}

/// Whether a variable of a client names an organization by its identifier.
fn is_identifier(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    (name.ends_with("MSP_ID") || name.ends_with("MSPID") || name.ends_with("_MSP"))
        && !name.ends_with("LOCALMSPID")
}

/// SEC-12
pub(super) fn wrong_organization(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (workload, container) in all_containers(snapshot) {
        let Some(environment) = snapshot.environment(&workload.namespace) else { continue };
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let subject = || workload.reference().container(&container.name);
        let mut wrong = Vec::new();
        for (name, variable) in variables.by_name.iter().filter(|(name, _)| is_identifier(name)) {
            let Some(id) = variable.value.and_then(Value::plain) else {
                findings.unknown(subject(), format!("which organization {name} names"));
                continue;
            };
            let (known, is_complete) = organizations(snapshot, environment);
            if known.contains(id) {
                findings.looked();
            } else if known.is_empty() || !is_complete {
                let what = format!("the organizations of the peers of {environment}");
                findings.unknown(subject(), what);
            } else {
                findings.looked();
                let known = known.into_iter().collect::<Vec<String>>().join(", ");
                wrong.push(format!("{name} is {id}, the peers of {environment} are of {known}"));
            }
        }
        for object in &variables.unknown {
            findings.unknown(subject(), format!("whether {object} names an organization"));
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(subject(), wrong.join("; ")).field("env"));
        }
    }
    findings
}

/// The `org…` with its number in a name, in lower case.
fn numbered(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let mut rest = name.as_str();
    while let Some(at) = rest.find("org") {
        let tail = rest.get(at.saturating_add(3)..).unwrap_or_default();
        let digits: String = tail.chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            return Some(format!("org{digits}"));
        }
        rest = tail;
    }
    None
}

/// Organizations all of which a policy asks for; none when fewer are enough, or when it is not
/// understood.
fn all_needed(policy: &str) -> Option<BTreeSet<String>> {
    let text: String = policy.chars().filter(|c| !c.is_whitespace()).collect();
    let quoted = text.split('\'').skip(1).step_by(2);
    let named: BTreeSet<String> =
        quoted.filter_map(|one| Some(one.split_once('.')?.0.to_owned())).collect();
    let count = |of: &str| text.matches(of).count();
    // One level alone is read: what is nested is not guessed at.
    if count("(") != 1 || named.is_empty() {
        return None;
    }
    let inner = text.to_ascii_lowercase();
    let is_all = inner.starts_with("and(")
        || inner.strip_prefix("outof(").is_some_and(|rest| {
            let number = rest.split(',').next().and_then(|number| number.parse::<usize>().ok());
            number == Some(named.len())
        });
    if is_all { Some(named) } else { Some(BTreeSet::new()) }
}

/// The policies of an environment's ledger; none when it is not known.
fn policy<'a>(snapshot: &'a Snapshot, environment: &str) -> Option<&'a str> {
    let of = |ledger: &&Ledger| ledger.environment == environment && ledger.engine == "fabric";
    let ledger = snapshot.ledgers.items().iter().find(of)?;
    ledger.chaincodes.get()?.first().map(|one| one.endorsement.as_str())
}

/// The organizations that a client can ask: those of its list, or those whose peers it is told.
/// None: it leaves that to the peer that it talks to, or is no client.
fn asked(variables: &Variables<'_>) -> Option<BTreeSet<String>> {
    let names = variables.by_name.keys();
    let list = names.clone().find(|name| name.ends_with("ENDORSING_ORGANIZATIONS"));
    if let Some(list) = list {
        let text = variables.plain(list).unwrap_or_default();
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        let ids: BTreeSet<String> = ids.map(|id| numbered(id).unwrap_or(id.to_owned())).collect();
        return (!ids.is_empty()).then_some(ids);
    }
    let is_endpoint = |name: &&&str| name.contains("PEER") && name.contains("ENDPOINT");
    let mut found = BTreeSet::new();
    for name in names.filter(is_endpoint) {
        let host = variables.plain(name).unwrap_or_default();
        found.extend(numbered(name).or_else(|| numbered(host)));
    }
    let discovers = variables.by_name.keys().any(|name| {
        (name.contains("DISCOVERY") || name.contains("GATEWAY"))
            && variables.plain(name) == Some("true")
    });
    (!found.is_empty() && !discovers).then_some(found)
}

/// SEC-13
pub(super) fn lacks_organization(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (workload, container) in all_containers(snapshot) {
        let Some(environment) = snapshot.environment(&workload.namespace) else { continue };
        let own = component(&workload.name);
        if matches!(own, Component::Peer | Component::Orderer | Component::Authority) {
            continue;
        }
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let subject = workload.reference().container(&container.name);
        let Some(asked) = asked(&variables) else {
            if let Some(object) = variables.unknown.first() {
                findings.unknown(subject, format!("which peers {object} names"));
            }
            continue;
        };
        let wanted = policy(snapshot, environment).map(all_needed);
        let lacks: Vec<String> = match wanted {
            Some(Some(wanted)) => {
                let wanted = wanted.iter().map(|id| numbered(id).unwrap_or_else(|| id.clone()));
                wanted.filter(|id| !asked.contains(id)).collect()
            }
            // A client that knows everybody has whomever a policy may want.
            None | Some(None) if knows_all(snapshot, environment, &asked) => Vec::new(),
            None | Some(None) => {
                let what = format!("the endorsement policy of {environment}");
                findings.unknown_but(subject, what, Fact::Ledgers.how());
                continue;
            }
        };
        findings.looked();
        if !lacks.is_empty() {
            let asked = asked.into_iter().collect::<Vec<String>>().join(", ");
            let evidence =
                format!("it asks {asked}; the policy wants {} as well", lacks.join(", "));
            findings.add(Problem::new(subject, evidence).field("env"));
        }
    }
    findings
}

/// Whether a client knows every organization that has a peer, of at least two.
fn knows_all(snapshot: &Snapshot, environment: &str, asked: &BTreeSet<String>) -> bool {
    let peers = snapshot.top_workloads().filter(|one| {
        component(&one.name) == Component::Peer
            && snapshot.environment(&one.namespace) == Some(environment)
    });
    let all: BTreeSet<String> = peers.filter_map(|one| numbered(&organization(one)?)).collect();
    all.len() > 1 && all.is_subset(asked)
}

/// SEC-21
pub(super) fn public_name(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    incomplete(snapshot, &mut findings, &[Fact::ConfigMaps, Fact::Secrets]);
    let paths = snapshot.ingresses.items().iter().flat_map(|one| &one.paths);
    let public: BTreeSet<&str> =
        paths.map(|path| path.host.as_str()).filter(|host| !host.is_empty()).collect();
    for holder in holders(snapshot) {
        let host = match holder.value {
            Value::Dsn(dsn) => dsn.host.as_str(),
            Value::Plain(text) => text.split(':').next().unwrap_or_default(),
            Value::Hidden(_) => continue,
        };
        let is_client = match holder.value {
            Value::Dsn(_) => true,
            Value::Plain(_) | Value::Hidden(_) => {
                let words = words(holder.key);
                let last = words.last().map(String::as_str);
                matches!(last, Some("host" | "endpoint" | "addr" | "address"))
            }
        };
        if !is_client || host.is_empty() || is_public_by_name(holder.key) {
            continue;
        }
        findings.looked();
        if public.contains(host) {
            let evidence =
                format!("{} is {host}, which an Ingress of this cluster serves", holder.key);
            findings.add(Problem::new(holder.place, evidence));
        }
    }
    findings
}

/// What a peer tells others of where it is.
const TOLD: [&str; 3] =
    ["CORE_PEER_ADDRESS", "CORE_PEER_GOSSIP_ENDPOINT", "CORE_PEER_GOSSIP_EXTERNALENDPOINT"];

/// SEC-31
pub(super) fn loopback(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (workload, container) in all_containers(snapshot) {
        if component(&workload.name) != Component::Peer {
            continue;
        }
        let subject = || workload.reference().container(&container.name);
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let mut wrong = Vec::new();
        for name in TOLD {
            let Some(text) = variables.plain(name).filter(|text| !text.is_empty()) else {
                continue;
            };
            findings.looked();
            let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
            if is_own_machine(host) {
                wrong.push(format!("{name} is {text}"));
            }
        }
        for object in &variables.unknown {
            findings.unknown(subject(), format!("where {object} says that it is"));
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(subject(), wrong.join("; ")).field("env"));
        }
    }
    let mut seen: BTreeMap<ObjectRef, String> = BTreeMap::new();
    for certificate in snapshot.certificates.items() {
        let place = place_of(certificate);
        let is_peer = component(&place.name) == Component::Peer
            || certificate.common_name.starts_with("peer");
        let names: Vec<&str> = certificate
            .dns_names
            .iter()
            .chain(&certificate.addresses)
            .map(String::as_str)
            .collect();
        if !is_peer || certificate.is_authority || names.is_empty() {
            continue;
        }
        findings.looked();
        if names.iter().all(|name| is_own_machine(name)) {
            seen.insert(place, format!("its certificate is for {} alone", names.join(", ")));
        }
    }
    for (place, evidence) in seen {
        findings.add(Problem::new(place, evidence));
    }
    findings
}
