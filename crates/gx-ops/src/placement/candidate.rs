//! A pod that is to be placed: one that there is, or one that a workload would make.

use crate::facts::{Claim, Labels, Pod, PodSpec, Snapshot, VolumeSource, Workload};

/// A claim that the pod would mount.
#[derive(Debug, Clone)]
pub enum ClaimUse<'a> {
    Existing(&'a Claim),
    /// Made with the pod by its StatefulSet, of this class.
    Future {
        class: Option<&'a str>,
    },
    /// There is none of this name.
    Absent {
        name: String,
        is_ephemeral: bool,
    },
}

/// A pod that is asked about.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub namespace: &'a str,
    /// Empty for one that does not exist yet.
    pub name: &'a str,
    pub labels: &'a Labels,
    pub spec: &'a PodSpec,
    pub claims: Vec<ClaimUse<'a>>,
}

impl<'a> Candidate<'a> {
    /// A pod that there is, as if it had still to be placed.
    pub fn of_pod(snapshot: &'a Snapshot, pod: &'a Pod) -> Self {
        let claims = pod.spec.volumes.iter().filter_map(|volume| {
            let (name, is_ephemeral) = match &volume.source {
                VolumeSource::Claim(name) => (name.clone(), false),
                VolumeSource::Ephemeral => (format!("{}-{}", pod.name, volume.name), true),
                _ => return None,
            };
            let found = snapshot.claim(&pod.namespace, &name);
            Some(found.map_or(ClaimUse::Absent { name, is_ephemeral }, ClaimUse::Existing))
        });
        Self {
            namespace: &pod.namespace,
            name: &pod.name,
            labels: &pod.labels,
            spec: &pod.spec,
            claims: claims.collect(),
        }
    }

    /// The next pod of a workload, with claims of its own that do not exist yet.
    pub fn of_workload(snapshot: &'a Snapshot, workload: &'a Workload) -> Self {
        let namespace = workload.namespace.as_str();
        let made = workload
            .claim_templates
            .iter()
            .map(|template| ClaimUse::Future { class: template.class.as_deref() });
        let spec = &workload.template.spec;
        let named = spec.volumes.iter().filter_map(|volume| match &volume.source {
            // A template's own claims stand in its volumes as well once it is a pod.
            VolumeSource::Claim(name) => {
                let known = snapshot.claim(namespace, name);
                let absent = ClaimUse::Absent { name: name.clone(), is_ephemeral: false };
                Some(known.map_or(absent, ClaimUse::Existing))
            }
            _ => None,
        });
        Self {
            namespace,
            name: "",
            labels: &workload.template.labels,
            spec,
            claims: made.chain(named).collect(),
        }
    }

    /// Whether this is the pod itself, which is not in its own way.
    pub(super) fn is(&self, pod: &Pod) -> bool {
        !self.name.is_empty() && pod.namespace == self.namespace && pod.name == self.name
    }
}
