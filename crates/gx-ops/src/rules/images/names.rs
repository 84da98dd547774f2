//! What images are called: their registries, and which of them are the project's own.

use std::collections::BTreeSet;

use crate::facts::{Snapshot, normal_image};

/// A reference taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Such as `docker.io` or `localhost:30500`.
    pub(super) registry: String,
    /// Everything up to the last step of the path, with the registry.
    pub(super) prefix: String,
    /// The last step of the path, without tag and digest.
    pub(super) repository: String,
}

impl Name {
    pub(super) fn of(reference: &str) -> Self {
        let full = normal_image(reference);
        let path = full.split('@').next().unwrap_or_default();
        let (prefix, last) = path.rsplit_once('/').unwrap_or(("", path));
        let registry = prefix.split('/').next().unwrap_or_default();
        Self {
            registry: registry.to_owned(),
            prefix: prefix.to_owned(),
            repository: last.split(':').next().unwrap_or_default().to_owned(),
        }
    }

    /// Whether a declared prefix such as `registry.example.org/gx` is of this image.
    fn is_below(&self, declared: &str) -> bool {
        let declared = declared.trim_end_matches('/');
        let full = format!("{}/{}", self.prefix, self.repository);
        full.strip_prefix(declared).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) fn is_declared(&self, snapshot: &Snapshot) -> bool {
        let declared = snapshot.declared().into_iter().flat_map(|one| &one.registries);
        declared.into_iter().any(|prefix| self.is_below(prefix))
    }

    /// Whether it is one of the project's own, wherever it is kept.
    pub(super) fn is_own(&self, snapshot: &Snapshot) -> bool {
        let name = self.repository.as_str();
        let is_named = ["gx", "gxtv3", "outbox-submitter", "projector"].contains(&name)
            || ["gx-", "gxtv3-", "svc-"].iter().any(|beginning| name.starts_with(beginning));
        is_named || self.prefix.split('/').any(|step| step == PROJECT) || self.is_declared(snapshot)
    }

    /// Whether the registry is one of the operator's own network, which nodes reach by settings
    /// of their runtime alone: by an address, or by a name without a domain.
    pub(super) fn is_private(&self) -> bool {
        let host = self.registry.as_str();
        let bare = host.split(':').next().unwrap_or_default();
        let is_address = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_address || !bare.contains('.') || bare.ends_with(".local")
    }
}

/// Name of the project at public registries.
const PROJECT: &str = "gx-protocol";

/// The images of the project that workloads name.
pub(super) fn own(snapshot: &Snapshot) -> BTreeSet<&str> {
    let containers = snapshot.top_workloads().flat_map(|one| one.template.spec.all_containers());
    let images = containers.map(|one| one.image.as_str());
    images.filter(|image| Name::of(image).is_own(snapshot)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Time;

    #[test]
    fn names_are_taken_apart() {
        let name = Name::of("localhost:30500/svc-tax:2.1.0");
        assert_eq!(
            (name.registry.as_str(), name.repository.as_str()),
            ("localhost:30500", "svc-tax")
        );
        let name = Name::of("gx-protocol/svc-tax@sha256:00");
        assert_eq!(name.prefix, "docker.io/gx-protocol");
        assert_eq!(name.repository, "svc-tax");
        let snapshot = Snapshot::empty(Time::default());
        for (image, own, private) in [
            ("postgres:15", false, false),
            ("10.43.7.7:5000/svc-tax:1", true, true),
            ("registry.example.org/gx:1", true, false),
            ("registry/app", false, false),
            ("ghcr.io/gx-protocol/tools", true, false),
            ("example/svcs", false, false),
        ] {
            let name = Name::of(image);
            assert_eq!((name.is_own(&snapshot), name.is_private()), (own, private), "{image}");
        }
    }
}
