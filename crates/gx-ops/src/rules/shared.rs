//! What several families ask of a snapshot: what a workload is for, how many must survive, where a
//! node stands.

use std::collections::BTreeMap;

use super::Findings;
use crate::facts::{
    Artifact, Backup, Container, Host, Known, Node, Object as _, ObjectRef, Pod, Process, Selector,
    Snapshot, Unit, Value, Workload, WorkloadKind,
};

pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";

/// What a workload is, by its name, its labels and its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    Orderer,
    Peer,
    CouchDb,
    Authority,
    Chaincode,
    Postgres,
    Redis,
    Sentinel,
    Projector,
    Submitter,
    Prometheus,
    Alertmanager,
    Grafana,
    Other,
}

impl Component {
    /// Whether losing a majority of its members stops it.
    pub(crate) fn is_quorum(self) -> bool {
        matches!(self, Self::Orderer | Self::Sentinel)
    }
}

/// Names of things, in the order in which they are tried: the narrower before the wider.
const COMPONENTS: [(&str, Component); 16] = [
    ("sentinel", Component::Sentinel),
    ("couchdb", Component::CouchDb),
    ("chaincode", Component::Chaincode),
    ("alertmanager", Component::Alertmanager),
    ("prometheus", Component::Prometheus),
    ("grafana", Component::Grafana),
    ("orderer", Component::Orderer),
    ("fabric-ca", Component::Authority),
    ("tlsca", Component::Authority),
    ("postgres", Component::Postgres),
    ("redis", Component::Redis),
    ("projector", Component::Projector),
    ("outbox", Component::Submitter),
    ("submitter", Component::Submitter),
    ("peer", Component::Peer),
    ("ca", Component::Authority),
];

/// What the workload of this name is. Exporters and backups of a thing are not the thing.
pub(crate) fn component(name: &str) -> Component {
    let words: Vec<&str> = name.split(['-', '.', '_']).collect();
    let is_helper = words
        .iter()
        .any(|word| ["exporter", "backup", "init", "migrate", "tools", "operator"].contains(word));
    if is_helper {
        return Component::Other;
    }
    let has = |part: &str| match part {
        "fabric-ca" => name.contains(part),
        _ => words.iter().any(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()) == part),
    };
    // `ca-orderer` is an authority of orderers, `couchdb-peer0` the database of a peer.
    match words.first() {
        Some(&"ca") => Component::Authority,
        _ => {
            let found = COMPONENTS.iter().find(|(part, _)| has(part));
            found.map_or(Component::Other, |(_, component)| *component)
        }
    }
}

/// How many members of so many are a majority. Members, not survivors.
pub(crate) const fn quorum(members: usize) -> usize {
    members / 2 + 1
}

/// Members of one set: workloads of one component in one namespace that act together, whether they
/// are one StatefulSet or one for each member.
#[derive(Debug)]
pub(crate) struct Set<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) component: Component,
    pub(crate) workloads: Vec<&'a Workload>,
}

impl<'a> Set<'a> {
    /// How many members there should be.
    pub(crate) fn members(&self) -> usize {
        let replicas = self.workloads.iter().map(|one| usize::try_from(one.replicas).unwrap_or(0));
        replicas.sum()
    }

    pub(crate) fn pods(&self, snapshot: &'a Snapshot) -> Vec<&'a Pod> {
        let pods = self.workloads.iter().flat_map(|one| snapshot.pods_of(one));
        pods.filter(|pod| pod.is_active()).collect()
    }

    /// The workload itself when it is one, else the set by its component's name.
    pub(crate) fn reference(&self) -> ObjectRef {
        match self.workloads.as_slice() {
            [one] => one.reference(),
            _ => {
                let name = format!("{:?}", self.component).to_ascii_lowercase();
                ObjectRef::new("Set", self.namespace, format!("{name}s"))
            }
        }
    }
}

/// The sets of workloads whose component is of some kind.
pub(crate) fn sets<'a>(
    snapshot: &'a Snapshot,
    is_wanted: impl Fn(Component) -> bool,
) -> Vec<Set<'a>> {
    let mut sets: BTreeMap<(&str, Component), Vec<&Workload>> = BTreeMap::new();
    for workload in snapshot.top_workloads().filter(|one| one.is_lasting()) {
        let component = component(&workload.name);
        if is_wanted(component) && workload.replicas > 0 {
            sets.entry((&workload.namespace, component)).or_default().push(workload);
        }
    }
    let sets = sets.into_iter();
    sets.map(|((namespace, component), workloads)| Set { namespace, component, workloads })
        .collect()
}

/// Workloads that keep pods running, and that nothing else makes.
pub(crate) fn lasting(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    snapshot.top_workloads().filter(|one| one.is_lasting() && one.replicas > 0)
}

/// The same, without those of which every node has one.
pub(crate) fn replicated(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    lasting(snapshot).filter(|one| one.kind != WorkloadKind::DaemonSet)
}

/// Things by how often they come.
pub(crate) fn tally<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// `3 on node-a, 1 on node-b`.
pub(super) fn told(counts: &BTreeMap<&str, usize>, word: &str) -> String {
    let parts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{count} {word} {name}")).collect();
    parts.join(", ")
}

/// The most that one of them has, with its name.
pub(super) fn most<'a>(counts: &BTreeMap<&'a str, usize>) -> Option<(&'a str, usize)> {
    let most = counts.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse(**name)));
    most.map(|(name, count)| (*name, *count))
}

/// The region that is declared for a host. Labels contradict each other in every record.
pub(crate) fn region<'a>(snapshot: &'a Snapshot, node: &Node) -> Option<&'a str> {
    let inventory = snapshot.declared()?;
    let host = inventory.host(node.hostname()).or_else(|| inventory.host(&node.name))?;
    (!host.region.is_empty()).then_some(host.region.as_str())
}

/// What a node is for: the environments of the inventory, else those that its labels name.
pub(crate) fn environments(snapshot: &Snapshot, node: &Node) -> Vec<String> {
    let declared = snapshot.declared();
    let host = declared.and_then(|inventory| inventory.host(node.hostname()));
    if let Some(host) = host.filter(|host| !host.environments.is_empty()) {
        return host.environments.clone();
    }
    let keys = ["environment", "backend-environment", "node-role", "fabric-role"];
    let values = keys.iter().filter_map(|key| node.labels.get(*key));
    let words = values.flat_map(|value| value.split(['-', '_'])).flat_map(|word| match word {
        "mainnet" | "production" | "prod" => vec!["mainnet"],
        "testnet" => vec!["testnet"],
        "devnet" => vec!["devnet"],
        "nonprod" | "testdev" => vec!["devnet", "testnet"],
        _ => Vec::new(),
    });
    let mut found: Vec<String> = words.map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

/// Whether one of the terms keeps pods of this kind apart by host.
pub(super) fn keeps_apart<'a>(workload: &'a Workload) -> impl Iterator<Item = &'a Selector> + 'a {
    let terms = &workload.template.spec.affinity.anti_required;
    let by_host = terms.iter().filter(|term| term.topology_key == HOSTNAME);
    let selectors = by_host.filter_map(|term| term.selector.as_ref());
    selectors.filter(|selector| selector.matches(&workload.template.labels))
}

/// The container that a pod is for: the first one.
pub(super) fn main_container(workload: &Workload) -> Option<&Container> {
    workload.template.spec.containers.first()
}

/// The organization that a peer belongs to, by its label or the `org…` in its name.
pub(crate) fn organization(workload: &Workload) -> Option<String> {
    let label = ["org", "organization", "fabric.gx.io/org"]
        .iter()
        .find_map(|key| workload.template.labels.get(*key));
    let name = || {
        let mut words = workload.name.split(['-', '.', '_']);
        words.find(|word| word.starts_with("org") && word.len() > 3).map(str::to_owned)
    };
    label.cloned().or_else(name)
}

/// The host names that the volumes of a workload's replicas are bound to, one for each replica
/// that has such a volume: by ordinal for a StatefulSet, by the pods' claims for others.
pub(crate) fn bound_hosts<'a>(
    snapshot: &'a Snapshot,
    workload: &'a Workload,
) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    for number in 0..workload.replicas {
        let claims = workload.claim_templates.iter().filter_map(|template| {
            let name = format!("{}-{}-{number}", template.name, workload.name);
            snapshot.claim(&workload.namespace, &name)
        });
        let hosts = claims.filter_map(|claim| snapshot.volume(&claim.volume));
        let host = hosts.filter_map(|volume| match volume.hostnames().as_slice() {
            [one] => Some(*one),
            _ => None,
        });
        found.extend(host.take(1).map(|host| (format!("{}-{number}", workload.name), host)));
    }
    if workload.claim_templates.is_empty() {
        let volumes = snapshot.volumes_of(workload).into_iter();
        found.extend(volumes.filter_map(|(pod, volume)| match volume.hostnames().as_slice() {
            [one] => Some((pod.name.clone(), *one)),
            _ => None,
        }));
    }
    found
}

/// Words in the names of claims whose loss is a loss.
pub(super) const CRITICAL: [&str; 9] =
    ["ca", "couchdb", "minio", "orderer", "peer", "postgres", "redis", "registry", "tlsca"];

/// The words of a name, without the numbers of members at their ends.
pub(super) fn stems(name: &str) -> Vec<String> {
    let words = name.split(['-', '.', '_']);
    words.map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()).collect()
}

/// Whether a name is of a pattern in which `*` stands for anything.
pub(super) fn is_of_pattern(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    if tail.is_empty() {
        return true;
    }
    (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| is_of_pattern(tail, rest)))
}

/// Namespaces of what the cluster itself brings. How it is described is not the operator's to
/// write.
const FOREIGN: [&str; 8] = [
    "cert-manager",
    "cnpg-system",
    "ingress-nginx",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "longhorn-system",
    "metallb-system",
];

/// Whether what is in a namespace comes from elsewhere, with manifests that others write.
pub(crate) fn is_foreign(namespace: &str) -> bool {
    FOREIGN.contains(&namespace)
}

/// The node of a pod, when it is not ready: what is wrong with the pod then follows from it.
pub(super) fn lost_node(snapshot: &Snapshot, pod: &Pod) -> Option<ObjectRef> {
    let node = snapshot.node(&pod.node).filter(|node| !node.is_ready())?;
    Some(node.reference())
}

/// What a pod's fault is told under: its node when that is lost, else the workload that all its
/// like belong to.
pub(super) fn told_under(snapshot: &Snapshot, pod: &Pod) -> Option<ObjectRef> {
    let workload = || snapshot.workload_of(pod).map(|workload| workload.reference());
    lost_node(snapshot, pod).or_else(workload)
}

/// The process in a pod, whether it was asked by the pod's name or at its address.
pub(super) fn process_of<'a>(snapshot: &'a Snapshot, pod: &Pod) -> Option<&'a Process> {
    let name = format!("Pod {}/{}", pod.namespace, pod.name);
    let is_at = |place: &str| {
        let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
        !pod.ip.is_empty() && (place == pod.ip || host.trim_matches(['[', ']']) == pod.ip)
    };
    let processes = snapshot.processes.items();
    processes.iter().find(|process| process.place == name || is_at(&process.place))
}

/// Processes by the network that they serve; of what several tell of one database, the most counts.
pub(super) fn networks<'a>(
    snapshot: &'a Snapshot,
    findings: &mut Findings,
) -> BTreeMap<&'a str, Vec<&'a Process>> {
    let mut networks: BTreeMap<&str, Vec<&Process>> = BTreeMap::new();
    for process in snapshot.processes.items() {
        if let Some(why) = process.samples.reason() {
            let subject = ObjectRef::global("Process", &process.place);
            findings.unknown(subject, format!("its figures: {why}"));
            continue;
        }
        networks.entry(network_of(snapshot, process)).or_default().push(process);
    }
    networks
}

/// The network that a process serves.
pub(super) fn network_of<'a>(snapshot: &'a Snapshot, process: &'a Process) -> &'a str {
    match process.network.as_str() {
        "" => place_environment(snapshot, &process.place).unwrap_or("unnamed"),
        network => network,
    }
}

/// The largest of a figure, whatever its labels.
pub(super) fn most_told(processes: &[&Process], name: &str) -> Option<f64> {
    let samples = processes.iter().filter_map(|one| one.samples.get()).flatten();
    let values = samples.filter(|one| one.name == name).filter_map(|one| one.value.parse().ok());
    values
        .filter(|value: &f64| value.is_finite())
        .fold(None, |most: Option<f64>, value| Some(most.map_or(value, |most| most.max(value))))
}

/// A network, for people and programs.
pub(super) fn network_ref(name: &str) -> ObjectRef {
    ObjectRef::global("Network", name)
}

/// A machine, for people and programs.
pub(super) fn host_reference(name: &str) -> ObjectRef {
    ObjectRef::global("Host", name)
}

/// What is known of one thing of a host; when it is not, that is noted.
pub(super) fn told_by<'a, T>(
    findings: &mut Findings,
    host: &Host,
    what: &str,
    known: &'a Known<T>,
) -> Option<&'a T> {
    if let Some(why) = known.reason() {
        findings.unknown(host_reference(&host.name), format!("{what}: {why}"));
    }
    known.get()
}

/// The node that a machine is, when it is one.
pub(super) fn node_of_host<'a>(snapshot: &'a Snapshot, host: &Host) -> Option<&'a Node> {
    snapshot.node_of_hostname(&host.name).or_else(|| snapshot.node(&host.name))
}

/// Whether a machine is a node of a cluster; none when that cannot be told.
pub(super) fn is_cluster_host(snapshot: &Snapshot, host: &Host) -> Option<bool> {
    if node_of_host(snapshot, host).is_some() {
        return Some(true);
    }
    let declared = snapshot.declared().and_then(|inventory| inventory.host(&host.name));
    if declared.is_some_and(|declared| declared.is_standalone) || snapshot.nodes.is_whole() {
        return Some(false);
    }
    let units = host.units.get()?;
    let agents = ["k3s.service", "k3s-agent.service", "kubelet.service"];
    let runs = |unit: &Unit| agents.contains(&unit.name.as_str()) && unit.active == "active";
    units.iter().any(runs).then_some(true)
}

/// The environments that a machine is for; none when nothing says.
pub(super) fn environments_of_host(snapshot: &Snapshot, host: &Host) -> Option<Vec<String>> {
    let declared = snapshot.declared().and_then(|inventory| inventory.host(&host.name));
    if let Some(declared) = declared.filter(|one| !one.environments.is_empty()) {
        return Some(declared.environments.clone());
    }
    let node = node_of_host(snapshot, host)?;
    Some(environments(snapshot, node)).filter(|found| !found.is_empty())
}

/// Units of web servers.
pub(super) const WEB_SERVERS: [&str; 6] =
    ["apache2", "caddy", "haproxy", "httpd", "lighttpd", "nginx"];

/// The environment of a place such as `Pod NAMESPACE/NAME`; none for addresses.
pub(super) fn place_environment<'a>(snapshot: &'a Snapshot, place: &'a str) -> Option<&'a str> {
    let (namespace, _) = place.strip_prefix("Pod ")?.split_once('/')?;
    snapshot.environment(namespace)
}

/// What backups of a component are called.
const BACKUP_NAMES: [(Component, &[&str]); 6] = [
    (Component::Postgres, &["database", "postgres", "pg", "platform"]),
    (Component::Peer, &["ledger", "fabric", "peer", "peers"]),
    (Component::Orderer, &["ledger", "fabric", "orderer", "orderers"]),
    (Component::Authority, &["authorities", "authority", "ca", "cas", "tlsca"]),
    (Component::CouchDb, &["couchdb"]),
    (Component::Redis, &["redis"]),
];

/// Whether a name that backups have is one of a component.
pub(crate) fn is_backup_name(name: &str, component: Component) -> bool {
    let names = BACKUP_NAMES.iter().find(|(of, _)| *of == component).map(|(_, names)| *names);
    stems(name).iter().any(|word| names.is_some_and(|names| names.contains(&word.as_str())))
}

/// The newest artifact of a component, where one is known.
pub(super) fn newest_backup<'a>(
    snapshot: &'a Snapshot,
    environment: &str,
    component: Component,
) -> Option<(&'a Backup, &'a Artifact)> {
    let all = snapshot.backups.items().iter().filter(|one| {
        let is_of_it = one.environment.is_empty() || one.environment == environment;
        is_of_it && is_backup_name(&one.component, component)
    });
    let artifacts = all.flat_map(|one| one.artifacts.iter().map(move |artifact| (one, artifact)));
    artifacts.filter(|(_, artifact)| artifact.bytes > 0).max_by_key(|(_, artifact)| artifact.at)
}

/// Pods of PostgreSQL that an operator makes by itself, by namespace and name of its cluster.
pub(super) fn operated_databases(snapshot: &Snapshot) -> BTreeMap<(&str, &str), Vec<&Pod>> {
    let mut found: BTreeMap<(&str, &str), Vec<&Pod>> = BTreeMap::new();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active()) {
        let Some(owner) = pod.owner.as_ref().filter(|owner| owner.kind == "Cluster") else {
            continue;
        };
        if component(&pod.name) == Component::Postgres {
            found.entry((&pod.namespace, &owner.name)).or_default().push(pod);
        }
    }
    found
}

/// Something that is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<T> {
    Here(T),
    /// All of its kind is known, and it is not among them.
    Absent,
    /// It may exist: not all of its kind was collected.
    Unknown,
}

/// Keys of a Secret or ConfigMap, with their values.
pub(super) fn data_of<'a>(
    snapshot: &'a Snapshot,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Found<&'a BTreeMap<String, Value>> {
    let (data, is_whole) = if kind == "Secret" {
        let found = snapshot.secret(namespace, name);
        (found.map(|one| &one.data), snapshot.secrets.is_whole())
    } else {
        let found = snapshot.config_map(namespace, name);
        (found.map(|one| &one.data), snapshot.config_maps.is_whole())
    };
    match (data, is_whole) {
        (Some(data), _) => Found::Here(data),
        (None, true) => Found::Absent,
        (None, false) => Found::Unknown,
    }
}

/// A variable of a container.
#[derive(Debug, Clone)]
pub(super) struct Variable<'a> {
    /// None: it comes from a field of the pod, or from an object that does not tell of it.
    pub(super) value: Option<&'a Value>,
    /// The Secret or ConfigMap that it comes from.
    pub(super) from: Option<ObjectRef>,
}

/// All variables of a container.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables<'a> {
    pub(super) by_name: BTreeMap<&'a str, Variable<'a>>,
    /// Objects that some come from and that are not known: there may be more variables.
    pub(super) unknown: Vec<ObjectRef>,
}

impl<'a> Variables<'a> {
    /// What the program sees: all of an object first, then one by one, the last of a name holds.
    pub(super) fn of(snapshot: &'a Snapshot, namespace: &str, container: &'a Container) -> Self {
        let mut all = Self::default();
        for from in &container.env_from {
            let reference = ObjectRef::new(&from.kind, namespace, &from.name);
            match data_of(snapshot, &from.kind, namespace, &from.name) {
                Found::Here(data) => all.by_name.extend(data.iter().map(|(name, value)| {
                    let (value, from) = (Some(value), Some(reference.clone()));
                    (name.as_str(), Variable { value, from })
                })),
                Found::Unknown => all.unknown.push(reference),
                Found::Absent => {}
            }
        }
        for env in &container.env {
            let mut variable = Variable { value: env.value.as_ref(), from: None };
            if let Some(from) = &env.from {
                variable.from = Some(ObjectRef::new(&from.kind, namespace, &from.name));
                match data_of(snapshot, &from.kind, namespace, &from.name) {
                    Found::Here(data) => variable.value = data.get(&from.key),
                    Found::Unknown => all.unknown.extend(variable.from.clone()),
                    Found::Absent => {}
                }
            }
            all.by_name.insert(&env.name, variable);
        }
        all
    }

    /// The text of a variable, when it is harmless.
    pub(super) fn plain(&self, name: &str) -> Option<&'a str> {
        self.by_name.get(name)?.value?.plain()
    }
}

/// Containers of workloads that nothing else makes, init containers too.
pub(super) fn all_containers(snapshot: &Snapshot) -> impl Iterator<Item = (&Workload, &Container)> {
    let workloads = snapshot.top_workloads();
    workloads.flat_map(|one| one.template.spec.all_containers().map(move |it| (one, it)))
}

/// The namespace of the cluster that a host is in: of `db.backend.svc` it is `backend`; none for a
/// name without a namespace and for names of elsewhere.
pub(super) fn namespace_of_host(host: &str) -> Option<&str> {
    let mut steps = host.split('.').skip(1);
    let namespace = steps.next().filter(|namespace| !namespace.is_empty())?;
    steps.next().is_none_or(|step| step == "svc").then_some(namespace)
}

/// The environments in the order in which an image goes through them.
pub(super) const ENVIRONMENTS: [&str; 3] = ["devnet", "testnet", "mainnet"];

/// How far up an environment stands; none for one that is not known.
pub(super) fn rank(environment: &str) -> Option<usize> {
    ENVIRONMENTS.iter().position(|one| *one == environment)
}

/// Secrets that Kubernetes and Helm make for themselves.
const MACHINE_MADE: [&str; 4] = [
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/service-account-token",
];

/// Whether people or the platform keep credentials in a Secret of this type.
pub(super) fn holds_credentials(kind: &str) -> bool {
    !MACHINE_MADE.contains(&kind)
}

/// Words of a name, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_known_by_whole_words() {
        for (name, expected) in [
            ("orderer0", Component::Orderer),
            ("ca-orderer", Component::Authority),
            ("couchdb-peer0-org1", Component::CouchDb),
            ("peer0-org1", Component::Peer),
            ("postgres-exporter", Component::Other),
            ("postgres", Component::Postgres),
            ("redis-sentinel", Component::Sentinel),
            ("gxtv3-chaincode", Component::Chaincode),
            ("svc-organization", Component::Other),
            ("calendar", Component::Other),
        ] {
            assert_eq!(component(name), expected, "{name}");
        }
    }

    #[test]
    fn hosts_of_the_cluster_tell_their_namespace() {
        assert_eq!(namespace_of_host("db.backend.svc.cluster.local"), Some("backend"));
        assert_eq!(namespace_of_host("db.backend"), Some("backend"));
        assert_eq!(namespace_of_host("db"), None);
        assert_eq!(namespace_of_host("db.example.org"), None);
    }

    #[test]
    fn a_majority_is_of_members() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(quorum), [1, 2, 2, 3, 3, 4, 4]);
    }
}
