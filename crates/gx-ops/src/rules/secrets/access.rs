//! Who gets in: to hosts, to the cluster, to addresses for administrators, to archives.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::rank;
use super::super::{Findings, Problem};
use crate::facts::{
    Fact, Known, Object as _, ObjectRef, Permission, RoleBinding, Snapshot, Value, WorkloadKind,
};

fn host(name: &str) -> ObjectRef {
    ObjectRef::global("Host", name)
}

/// SEC-22
pub(super) fn password_login(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for one in snapshot.hosts.items() {
        let settings = match &one.ssh {
            Known::Known(server) => &server.settings,
            Known::Missing(missing) => {
                let what = format!("the settings of its SSH daemon: {}", missing.missing);
                findings.unknown(host(&one.name), what);
                continue;
            }
        };
        findings.looked();
        let is_yes = |name: &str| settings.get(name).is_some_and(|value| value == "yes");
        let mut wrong = Vec::new();
        // What the daemon does not say of it is its own default, which is yes.
        if settings.get("passwordauthentication").is_none_or(|value| value != "no") {
            wrong.push("PasswordAuthentication is on");
        }
        if is_yes("permitemptypasswords") {
            wrong.push("PermitEmptyPasswords is on");
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(host(&one.name), wrong.join("; ")));
        }
    }
    same_root_password(snapshot, &mut findings);
    findings
}

/// Hosts that were made from one image, and whose root has kept its password.
fn same_root_password(snapshot: &Snapshot, findings: &mut Findings) {
    let mut hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in snapshot.hosts.items() {
        let passwords = match &one.passwords {
            Known::Known(passwords) => passwords,
            Known::Missing(missing) => {
                let what = format!("the passwords of its users: {}", missing.missing);
                findings.unknown(host(&one.name), what);
                continue;
            }
        };
        findings.looked();
        for password in passwords {
            if password.state == "empty" {
                let evidence = format!("{} has an empty password", password.user);
                findings.add(Problem::new(host(&one.name), evidence));
            } else if password.user == "root"
                && let Some(Value::Hidden(hidden)) = &password.content
            {
                hosts.entry(&hidden.hash).or_default().push(&one.name);
            }
        }
    }
    for names in hosts.into_values().filter(|names| names.len() > 1) {
        let evidence = format!("root has the same password on {}", names.join(", "));
        findings.add(Problem::new(ObjectRef::global("Credential", "root"), evidence));
    }
}

/// SEC-23
pub(super) fn untidy_keys(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for one in snapshot.hosts.items() {
        let lists = match &one.authorized_keys {
            Known::Known(lists) => lists,
            Known::Missing(missing) => {
                let what = format!("its lists of authorized keys: {}", missing.missing);
                findings.unknown(host(&one.name), what);
                continue;
            }
        };
        findings.looked();
        let untidy = lists.iter().filter(|list| list.duplicates > 0 || list.malformed > 0);
        let told: Vec<String> = untidy
            .map(|list| {
                format!(
                    "that of {} has {} keys, {} of them twice, and {} broken lines",
                    list.user, list.keys, list.duplicates, list.malformed
                )
            })
            .collect();
        if !told.is_empty() {
            findings.add(Problem::new(host(&one.name), told.join("; ")));
        }
    }
    findings
}

/// Whether words of a path or a host say that it is for administrators.
fn is_for_administrators(text: &str) -> bool {
    let words = super::super::shared::words(text);
    words.iter().any(|word| ["admin", "administration"].contains(&word.as_str()))
}

/// SEC-24
pub(super) fn open_to_all(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ingress in snapshot.ingresses.items() {
        let mut hosts: BTreeSet<&str> = BTreeSet::new();
        for path in &ingress.paths {
            let parts = [&path.host, &path.path, &path.service];
            if !path.host.is_empty() && parts.iter().any(|part| is_for_administrators(part)) {
                hosts.insert(&path.host);
            }
        }
        for name in hosts {
            let tried = snapshot.reached.items().iter().filter(|one| one.to == name);
            let tried: Vec<_> = tried.filter(|one| is_for_administrators(&one.path)).collect();
            let answered: Vec<_> =
                tried.iter().filter_map(|one| Some((one, one.status?))).collect();
            if answered.is_empty() {
                let what = format!("what {name} answers without a login to administrators' paths");
                findings.unknown_but(ingress.reference(), what, Fact::Reached.how());
                continue;
            }
            findings.looked();
            let open: Vec<String> = answered
                .iter()
                .filter(|(_, status)| (200..300).contains(status))
                .map(|(one, status)| format!("{} from {}: {status}", one.path, one.from))
                .collect();
            if !open.is_empty() {
                let evidence = format!("{name} answers {}", open.join(", "));
                findings.add(Problem::new(ingress.reference(), evidence));
            }
        }
    }
    findings
}

/// SEC-32
pub(super) fn open_archives(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    if let Some(why) = snapshot.lacks(Fact::Backups) {
        let subject = ObjectRef::global("Fact", Fact::Backups.name());
        findings.unknown_but(subject, format!("what lies outside: {why}"), Fact::Backups.how());
    }
    for backup in snapshot.backups.items().iter().filter(|one| one.host.is_empty()) {
        let name = format!("{}/{}", backup.environment, backup.component);
        let subject = ObjectRef::global("Backup", name);
        let mut open = Vec::new();
        let mut unknown = 0_usize;
        for artifact in &backup.artifacts {
            match artifact.encrypted {
                Known::Known(true) => findings.looked(),
                Known::Known(false) => {
                    findings.looked();
                    open.push(artifact.name.as_str());
                }
                Known::Missing(_) => unknown = unknown.saturating_add(1),
            }
        }
        if !open.is_empty() {
            let evidence = format!(
                "{} of {} archives at {} are not encrypted, such as {}",
                open.len(),
                backup.artifacts.len(),
                backup.target,
                open.first().copied().unwrap_or_default()
            );
            findings.add(Problem::new(subject.clone(), evidence));
        }
        if unknown > 0 {
            findings.unknown(subject, format!("whether {unknown} archives are encrypted"));
        }
    }
    findings
}

/// What a permission lets somebody change, as `patch of deployments`.
fn changes(permission: &Permission) -> Option<String> {
    const WRITES: [&str; 10] = [
        "*",
        "bind",
        "create",
        "delete",
        "deletecollection",
        "escalate",
        "impersonate",
        "patch",
        "put",
        "update",
    ];
    let verbs: Vec<&str> =
        permission.verbs.iter().map(String::as_str).filter(|verb| WRITES.contains(verb)).collect();
    // What only asks about oneself changes nothing.
    let reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "tokenreviews"];
    let resources: Vec<&str> = permission
        .resources
        .iter()
        .map(String::as_str)
        .filter(|resource| !reviews.contains(resource))
        .collect();
    let is_any = !verbs.is_empty() && !resources.is_empty();
    is_any.then(|| format!("{} of {}", verbs.join(", "), resources.join(", ")))
}

/// Roles that every cluster has and that let somebody change things.
const OWN_ROLES: [&str; 3] = ["admin", "cluster-admin", "edit"];

/// SEC-33
pub(super) fn reaches_up(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let top = snapshot.namespaces.items().iter().filter_map(|one| snapshot.environment(&one.name));
    let top = top.filter_map(|one| rank(one).map(|rank| (rank, one))).max();
    for binding in snapshot.role_bindings.items() {
        // A binding of the whole cluster reaches the highest environment that it has.
        let target = match binding.namespace.as_str() {
            "" => top.map_or(Some("mainnet"), |(_, name)| Some(name)),
            namespace => snapshot.environment(namespace),
        };
        let Some((target, height)) = target.and_then(|one| Some((one, rank(one)?))) else {
            continue;
        };
        let lower: Vec<String> = binding
            .subjects
            .iter()
            .filter(|subject| subject.kind == "ServiceAccount")
            .filter(|subject| {
                let own = snapshot.environment(&subject.namespace).and_then(rank);
                own.is_some_and(|own| own < height)
            })
            .map(|subject| format!("{}/{}", subject.namespace, subject.name))
            .collect();
        let kind = if binding.namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
        let subject = ObjectRef::new(kind, &binding.namespace, &binding.name);
        if lower.is_empty() {
            findings.looked();
            continue;
        }
        match rights(snapshot, binding) {
            Some(rights) if rights.is_empty() => findings.looked(),
            Some(rights) => {
                findings.looked();
                let evidence =
                    format!("{} may {} in {target}", lower.join(", "), rights.join("; "));
                findings.add(Problem::new(subject, evidence).field("subjects"));
            }
            None => {
                let what = format!("what the role {} lets {} do", binding.role, lower.join(", "));
                findings.unknown(subject, what);
            }
        }
    }
    findings
}

/// What a binding lets its subjects change; none when its role is not known.
fn rights(snapshot: &Snapshot, binding: &RoleBinding) -> Option<Vec<String>> {
    let is_of_cluster = binding.role_kind == "ClusterRole";
    let namespace = if is_of_cluster { "" } else { binding.namespace.as_str() };
    let mut roles = snapshot.roles.items().iter();
    let role = roles.find(|one| one.name == binding.role && one.namespace == namespace);
    match role {
        Some(role) => Some(role.rules.iter().filter_map(changes).collect()),
        None if is_of_cluster && OWN_ROLES.contains(&binding.role.as_str()) => {
            Some(vec![format!("whatever {} may", binding.role)])
        }
        // A binding to a role that does not exist gives nothing.
        None if snapshot.roles.is_whole() => Some(Vec::new()),
        None => None,
    }
}

/// SEC-34
pub(super) fn readable_kubeconfig(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for one in snapshot.hosts.items() {
        let files = match &one.configs {
            Known::Known(files) => files,
            Known::Missing(missing) => {
                let what = format!("its files of configuration: {}", missing.missing);
                findings.unknown(host(&one.name), what);
                continue;
            }
        };
        let names = ["k3s.yaml", "admin.conf", "kubeconfig"];
        let mut wrong = Vec::new();
        for file in files {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            if !names.contains(&name) && !file.path.ends_with("/.kube/config") {
                continue;
            }
            let Ok(mode) = u32::from_str_radix(&file.mode, 8) else {
                findings.unknown(host(&one.name), format!("the mode of {}", file.path));
                continue;
            };
            findings.looked();
            if mode & 0o077 != 0 {
                wrong.push(format!("{} has the mode {}", file.path, file.mode));
            }
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(host(&one.name), wrong.join("; ")));
        }
    }
    findings
}

/// A habit for people.
fn habit(name: &str) -> &str {
    match name {
        "hostKeysUnchecked" => "it does not check the keys of hosts",
        "passwordOnCommandLine" => "it gives a password on a command line",
        "passwordInScript" => "a password stands in it",
        other => other,
    }
}

/// SEC-35
pub(super) fn careless_scripts(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let told =
        |habits: &[String]| habits.iter().map(|name| habit(name)).collect::<Vec<&str>>().join("; ");
    for workload in snapshot.top_workloads() {
        // What a server is started with is no automation.
        if !matches!(workload.kind, WorkloadKind::CronJob | WorkloadKind::Job) {
            continue;
        }
        for container in workload.template.spec.all_containers() {
            findings.looked();
            if !container.careless.is_empty() {
                let subject = workload.reference().container(&container.name);
                findings.add(Problem::new(subject, told(&container.careless)).field("command"));
            }
        }
    }
    for map in snapshot.config_maps.items() {
        findings.looked();
        for (key, habits) in &map.careless {
            let subject = map.reference().container(key);
            let severity =
                habits.iter().any(|one| one == "passwordInScript").then_some(Severity::High);
            let problem = Problem::new(subject, told(habits)).field("data");
            findings.add(match severity {
                Some(severity) => problem.severity(severity),
                None => problem,
            });
        }
    }
    if let Some(why) = snapshot.lacks(Fact::Hosts) {
        let subject = ObjectRef::global("Fact", Fact::Hosts.name());
        findings.unknown_but(subject, format!("their scripts: {why}"), Fact::Hosts.how());
    }
    for one in snapshot.hosts.items() {
        match &one.careless {
            Known::Known(scripts) => {
                findings.looked();
                let scripts: Vec<String> = scripts
                    .iter()
                    .map(|script| format!("{}: {}", script.path, habit(&script.habit)))
                    .collect();
                if !scripts.is_empty() {
                    findings.add(Problem::new(host(&one.name), scripts.join("; ")));
                }
            }
            Known::Missing(missing) => {
                let what = format!("what its scripts do: {}", missing.missing);
                findings.unknown(host(&one.name), what);
            }
        }
    }
    findings
}
