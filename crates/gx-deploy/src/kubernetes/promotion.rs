//! What the promoter of a network may do at the API of the cluster, and how it gets there.
//!
//! The admin service of the network that is promoted to does it. Its account has a token by a
//! volume of its own, so that no other pod has one, and reaches no further network.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath,
    ObjectFieldSelector, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume,
    VolumeProjection,
};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::parts::{mount, named};
use super::{Error, Tree, policies, value};
use crate::model::{NetworkId, Part, Service, Workload};

/// Where a client in a pod looks for its account.
const ACCOUNT_DIR: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The kubelet renews the token long before.
const TOKEN_SECONDS: i64 = 3600;

/// ConfigMaps in the target's namespace that whoever builds and whatever backs up write to.
const BUILDS: &str = "gx-builds";
const BACKUPS: &str = "gx-backups";

const RBAC: &str = "rbac.authorization.k8s.io";

const PROMOTER: Workload = Workload::Service(Service::Admin);

/// A network that is promoted to, and the one before it.
pub(super) const WAYS: [(NetworkId, NetworkId); 2] =
    [(NetworkId::Devnet, NetworkId::Testnet), (NetworkId::Testnet, NetworkId::Mainnet)];

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    for (source, target) in WAYS {
        let folder = format!("components/promotion/{target}");
        tree.objects(&format!("{folder}/promotion.yaml"), &objects(source, target)?);
        let about = format!(
            "Promotion from {source} to {target} by the admin service of {target}; the namespaces\n\
             of {source} must be in the same cluster. Whoever builds writes the ConfigMap\n\
             {BUILDS}, whatever backs up the ConfigMap {BACKUPS}; see docs/promotion.md."
        );
        let fields = json!({ "resources": ["promotion.yaml"], "patches": [promoter(target)?] });
        tree.component(&folder, &about, fields);
    }
    Ok(())
}

fn objects(source: NetworkId, target: NetworkId) -> Result<Vec<Value>, Error> {
    let here = Part::Platform.namespace(target);
    let own = vec![
        rule("apps", "deployments", &["get", "patch"], &promoted()),
        rule("", "pods", &["list"], &[]),
        rule("", "configmaps", &["get"], &[BUILDS.to_owned(), BACKUPS.to_owned()]),
    ];
    let mut roles = vec![(here.clone(), "promotion".to_owned(), own)];
    let of_source = vec![rule("apps", "deployments", &["get"], &promoted())];
    roles.push((Part::Platform.namespace(source), format!("promotion-to-{target}"), of_source));
    if target == NetworkId::Mainnet {
        let peers = vec![rule("", "pods", &["list"], &[])];
        roles.push((Part::Fabric.namespace(target), "promotion".to_owned(), peers));
    }
    let mut objects = Vec::new();
    for (namespace, name, rules) in roles {
        let metadata = ObjectMeta { namespace: Some(namespace), ..named(&name) };
        objects.push(value(&Role { metadata: metadata.clone(), rules: Some(rules) })?);
        let binding = RoleBinding {
            metadata,
            role_ref: role_ref("Role", &name),
            subjects: Some(vec![account(&here)]),
        };
        objects.push(value(&binding)?);
    }
    let name = format!("gx-promotion-{target}");
    let nodes = Some(vec![rule("", "nodes", &["list"], &[])]);
    let role = ClusterRole { metadata: named(&name), rules: nodes, aggregation_rule: None };
    objects.push(value(&role)?);
    objects.push(value(&ClusterRoleBinding {
        metadata: named(&name),
        role_ref: role_ref("ClusterRole", &name),
        subjects: Some(vec![account(&here)]),
    })?);
    objects.extend(policies::promotion(&here)?);
    Ok(objects)
}

/// Everything of the platform that runs an image of ours all the time.
fn promoted() -> Vec<String> {
    Workload::lasting().into_iter().map(Workload::name).collect()
}

fn rule(group: &str, resource: &str, verbs: &[&str], names: &[String]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        resource_names: Some(names.to_vec()).filter(|names| !names.is_empty()),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef { api_group: RBAC.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

fn account(namespace: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: PROMOTER.name(),
        namespace: Some(namespace.to_owned()),
        ..Subject::default()
    }
}

/// The account of a pod as a volume, as the cluster would mount it by itself everywhere.
fn token() -> Volume {
    let token = ServiceAccountTokenProjection {
        path: "token".to_owned(),
        expiration_seconds: Some(TOKEN_SECONDS),
        audience: None,
    };
    let authority = ConfigMapProjection {
        name: "kube-root-ca.crt".to_owned(),
        items: Some(vec![KeyToPath {
            key: "ca.crt".to_owned(),
            path: "ca.crt".to_owned(),
            mode: None,
        }]),
        optional: None,
    };
    let namespace = DownwardAPIProjection {
        items: Some(vec![DownwardAPIVolumeFile {
            path: "namespace".to_owned(),
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: "metadata.namespace".to_owned(),
            }),
            ..DownwardAPIVolumeFile::default()
        }]),
    };
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() },
        VolumeProjection { config_map: Some(authority), ..VolumeProjection::default() },
        VolumeProjection { downward_api: Some(namespace), ..VolumeProjection::default() },
    ];
    let projected = ProjectedVolumeSource { sources: Some(sources), default_mode: None };
    Volume { name: "account".to_owned(), projected: Some(projected), ..Volume::default() }
}

/// What makes the admin service of a network its promoter.
fn promoter(target: NetworkId) -> Result<Value, Error> {
    let settings = BTreeMap::from([
        ("GX_PROMOTION__TARGET", target.as_str()),
        ("GX_PROMOTION__BUILDS", BUILDS),
        ("GX_PROMOTION__BACKUPS", BACKUPS),
        ("GX_PROMOTION__PROMETHEUS", "http://prometheus.monitoring:9090"),
    ]);
    let settings: Vec<Value> =
        settings.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let container = json!({
        "name": PROMOTER.component(),
        "env": settings,
        "volumeMounts": [value(&mount("account", ACCOUNT_DIR, true))?],
    });
    let change = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": PROMOTER.name() },
        "spec": { "template": { "spec": {
            "containers": [container],
            "volumes": [value(&token())?],
        } } },
    });
    let namespace = Part::Platform.namespace(target);
    let target = json!({ "kind": "Deployment", "name": PROMOTER.name(), "namespace": namespace });
    Ok(json!({ "target": target, "patch": crate::yaml::text(&change) }))
}
