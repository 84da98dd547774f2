//! Finds things of a snapshot by what they are called and by what they belong to.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{
    Claim, ConfigMap, Node, Object, PersistentVolume, Pod, Secret, Service, Snapshot, Workload,
    WorkloadKind,
};

type Place = (String, String);

/// Positions in the parts of the snapshot that it was made from.
#[derive(Debug, Default)]
pub struct Index {
    nodes: BTreeMap<String, usize>,
    hostnames: BTreeMap<String, usize>,
    claims: BTreeMap<Place, usize>,
    volumes: BTreeMap<String, usize>,
    workloads: BTreeMap<(WorkloadKind, String, String), usize>,
    pods: BTreeMap<Place, usize>,
    /// Pods by the workload at the top of their owners.
    pods_of: BTreeMap<usize, Vec<usize>>,
    workload_of: BTreeMap<usize, usize>,
    pods_on: BTreeMap<String, Vec<usize>>,
    pods_in: BTreeMap<String, Vec<usize>>,
    users: BTreeMap<Place, Vec<usize>>,
    secrets: BTreeMap<Place, usize>,
    config_maps: BTreeMap<Place, usize>,
    services: BTreeMap<Place, usize>,
    /// Workloads that nothing else makes, by their namespace.
    tops_in: BTreeMap<String, Vec<usize>>,
    /// Workloads by the kind, namespace and name of what makes them.
    made_by: BTreeMap<(String, String, String), Vec<usize>>,
}

impl Index {
    fn new(snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        for (at, node) in snapshot.nodes.items().iter().enumerate() {
            index.nodes.insert(node.name.clone(), at);
            index.hostnames.insert(node.hostname().to_owned(), at);
        }
        for (at, claim) in snapshot.claims.items().iter().enumerate() {
            index.claims.insert((claim.namespace.clone(), claim.name.clone()), at);
        }
        for (at, volume) in snapshot.volumes.items().iter().enumerate() {
            index.volumes.insert(volume.name.clone(), at);
        }
        for (at, one) in snapshot.secrets.items().iter().enumerate() {
            index.secrets.insert((one.namespace.clone(), one.name.clone()), at);
        }
        for (at, one) in snapshot.config_maps.items().iter().enumerate() {
            index.config_maps.insert((one.namespace.clone(), one.name.clone()), at);
        }
        for (at, one) in snapshot.services.items().iter().enumerate() {
            index.services.insert((one.namespace.clone(), one.name.clone()), at);
        }
        for (at, one) in snapshot.workloads.items().iter().enumerate() {
            index.workloads.insert((one.kind, one.namespace.clone(), one.name.clone()), at);
            match &one.owner {
                None => index.tops_in.entry(one.namespace.clone()).or_default().push(at),
                Some(owner) => {
                    let key = (owner.kind.clone(), one.namespace.clone(), owner.name.clone());
                    index.made_by.entry(key).or_default().push(at);
                }
            }
        }
        for (at, pod) in snapshot.pods.items().iter().enumerate() {
            index.add_pod(snapshot, at, pod);
        }
        index
    }

    fn add_pod(&mut self, snapshot: &Snapshot, at: usize, pod: &Pod) {
        self.pods.insert((pod.namespace.clone(), pod.name.clone()), at);
        self.pods_in.entry(pod.namespace.clone()).or_default().push(at);
        if !pod.node.is_empty() {
            self.pods_on.entry(pod.node.clone()).or_default().push(at);
        }
        for claim in pod.claims() {
            self.users.entry((pod.namespace.clone(), claim)).or_default().push(at);
        }
        if let Some(top) = self.top(snapshot, pod) {
            self.pods_of.entry(top).or_default().push(at);
            self.workload_of.insert(at, top);
        }
    }

    /// The workload at the top of a pod's owners that the snapshot knows.
    fn top(&self, snapshot: &Snapshot, pod: &Pod) -> Option<usize> {
        let mut found = None;
        let mut owner = pod.owner.as_ref();
        // Pod, ReplicaSet, Deployment, or Pod, Job, CronJob: nothing in Kubernetes is deeper.
        for _ in 0..4 {
            let Some(here) = owner else { break };
            let Some(kind) = kind(&here.kind) else { break };
            let key = (kind, pod.namespace.clone(), here.name.clone());
            let Some(at) = self.workloads.get(&key) else { break };
            found = Some(*at);
            owner = snapshot.workloads.items().get(*at).and_then(|one| one.owner.as_ref());
        }
        found
    }
}

fn kind(name: &str) -> Option<WorkloadKind> {
    let kinds = [
        WorkloadKind::Deployment,
        WorkloadKind::StatefulSet,
        WorkloadKind::DaemonSet,
        WorkloadKind::ReplicaSet,
        WorkloadKind::Job,
        WorkloadKind::CronJob,
    ];
    kinds.into_iter().find(|kind| kind.as_str() == name)
}

impl Snapshot {
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.items().get(*self.index().nodes.get(name)?)
    }

    /// A node by its label `kubernetes.io/hostname`, by which volumes know it.
    pub fn node_of_hostname(&self, hostname: &str) -> Option<&Node> {
        self.nodes.items().get(*self.index().hostnames.get(hostname)?)
    }

    pub fn claim(&self, namespace: &str, name: &str) -> Option<&Claim> {
        let place = (namespace.to_owned(), name.to_owned());
        self.claims.items().get(*self.index().claims.get(&place)?)
    }

    pub fn volume(&self, name: &str) -> Option<&PersistentVolume> {
        self.volumes.items().get(*self.index().volumes.get(name)?)
    }

    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let place = (namespace.to_owned(), name.to_owned());
        self.pods.items().get(*self.index().pods.get(&place)?)
    }

    pub fn workload(&self, kind: WorkloadKind, namespace: &str, name: &str) -> Option<&Workload> {
        let key = (kind, namespace.to_owned(), name.to_owned());
        self.workloads.items().get(*self.index().workloads.get(&key)?)
    }

    /// The pods of a workload, also those that its ReplicaSets or Jobs have made.
    pub fn pods_of(&self, workload: &Workload) -> Vec<&Pod> {
        let index = self.index();
        let key = (workload.kind, workload.namespace.clone(), workload.name.clone());
        let at = index.workloads.get(&key).and_then(|at| index.pods_of.get(at));
        self.pods_at(at)
    }

    /// The Deployment, StatefulSet … that a pod belongs to.
    pub fn workload_of(&self, pod: &Pod) -> Option<&Workload> {
        let index = self.index();
        let at = index.pods.get(&(pod.namespace.clone(), pod.name.clone()))?;
        self.workloads.items().get(*index.workload_of.get(at)?)
    }

    pub fn pods_on(&self, node: &str) -> Vec<&Pod> {
        self.pods_at(self.index().pods_on.get(node))
    }

    pub fn pods_in(&self, namespace: &str) -> Vec<&Pod> {
        self.pods_at(self.index().pods_in.get(namespace))
    }

    /// The pods that mount a claim.
    pub fn users_of(&self, claim: &Claim) -> Vec<&Pod> {
        let place = (claim.namespace.clone(), claim.name.clone());
        self.pods_at(self.index().users.get(&place))
    }

    /// The volumes of a workload's pods, with the pod that each belongs to.
    pub fn volumes_of(&self, workload: &Workload) -> Vec<(&Pod, &PersistentVolume)> {
        let pods = self.pods_of(workload).into_iter();
        let volumes = pods.flat_map(|pod| {
            let claims = pod.claims().filter_map(|name| self.claim(&pod.namespace, &name));
            claims.filter_map(|claim| self.volume(&claim.volume)).map(move |one| (pod, one))
        });
        volumes.collect()
    }

    /// The workloads that nothing else makes: no ReplicaSets of Deployments, no Jobs of CronJobs.
    pub fn top_workloads(&self) -> impl Iterator<Item = &Workload> {
        self.workloads.items().iter().filter(|one| one.owner().is_none())
    }

    /// The same of one namespace.
    pub fn top_workloads_in(&self, namespace: &str) -> impl Iterator<Item = &Workload> {
        self.workloads_at(self.index().tops_in.get(namespace))
    }

    /// What a workload makes for itself: the ReplicaSets of a Deployment, the Jobs of a CronJob.
    pub fn made_by(&self, one: &Workload) -> impl Iterator<Item = &Workload> {
        let (kind, namespace) = (one.kind.as_str().to_owned(), one.namespace.clone());
        self.workloads_at(self.index().made_by.get(&(kind, namespace, one.name.clone())))
    }

    pub fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        let place = (namespace.to_owned(), name.to_owned());
        self.secrets.items().get(*self.index().secrets.get(&place)?)
    }

    pub fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        let place = (namespace.to_owned(), name.to_owned());
        self.config_maps.items().get(*self.index().config_maps.get(&place)?)
    }

    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        let place = (namespace.to_owned(), name.to_owned());
        self.services.items().get(*self.index().services.get(&place)?)
    }

    fn workloads_at(&self, at: Option<&Vec<usize>>) -> impl Iterator<Item = &Workload> {
        let at = at.map(Vec::as_slice).unwrap_or_default().to_vec();
        at.into_iter().filter_map(|at| self.workloads.items().get(at))
    }

    fn pods_at(&self, at: Option<&Vec<usize>>) -> Vec<&Pod> {
        let at = at.map(Vec::as_slice).unwrap_or_default();
        at.iter().filter_map(|at| self.pods.items().get(*at)).collect()
    }
}

/// The index of a snapshot, when it was needed already. It is no part of what a snapshot says.
#[derive(Debug, Default)]
pub(super) struct Cached(OnceLock<Index>);

impl Cached {
    pub(super) fn of(&self, snapshot: &Snapshot) -> &Index {
        self.0.get_or_init(|| Index::new(snapshot))
    }
}

impl Clone for Cached {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Cached {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cached {}
