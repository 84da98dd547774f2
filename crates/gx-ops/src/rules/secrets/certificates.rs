//! Certificates: when they end, who has signed them, what they say, and whether new ones come.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, component, words};
use super::super::{Findings, Problem};
use crate::facts::{
    Certificate, Condition, Fact, LimitRange, Object as _, ObjectRef, Resources, Snapshot, Truth,
    Workload, condition,
};

/// The object that a certificate stands in, with the key.
pub(super) fn place_of(certificate: &Certificate) -> ObjectRef {
    let mut parts = certificate.place.splitn(3, ' ');
    let (kind, object, key) = (parts.next(), parts.next(), parts.next());
    match (kind, object.and_then(|object| object.split_once('/')), key) {
        (Some(kind), Some((namespace, name)), Some(key)) => {
            ObjectRef::new(kind, namespace, name).container(key)
        }
        _ => ObjectRef::global("Certificate", &certificate.place),
    }
}

/// Whether a name or an address is that of whatever machine uses it.
pub(super) fn is_own_machine(host: &str) -> bool {
    ["localhost", "0.0.0.0", "::1", "[::1]", "::"].contains(&host) || host.starts_with("127.")
}

fn place_words(certificate: &Certificate) -> Vec<String> {
    words(&certificate.place)
}

/// Whether it was enrolled for signing transactions. Authorities of Fabric write the same into
/// certificates for TLS, which the place alone tells apart.
fn is_identity(certificate: &Certificate) -> bool {
    let units = certificate.organizational_units.iter();
    let mut units =
        units.filter(|unit| ["admin", "client", "orderer", "peer"].contains(&unit.as_str()));
    let is_enrolled = !certificate.attributes.is_empty() || units.next().is_some();
    let is_tls = place_words(certificate)
        .iter()
        .any(|word| word == "tls" || word == "ssl" || word == "server");
    is_enrolled && !certificate.is_authority && !is_tls
}

/// Certificates that are the same, under the first place, with the others.
fn by_certificate<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
) -> Vec<(&'a Certificate, Vec<ObjectRef>)> {
    let mut groups: BTreeMap<String, Vec<&Certificate>> = BTreeMap::new();
    for certificate in certificates {
        let key = match certificate.fingerprint.as_str() {
            "" => format!("{}#{}", certificate.place, certificate.position),
            fingerprint => fingerprint.to_owned(),
        };
        groups.entry(key).or_default().push(certificate);
    }
    let groups = groups.into_values().filter_map(|mut group| {
        group.sort_by_key(|one| (place_of(one), one.position));
        let first = *group.first()?;
        let places: BTreeSet<ObjectRef> = group.iter().map(|one| place_of(one)).collect();
        Some((first, places.into_iter().skip(1).collect()))
    });
    groups.collect()
}

/// Certificates that are not part of a bundle of the world's authorities, of which some have
/// always ended.
fn own_certificates(snapshot: &Snapshot) -> impl Iterator<Item = &Certificate> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for certificate in snapshot.certificates.items() {
        *counts.entry(&certificate.place).or_default() += 1;
    }
    let is_own = move |one: &&Certificate| counts.get(one.place.as_str()).is_none_or(|n| *n <= 10);
    snapshot.certificates.items().iter().filter(is_own)
}

const DAY: i64 = 86_400;

/// Seconds that are left; less than nothing when it has ended.
fn left(snapshot: &Snapshot, certificate: &Certificate) -> i64 {
    certificate.not_after.seconds().saturating_sub(snapshot.taken.seconds())
}

/// When it ends, for people.
fn told_end(snapshot: &Snapshot, certificate: &Certificate, others: &[ObjectRef]) -> String {
    let left = left(snapshot, certificate);
    let end = certificate.not_after.date();
    let when = match left / DAY {
        _ if left <= 0 => format!("ended on {end}"),
        1 => format!("ends on {end}, in 1 day"),
        days => format!("ends on {end}, in {days} days"),
    };
    let name = match certificate.common_name.as_str() {
        "" => certificate.dns_names.first().map_or("", String::as_str),
        name => name,
    };
    match others {
        [] => format!("{name} {when}"),
        others => {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            format!("{name} {when}; it stands in {} as well", others.join(", "))
        }
    }
}

/// SEC-25
pub(super) fn tls_ends(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let certificates = own_certificates(snapshot).filter(|one| !is_identity(one));
    for (certificate, others) in by_certificate(certificates) {
        findings.looked();
        let left = left(snapshot, certificate);
        let begin = certificate.not_before.seconds();
        let life = certificate.not_after.seconds().saturating_sub(begin);
        // Those that live for days are renewed within days.
        let below = |days: i64, part: i64| left < (days * DAY).min(life / part);
        let severity = if left <= 0 || below(7, 12) {
            Severity::Critical
        } else if below(14, 6) {
            Severity::High
        } else if below(30, 3) {
            Severity::Medium
        } else {
            continue;
        };
        let evidence = told_end(snapshot, certificate, &others);
        findings.add(Problem::new(place_of(certificate), evidence).severity(severity));
    }
    findings
}

/// SEC-29
pub(super) fn identity_ends(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let certificates = own_certificates(snapshot).filter(|one| is_identity(one));
    for (certificate, others) in by_certificate(certificates) {
        findings.looked();
        let left = left(snapshot, certificate);
        if left < 30 * DAY {
            let severity = if left <= 0 { Severity::Critical } else { Severity::High };
            let evidence = told_end(snapshot, certificate, &others);
            findings.add(Problem::new(place_of(certificate), evidence).severity(severity));
        }
    }
    for workload in snapshot.top_workloads().filter(|one| one.is_lasting()) {
        let is_root = words(&workload.name).iter().any(|word| word == "root");
        if component(&workload.name) != Component::Authority || !is_root {
            continue;
        }
        findings.looked();
        if workload.replicas > 0 {
            let evidence = format!("the root authority runs with {} replicas", workload.replicas);
            findings.add(Problem::new(workload.reference(), evidence).field("spec.replicas"));
        }
    }
    findings
}

/// SEC-30
pub(super) fn no_role(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (certificate, _) in
        by_certificate(own_certificates(snapshot).filter(|one| is_identity(one)))
    {
        let units = &certificate.organizational_units;
        let has_unit = |name: &str| units.iter().any(|unit| unit == name);
        let kind = certificate.attributes.get("hf.Type").map(String::as_str);
        let is_client = has_unit("client") || kind == Some("client");
        // Whoever registers others signs no transactions.
        let registers = certificate.attributes.keys().any(|key| key.starts_with("hf.Registrar"));
        if !is_client || registers || has_unit("admin") {
            continue;
        }
        findings.looked();
        if certificate.attributes.get("gxc_role").is_none_or(String::is_empty) {
            let names: Vec<&str> = certificate.attributes.keys().map(String::as_str).collect();
            let has = if names.is_empty() { "no attributes".to_owned() } else { names.join(", ") };
            let evidence = format!("{} has {has}", certificate.common_name);
            findings.add(Problem::new(place_of(certificate), evidence));
        }
    }
    findings
}

/// Whether a certificate is that of an authority for TLS that people have set down for clients of
/// the ledger: by its name, or by the place.
fn is_trusted_authority(certificate: &Certificate) -> bool {
    let words = place_words(certificate);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let is_ledger = has(&["fabric", "orderer", "peer", "tlsca"])
        || words.iter().any(|word| word.starts_with("org") && word.len() <= 5)
        || ["ca.", "tlsca."].iter().any(|start| certificate.common_name.starts_with(start));
    certificate.is_authority && is_ledger && has(&["tls", "tlsca"])
}

/// SEC-14
pub(super) fn wrong_authority(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let environment = |certificate: &Certificate| {
        let place = place_of(certificate);
        snapshot.environment(&place.namespace).map(str::to_owned)
    };
    // Who has signed what peers and orderers show; the whole of each chain.
    let mut signers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for certificate in own_certificates(snapshot) {
        let place = place_of(certificate);
        let words = place_words(certificate);
        let is_tls = words.iter().any(|word| word == "tls" || word == "server");
        let shown = matches!(component(&place.name), Component::Peer | Component::Orderer)
            || ["peer", "orderer"].iter().any(|name| certificate.common_name.starts_with(name));
        if let Some(environment) = environment(certificate)
            && is_tls
            && shown
            && (!certificate.is_authority || certificate.position > 0)
        {
            signers.entry(environment).or_default().insert(&certificate.issuer);
        }
    }
    for certificate in own_certificates(snapshot).filter(|one| is_trusted_authority(one)) {
        let Some(environment) = environment(certificate) else { continue };
        let place = place_of(certificate);
        let is_for_identities = certificate.common_name.starts_with("ca.");
        match signers.get(&environment) {
            Some(signers) if signers.contains(certificate.subject.as_str()) => findings.looked(),
            Some(signers) => {
                findings.looked();
                let signers = signers.iter().copied().collect::<Vec<&str>>().join("; ");
                let evidence = format!(
                    "it is {}; what the peers of {environment} show is signed by {signers}",
                    certificate.subject
                );
                findings.add(Problem::new(place, evidence));
            }
            None if is_for_identities => {
                findings.looked();
                let evidence = format!(
                    "it is {}, an authority for identities; that for TLS is tlsca.…",
                    certificate.subject
                );
                findings.add(Problem::new(place, evidence));
            }
            None => {
                let what = format!("the certificates that the peers of {environment} show");
                findings.unknown(place, what);
            }
        }
    }
    findings
}

/// SEC-26
pub(super) fn leads_nowhere(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for certificate in snapshot.managed_certificates.items() {
        let mut nowhere = Vec::new();
        let mut unknown = Vec::new();
        // A name with a star is proved by a record of its own.
        for name in certificate.dns_names.iter().filter(|name| !name.starts_with('*')) {
            let tried: Vec<_> =
                snapshot.reached.items().iter().filter(|one| one.to == *name).collect();
            if tried.is_empty() {
                unknown.push(name.as_str());
                continue;
            }
            findings.looked();
            if tried.iter().all(|one| one.outcome == "unresolved") {
                nowhere.push(name.as_str());
            }
        }
        if !nowhere.is_empty() {
            let evidence = format!("no address is known for {}", nowhere.join(", "));
            findings.add(Problem::new(certificate.reference(), evidence).field("spec.dnsNames"));
        }
        if !unknown.is_empty() {
            let what = format!("whether {} has an address", unknown.join(", "));
            findings.unknown_but(certificate.reference(), what, Fact::Reached.how());
        }
    }
    findings
}

/// SEC-27
pub(super) fn not_ready(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut hold = |subject: ObjectRef, conditions: &[Condition]| {
        findings.looked();
        let ready = condition(conditions, "Ready");
        let evidence = match ready {
            Some(ready) if ready.status == Truth::True => return,
            Some(ready) => format!("Ready is {:?}: {}", ready.status, ready.reason),
            None => "it says nothing of being ready".to_owned(),
        };
        findings.add(Problem::new(subject, evidence));
    };
    for certificate in snapshot.managed_certificates.items() {
        hold(certificate.reference(), &certificate.conditions);
    }
    for issuer in snapshot.issuers.items() {
        let kind = if issuer.namespace.is_empty() { "ClusterIssuer" } else { "Issuer" };
        let subject = ObjectRef::new(kind, &issuer.namespace, &issuer.name);
        hold(subject, &issuer.conditions);
    }
    findings
}

/// What cert-manager's helper asks for while it proves a domain over HTTP.
const HELPER: [(&str, u64); 2] = [("cpu", 10), ("memory", 64 << 20)];

/// What some container asks for and a range does not let pass, as `10m of cpu, at least 100m`.
fn too_little(asked: &Resources, range: &LimitRange, kind: &str) -> Vec<String> {
    let limits = range.limits.iter().filter(|limit| limit.kind == kind);
    let mut wrong = BTreeSet::new();
    for limit in limits {
        for (name, least) in &limit.min.0 {
            // What is not asked for gets the range's own default.
            let Some(asked) = asked.0.get(name).filter(|asked| *asked < least) else { continue };
            let unit = |amount: u64| match name.as_str() {
                "cpu" => format!("{amount}m"),
                _ => format!("{} MiB", amount >> 20),
            };
            wrong.insert(format!("{} of {name}, at least {}", unit(*asked), unit(*least)));
        }
    }
    wrong.into_iter().collect()
}

/// SEC-28
pub(super) fn below_limits(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for fact in [Fact::ManagedCertificates, Fact::Issuers] {
        if let Some(why) = snapshot.lacks(fact) {
            let subject = ObjectRef::global("Fact", fact.name());
            findings.unknown_but(subject, format!("who proves domains: {why}"), fact.how());
        }
    }
    for range in snapshot.limit_ranges.items() {
        let workloads = snapshot.top_workloads().filter(|one| one.namespace == range.namespace);
        for workload in workloads {
            ask_for_enough(workload, range, &mut findings);
        }
        if !proves_domains(snapshot, &range.namespace) {
            continue;
        }
        findings.looked();
        let helper = Resources(HELPER.map(|(name, amount)| (name.to_owned(), amount)).into());
        let mut wrong = too_little(&helper, range, "Container");
        wrong.extend(too_little(&helper, range, "Pod"));
        if !wrong.is_empty() {
            let evidence = format!(
                "the helper that proves domains here asks for {}",
                wrong
                    .into_iter()
                    .collect::<BTreeSet<String>>()
                    .into_iter()
                    .collect::<Vec<_>>()
                    .join("; ")
            );
            findings.add(Problem::new(range.reference(), evidence).field("spec.limits.min"));
        }
    }
    findings
}

fn ask_for_enough(workload: &Workload, range: &LimitRange, findings: &mut Findings) {
    let spec = &workload.template.spec;
    for container in spec.all_containers() {
        findings.looked();
        let wrong = too_little(&container.requests, range, "Container");
        if !wrong.is_empty() {
            let subject = workload.reference().container(&container.name);
            let evidence = format!("it asks for {} by {}", wrong.join("; "), range.name);
            let field = "spec.template.spec.containers.resources.requests";
            findings.add(Problem::new(subject, evidence).field(field).because(range.reference()));
        }
    }
    let wrong = too_little(&spec.effective_requests(), range, "Pod");
    if !wrong.is_empty() {
        let evidence = format!("its pods ask for {} by {}", wrong.join("; "), range.name);
        let field = "spec.template.spec.containers.resources.requests";
        let problem = Problem::new(workload.reference(), evidence);
        findings.add(problem.field(field).because(range.reference()));
    }
}

/// Whether certificates of a namespace are signed by an authority that tries their names.
fn proves_domains(snapshot: &Snapshot, namespace: &str) -> bool {
    let certificates = snapshot.managed_certificates.items().iter();
    certificates.filter(|one| one.namespace == namespace).any(|certificate| {
        let mut issuers = snapshot.issuers.items().iter();
        issuers.any(|issuer| {
            let is_here = issuer.namespace.is_empty()
                == (certificate.issuer_kind == "ClusterIssuer")
                && (issuer.namespace.is_empty() || issuer.namespace == namespace);
            is_here && issuer.name == certificate.issuer && !issuer.acme_server.is_empty()
        })
    })
}
