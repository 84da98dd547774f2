//! What every pod must be: restricted, and a peer never without its file of settings.

use gx_types::{Finding, Rule, Severity};
use serde_json::Value;

use super::objects::{Object, Objects, at, list, text};

const RESTRICTED: Rule = Rule {
    id: "pod-unrestricted",
    severity: Severity::High,
    remedy: "leave the security contexts as the base has them: the namespace refuses other pods",
};
const CORE: Rule = Rule {
    id: "peer-without-core-yaml",
    severity: Severity::High,
    remedy: "mount the ConfigMap peer-core where FABRIC_CFG_PATH points",
};
const TOKEN: Rule = Rule {
    id: "token-mounted",
    severity: Severity::Medium,
    remedy: "set automountServiceAccountToken: false; nothing here asks the cluster's API",
};

pub(super) fn check(objects: &Objects) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in objects.workloads() {
        let Some(template) = object.template() else { continue };
        let pod = at(at(&object.value, template), "spec");
        for (field, evidence) in unrestricted(pod) {
            let field = format!("{template}.spec.{field}");
            findings.push(objects.broken(RESTRICTED, object, &field, evidence, &[object.name()]));
        }
        if object.is("peer") && !has_core(objects, object, pod) {
            let field = format!("{template}.spec.volumes");
            let evidence = "no ConfigMap with core.yaml is mounted at FABRIC_CFG_PATH";
            findings.push(objects.broken(CORE, object, &field, evidence, &[object.name()]));
        }
        if at(pod, "automountServiceAccountToken") != &Value::Bool(false) {
            let field = format!("{template}.spec.automountServiceAccountToken");
            let evidence = "the pod gets a token of its service account";
            findings.push(objects.broken(TOKEN, object, &field, evidence, &[object.name()]));
        }
    }
    findings
}

/// What of a pod is not as Pod Security `restricted` and a root that cannot be written want it.
fn unrestricted(pod: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut wants = |fits: bool, field: &str, what: &str| {
        if !fits {
            found.push((field.to_owned(), what.to_owned()));
        }
    };
    let yes = &Value::Bool(true);
    let no = &Value::Bool(false);
    wants(
        at(pod, "securityContext.runAsNonRoot") == yes,
        "securityContext.runAsNonRoot",
        "is not true",
    );
    let profile = text(pod, "securityContext.seccompProfile.type");
    wants(
        profile == "RuntimeDefault",
        "securityContext.seccompProfile.type",
        "is not RuntimeDefault",
    );
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        wants(at(pod, field) != yes, field, "is set");
    }
    for (number, volume) in list(pod, "volumes").iter().enumerate() {
        wants(at(volume, "hostPath").is_null(), &format!("volumes.{number}.hostPath"), "is set");
    }
    for group in ["initContainers", "containers"] {
        for (number, container) in list(pod, group).iter().enumerate() {
            let context = at(container, "securityContext");
            let drops = list(context, "capabilities.drop").iter().any(|one| one == "ALL");
            let field = |name: &str| format!("{group}.{number}.securityContext.{name}");
            wants(drops, &field("capabilities.drop"), "does not drop ALL");
            let adds = list(context, "capabilities.add").is_empty();
            wants(adds, &field("capabilities.add"), "is not empty");
            let rises = at(context, "allowPrivilegeEscalation") == no;
            wants(rises, &field("allowPrivilegeEscalation"), "is not false");
            let read_only = at(context, "readOnlyRootFilesystem") == yes;
            wants(read_only, &field("readOnlyRootFilesystem"), "is not true");
            wants(at(context, "privileged") != yes, &field("privileged"), "is set");
        }
    }
    found
}

fn has_core(objects: &Objects, object: &Object, pod: &Value) -> bool {
    let Some(container) = list(pod, "containers").first() else { return false };
    let mut variables = list(container, "env").iter();
    let folder = variables.find(|one| text(one, "name") == "FABRIC_CFG_PATH");
    let folder = folder.map_or("", |one| text(one, "value"));
    let mut mounts = list(container, "volumeMounts").iter();
    let mount = mounts.find(|one| text(one, "mountPath") == folder);
    let name = mount.map_or("", |one| text(one, "name"));
    let mut volumes = list(pod, "volumes").iter();
    let volume = volumes.find(|one| !name.is_empty() && text(one, "name") == name);
    let map = volume.map_or("", |one| text(one, "configMap.name"));
    let mut maps = objects.of("ConfigMap");
    maps.any(|one| {
        let here = one.name() == map && one.namespace() == object.namespace();
        here && at(&one.value, "data").get("core.yaml").is_some()
    })
}
