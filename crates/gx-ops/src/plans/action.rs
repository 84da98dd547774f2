//! What a step does, to exactly which object, and by which facts it is told whether it was done.
//!
//! All of it is pure: the same snapshot gives the same answer.

use serde::{Deserialize, Serialize};

use crate::facts::{
    EtcdMember, Known, Node, Object, ObjectRef, Pod, Postgres, Service, Snapshot, Workload,
    WorkloadKind,
};
use crate::questions::what_if::Change;

/// One object and no other of the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Exact {
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Of what has one: it is another when the description of the object is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
}

impl Exact {
    pub(super) fn of(object: &impl Object) -> Self {
        Self {
            kind: object.kind().to_owned(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
            generation: None,
        }
    }

    pub(super) fn of_workload(workload: &Workload) -> Self {
        Self { generation: workload.generation, ..Self::of(workload) }
    }

    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(&self.kind, &self.namespace, &self.name)
    }

    /// Its kind, as it stands in a command.
    pub(super) fn kubectl(&self) -> String {
        let kind = self.kind.to_ascii_lowercase();
        match self.namespace.as_str() {
            "" => format!("{kind}/{}", self.name),
            namespace => format!("{kind}/{} -n {namespace}", self.name),
        }
    }
}

/// What a person is asked to do changes besides the facts of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Effect {
    /// Nothing that lives by numbers, and no data.
    Nothing,
    EtcdRemoved {
        member: String,
    },
    EtcdAdded {
        node: String,
    },
    /// A file of a host is deleted.
    FileRemoved {
        host: String,
        path: String,
    },
    /// Another server of a database takes the writes.
    PrimaryMoved {
        from: String,
        to: String,
    },
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    Delete {
        object: Exact,
    },
    /// With `remember`, the number is noted at the workload, to be found again.
    Scale {
        object: Exact,
        from: u32,
        to: u32,
        remember: bool,
    },
    /// Closed nodes take no more pods.
    Close {
        object: Exact,
        closed: bool,
    },
    Label {
        object: Exact,
        key: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// Through the Eviction API, as budgets allow.
    Evict {
        pods: Vec<Exact>,
    },
    /// New values beside those that hold, the exchange, or the end of the old ones.
    Rotate {
        holders: Vec<Holder>,
        stage: Stage,
    },
    /// Commands that somebody gives, one after the other.
    Ask {
        place: String,
        run: Vec<String>,
        effect: Effect,
    },
}

/// A key of a Secret that holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Holder {
    pub object: Exact,
    pub key: String,
    /// The credential is the password of an address, not the whole value.
    pub is_address: bool,
}

/// How far a credential is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The new value lies beside the old one, as `KEY.next`.
    Next,
    /// The new value holds, the old one lies beside it, as `KEY.previous`.
    Switched,
    /// Nothing lies beside it.
    Final,
}

/// Where the number of pods of a parked workload is noted.
pub const REPLICAS_BEFORE: &str = "gx-ops/replicas-before";

/// Ending of the key that holds a value which is to come.
pub const NEXT: &str = ".next";
/// Ending of the key that holds the value before.
pub const PREVIOUS: &str = ".previous";

/// How far an action is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Before,
    After,
    /// Neither: somebody else has changed something.
    Other(String),
}

/// What has to hold after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "holds", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Check {
    /// The objects are as the action leaves them.
    Done,
    /// So many pods of a workload are ready, each for so long.
    Ready { workload: ObjectRef, ready: usize, seconds: u64 },
    /// Etcd has, or has not, a member; all that it has are healthy, and none is a learner.
    Etcd { with: Vec<String>, without: Vec<String> },
    /// A snapshot of etcd was made since.
    EtcdSnapshot,
    /// This server of a database takes no writes.
    Fenced { place: String },
    /// A node has an image.
    Image { node: String, image: String },
    /// This server takes writes, and that one does not.
    Primary { is: String, was: String },
    /// Two servers hold the same tables with the same numbers of rows.
    SameRows { one: String, other: String },
    /// A backup of a component was made since then, read again, and found whole.
    Backup { component: String, environment: String },
    /// A Service selects these labels.
    Selects { service: ObjectRef, labels: std::collections::BTreeMap<String, String> },
    /// No fact shows it: whoever did it says so.
    Said { what: String },
}

impl Action {
    /// The objects of the cluster that are touched.
    pub fn objects(&self) -> Vec<&Exact> {
        match self {
            Self::Delete { object }
            | Self::Scale { object, .. }
            | Self::Close { object, .. }
            | Self::Label { object, .. } => vec![object],
            Self::Evict { pods } => pods.iter().collect(),
            Self::Rotate { holders, .. } => holders.iter().map(|one| &one.object).collect(),
            Self::Ask { .. } => Vec::new(),
        }
    }

    /// What is to be supposed when it is asked what would be.
    pub(super) fn changes(&self) -> Vec<Change> {
        match self {
            Self::Scale { object, to, .. } => vec![Change::Scale {
                workload: format!("{}/{}/{}", object.kind, object.namespace, object.name),
                replicas: *to,
            }],
            Self::Close { object, closed: true } => vec![Change::Cordon(object.name.clone())],
            Self::Close { object, closed: false } => vec![Change::Uncordon(object.name.clone())],
            Self::Label { object, key, to, .. } => vec![Change::Label {
                node: object.name.clone(),
                key: key.clone(),
                value: to.clone(),
            }],
            Self::Evict { pods } => pods
                .iter()
                .map(|pod| Change::Evict(format!("{}/{}", pod.namespace, pod.name)))
                .collect(),
            Self::Ask { effect: Effect::EtcdRemoved { member }, .. } => {
                vec![Change::RemoveEtcd(member.clone())]
            }
            Self::Delete { .. } | Self::Rotate { .. } | Self::Ask { .. } => Vec::new(),
        }
    }

    /// What is left of it to do: of several pods those that are there still.
    pub(crate) fn left(&self, snapshot: &Snapshot) -> Self {
        let Self::Evict { pods } = self else { return self.clone() };
        let is_left = |pod: &&Exact| uid_of(snapshot, pod).as_ref() == Some(&pod.uid);
        Self::Evict { pods: pods.iter().filter(is_left).cloned().collect() }
    }

    /// How far it is, by the facts. Of what somebody is asked to do no fact tells that alone.
    pub fn progress(&self, snapshot: &Snapshot) -> Progress {
        match self {
            Self::Delete { object } => match uid_of(snapshot, object) {
                Some(uid) if uid == object.uid => Progress::Before,
                Some(_) | None => Progress::After,
            },
            Self::Evict { pods } => {
                match pods.iter().any(|pod| uid_of(snapshot, pod).as_ref() == Some(&pod.uid)) {
                    true => Progress::Before,
                    false => Progress::After,
                }
            }
            Self::Scale { object, from, to, .. } => {
                let Some(one) = workload(snapshot, object) else { return gone(object) };
                match one.replicas {
                    _ if one.uid != object.uid => replaced(object),
                    number if number == *to => Progress::After,
                    number if number == *from => Progress::Before,
                    number => Progress::Other(format!(
                        "{} has {number} replicas, neither {from} nor {to}",
                        object.reference()
                    )),
                }
            }
            Self::Close { object, closed } => {
                let Some(node) = snapshot.node(&object.name) else { return gone(object) };
                match node.unschedulable == *closed {
                    _ if node.uid != object.uid => replaced(object),
                    true => Progress::After,
                    false => Progress::Before,
                }
            }
            Self::Label { object, key, from, to } => {
                let Some(node) = snapshot.node(&object.name) else { return gone(object) };
                match node.labels.get(key) {
                    _ if node.uid != object.uid => replaced(object),
                    value if value == to.as_ref() => Progress::After,
                    value if value == from.as_ref() => Progress::Before,
                    _ => Progress::Other(format!(
                        "{} has another value of {key}",
                        object.reference()
                    )),
                }
            }
            Self::Rotate { holders, stage } => rotated(snapshot, holders, *stage),
            Self::Ask { .. } => Progress::Before,
        }
    }
}

fn gone(object: &Exact) -> Progress {
    Progress::Other(format!("{} is gone", object.reference()))
}

fn replaced(object: &Exact) -> Progress {
    Progress::Other(format!("{} is another one of the same name", object.reference()))
}

/// Before the stage, after it, or some holders on each side.
fn rotated(snapshot: &Snapshot, holders: &[Holder], stage: Stage) -> Progress {
    let mut after = 0;
    for holder in holders {
        let mut secrets = snapshot.secrets.items().iter();
        let place = (&holder.object.namespace, &holder.object.name);
        let Some(secret) = secrets.find(|one| (&one.namespace, &one.name) == place) else {
            return gone(&holder.object);
        };
        if secret.uid != holder.object.uid {
            return replaced(&holder.object);
        }
        let has = |ending: &str| secret.data.contains_key(&format!("{}{ending}", holder.key));
        after += usize::from(match stage {
            Stage::Next => has(NEXT),
            Stage::Switched => has(PREVIOUS),
            Stage::Final => !has(NEXT) && !has(PREVIOUS),
        });
    }
    if after == holders.len() { Progress::After } else { Progress::Before }
}

pub(super) fn workload<'a>(snapshot: &'a Snapshot, object: &Exact) -> Option<&'a Workload> {
    let kinds = [
        WorkloadKind::Deployment,
        WorkloadKind::StatefulSet,
        WorkloadKind::DaemonSet,
        WorkloadKind::ReplicaSet,
        WorkloadKind::Job,
        WorkloadKind::CronJob,
    ];
    let kind = kinds.into_iter().find(|kind| kind.as_str() == object.kind)?;
    snapshot.workload(kind, &object.namespace, &object.name)
}

pub(super) fn pod<'a>(snapshot: &'a Snapshot, object: &Exact) -> Option<&'a Pod> {
    snapshot.pod(&object.namespace, &object.name)
}

pub(super) fn service<'a>(snapshot: &'a Snapshot, object: &ObjectRef) -> Option<&'a Service> {
    let mut all = snapshot.services.items().iter();
    all.find(|one| one.namespace == object.namespace && one.name == object.name)
}

/// The UID of the object of this name that there is now.
fn uid_of(snapshot: &Snapshot, object: &Exact) -> Option<String> {
    let uid = match object.kind.as_str() {
        "Pod" => &pod(snapshot, object)?.uid,
        "Node" => &snapshot.node(&object.name)?.uid,
        "Service" => &service(snapshot, &object.reference())?.uid,
        "PersistentVolumeClaim" => &snapshot.claim(&object.namespace, &object.name)?.uid,
        "PersistentVolume" => &snapshot.volume(&object.name)?.uid,
        _ => &workload(snapshot, object)?.uid,
    };
    Some(uid.clone())
}

impl Check {
    /// Whether it holds, or what is missing. `began` is when the step was begun.
    pub fn holds(
        &self,
        action: &Action,
        snapshot: &Snapshot,
        began: crate::facts::Time,
    ) -> Result<(), String> {
        if !matches!(action, Action::Ask { .. }) {
            match action.progress(snapshot) {
                Progress::After => {}
                Progress::Before => return Err("it is as before".to_owned()),
                Progress::Other(why) => return Err(why),
            }
        }
        match self {
            Self::Done | Self::Said { .. } => Ok(()),
            Self::Ready { workload, ready, seconds } => {
                are_ready(snapshot, workload, *ready, *seconds)
            }
            Self::Etcd { with, without } => etcd(snapshot, with, without),
            Self::EtcdSnapshot => etcd_saved(snapshot, began),
            Self::Fenced { place } => fenced(snapshot, place),
            Self::Image { node, image } => has_image(snapshot, node, image),
            Self::Primary { is, was } => primary(snapshot, is, was),
            Self::SameRows { one, other } => same_rows(snapshot, one, other),
            Self::Backup { component, environment } => {
                backed_up(snapshot, component, environment, began)
            }
            Self::Selects { service: wanted, labels } => match service(snapshot, wanted) {
                Some(one) if one.selector == *labels => Ok(()),
                Some(_) => Err(format!("{wanted} selects other labels")),
                None => Err(format!("there is no {wanted}")),
            },
        }
    }

    /// In words, for whoever waits for it.
    pub fn told(&self) -> String {
        match self {
            Self::Done => "the object is as said".to_owned(),
            Self::Ready { workload, ready, seconds: 0 } => format!("{workload}: {ready} ready"),
            Self::Ready { workload, ready, seconds } => {
                format!("{workload}: {ready} ready, each for {seconds} s")
            }
            Self::Etcd { with, without } => {
                let mut text = "all members of etcd are healthy, none is a learner".to_owned();
                with.iter().for_each(|one| text.push_str(&format!(", one is on {one}")));
                without.iter().for_each(|one| text.push_str(&format!(", {one} is none")));
                text
            }
            Self::EtcdSnapshot => "a snapshot of etcd was made since".to_owned(),
            Self::Fenced { place } => format!("{place} takes no writes"),
            Self::Image { node, image } => format!("{node} has {image}"),
            Self::Primary { is, was } => format!("{is} takes writes and {was} does not"),
            Self::SameRows { one, other } => {
                format!("{one} and {other} hold the same tables with as many rows")
            }
            Self::Backup { component, environment } => {
                format!("a backup of {component} ({environment}), made since, was read again")
            }
            Self::Selects { service, labels } => {
                let labels: Vec<String> =
                    labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{service} selects {}", labels.join(","))
            }
            Self::Said { what } => format!("you say so: {what}"),
        }
    }
}

fn are_ready(
    snapshot: &Snapshot,
    wanted: &ObjectRef,
    ready: usize,
    seconds: u64,
) -> Result<(), String> {
    let mut all = snapshot.top_workloads();
    let Some(one) = all.find(|one| one.reference() == *wanted) else {
        return Err(format!("there is no {wanted}"));
    };
    let pods = snapshot.pods_of(one).into_iter();
    let found = pods.filter(|pod| pod.is_active() && pod.is_ready()).filter(|pod| {
        let ready = crate::facts::condition(&pod.conditions, "Ready");
        let since = ready.and_then(|one| one.since);
        seconds == 0 || since.is_some_and(|since| snapshot.age(since) >= seconds)
    });
    match found.count() {
        count if count >= ready => Ok(()),
        count => Err(format!("{count} of {ready} pods of {wanted} are ready")),
    }
}

/// All that etcd itself tells of its members.
fn members(snapshot: &Snapshot) -> Option<&Vec<EtcdMember>> {
    let views = snapshot.etcd.items().iter().filter_map(|one| one.members.get());
    views.max_by_key(|members| members.len())
}

fn etcd(snapshot: &Snapshot, with: &[String], without: &[String]) -> Result<(), String> {
    let members = members(snapshot).ok_or("nothing is known of etcd's members")?;
    if let Some(one) = members.iter().find(|one| without.contains(&one.name)) {
        return Err(format!("{} is a member still", one.name));
    }
    for node in with {
        let is_of = |one: &&EtcdMember| {
            one.name == *node
                || one.name.strip_prefix(node.as_str()).is_some_and(|rest| rest.starts_with('-'))
        };
        if !members.iter().any(|one| is_of(&one)) {
            return Err(format!("no member is on {node}"));
        }
    }
    match members.iter().find(|one| one.healthy != Known::Known(true) || one.is_learner) {
        Some(one) => Err(format!("{} is not healthy, or a learner", one.name)),
        None => Ok(()),
    }
}

fn has_image(snapshot: &Snapshot, node: &str, image: &str) -> Result<(), String> {
    let known = snapshot.node(node).and_then(|node: &Node| node.has_image(image));
    let wanted = crate::facts::normal_image(image);
    let hosts = snapshot.hosts.items().iter().filter(|host| host.name == node);
    let on_host = hosts
        .filter_map(|host| host.images.get())
        .flatten()
        .any(|one| crate::facts::normal_image(&one.reference) == wanted);
    match known == Some(true) || on_host {
        true => Ok(()),
        false => Err(format!("{node} is not known to have {image}")),
    }
}

fn server<'a>(snapshot: &'a Snapshot, place: &str) -> Result<&'a Postgres, String> {
    let mut all = snapshot.postgres.items().iter();
    all.find(|one| one.place == place).ok_or_else(|| format!("nothing is known of {place}"))
}

/// Whether a server takes no writes.
fn fenced(snapshot: &Snapshot, place: &str) -> Result<(), String> {
    let server = server(snapshot, place)?;
    let read_only = server.settings.get("default_transaction_read_only");
    match server.in_recovery || read_only.is_some_and(|value| value == "on") {
        true => Ok(()),
        false => Err(format!("{place} takes writes")),
    }
}

fn primary(snapshot: &Snapshot, is: &str, was: &str) -> Result<(), String> {
    match server(snapshot, is)?.in_recovery {
        true => Err(format!("{is} is a standby")),
        false => fenced(snapshot, was),
    }
}

fn etcd_saved(snapshot: &Snapshot, began: crate::facts::Time) -> Result<(), String> {
    let all = snapshot.etcd.items().iter().filter_map(|one| one.snapshots.get()).flatten();
    match all.into_iter().any(|one| one.at >= began && one.bytes > 0) {
        true => Ok(()),
        false => Err("no snapshot of etcd is known that was made since".to_owned()),
    }
}

fn same_rows(snapshot: &Snapshot, one: &str, other: &str) -> Result<(), String> {
    let rows = |place: &str| -> Result<Vec<(String, String, u64)>, String> {
        let databases = server(snapshot, place)?.databases.get();
        let databases = databases.ok_or_else(|| format!("{place} does not tell its databases"))?;
        let told: Vec<_> = databases.iter().filter(|database| database.is_told).collect();
        if told.is_empty() {
            return Err(format!("the tables of {place} were not looked into"));
        }
        let mut all = Vec::new();
        for database in told {
            all.push((database.name.clone(), database.schema_hash.clone(), 0));
            // Estimates tell nothing; what is counted is told to be.
            let counted = database.tables.iter().filter(|table| table.is_exact);
            all.extend(
                counted.map(|table| (database.name.clone(), table.name.clone(), table.rows)),
            );
        }
        if all.iter().all(|(_, _, rows)| *rows == 0) {
            return Err(format!("no rows of {place} were counted"));
        }
        all.sort();
        Ok(all)
    };
    match rows(one)? == rows(other)? {
        true => Ok(()),
        false => Err(format!("{one} and {other} do not hold the same")),
    }
}

fn backed_up(
    snapshot: &Snapshot,
    component: &str,
    environment: &str,
    began: crate::facts::Time,
) -> Result<(), String> {
    let all = snapshot.backups.items().iter().filter(|one| {
        one.component == component && (one.environment.is_empty() || one.environment == environment)
    });
    let good = all.flat_map(|one| &one.artifacts).any(|artifact| {
        artifact.at >= began
            && (artifact.verified.is_some() || artifact.drilled.is_some())
            && artifact.checksum_ok != Known::Known(false)
            && artifact.missing_parts.is_empty()
    });
    match good {
        true => Ok(()),
        false => Err(format!("no backup of {component} was made since and read again")),
    }
}
