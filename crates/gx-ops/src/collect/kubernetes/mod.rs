//! Objects of a Kubernetes API as facts.
//!
//! They come as JSON, one by one or in lists, and go into the parts of a snapshot. Whatever kind is
//! not known, or is not of the form of its kind, is noted by its name and left out.

mod certificate;
mod cluster;
mod config;
mod meta;
mod network;
mod pod;
mod storage;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::stream::typed;
use super::{COLLECTOR, Origin, Redactor};
use crate::facts::*;

/// What has been taken in so far.
#[derive(Debug, Default)]
pub struct Objects {
    /// What was given, kept until everything is there: secrets have to be known before any text
    /// that may repeat them is taken over.
    given: Vec<Given>,
    /// Lists of one kind that came, with their scope; an empty list says that there is nothing.
    lists: BTreeMap<String, Scope>,
    /// Kinds that could not be had, with the reason.
    refused: BTreeMap<String, String>,
    notes: BTreeSet<Note>,
    /// Bytes used of claims, by namespace and name, as kubelets tell of them.
    used: BTreeMap<(String, String), u64>,
}

#[derive(Debug)]
struct Given {
    kind: String,
    object: Json,
}

/// Kinds and the parts they go into. A kind that several groups have is told apart below.
const KINDS: [(&str, Fact); 37] = [
    ("Node", Fact::Nodes),
    ("NodeMetrics", Fact::Nodes),
    ("Pod", Fact::Pods),
    ("Deployment", Fact::Workloads),
    ("StatefulSet", Fact::Workloads),
    ("DaemonSet", Fact::Workloads),
    ("ReplicaSet", Fact::Workloads),
    ("Job", Fact::Workloads),
    ("CronJob", Fact::Workloads),
    ("Service", Fact::Services),
    ("Endpoints", Fact::Endpoints),
    ("EndpointSlice", Fact::Endpoints),
    ("NetworkPolicy", Fact::NetworkPolicies),
    ("Ingress", Fact::Ingresses),
    ("PersistentVolumeClaim", Fact::Claims),
    ("PersistentVolume", Fact::Volumes),
    ("StorageClass", Fact::StorageClasses),
    ("Volume", Fact::Longhorn),
    ("Replica", Fact::Longhorn),
    ("PodDisruptionBudget", Fact::Budgets),
    ("HorizontalPodAutoscaler", Fact::Autoscalers),
    ("ResourceQuota", Fact::Quotas),
    ("LimitRange", Fact::LimitRanges),
    ("Namespace", Fact::Namespaces),
    ("PriorityClass", Fact::PriorityClasses),
    ("Secret", Fact::Secrets),
    ("ConfigMap", Fact::ConfigMaps),
    ("ServiceAccount", Fact::ServiceAccounts),
    ("Role", Fact::Roles),
    ("ClusterRole", Fact::Roles),
    ("RoleBinding", Fact::RoleBindings),
    ("ClusterRoleBinding", Fact::RoleBindings),
    ("CustomResourceDefinition", Fact::CustomKinds),
    ("Certificate", Fact::ManagedCertificates),
    ("Issuer", Fact::Issuers),
    ("ClusterIssuer", Fact::Issuers),
    ("Event", Fact::Events),
];

/// Every part that comes from a cluster's API.
pub fn collected_facts() -> Vec<Fact> {
    let facts: BTreeSet<Fact> =
        KINDS.iter().map(|(_, fact)| *fact).chain([Fact::Certificates]).collect();
    facts.into_iter().collect()
}

impl Objects {
    /// Takes in a list or an object. Lists of one kind that an API server answers with say that
    /// there is no more of it; so do lists that hold objects of several namespaces.
    pub fn add(&mut self, document: Json) {
        let kind = text(&document, "/kind");
        // What a kubelet answers under /stats/summary has no kind.
        if kind.is_empty() && document.pointer("/node/nodeName").is_some() {
            self.used.extend(storage::used(&document));
            return;
        }
        match kind.strip_suffix("List") {
            Some(of) => self.add_list(of, document),
            None => self.add_object(kind, document),
        }
    }

    /// Takes in all that an API server has of a kind.
    pub(super) fn add_whole(&mut self, kind: &str, items: Vec<Json>) {
        self.lists.insert(kind.to_owned(), Scope::Whole);
        items.into_iter().for_each(|item| self.add_object(kind.to_owned(), item));
    }

    /// Says that a kind could not be had, and why.
    pub(super) fn refuse(&mut self, kind: &str, why: &str) {
        self.refused.insert(kind.to_owned(), why.to_owned());
        self.note(kind, why);
    }

    fn add_list(&mut self, of: &str, mut document: Json) {
        let Some(Json::Array(items)) = document.get_mut("items").map(Json::take) else {
            self.note(of, "a list without items");
            return;
        };
        if !of.is_empty() {
            return self.add_whole(of, items);
        }
        let mut namespaces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for item in items {
            let (kind, namespace) = (text(&item, "/kind"), text(&item, "/metadata/namespace"));
            namespaces.entry(kind.clone()).or_default().insert(namespace);
            self.add_object(kind, item);
        }
        for (kind, namespaces) in namespaces {
            let is_whole = namespaces.len() > 1 || namespaces.contains("");
            let scope = if is_whole { Scope::Whole } else { Scope::Some };
            let known = self.lists.entry(kind).or_insert(scope);
            *known = (*known).min(scope);
        }
    }

    fn add_object(&mut self, kind: String, object: Json) {
        let is_known = KINDS.iter().any(|(known, _)| *known == kind);
        // Longhorn's volumes and cert-manager's certificates share their kinds' names with others.
        let group = text(&object, "/apiVersion");
        let is_right = match kind.as_str() {
            "Volume" | "Replica" => group.starts_with("longhorn.io/"),
            "Certificate" | "Issuer" | "ClusterIssuer" => group.starts_with("cert-manager.io/"),
            _ => true,
        };
        if is_known && (is_right || group.is_empty()) {
            self.given.push(Given { kind, object });
        } else {
            let shown = if kind.is_empty() { "a document without a kind" } else { &kind };
            self.note(shown, "this kind is not looked at");
        }
    }

    fn note(&mut self, about: &str, note: &str) {
        let about = about.chars().take(80).collect();
        self.notes.insert(Note { about, text: note.to_owned() });
    }

    /// What all of it says, as a snapshot.
    pub fn into_snapshot(mut self, origin: &Origin, mut redactor: Redactor) -> Snapshot {
        for given in &self.given {
            config::learn(&given.kind, &given.object, &mut redactor);
        }
        let mut parts = Parts { used: std::mem::take(&mut self.used), ..Parts::default() };
        let mut seen: BTreeMap<Fact, Scope> = BTreeMap::new();
        for (kind, scope) in &self.lists {
            if let Some((_, fact)) = KINDS.iter().find(|(known, _)| known == kind) {
                let known = seen.entry(*fact).or_insert(*scope);
                *known = (*known).max(*scope);
            }
        }
        for Given { kind, object } in std::mem::take(&mut self.given) {
            let name = (text(&object, "/metadata/namespace"), text(&object, "/metadata/name"));
            let listed = self.lists.contains_key(&kind);
            if let Some((_, fact)) = KINDS.iter().find(|(known, _)| *known == kind) {
                let scope = seen.entry(*fact).or_insert(Scope::Some);
                *scope = if listed { *scope } else { Scope::Some };
            }
            if parts.add(&kind, object, &redactor).is_none() {
                let about = ObjectRef::new(kind, name.0, name.1).to_string();
                self.note(&about, "it has not the form of its kind and was left out");
            }
        }
        let mut refused = BTreeMap::new();
        for (kind, why) in self.refused {
            if let Some((_, fact)) = KINDS.iter().find(|(known, _)| *known == kind) {
                // What is known of the other kinds of the same part is not all of it.
                seen.entry(*fact).and_modify(|scope| *scope = Scope::Some);
                refused.insert(*fact, why);
            }
        }
        parts.into_snapshot(&Seen { origin, scopes: seen, refused }, self.notes)
    }
}

/// The parts while they are filled.
#[derive(Debug, Default)]
struct Parts {
    cluster: Option<String>,
    nodes: Vec<Node>,
    usage: BTreeMap<String, Resources>,
    pods: Vec<Pod>,
    workloads: Vec<Workload>,
    services: Vec<Service>,
    endpoints: BTreeMap<String, Endpoints>,
    network_policies: Vec<NetworkPolicy>,
    ingresses: Vec<Ingress>,
    claims: Vec<Claim>,
    volumes: Vec<PersistentVolume>,
    storage_classes: Vec<StorageClass>,
    longhorn: Vec<LonghornVolume>,
    budgets: Vec<DisruptionBudget>,
    autoscalers: Vec<Autoscaler>,
    quotas: Vec<Quota>,
    limit_ranges: Vec<LimitRange>,
    namespaces: Vec<Namespace>,
    priority_classes: Vec<PriorityClass>,
    secrets: Vec<Secret>,
    config_maps: Vec<ConfigMap>,
    service_accounts: Vec<ServiceAccount>,
    roles: Vec<Role>,
    role_bindings: Vec<RoleBinding>,
    custom_kinds: Vec<CustomKind>,
    managed_certificates: Vec<ManagedCertificate>,
    issuers: Vec<Issuer>,
    events: Vec<Event>,
    certificates: Vec<Certificate>,
    /// Bytes used of claims, by namespace and name.
    used: BTreeMap<(String, String), u64>,
    /// Nodes with replicas of Longhorn's volumes that work, by the volume's name.
    replicas: BTreeMap<String, BTreeSet<String>>,
}

impl Parts {
    /// Adds an object; none when it has not the form of its kind.
    fn add(&mut self, kind: &str, object: Json, r: &Redactor) -> Option<()> {
        match kind {
            "Node" => self.nodes.push(cluster::node(typed(object)?, r)),
            "NodeMetrics" => {
                let (name, usage) = cluster::node_metrics(&object)?;
                self.usage.insert(name, usage);
            }
            "Pod" => self.pods.push(pod::pod(typed(object)?, r)),
            "Deployment" => self.workloads.push(workload::deployment(typed(object)?, r)),
            "StatefulSet" => self.workloads.push(workload::stateful_set(typed(object)?, r)),
            "DaemonSet" => self.workloads.push(workload::daemon_set(typed(object)?, r)),
            "ReplicaSet" => self.workloads.push(workload::replica_set(typed(object)?, r)),
            "Job" => self.workloads.push(workload::job(typed(object)?, r)),
            "CronJob" => self.workloads.push(workload::cron_job(typed(object)?, r)),
            "Service" => self.services.push(network::service(typed(object)?, r)),
            "Endpoints" => network::endpoints(typed(object)?, r, &mut self.endpoints),
            "EndpointSlice" => network::slice(typed(object)?, r, &mut self.endpoints),
            "NetworkPolicy" => self.network_policies.push(network::policy(typed(object)?, r)),
            "Ingress" => self.ingresses.push(network::ingress(typed(object)?, r)),
            "PersistentVolumeClaim" => self.claims.push(storage::claim(typed(object)?, r)),
            "PersistentVolume" => self.volumes.push(storage::volume(typed(object)?, r)),
            "StorageClass" => self.storage_classes.push(storage::class(typed(object)?, r)),
            "Volume" => self.longhorn.push(storage::longhorn(&object, r)?),
            "Replica" => storage::replica(&object, &mut self.replicas)?,
            "PodDisruptionBudget" => self.budgets.push(cluster::budget(typed(object)?, r)),
            "HorizontalPodAutoscaler" => {
                self.autoscalers.push(cluster::autoscaler(typed(object)?, r));
            }
            "ResourceQuota" => self.quotas.push(cluster::quota(typed(object)?, r)),
            "LimitRange" => self.limit_ranges.push(cluster::limit_range(typed(object)?, r)),
            "Namespace" => {
                let namespace = cluster::namespace(typed(object)?, r);
                if namespace.name == "kube-system" && !namespace.uid.is_empty() {
                    self.cluster = Some(namespace.uid.clone());
                }
                self.namespaces.push(namespace);
            }
            "PriorityClass" => self.priority_classes.push(cluster::priority(typed(object)?, r)),
            _ => return self.add_other(kind, object, r),
        }
        Some(())
    }

    fn add_other(&mut self, kind: &str, object: Json, r: &Redactor) -> Option<()> {
        match kind {
            "Secret" => {
                let (secret, certificates) = config::secret(typed(object)?, r);
                self.secrets.push(secret);
                self.certificates.extend(certificates);
            }
            "ConfigMap" => {
                let (map, certificates) = config::config_map(typed(object)?, r);
                self.config_maps.push(map);
                self.certificates.extend(certificates);
            }
            "ServiceAccount" => {
                self.service_accounts.push(cluster::service_account(typed(object)?, r));
            }
            "Role" => self.roles.push(cluster::role(typed(object)?, r)),
            "ClusterRole" => self.roles.push(cluster::cluster_role(typed(object)?, r)),
            "RoleBinding" => self.role_bindings.push(cluster::binding(typed(object)?, r)),
            "ClusterRoleBinding" => {
                self.role_bindings.push(cluster::cluster_binding(typed(object)?, r));
            }
            "CustomResourceDefinition" => {
                self.custom_kinds.push(cluster::custom_kind(&object, r)?);
            }
            "Certificate" => self.managed_certificates.push(certificate::managed(&object, r)?),
            "Issuer" | "ClusterIssuer" => self.issuers.push(certificate::issuer(&object, r)?),
            "Event" => self.events.push(cluster::event(typed(object)?, r)),
            _ => return None,
        }
        Some(())
    }

    fn into_snapshot(mut self, seen: &Seen<'_>, notes: BTreeSet<Note>) -> Snapshot {
        for node in &mut self.nodes {
            if let Some(usage) = self.usage.remove(&node.name) {
                node.usage = Known::Known(usage);
            }
        }
        for claim in &mut self.claims {
            let place = (claim.namespace.clone(), claim.name.clone());
            claim.used_bytes = self.used.remove(&place);
        }
        for volume in &mut self.longhorn {
            let nodes = self.replicas.remove(&volume.name).unwrap_or_default();
            volume.replica_nodes = nodes.into_iter().collect();
        }
        let mut snapshot = Snapshot::empty(seen.origin.at);
        snapshot.notes = notes.into_iter().collect();
        snapshot.cluster = self.cluster.map_or_else(Known::default, Known::Known);
        let endpoints: Vec<Endpoints> = self.endpoints.into_values().collect();
        macro_rules! fill {
            ($( $fact:ident $field:ident: $items:expr; )*) => {
                $( snapshot.$field = seen.part(Fact::$fact, $items); )*
            };
        }
        fill! {
            Nodes nodes: self.nodes;
            Pods pods: self.pods;
            Workloads workloads: self.workloads;
            Services services: self.services;
            Endpoints endpoints: endpoints;
            NetworkPolicies network_policies: self.network_policies;
            Ingresses ingresses: self.ingresses;
            Claims claims: self.claims;
            Volumes volumes: self.volumes;
            StorageClasses storage_classes: self.storage_classes;
            Longhorn longhorn: self.longhorn;
            Budgets budgets: self.budgets;
            Autoscalers autoscalers: self.autoscalers;
            Quotas quotas: self.quotas;
            LimitRanges limit_ranges: self.limit_ranges;
            Namespaces namespaces: self.namespaces;
            PriorityClasses priority_classes: self.priority_classes;
            Secrets secrets: self.secrets;
            ConfigMaps config_maps: self.config_maps;
            ServiceAccounts service_accounts: self.service_accounts;
            Roles roles: self.roles;
            RoleBindings role_bindings: self.role_bindings;
            CustomKinds custom_kinds: self.custom_kinds;
            ManagedCertificates managed_certificates: self.managed_certificates;
            Issuers issuers: self.issuers;
            Events events: self.events;
        }
        // Certificates stand in both; a cluster's are known when both are.
        let both = [Fact::Secrets, Fact::ConfigMaps].map(|fact| seen.scopes.get(&fact).copied());
        let both = match both {
            [Some(Scope::Whole), Some(Scope::Whole)] => Some(Scope::Whole),
            [None, None] => None,
            [Some(_), _] | [None, Some(_)] => Some(Scope::Some),
        };
        snapshot.certificates = seen.part_of(both, Fact::Secrets, self.certificates);
        snapshot
    }
}

/// How each part was come by.
struct Seen<'a> {
    origin: &'a Origin,
    scopes: BTreeMap<Fact, Scope>,
    refused: BTreeMap<Fact, String>,
}

impl Seen<'_> {
    fn part<T: Keyed>(&self, fact: Fact, items: Vec<T>) -> Part<T> {
        self.part_of(self.scopes.get(&fact).copied(), fact, items)
    }

    fn part_of<T: Keyed>(&self, scope: Option<Scope>, fact: Fact, items: Vec<T>) -> Part<T> {
        let Some(scope) = scope else {
            let nothing = || format!("{} says nothing of it", self.origin.from);
            return Part::missing(self.refused.get(&fact).cloned().unwrap_or_else(nothing));
        };
        let source = Source {
            from: self.origin.from.clone(),
            at: self.origin.at,
            collector: COLLECTOR.to_owned(),
            scope,
        };
        Part::collected(source, items)
    }
}

/// A text of a JSON document; empty when there is none.
fn text(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// The texts of a list of a JSON document.
fn texts(json: &Json, pointer: &str) -> Vec<String> {
    let items = json.pointer(pointer).and_then(Json::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}
