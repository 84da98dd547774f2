//! Credentials: copies that must be equal, and strangers that must not.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{
    Component, Variables, all_containers, component, holds_credentials, namespace_of_host, rank,
    words,
};
use super::super::{Findings, Problem};
use super::holders::{Compared, Holder, Store, holders, incomplete, is_secret_key, told};
use crate::facts::{Class, Fact, Hidden, Object as _, ObjectRef, Secret, Snapshot, Value};

/// Passwords of the stores, by server and store.
fn by_store<'a, 'b>(all: &'b [Holder<'a>]) -> BTreeMap<(&'a str, Store), Vec<&'b Holder<'a>>> {
    let mut groups: BTreeMap<(&str, Store), Vec<&Holder<'_>>> = BTreeMap::new();
    for holder in all.iter().filter(|holder| holder.credential().is_some()) {
        let Some(store) = holder.store() else { continue };
        // A password that stands beside an address is for the same server.
        let beside = all.iter().find(|other| {
            let same = (&other.place.kind, &other.place.namespace, &other.place.name)
                == (&holder.place.kind, &holder.place.namespace, &holder.place.name);
            same && holder.dsn().is_none() && other.dsn().is_some() && other.store() == Some(store)
        });
        let server = beside.unwrap_or(holder).server();
        groups.entry((server, store)).or_default().push(holder);
    }
    groups
}

/// SEC-01
pub(super) fn copies_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    incomplete(snapshot, &mut findings, &[Fact::ConfigMaps, Fact::Workloads]);
    let all = holders(snapshot);
    for ((server, store), group) in by_store(&all) {
        for (role, copies) in by_role(&group) {
            if copies.len() < 2 {
                continue;
            }
            let name = match role {
                "" => store.name().to_owned(),
                role => format!("{}-{role}", store.name()),
            };
            let subject = ObjectRef::new("Credential", server, name);
            let compared = Compared::of(copies.iter().copied());
            if let Some(doubt) = compared.doubt() {
                findings.unknown(subject, doubt);
                continue;
            }
            findings.looked();
            if compared.equal.len() > 1 {
                let mut parts: Vec<String> =
                    compared.equal.values().map(|equal| told(equal)).collect();
                parts.sort();
                let evidence =
                    format!("{} different ones: {}", parts.len(), parts.join("; and another in "));
                findings.add(Problem::new(subject, evidence).field("data"));
            }
        }
    }
    findings
}

/// Copies of what must be one password, by role: by the user of addresses, with those that stand
/// by themselves where it is clear whose they are.
fn by_role<'a, 'b>(group: &[&'b Holder<'a>]) -> BTreeMap<&'a str, Vec<&'b Holder<'a>>> {
    let mut roles: BTreeMap<&str, Vec<&Holder<'_>>> = BTreeMap::new();
    let user = |holder: &Holder<'a>| holder.dsn().map(|dsn| dsn.user.as_deref().unwrap_or(""));
    let users: BTreeSet<&str> = group.iter().filter_map(|holder| user(holder)).collect();
    for holder in group {
        let own = match (user(holder), holder.role(), users.len()) {
            (Some(user), _, _) => user,
            (None, Some(role), _) => role,
            (None, None, 0) => "",
            (None, None, 1) => users.first().copied().unwrap_or(""),
            (None, None, _) => {
                // Of several users, the one that its key or its neighbours name.
                let key = words(holder.key).join("_");
                let named = users.iter().find(|user| !user.is_empty() && key.contains(**user));
                let beside = group.iter().filter(|other| {
                    other.place.kind == holder.place.kind
                        && other.place.namespace == holder.place.namespace
                        && other.place.name == holder.place.name
                });
                let beside: BTreeSet<&str> = beside.filter_map(|other| user(other)).collect();
                let only = || beside.first().copied().filter(|_| beside.len() == 1);
                let Some(user) = named.copied().or_else(only) else { continue };
                user
            }
        };
        roles.entry(own).or_default().push(holder);
    }
    roles
}

/// Whether all its characters may stand in an address as they are.
fn is_url_safe(hidden: &Hidden) -> bool {
    match hidden.class {
        Class::Empty | Class::Digits | Class::Alphanumeric | Class::UrlSafe => true,
        Class::Line | Class::Lines | Class::Certificate | Class::PrivateKey | Class::Binary => {
            false
        }
    }
}

/// SEC-02
pub(super) fn breaks_address(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    incomplete(snapshot, &mut findings, &[Fact::ConfigMaps, Fact::Workloads]);
    for holder in holders(snapshot) {
        let Some(dsn) = holder.dsn().filter(|dsn| dsn.password.is_some()) else { continue };
        findings.looked();
        if !dsn.well_formed {
            let evidence = format!(
                "the address in {} cannot be taken apart as it stands: its login has characters \
                 that would have to be encoded",
                holder.key
            );
            findings.add(Problem::new(holder.place, evidence).field("data"));
        }
    }
    // Addresses that are put together at the start hold whatever the variable has.
    for (workload, container) in all_containers(snapshot) {
        let variables = Variables::of(snapshot, &workload.namespace, container);
        for (name, variable) in &variables.by_name {
            let dsn = variable.value.and_then(Value::dsn);
            let Some(used) = dsn.and_then(|dsn| dsn.password_variable.as_deref()) else { continue };
            let subject = workload.reference().container(&container.name);
            let known = variables.by_name.get(used).and_then(|used| used.value);
            let Some(hidden) = known.and_then(Value::hidden) else {
                findings.unknown(subject, format!("{used}, which {name} is made from"));
                continue;
            };
            findings.looked();
            if !is_url_safe(hidden) {
                let evidence = format!(
                    "{name} is made from {used} as it is, which has other characters than \
                     letters, digits and -._~"
                );
                findings.add(Problem::new(subject, evidence).field("env"));
            }
        }
    }
    findings
}

/// SEC-03
pub(super) fn several_copies(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let all = holders(snapshot);
    let secrets = all.iter().filter(|holder| holder.place.kind == "Secret");
    let mut groups: BTreeMap<(&str, &str), Vec<&Holder<'_>>> = BTreeMap::new();
    for holder in secrets {
        let Some(hidden) = holder.credential() else { continue };
        findings.looked();
        groups.entry((holder.namespace, &hidden.hash)).or_default().push(holder);
    }
    for copies in groups.into_values() {
        let names: BTreeSet<&str> = copies.iter().map(|one| one.place.name.as_str()).collect();
        let Some(first) = copies.first().filter(|_| names.len() > 1) else { continue };
        let evidence = format!("the same stands in {}", told(&copies));
        findings.add(Problem::new(first.place.clone(), evidence).field("data"));
    }
    findings
}

/// SEC-05
pub(super) fn shared_across(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    incomplete(snapshot, &mut findings, &[Fact::ConfigMaps, Fact::Workloads]);
    let mut all = holders(snapshot);
    all.retain(|holder| snapshot.environment(holder.namespace).is_some());
    let compared = Compared::of(all.iter());
    if let Some(doubt) = compared.doubt() {
        findings.unknown(ObjectRef::global("Salt", "snapshot"), doubt);
    }
    let environment =
        |holder: &Holder<'_>| snapshot.environment(holder.namespace).unwrap_or_default().to_owned();
    for mut copies in compared.equal.into_values() {
        findings.looked();
        let environments: BTreeSet<String> = copies.iter().map(|one| environment(one)).collect();
        copies.sort_by_key(|one| (Reverse(rank(&environment(one))), one.place.clone()));
        let Some(first) = copies.first().filter(|_| environments.len() > 1) else { continue };
        let evidence = format!("the same credential stands in {}", told(&copies));
        findings.add(Problem::new(first.place.clone(), evidence).field("data"));
    }
    for holder in &all {
        let Some(dsn) = holder.dsn() else { continue };
        let target = namespace_of_host(&dsn.host).and_then(|name| snapshot.environment(name));
        let Some(target) = target else { continue };
        findings.looked();
        let own = environment(holder);
        if target != own {
            let evidence = format!("{} leads to {}, which is of {target}", holder.key, dsn.host);
            findings.add(Problem::new(holder.place.clone(), evidence).field("data"));
        }
    }
    findings
}

/// SEC-06
pub(super) fn shared_by_stores(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let all = holders(snapshot);
    let groups = by_store(&all);
    for ((server, store), books) in &groups {
        let Some(cache) =
            groups.get(&(*server, Store::Redis)).filter(|_| *store == Store::Postgres)
        else {
            continue;
        };
        let both = || books.iter().chain(cache).copied();
        let compared = Compared::of(both());
        let subject = ObjectRef::new("Credential", *server, "postgres-and-redis");
        if let Some(doubt) = compared.doubt() {
            findings.unknown(subject, doubt);
            continue;
        }
        findings.looked();
        let shared = compared.equal.into_values().find(|equal| {
            let stores: BTreeSet<Option<Store>> = equal.iter().map(|one| one.store()).collect();
            stores.len() > 1
        });
        if let Some(shared) = shared {
            let evidence = format!("one password stands in {}", told(&shared));
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// SEC-09
pub(super) fn well_known(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let severity = |namespace: &str| match snapshot.environment(namespace) {
        Some("testnet" | "devnet") => Severity::High,
        Some(_) | None => Severity::Critical,
    };
    for holder in holders(snapshot) {
        let hidden = match holder.value {
            Value::Dsn(dsn) => dsn.password.as_ref(),
            Value::Hidden(hidden) => is_secret_key(holder.key).then_some(hidden),
            Value::Plain(_) => None,
        };
        let Some(hidden) = hidden else { continue };
        findings.looked();
        if hidden.well_known {
            let evidence = format!("{} holds one that programs are delivered with", holder.key);
            let severity = severity(holder.namespace);
            findings.add(Problem::new(holder.place, evidence).severity(severity).field("data"));
        }
    }
    // An authority is told its first administrator on the command line, as `NAME:PASSWORD`.
    for (workload, container) in all_containers(snapshot) {
        let words = container.command.iter().chain(&container.args);
        let hidden: Vec<&Hidden> = words.filter_map(Value::hidden).collect();
        if hidden.is_empty() {
            continue;
        }
        findings.looked();
        if hidden.iter().any(|one| one.well_known) {
            let subject = workload.reference().container(&container.name);
            let evidence = "its command line holds one that programs are delivered with";
            let severity = severity(&workload.namespace);
            findings.add(Problem::new(subject, evidence).severity(severity).field("args"));
        }
    }
    findings
}

/// Whether the Redis of a namespace asks for a password; none when nothing tells of it.
fn asks_password(snapshot: &Snapshot, namespace: &str, all: &[Holder<'_>]) -> Option<bool> {
    let beginning = format!("Pod {namespace}/");
    let servers = snapshot.redis.items().iter().filter(|one| one.place.starts_with(&beginning));
    let told: Vec<bool> = servers.filter_map(|one| one.asks_password.get().copied()).collect();
    if !told.is_empty() {
        return Some(told.contains(&true));
    }
    let own = all_containers(snapshot).filter(|(workload, _)| {
        workload.namespace == namespace && component(&workload.name) == Component::Redis
    });
    let asks = own.into_iter().any(|(_, container)| {
        let words = container.command.iter().chain(&container.args);
        words.filter_map(Value::plain).any(|word| word.starts_with("--requirepass"))
    });
    let kept = all.iter().any(|holder| {
        holder.namespace == namespace
            && holder.store() == Some(Store::Redis)
            && holder.credential().is_some()
    });
    (asks || kept).then_some(true)
}

/// Holds one client without a password against what its server asks for.
fn hold_client(
    snapshot: &Snapshot,
    findings: &mut Findings,
    all: &[Holder<'_>],
    (subject, server, what): (ObjectRef, &str, String),
) {
    match asks_password(snapshot, server, all) {
        Some(true) => {
            findings.looked();
            let evidence = format!("{what} has no password, and the Redis there asks for one");
            findings.add(Problem::new(subject, evidence));
        }
        Some(false) => findings.looked(),
        None => {
            let what = format!("whether the Redis of {server} asks for a password");
            findings.unknown_but(subject, what, Fact::Redis.how());
        }
    }
}

/// SEC-10
pub(super) fn no_password(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let all = holders(snapshot);
    for holder in all.iter().filter(|holder| holder.store() == Some(Store::Redis)) {
        let Some(dsn) = holder.dsn() else { continue };
        if dsn.password.is_some() || dsn.password_variable.is_some() {
            findings.looked();
            continue;
        }
        let client =
            (holder.place.clone(), holder.server(), format!("{} to {}", holder.key, dsn.host));
        hold_client(snapshot, &mut findings, &all, client);
    }
    // Clients that are told host and password apart.
    for (workload, container) in all_containers(snapshot) {
        if matches!(component(&workload.name), Component::Redis | Component::Sentinel) {
            continue;
        }
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let is_of = |name: &str, parts: &[&str]| {
            let name = name.to_ascii_lowercase();
            name.contains("redis") && parts.iter().any(|part| name.contains(part))
        };
        let host = variables.by_name.keys().find(|name| is_of(name, &["host", "addr"]));
        let Some(host) = host else { continue };
        let subject = workload.reference().container(&container.name);
        if variables.by_name.keys().any(|name| is_of(name, &["pass", "auth", "url"])) {
            findings.looked();
        } else if let Some(object) = variables.unknown.first() {
            findings.unknown(subject, format!("{object}, which may hold the password to {host}"));
        } else {
            let place = variables.plain(host).unwrap_or_default();
            let server = namespace_of_host(place).unwrap_or(&workload.namespace);
            let client = (subject, server, (*host).to_owned());
            hold_client(snapshot, &mut findings, &all, client);
        }
    }
    findings
}

/// Days after which a credential is to be changed, unless the inventory says otherwise.
const DAYS: u64 = 90;

/// SEC-36
pub(super) fn old(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().and_then(|one| one.thresholds.credential_days);
    let days = declared.map_or(DAYS, u64::from);
    for secret in snapshot.secrets.items().iter().filter(|one| holds_credentials(&one.kind)) {
        // Certificates have an end of their own.
        let is_kept = secret.kind != "kubernetes.io/tls";
        let has = secret.data.iter().any(|(key, value)| match value {
            Value::Dsn(dsn) => dsn.password.is_some(),
            Value::Hidden(_) => is_secret_key(key),
            Value::Plain(_) => false,
        });
        if !is_kept || !has {
            continue;
        }
        let (since, how) = since(secret);
        let age = since.map(|since| snapshot.age(since) / 86_400);
        match (age, how) {
            (Some(age), _) if age <= days => findings.looked(),
            (Some(age), "changed" | "rotated") => {
                findings.looked();
                let evidence = format!("{how} {age} days ago, {days} are allowed");
                let problem = Problem::new(secret.reference(), evidence);
                findings.add(problem.field("metadata.annotations"));
            }
            _ => findings.unknown(
                secret.reference(),
                "when it was changed: it is older than that, and its fields' managers are missing",
            ),
        }
    }
    findings
}

/// Since when a Secret is as it is, and how that is known. What was made lately was not changed
/// before; of what is older the day of its making tells nothing.
fn since(secret: &Secret) -> (Option<crate::facts::Time>, &'static str) {
    let written = secret.annotations.get("ops.gx/rotated").and_then(Value::plain);
    let written = written.and_then(|text| {
        let day = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        day.parse().ok()
    });
    match (written, secret.changed) {
        (Some(at), _) => (Some(at), "rotated"),
        (None, Some(at)) => (Some(at), "changed"),
        (None, None) => (secret.created, "made"),
    }
}
