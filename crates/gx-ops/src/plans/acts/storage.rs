//! A database moves from local volumes to replicated ones: a set beside the old one is filled,
//! compared, and only then led to; the old one stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::PlanError;
use super::super::action::{Action, Check, Effect};
use super::super::build::{Draft, WITHIN, Wanted};
use super::etcd::FACTS;
use super::postgres::{collected_from, psql};
use super::workloads::{scaling, stand};
use crate::facts::{
    Fact, Object as _, ObjectRef, Pod, Service, Snapshot, StorageClass, Workload, WorkloadKind,
};
use crate::questions::explain::called;
use crate::questions::find_workload;
use crate::rules::shared::{Component, component};

/// Counts every table and adds its rows up, in an order that does not depend on where they lie.
const ROWS: &str = "SELECT format($q$SELECT %L, count(*), md5(coalesce(string_agg(md5(t::text), \
                    '' ORDER BY md5(t::text)), '')) FROM %I.%I t$q$, schemaname || '.' || \
                    tablename, schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN \
                    ('pg_catalog', 'information_schema') ORDER BY 1 \\\\gexec";

fn class<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a StorageClass, PlanError> {
    let mut all = snapshot.storage_classes.items().iter();
    let found = all.find(|one| one.name == name);
    let found =
        found.ok_or_else(|| PlanError::Cannot(format!("there is no StorageClass {name}")))?;
    let local = ["local", "hostpath", "no-provisioner"];
    match local.iter().any(|word| found.provisioner.to_ascii_lowercase().contains(word)) {
        true => Err(PlanError::Cannot(format!(
            "volumes of {name} lie on one node as well ({})",
            found.provisioner
        ))),
        false => Ok(found),
    }
}

/// The Services that lead to it, and the workloads that call those.
fn around<'a>(snapshot: &'a Snapshot, one: &Workload) -> (Vec<&'a Service>, Vec<&'a Workload>) {
    let services: Vec<&Service> = snapshot
        .services
        .items()
        .iter()
        .filter(|service| {
            service.namespace == one.namespace
                && !service.selector.is_empty()
                && service.selector.iter().all(|(key, value)| {
                    key == "statefulset.kubernetes.io/pod-name"
                        || one.template.labels.get(key) == Some(value)
                })
        })
        .collect();
    let callers = snapshot
        .top_workloads()
        .filter(|other| matches!(other.kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet))
        .filter(|other| other.replicas > 0 && other.reference() != one.reference())
        .filter(|other| {
            let called = called(snapshot, &other.namespace, &other.template.spec);
            called.iter().any(|it| services.iter().any(|own| std::ptr::eq(*own, *it)))
        });
    (services.clone(), callers.collect())
}

pub(super) fn migrate(snapshot: &Snapshot, name: &str, to: &str) -> Result<Wanted, PlanError> {
    let one = find_workload(snapshot, name)?;
    let class = class(snapshot, to)?;
    let is_database = component(&one.name) == Component::Postgres;
    if one.kind != WorkloadKind::StatefulSet || !is_database {
        return Err(PlanError::Cannot(format!(
            "{} is no StatefulSet of PostgreSQL. Peers and orderers are not copied: a new one \
             fills itself from the channel",
            one.reference()
        )));
    }
    if one.claim_templates.iter().all(|template| template.class.as_deref() == Some(to)) {
        return Err(PlanError::Nothing(format!("its claims are of {to} already")));
    }
    let pods = snapshot.pods_of(one);
    let writes = |pod: &&&Pod| {
        let place = pod.reference().to_string();
        let mut servers = snapshot.postgres.items().iter();
        servers.any(|server| server.place == place && !server.in_recovery)
    };
    let Some(primary) = pods.iter().find(writes).copied() else {
        let how = Fact::Postgres.how();
        return Err(PlanError::Cannot(format!("which server takes writes is not known: {how}")));
    };
    let (services, callers) = around(snapshot, one);
    let mut wanted = Wanted { needs: vec![Fact::Postgres, Fact::Backups], ..Wanted::default() };
    stand(snapshot, &mut wanted, one);
    wanted.stand(class.reference().to_string(), class.provisioner.clone());
    services.iter().for_each(|service| {
        wanted.stand(service.reference().to_string(), format!("{} leads to it", service.uid));
    });
    wanted.steps.push(saved(snapshot, one));
    wanted.steps.push(beside(one, to, &services));
    for caller in &callers {
        stand(snapshot, &mut wanted, caller);
        let why = format!("nobody may write to {} while it is copied", one.name);
        wanted.steps.push(scaling(caller, caller.replicas, 0, why, true));
    }
    wanted.steps.push(copy(one, primary, &database(snapshot, primary)));
    services.iter().for_each(|service| wanted.steps.push(lead(one, service)));
    for caller in &callers {
        let why = "it writes to the new set from now on".to_owned();
        wanted.steps.push(scaling(caller, 0, caller.replicas, why, false));
    }
    wanted.notes.push(format!(
        "{} and its claims stay as they are, for a day at least: leading the Services back is the \
         way back as long as nothing was written",
        one.reference()
    ));
    Ok(wanted)
}

fn asked(title: String, run: Vec<String>, why: &str, rollback: Vec<String>, check: Check) -> Draft {
    Draft {
        title,
        action: Action::Ask {
            place: "any machine with kubectl".to_owned(),
            run,
            effect: Effect::Nothing,
        },
        why: why.to_owned(),
        rollback,
        check,
        within: WITHIN,
        dependants: Vec::new(),
    }
}

fn saved(snapshot: &Snapshot, one: &Workload) -> Draft {
    let environment = snapshot.environment(&one.namespace).unwrap_or_default().to_owned();
    asked(
        format!("save {}, and read the copy again", one.reference()),
        vec![
            "gx backup run && gx backup verify".to_owned(),
            format!("gx backup status --json > {FACTS}/backups.json"),
        ],
        "whatever goes wrong afterwards, this is what it is restored from",
        vec!["none is needed".to_owned()],
        Check::Backup { component: "postgres".to_owned(), environment },
    )
}

/// The name that a label has in the new set, so that no Service of the old one finds it.
fn other(value: &str) -> String {
    format!("{value}-next")
}

/// Labels by which Services find the pods of a set.
fn found_by(one: &Workload, services: &[&Service]) -> BTreeSet<String> {
    let keys = services.iter().flat_map(|service| service.selector.keys());
    let own = one.selector.labels.keys();
    keys.chain(own).filter(|key| one.template.labels.contains_key(*key)).cloned().collect()
}

/// A set of the same description, with other labels and other claims.
fn beside(one: &Workload, class: &str, services: &[&Service]) -> Draft {
    let (name, namespace) = (&one.name, &one.namespace);
    let mut edits = vec![
        "del(.status, .metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp, \
         .metadata.generation, .metadata.annotations)"
            .to_owned(),
        format!(".metadata.name = \"{name}-next\""),
        format!(".spec.serviceName = \"{name}-next\""),
        format!(".spec.volumeClaimTemplates[].spec.storageClassName = \"{class}\""),
    ];
    let mut labels: BTreeMap<&String, String> = BTreeMap::new();
    for key in found_by(one, services).iter() {
        let value = one.template.labels.get(key).map_or("", String::as_str);
        edits.push(format!(".spec.template.metadata.labels[\"{key}\"] = \"{}\"", other(value)));
        if one.selector.labels.contains_key(key) {
            edits.push(format!(".spec.selector.matchLabels[\"{key}\"] = \"{}\"", other(value)));
        }
    }
    for (key, value) in &one.selector.labels {
        labels.insert(key, other(value));
    }
    let service = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": format!("{name}-next"), "namespace": namespace},
        "spec": {"clusterIP": "None", "selector": labels, "ports": [{"port": 5432}]}});
    let mut draft = asked(
        format!("make StatefulSet {namespace}/{name}-next beside it, on {class}"),
        vec![
            format!("echo '{service}' | kubectl create -f -"),
            format!(
                "kubectl get statefulset {name} -n {namespace} -o json | jq '{}' | kubectl create \
                 -f -",
                edits.join(" | ")
            ),
            format!("kubectl rollout status statefulset/{name}-next -n {namespace}"),
        ],
        "its pods have other labels: no Service of the old set may find them before they are \
         filled",
        vec![
            format!("kubectl delete statefulset {name}-next -n {namespace}"),
            format!("kubectl delete service {name}-next -n {namespace}"),
        ],
        Check::Ready {
            workload: ObjectRef::new("StatefulSet", namespace, format!("{name}-next")),
            ready: usize::try_from(one.replicas).unwrap_or(usize::MAX),
            seconds: 0,
        },
    );
    draft.dependants.push("nobody: nothing leads to it yet".to_owned());
    draft
}

/// The pod of the new set that is filled.
fn new_pod(one: &Workload) -> Pod {
    let name = format!("{}-next-0", one.name);
    Pod { name, namespace: one.namespace.clone(), ..Pod::default() }
}

/// The database whose tables were looked into, by a name that a command takes.
fn database(snapshot: &Snapshot, primary: &Pod) -> String {
    let place = primary.reference().to_string();
    let servers = snapshot.postgres.items().iter().filter(|one| one.place == place);
    let databases = servers.filter_map(|one| one.databases.get()).flatten();
    let told = databases.into_iter().find(|one| one.is_told);
    let name = told.map_or("postgres", |one| one.name.as_str());
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
}

fn copy(one: &Workload, primary: &Pod, database: &str) -> Draft {
    let new = new_pod(one);
    let dump = psql(primary, "")
        .replace("psql -X -U postgres", "pg_dumpall -U postgres --clean --if-exists");
    let rows = |pod: &Pod, file: &str| {
        format!("echo \"{ROWS}\" | {} > {file}", psql(pod, &format!("-At -d {database}")))
    };
    asked(
        format!("copy {} to {}, and compare every table", primary.name, new.name),
        vec![
            format!("{} | {}", dump.trim(), psql(&new, "-q")),
            rows(primary, "old.rows"),
            rows(&new, "new.rows"),
            "diff old.rows new.rows && echo the same".to_owned(),
            collected_from(primary, database),
            collected_from(&new, database),
        ],
        "numbers of rows and checksums of every table are the same before anybody is led to it",
        vec!["none is needed: the old set was only read".to_owned()],
        Check::SameRows {
            one: primary.reference().to_string(),
            other: new.reference().to_string(),
        },
    )
}

fn lead(one: &Workload, service: &Service) -> Draft {
    let key = "statefulset.kubernetes.io/pod-name";
    let mut labels = BTreeMap::new();
    for (name, value) in &service.selector {
        let value = match name.as_str() == key {
            true => value.replacen(&one.name, &format!("{}-next", one.name), 1),
            false => other(value),
        };
        labels.insert(name.clone(), value);
    }
    let patch = |selector: &BTreeMap<String, String>| {
        format!(
            "kubectl patch service {} -n {} --type=merge -p '{}'",
            service.name,
            service.namespace,
            json!({"spec": {"selector": selector}})
        )
    };
    asked(
        format!("lead {} to {}-next", service.reference(), one.name),
        vec![patch(&labels)],
        "the new set has everything that the old one has",
        vec![patch(&service.selector)],
        Check::Selects { service: service.reference(), labels: labels.clone() },
    )
}
