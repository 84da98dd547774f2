//! Parts that an overlay takes or leaves: the database, TLS, secrets, figures, storage, sizes.
//!
//! Kinds that are not Kubernetes' own stand here alone, each in the component that says so.

use serde_json::{Value, json};

use super::parts::resources;
use super::settings::{SITE, SITE_MAIL};
use super::{Error, Tree, policies, postgres, value};
use crate::model::{
    COLLECTOR_PORT, Ca, NetworkId, Org, Outside, Part, Port, Service, Size, Workload, disk_gib,
    size,
};
use crate::yaml;

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    for part in Part::ALL {
        scrape_annotations(tree, part);
        one_node(tree, part)?;
    }
    postgres_plain(tree)?;
    postgres_cloudnativepg(tree)?;
    autoscale_by_requests(tree);
    storage(tree, "local-path", "Disks of the host that a pod runs on: fast, and lost with it.");
    storage(tree, "longhorn", "Disks that Longhorn keeps on several hosts; it must be installed.");
    tls(tree);
    site(tree);
    for network in NetworkId::ALL {
        external_secrets(tree, network);
        pod_monitors(tree, network);
        traces(tree, network)?;
    }
    Ok(())
}

fn folder(name: &str) -> String {
    format!("components/{name}")
}

/// A patch of JSON operations on everything that a target finds.
fn patch(target: &Value, operations: &Value) -> Value {
    json!({ "target": target, "patch": yaml::text(operations) })
}

fn kind(workload: Workload) -> &'static str {
    match workload {
        _ if workload.is_deployment() => "Deployment",
        _ if workload.is_job() => "Job",
        _ => "StatefulSet",
    }
}

/// Owners of a part with a port for figures.
fn measured(part: Part) -> Vec<(Workload, Port)> {
    let of_part = Workload::all().into_iter().filter(|one| one.part() == part);
    of_part.filter_map(|one| Some((one, one.metrics_port()?))).collect()
}

fn scrape_annotations(tree: &mut Tree, part: Part) {
    let mut patches = Vec::new();
    for (workload, port) in measured(part) {
        let annotations = json!({
            "prometheus.io/scrape": "true",
            "prometheus.io/port": port.number.to_string(),
            "prometheus.io/path": "/metrics",
        });
        let add = json!([
            { "op": "add", "path": "/spec/template/metadata/annotations", "value": annotations },
        ]);
        for name in workload.owners() {
            patches.push(patch(&json!({ "kind": kind(workload), "name": name }), &add));
        }
    }
    let about = "Figures by annotations, for a Prometheus that looks for pods with them.";
    let folder = folder(&format!("scrape-annotations/{}", part.as_str()));
    tree.component(&folder, about, json!({ "patches": patches }));
}

fn pod_monitors(tree: &mut Tree, network: NetworkId) {
    let monitor = |(workload, port): (Workload, Port)| {
        let namespace = workload.part().namespace(network);
        let labels = super::parts::labels(workload);
        json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PodMonitor",
            "metadata": { "name": workload.name(), "namespace": namespace, "labels": labels },
            "spec": {
                "selector": { "matchLabels": super::parts::selector(workload) },
                "podMetricsEndpoints": [
                    { "port": port.name, "path": "/metrics", "interval": "15s" },
                ],
            },
        })
    };
    let monitors: Vec<Value> = Part::ALL.into_iter().flat_map(measured).map(monitor).collect();
    let folder = folder(&format!("pod-monitors/{network}"));
    tree.objects(&format!("{folder}/monitors.yaml"), &monitors);
    let about = "Figures by PodMonitor, for the Prometheus operator. Its kinds must be installed.";
    tree.component(&folder, about, json!({ "resources": ["monitors.yaml"] }));
}

/// Traces to a collector beside Prometheus. What it does with them is the site's.
fn traces(tree: &mut Tree, network: NetworkId) -> Result<(), Error> {
    let namespace = Part::Platform.namespace(network);
    let folder = folder(&format!("traces/{network}"));
    tree.objects(&format!("{folder}/policies.yaml"), &policies::tracing(&namespace)?);
    let endpoint = format!("http://otel-collector.monitoring:{COLLECTOR_PORT}");
    let settings = json!([{ "name": "GX_TELEMETRY__OTLP__ENDPOINT", "value": endpoint }]);
    let exporting = |workload: Workload| {
        let container = json!({ "name": workload.component(), "env": settings });
        let change = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": workload.name() },
            "spec": { "template": { "spec": { "containers": [container] } } },
        });
        let name = workload.name();
        let target = json!({ "kind": "Deployment", "name": name, "namespace": namespace });
        patch(&target, &change)
    };
    let patches: Vec<Value> = Workload::lasting().into_iter().map(exporting).collect();
    let about = "Traces by OTLP to the Service otel-collector in the namespace monitoring; see\n\
        docs/tracing.md.";
    tree.component(&folder, about, json!({ "resources": ["policies.yaml"], "patches": patches }));
    Ok(())
}

/// Everything once, small, and on the node for networks without money.
fn one_node(tree: &mut Tree, part: Part) -> Result<(), Error> {
    let mut patches = Vec::new();
    for owner in ["Deployment", "StatefulSet", "Job"] {
        let tolerations = json!([
            { "key": "environment", "value": "nonprod", "effect": "NoSchedule" },
        ]);
        let mut operations = vec![
            json!({
                "op": "add",
                "path": "/spec/template/spec/nodeSelector",
                "value": { "environment": "nonprod" },
            }),
            json!({ "op": "add", "path": "/spec/template/spec/tolerations", "value": tolerations }),
        ];
        if owner == "Deployment" {
            operations.push(json!({ "op": "add", "path": "/spec/replicas", "value": 1 }));
        }
        patches.push(patch(&json!({ "kind": owner }), &Value::from(operations)));
    }
    for workload in Workload::all().into_iter().filter(|one| one.part() == part) {
        let small = value(&resources(workload, NetworkId::Testnet))?;
        let path = "/spec/template/spec/containers/0/resources";
        let mut operations = vec![json!({ "op": "replace", "path": path, "value": small })];
        if workload == Workload::RedisReplica {
            operations.push(json!({ "op": "replace", "path": "/spec/replicas", "value": 0 }));
        }
        for name in workload.owners() {
            let target = json!({ "kind": kind(workload), "name": name });
            patches.push(patch(&target, &Value::from(operations.clone())));
        }
    }
    for (group, kind) in
        [("policy/v1", "PodDisruptionBudget"), ("autoscaling/v2", "HorizontalPodAutoscaler")]
    {
        let gone = json!({
            "$patch": "delete", "apiVersion": group, "kind": kind, "metadata": { "name": "all" },
        });
        patches.push(patch(&json!({ "kind": kind }), &gone));
    }
    let about = "Everything once, small, on the node that has the label and the taint\n\
        environment=nonprod. Budgets would only stop the drain of that node.";
    let folder = folder(&format!("one-node/{}", part.as_str()));
    tree.component(&folder, about, json!({ "patches": patches }));
    Ok(())
}

fn postgres_plain(tree: &mut Tree) -> Result<(), Error> {
    let folder = folder("postgres-plain");
    tree.objects(&format!("{folder}/postgres.yaml"), &postgres::plain()?);
    let about = "PostgreSQL on one node, without a stand-by. Secrets: postgres-tls (tls.crt,\n\
        tls.key) for its certificate, gx-database-tls (ca.crt) for the authority that signed it.";
    tree.component(&folder, about, json!({ "resources": ["postgres.yaml"] }));
    Ok(())
}

/// Three instances by the operator CloudNativePG; what has been committed is on two of them.
fn postgres_cloudnativepg(tree: &mut Tree) -> Result<(), Error> {
    let folder = folder("postgres-cloudnativepg");
    let workload = Workload::Postgres;
    let Size { cpu, cpu_max, memory, memory_max } = size(workload, NetworkId::Mainnet);
    let disk = format!("{}Gi", disk_gib(workload).unwrap_or_default());
    let cluster = json!({
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": { "name": workload.name(), "labels": super::parts::labels(workload) },
        "spec": {
            "instances": 3,
            "imageName": "cloudnative-pg/postgresql",
            "inheritedMetadata": { "labels": super::parts::labels(workload) },
            "priorityClassName": super::parts::priority(workload),
            "bootstrap": { "initdb": {
                "database": "gx", "owner": "gx", "secret": { "name": "postgres-owner" },
            } },
            "postgresql": {
                "parameters": { "max_connections": "300" },
                "synchronous": { "method": "any", "number": 1, "dataDurability": "preferred" },
            },
            "affinity": {
                "enablePodAntiAffinity": true,
                "topologyKey": "kubernetes.io/hostname",
                "podAntiAffinityType": "required",
            },
            "resources": {
                "requests": { "cpu": format!("{cpu}m"), "memory": format!("{memory}Mi") },
                "limits": { "cpu": format!("{cpu_max}m"), "memory": format!("{memory_max}Mi") },
            },
            "storage": { "size": disk },
        },
    });
    let mut objects = vec![cluster];
    objects.extend(policies::of(workload)?);
    objects.extend(policies::operator()?);
    tree.objects(&format!("{folder}/postgres.yaml"), &objects);
    let authority = json!([{ "name": "database-tls", "secret": { "secretName": "postgres-ca" } }]);
    let mut patches = Vec::new();
    for (version, kind) in [("apps/v1", "Deployment"), ("batch/v1", "Job")] {
        let change = json!({
            "apiVersion": version, "kind": kind, "metadata": { "name": "all" },
            "spec": { "template": { "spec": { "volumes": authority } } },
        });
        patches.push(patch(&json!({ "kind": kind }), &change));
    }
    let settings = json!([{
        "name": "gx-settings", "behavior": "merge", "literals": ["GX_DATABASE__HOST=postgres-rw"],
    }]);
    let about = "PostgreSQL with two stand-bys, by the operator CloudNativePG, which must be\n\
        installed in the namespace cnpg-system. It makes the certificates; the Secret\n\
        postgres-owner (username gx, password) and the key database-password of gx-secrets\n\
        hold the same password.";
    let fields = json!({
        "resources": ["postgres.yaml"], "patches": patches, "configMapGenerator": settings,
    });
    tree.component(&folder, about, fields);
    Ok(())
}

/// Needs an adapter that gives the metrics of Prometheus to the autoscaler.
fn autoscale_by_requests(tree: &mut Tree) {
    let metric = json!({
        "type": "Pods",
        "pods": {
            "metric": { "name": "http_requests_per_second" },
            "target": { "type": "AverageValue", "averageValue": "150" },
        },
    });
    let add = json!([{ "op": "add", "path": "/spec/metrics/-", "value": metric }]);
    let patches = [patch(&json!({ "kind": "HorizontalPodAutoscaler" }), &add)];
    let about = "Autoscaling by requests as well, where an adapter serves the custom metric\n\
        http_requests_per_second: sum(rate(http_requests_total[2m])) by (namespace, pod).\n\
        While it does not, the processor decides alone.";
    tree.component(&folder("autoscale-by-requests"), about, json!({ "patches": patches }));
}

fn storage(tree: &mut Tree, class: &str, about: &str) {
    let of_sets = json!([{
        "op": "add", "path": "/spec/volumeClaimTemplates/0/spec/storageClassName", "value": class,
    }]);
    let of_database =
        json!([{ "op": "add", "path": "/spec/storage/storageClass", "value": class }]);
    let patches = [
        patch(&json!({ "kind": "StatefulSet" }), &of_sets),
        patch(&json!({ "kind": "Cluster", "group": "postgresql.cnpg.io" }), &of_database),
    ];
    tree.component(&folder(&format!("storage-{class}")), about, json!({ "patches": patches }));
}

fn tls(tree: &mut Tree) {
    let folder = folder("tls-cert-manager");
    let issuer = json!({
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": { "name": "gx-acme" },
        "spec": { "acme": {
            "server": "https://acme-v02.api.letsencrypt.org/directory",
            "email": "operators@gx.example.org",
            "privateKeySecretRef": { "name": "gx-acme-account" },
            "solvers": [{ "http01": { "ingress": {
                "ingressClassName": "nginx", "serviceType": "ClusterIP",
            } } }],
        } },
    });
    tree.objects(&format!("{folder}/issuer.yaml"), &[issuer]);
    let add = json!([{
        "op": "add",
        "path": "/metadata/annotations/cert-manager.io~1cluster-issuer",
        "value": "gx-acme",
    }]);
    let patches = [patch(&json!({ "kind": "Ingress", "name": "gx-api" }), &add)];
    let about = "Certificates by cert-manager, which must be installed. The address that the\n\
        authority writes to is acmeMail of site.yaml.";
    let fields = json!({ "resources": ["issuer.yaml"], "patches": patches });
    tree.component(&folder, about, fields);
}

/// Puts the values of an overlay's `site.yaml` where they belong.
fn site(tree: &mut Tree) {
    let replace = |key: &str, targets: Value| {
        let source =
            json!({ "kind": "ConfigMap", "name": "site", "fieldPath": format!("data.{key}") });
        json!({ "source": source, "targets": targets })
    };
    let at = |kind: &str, name: &str, paths: &[&str]| {
        let select = json!({ "kind": kind, "name": name });
        json!({ "select": select, "fieldPaths": paths })
    };
    let variables = |map: &str, names: &[&str]| {
        let paths: Vec<String> = names.iter().map(|name| format!("data.{name}")).collect();
        json!([{ "select": { "kind": "ConfigMap", "name": map }, "fieldPaths": paths }])
    };
    let hosts = ["spec.rules.0.host", "spec.tls.0.hosts.0"];
    let mut replacements = vec![replace("apiHost", json!([at("Ingress", "gx-api", &hosts)]))];
    for (key, names) in SITE {
        replacements.push(replace(key, variables("gx-settings", names)));
    }
    for (key, name) in SITE_MAIL {
        replacements.push(replace(key, variables("gx-mail", &[name])));
    }
    let block = ["spec.egress.0.to.0.ipBlock.cidr"];
    let to = |service: Service, outside: Outside| {
        policies::outside_name(Workload::Service(service), outside)
    };
    let mail = to(Service::Identity, Outside::Mail);
    replacements.push(replace("mailNetwork", json!([at("NetworkPolicy", &mail, &block)])));
    let documents = [Service::Identity, Service::Admin].map(|one| to(one, Outside::Documents));
    let documents = documents.map(|name| at("NetworkPolicy", &name, &block));
    replacements.push(replace("documentsNetwork", json!(documents)));
    replacements
        .push(replace("acmeMail", json!([at("ClusterIssuer", "gx-acme", &["spec.acme.email"])])));
    let image = json!([at("Cluster", "postgres", &["spec.imageName"])]);
    replacements.push(replace("postgresImage", image));
    let about =
        "Puts the values of site.yaml, a ConfigMap named site in the overlay, where they belong.";
    tree.component(&folder("site"), about, json!({ "replacements": replacements }));
}

/// Names of the Secrets of a part of a network, as its pods mount them.
pub(super) fn secrets(network: NetworkId, part: Part) -> Vec<String> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    match part {
        Part::Platform => {
            let mut all = names(&["fabric-tls-roots", "gx-secrets", "gx-wallet", "redis-auth"]);
            all.extend(match network {
                NetworkId::Mainnet => names(&["postgres-owner"]),
                NetworkId::Devnet | NetworkId::Testnet => {
                    names(&["gx-database-tls", "postgres-tls"])
                }
            });
            all
        }
        Part::Fabric => {
            let mut owners = Workload::Orderer.owners();
            owners.extend(Org::ALL.iter().flat_map(|org| org.peers()));
            owners.push("orderer-admin".to_owned());
            owners.extend(Org::ALL.map(|org| format!("{}-admin", org.name())));
            let mut all: Vec<String> =
                owners.into_iter().map(|owner| format!("{owner}-identity")).collect();
            all.extend(Ca::ALL.map(Ca::name));
            all.extend(names(&["channel-genesis", "fabric-tls-roots"]));
            all
        }
    }
}

fn external_secrets(tree: &mut Tree, network: NetworkId) {
    let mut objects = Vec::new();
    for part in Part::ALL {
        let namespace = part.namespace(network);
        for name in secrets(network, part) {
            objects.push(json!({
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "metadata": { "name": name, "namespace": namespace },
                "spec": {
                    "refreshInterval": "1h",
                    "secretStoreRef": { "kind": "ClusterSecretStore", "name": "gx" },
                    "target": { "name": name, "creationPolicy": "Owner" },
                    "dataFrom": [{ "extract": { "key": format!("{namespace}/{name}") } }],
                },
            }));
        }
    }
    let folder = folder(&format!("secrets-external/{network}"));
    tree.objects(&format!("{folder}/secrets.yaml"), &objects);
    let about = "Secrets by the External Secrets operator, which must be installed, from a\n\
        ClusterSecretStore named gx: for each Secret the entry NAMESPACE/NAME, with its keys.";
    tree.component(&folder, about, json!({ "resources": ["secrets.yaml"] }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_of_a_network_has_an_identity() {
        let names = secrets(NetworkId::Mainnet, Part::Fabric);
        let identities = names.iter().filter(|name| name.ends_with("-identity")).count();
        assert_eq!((identities, names.len()), (5 + 4 + 3, 5 + 4 + 3 + 5 + 2));
    }
}
