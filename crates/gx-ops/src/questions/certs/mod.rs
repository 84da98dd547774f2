//! Every certificate that was found: how long it holds, what stops working that day, and who
//! renews it.

mod calendar;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use calendar::calendar;

use super::Page;
use super::explain::references;
use crate::facts::{Certificate, Fact, ManagedCertificate, Object as _, Snapshot, Time};
use crate::report::Look;

const DAY: i64 = 86_400;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Use {
    /// It signs others.
    Authority,
    /// Somebody of a Fabric network.
    Identity,
    /// Of an Ingress.
    Ingress,
    /// Of the cluster's own parts.
    Kubernetes,
    Tls,
    Other,
}

impl Use {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Identity => "identity",
            Self::Ingress => "ingress",
            Self::Kubernetes => "Kubernetes",
            Self::Tls => "TLS",
            Self::Other => "other",
        }
    }
}

/// One certificate, wherever it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub name: String,
    pub is_for: Use,
    pub not_after: Time,
    /// Whole days; less than nothing when it has ended.
    pub days: i64,
    pub issuer: String,
    pub places: Vec<String>,
    /// What stops working when it ends.
    pub stops: Vec<String>,
    pub renewal: String,
    pub fingerprint: String,
}

/// The answer, those that end first first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certs {
    /// The present.
    pub at: Time,
    pub certificates: Vec<Held>,
    pub not_known: Vec<String>,
}

/// Answers.
pub fn certs(snapshot: &Snapshot) -> Certs {
    let mut by_print: BTreeMap<&str, Vec<&Certificate>> = BTreeMap::new();
    for one in snapshot.certificates.items() {
        by_print.entry(&one.fingerprint).or_default().push(one);
    }
    let mut certificates: Vec<Held> =
        by_print.values().filter_map(|copies| held(snapshot, copies)).collect();
    certificates.extend(snapshot.managed_certificates.items().iter().filter_map(|managed| {
        let place = format!("Secret {}/{} ", managed.namespace, managed.secret);
        let is_found =
            snapshot.certificates.items().iter().any(|one| one.place.starts_with(&place));
        if is_found { None } else { unseen(snapshot, managed) }
    }));
    certificates.sort_by(|a, b| (a.not_after, &a.name).cmp(&(b.not_after, &b.name)));
    let parts = [Fact::Certificates, Fact::ManagedCertificates, Fact::Ingresses, Fact::Workloads];
    let missing = parts.into_iter().filter_map(|fact| {
        Some(format!("{} ({}): {}", fact.name(), snapshot.lacks(fact)?, fact.how()))
    });
    let mut not_known: Vec<String> = missing.collect();
    let is_host = |one: &Certificate| object_of(&one.place).is_none();
    if !snapshot.certificates.items().iter().any(is_host) {
        not_known.push(
            "certificates that lie in files of hosts and containers, such as those of K3s and of \
             wallets: no source tells of them"
                .to_owned(),
        );
    }
    Certs { at: snapshot.taken, certificates, not_known }
}

/// Kind, namespace and name of an object that holds a certificate.
fn object_of(place: &str) -> Option<(&str, &str, &str)> {
    let mut words = place.split(' ');
    let (kind, name) = (words.next()?, words.next()?);
    let (namespace, name) = name.split_once('/')?;
    ["Secret", "ConfigMap"].contains(&kind).then_some((kind, namespace, name))
}

fn days(snapshot: &Snapshot, until: Time) -> i64 {
    until.seconds().saturating_sub(snapshot.taken.seconds()).div_euclid(DAY)
}

fn held(snapshot: &Snapshot, copies: &[&Certificate]) -> Option<Held> {
    let one = *copies.first()?;
    let places: Vec<String> = copies.iter().map(|copy| copy.place.clone()).collect();
    let hosts: BTreeSet<String> =
        copies.iter().flat_map(|one| ingress_hosts(snapshot, &one.place)).collect();
    let is_for = is_for(one, !hosts.is_empty());
    let mut stops: Vec<String> = hosts.into_iter().map(|host| format!("https://{host}")).collect();
    let users: BTreeSet<String> =
        copies.iter().flat_map(|one| users(snapshot, &one.place)).collect();
    stops.extend(users);
    if one.is_authority {
        let signed =
            snapshot.certificates.items().iter().filter(|other| {
                other.issuer == one.subject && other.fingerprint != one.fingerprint
            });
        let signed: BTreeSet<&str> = signed.map(|other| other.fingerprint.as_str()).collect();
        stops.push(format!("whatever trusts it, and the {} it has signed here", signed.len()));
    }
    let name = match (&one.common_name, one.dns_names.first()) {
        (name, _) if !name.is_empty() => name.clone(),
        (_, Some(name)) => name.clone(),
        (_, None) => one.subject.clone(),
    };
    Some(Held {
        name,
        is_for,
        not_after: one.not_after,
        days: days(snapshot, one.not_after),
        issuer: one.issuer.clone(),
        renewal: renewal(snapshot, copies, is_for),
        places,
        stops,
        fingerprint: one.fingerprint.clone(),
    })
}

fn is_for(one: &Certificate, is_of_ingress: bool) -> Use {
    const MEMBERS: [&str; 4] = ["peer", "orderer", "client", "admin"];
    let is_member = one.organizational_units.iter().any(|unit| MEMBERS.contains(&unit.as_str()));
    match () {
        () if one.is_authority => Use::Authority,
        () if is_of_ingress => Use::Ingress,
        () if one.place.contains("/k3s/") || one.place.contains("/kubernetes/") => Use::Kubernetes,
        () if is_member && one.dns_names.is_empty() || !one.attributes.is_empty() => Use::Identity,
        () if !one.dns_names.is_empty() || !one.addresses.is_empty() => Use::Tls,
        () if is_member => Use::Identity,
        () => Use::Other,
    }
}

/// The names that Ingresses serve with the Secret of a place.
fn ingress_hosts(snapshot: &Snapshot, place: &str) -> Vec<String> {
    let Some(("Secret", namespace, name)) = object_of(place) else { return Vec::new() };
    let own = snapshot.ingresses.items().iter().filter(|one| one.namespace == namespace);
    let tls = own.flat_map(|one| &one.tls).filter(|tls| tls.secret == name);
    tls.flat_map(|tls| tls.hosts.iter().cloned()).collect()
}

/// The workloads that refer to the object of a place.
fn users(snapshot: &Snapshot, place: &str) -> Vec<String> {
    let Some((kind, namespace, name)) = object_of(place) else { return Vec::new() };
    let own = snapshot.top_workloads().filter(|one| one.namespace == namespace && one.replicas > 0);
    let users = own.filter(|one| {
        let all = references(&one.template.spec);
        all.iter().any(|reference| reference.kind == kind && reference.name == name)
    });
    users.map(|one| one.reference().to_string()).collect()
}

fn manager<'a>(snapshot: &'a Snapshot, place: &str) -> Option<&'a ManagedCertificate> {
    let Some(("Secret", namespace, name)) = object_of(place) else { return None };
    let mut all = snapshot.managed_certificates.items().iter();
    all.find(|one| one.namespace == namespace && one.secret == name)
}

fn renewal(snapshot: &Snapshot, copies: &[&Certificate], is_for: Use) -> String {
    if let Some(one) = copies.iter().find_map(|copy| manager(snapshot, &copy.place)) {
        let due = one.renewal.map(|at| format!(", due {}", at.date())).unwrap_or_default();
        return format!("cert-manager by {} of {}{due}", one.reference(), one.issuer);
    }
    match is_for {
        Use::Authority => "nobody by itself: a new authority, and trust in both for a while",
        Use::Identity => "nobody by itself: enrol again at its authority",
        Use::Kubernetes => "K3s when it is started again near the end",
        Use::Ingress | Use::Tls | Use::Other => "nobody by itself: issue a new one",
    }
    .to_owned()
}

/// One that cert-manager tells of, and whose Secret was not seen.
fn unseen(snapshot: &Snapshot, managed: &ManagedCertificate) -> Option<Held> {
    let not_after = managed.not_after?;
    let due = managed.renewal.map(|at| format!(", due {}", at.date())).unwrap_or_default();
    let place = format!("Secret {}/{} tls.crt", managed.namespace, managed.secret);
    Some(Held {
        name: managed.dns_names.first().cloned().unwrap_or_else(|| managed.name.clone()),
        is_for: Use::Ingress,
        not_after,
        days: days(snapshot, not_after),
        issuer: managed.issuer.clone(),
        stops: ingress_hosts(snapshot, &place)
            .iter()
            .map(|host| format!("https://{host}"))
            .collect(),
        places: vec![place],
        renewal: format!("cert-manager by {} of {}{due}", managed.reference(), managed.issuer),
        fingerprint: String::new(),
    })
}

/// The text of an answer.
pub fn render(answer: &Certs, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let ended = answer.certificates.iter().filter(|one| one.days < 0).count();
    let soon = answer.certificates.iter().filter(|one| (0..30).contains(&one.days)).count();
    page.head(&format!(
        "{} certificates: {ended} have ended, {soon} end within 30 days",
        answer.certificates.len()
    ));
    for one in answer.certificates.iter().take(look.top) {
        page.line(&format!(
            "{:>5} days  {}  {} ({})",
            one.days,
            one.not_after.date(),
            one.name,
            one.is_for.as_str()
        ));
        page.deeper(&format!("in {}", one.places.join(", ")));
        if !one.stops.is_empty() {
            page.deeper(&format!("stops: {}", one.stops.join(", ")));
        }
        page.deeper(&format!("renewed by {}", one.renewal));
    }
    let more = answer.certificates.len().saturating_sub(look.top);
    if more > 0 {
        page.line(&format!("{more} more; --all shows them"));
    }
    if !answer.not_known.is_empty() {
        page.head("Not known");
        answer.not_known.iter().for_each(|one| page.line(&format!("- {one}")));
    }
    page.text
}
