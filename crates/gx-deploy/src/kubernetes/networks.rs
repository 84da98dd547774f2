//! The three networks: namespaces, quotas, the pairs between their namespaces, and which
//! components each takes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    LimitRange, LimitRangeItem, LimitRangeSpec, Namespace, ResourceQuota, ResourceQuotaSpec,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::parts::{NETWORK, named};
use super::settings::network_settings;
use super::{Error, Tree, policies, value};
use crate::model::{Bounds, NetworkId, Part};

pub(super) fn write(tree: &mut Tree, network: NetworkId) -> Result<(), Error> {
    let folder = format!("networks/{network}");
    let (mut namespaces, mut bounds) = (Vec::new(), Vec::new());
    for part in Part::ALL {
        let name = part.namespace(network);
        namespaces.push(value(&namespace(&name, network))?);
        namespaces.extend(policies::defaults(&name)?);
        bounds.push(value(&quota(&name, Bounds::of(part, network)))?);
        bounds.push(value(&limits(&name))?);
        let inside = format!("{folder}/{}", part.as_str());
        tree.objects(&format!("{inside}/across.yaml"), &policies::across(network, part)?);
        tree.kustomization(&inside, about(part), parts(network, part));
    }
    tree.objects(&format!("{folder}/namespaces.yaml"), &namespaces);
    tree.objects(&format!("{folder}/bounds.yaml"), &bounds);
    let about = match network {
        NetworkId::Mainnet => "Mainnet: three nodes, so that any one of them can be lost.",
        NetworkId::Testnet => "Testnet: everything that mainnet has, once, on one node.",
        NetworkId::Devnet => "Devnet: everything that mainnet has, once, on one node.",
    };
    let resources = ["../../base/cluster", "namespaces.yaml", "bounds.yaml", "platform", "fabric"];
    tree.kustomization(&folder, about, json!({ "resources": resources }));
    Ok(())
}

fn about(part: Part) -> &'static str {
    match part {
        Part::Platform => "The platform of this network, its database and what else it keeps.",
        Part::Fabric => "The ledger of this network.",
    }
}

/// What a network takes of a part.
fn parts(network: NetworkId, part: Part) -> Value {
    let (bases, settings): (&[&str], Value) = match part {
        Part::Platform => (&["platform", "redis", "ingress"], settings(network)),
        Part::Fabric => (&["fabric"], json!([])),
    };
    let mut resources: Vec<String> =
        bases.iter().map(|base| format!("../../../base/{base}")).collect();
    resources.push("across.yaml".to_owned());
    let mut components = vec![format!("scrape-annotations/{}", part.as_str())];
    match (network, part) {
        (NetworkId::Mainnet, Part::Platform) => {
            components.push("postgres-cloudnativepg".to_owned())
        }
        (NetworkId::Mainnet, Part::Fabric) => {}
        (_, Part::Platform) => {
            components.extend(["postgres-plain".to_owned(), "one-node/platform".to_owned()]);
        }
        (_, Part::Fabric) => components.push("one-node/fabric".to_owned()),
    }
    let components: Vec<String> =
        components.iter().map(|name| format!("../../../components/{name}")).collect();
    let pairs = BTreeMap::from([(NETWORK, network.as_str())]);
    let mut fields = json!({
        "namespace": part.namespace(network),
        "resources": resources,
        "components": components,
        "labels": [{ "pairs": pairs, "includeTemplates": true }],
    });
    if settings != json!([]) {
        super::merge(&mut fields, json!({ "configMapGenerator": settings }));
    }
    fields
}

fn settings(network: NetworkId) -> Value {
    let literals: Vec<String> = network_settings(network)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    json!([{ "name": "gx-settings", "behavior": "merge", "literals": literals }])
}

/// Pods that are not restricted are refused in it.
fn namespace(name: &str, network: NetworkId) -> Namespace {
    let modes = ["enforce", "audit", "warn"];
    let mut labels: BTreeMap<String, String> = modes
        .iter()
        .map(|mode| (format!("pod-security.kubernetes.io/{mode}"), "restricted".to_owned()))
        .collect();
    labels.insert(NETWORK.to_owned(), network.to_string());
    labels.insert("app.kubernetes.io/part-of".to_owned(), "gx-protocol".to_owned());
    Namespace {
        metadata: ObjectMeta { labels: Some(labels), ..named(name) },
        ..Namespace::default()
    }
}

fn within(name: &str, namespace: &str) -> ObjectMeta {
    ObjectMeta { namespace: Some(namespace.to_owned()), ..named(name) }
}

fn quota(namespace: &str, bounds: Bounds) -> ResourceQuota {
    let hard = [
        ("pods", bounds.pods.to_string()),
        ("services", bounds.services.to_string()),
        ("services.loadbalancers", "0".to_owned()),
        ("services.nodeports", "0".to_owned()),
        ("persistentvolumeclaims", bounds.volumes.to_string()),
        ("requests.storage", format!("{}Gi", bounds.disk_gib)),
        ("requests.cpu", format!("{}m", bounds.cpu)),
        ("requests.memory", format!("{}Mi", bounds.memory)),
        ("limits.cpu", format!("{}m", bounds.cpu_max)),
        ("limits.memory", format!("{}Mi", bounds.memory_max)),
    ];
    let hard = hard.into_iter().map(|(name, amount)| (name.to_owned(), Quantity(amount)));
    ResourceQuota {
        metadata: within("bounds", namespace),
        spec: Some(ResourceQuotaSpec {
            hard: Some(hard.collect()),
            ..ResourceQuotaSpec::default()
        }),
        status: None,
    }
}

/// The least is below what the solver of certificates asks for, 10m and 64Mi.
fn limits(namespace: &str) -> LimitRange {
    let amounts = |cpu: &str, memory: &str| {
        let amounts = [("cpu", cpu), ("memory", memory)];
        let amounts = amounts.map(|(name, text)| (name.to_owned(), Quantity(text.to_owned())));
        Some(BTreeMap::from(amounts))
    };
    let of_containers = LimitRangeItem {
        type_: "Container".to_owned(),
        min: amounts("10m", "32Mi"),
        max: amounts("4", "8Gi"),
        default: amounts("500m", "512Mi"),
        default_request: amounts("100m", "128Mi"),
        ..LimitRangeItem::default()
    };
    LimitRange {
        metadata: within("containers", namespace),
        spec: Some(LimitRangeSpec { limits: vec![of_containers] }),
    }
}
