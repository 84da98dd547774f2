//! What Prometheus scrapes: on one host, and in Kubernetes.

use super::yaml::{Node, labels, list, map, text, texts, word};

/// A process that is scraped where everything runs on one host: its job and its address.
struct Host {
    job: &'static str,
    addresses: &'static [&'static str],
}

/// The usual ports. `gx up` answers on 3000; services alone, submitter and projector on theirs.
const HOST: &[Host] = &[
    Host { job: "gx", addresses: &["127.0.0.1:3000"] },
    Host { job: "node", addresses: &["127.0.0.1:9100"] },
    Host { job: "postgres", addresses: &["127.0.0.1:9187"] },
    Host { job: "redis", addresses: &["127.0.0.1:9121"] },
    Host { job: "prometheus", addresses: &["127.0.0.1:9090"] },
    Host { job: "alertmanager", addresses: &["127.0.0.1:9093"] },
];

/// What is common to both: how often, which rules, whom to tell.
fn head(rules: Node, alertmanagers: Node) -> Node {
    let global = map([("scrape_interval", word("15s")), ("evaluation_interval", word("15s"))]);
    map([
        ("global", global),
        ("rule_files", rules),
        ("alerting", map([("alertmanagers", list([alertmanagers]))])),
    ])
}

fn job(name: &str, addresses: &[&str]) -> Node {
    let targets = map([("targets", texts(addresses.iter().copied()))]);
    map([("job_name", word(name)), ("static_configs", list([targets]))])
}

/// A job whose targets are asked through the blackbox exporter.
fn probe(name: &str, module: &str, file: &str) -> Node {
    let to_parameter =
        map([("source_labels", texts(["__address__"])), ("target_label", word("__param_target"))]);
    let to_instance =
        map([("source_labels", texts(["__param_target"])), ("target_label", word("instance"))]);
    let to_exporter =
        map([("target_label", word("__address__")), ("replacement", text("127.0.0.1:9115"))]);
    map([
        ("job_name", word(name)),
        ("metrics_path", word("/probe")),
        ("params", map([("module", texts([module]))])),
        ("file_sd_configs", list([map([("files", texts([file]))])])),
        ("relabel_configs", list([to_parameter, to_instance, to_exporter])),
    ])
}

/// `prometheus.yml` of one host.
pub(crate) fn one_host() -> String {
    let alertmanagers =
        map([("static_configs", list([map([("targets", texts(["127.0.0.1:9093"]))])]))]);
    let jobs = HOST.iter().map(|host| job(host.job, host.addresses));
    let probes = [
        probe("probe-http", "https_2xx", "targets/probe-http.yml"),
        probe("probe-tls", "tls", "targets/probe-tls.yml"),
    ];
    head(texts(["rules/*.yml"]), alertmanagers)
        .with("scrape_configs", list(jobs.chain(probes)))
        .document(
            "Prometheus on the host of the platform. What does not run there may be taken out:\n\
             a target that is down on purpose hides the one that is not.",
        )
}

/// A rule that keeps targets, or copies what is known of them.
fn relabel(from: &[&str], how: &[(&str, &str)]) -> Node {
    let mut rule = map([("source_labels", texts(from.iter().copied()))]);
    for (key, value) in how {
        rule = rule.with(key, text(*value));
    }
    rule
}

/// Pods of a job, which are told by a label, with the port that figures are on.
fn pods(name: &str, label: &str, value: &str, more: &[Node]) -> Node {
    let label = format!("__meta_kubernetes_pod_label_app_kubernetes_io_{label}");
    let keep = |from: &str, regex: &str| relabel(&[from], &[("regex", regex), ("action", "keep")]);
    let copy = |from: &str, to: &str| relabel(&[from], &[("target_label", to)]);
    let rules = [
        keep(&label, value),
        keep("__meta_kubernetes_pod_container_port_name", "metrics|http|operations"),
        copy("__meta_kubernetes_namespace", "namespace"),
        copy("__meta_kubernetes_pod_name", "pod"),
        copy("__meta_kubernetes_pod_node_name", "node"),
    ];
    let rules: Vec<Node> = rules.into_iter().chain(more.iter().cloned()).collect();
    map([
        ("job_name", word(name)),
        ("kubernetes_sd_configs", list([map([("role", word("pod"))])])),
        ("relabel_configs", Node::List(rules)),
    ])
}

/// `prometheus.yml` inside a cluster.
pub(crate) fn kubernetes() -> String {
    let ours = relabel(
        &["__meta_kubernetes_pod_label_app_kubernetes_io_part_of"],
        &[("regex", "gx-protocol"), ("action", "keep")],
    );
    let organization = relabel(
        &["__meta_kubernetes_pod_label_gx_protocol_organization"],
        &[("target_label", "organization")],
    );
    let jobs = [
        pods("gx", "component", "api|worker", std::slice::from_ref(&ours)),
        pods("fabric-orderer", "component", "orderer", std::slice::from_ref(&ours)),
        pods("fabric-peer", "component", "peer", &[ours.clone(), organization]),
        pods("fabric-ca", "component", "authority", std::slice::from_ref(&ours)),
        pods("postgres", "name", "postgres-exporter", &[]),
        pods("redis", "name", "redis-exporter", &[]),
        pods("node", "name", "node-exporter", &[]),
        pods("kube-state-metrics", "name", "kube-state-metrics", &[]),
        pods("cert-manager", "name", "cert-manager", &[]),
        pods("prometheus", "name", "prometheus", &[]),
        pods("alertmanager", "name", "alertmanager", &[]),
        kubelets(),
    ];
    let managers = pods_of_alertmanager();
    head(texts(["/etc/prometheus/rules/*.yml"]), managers)
        .with("scrape_configs", list(jobs))
        .document(
            "Prometheus inside a cluster. Pods are found by the recommended labels, and scraped\n\
             on the port named metrics, http or operations.",
        )
}

fn pods_of_alertmanager() -> Node {
    let rule = relabel(
        &["__meta_kubernetes_pod_label_app_kubernetes_io_name"],
        &[("regex", "alertmanager"), ("action", "keep")],
    );
    map([
        ("kubernetes_sd_configs", list([map([("role", word("pod"))])])),
        ("relabel_configs", list([rule])),
    ])
}

/// The kubelets know how full volumes are.
fn kubelets() -> Node {
    let account = "/var/run/secrets/kubernetes.io/serviceaccount";
    let authority = format!("{account}/ca.crt");
    let token = format!("{account}/token");
    map([
        ("job_name", word("kubelet")),
        ("scheme", word("https")),
        ("tls_config", labels([("ca_file", authority.as_str())])),
        ("authorization", labels([("credentials_file", token.as_str())])),
        ("kubernetes_sd_configs", list([map([("role", word("node"))])])),
        (
            "relabel_configs",
            list([relabel(&["__meta_kubernetes_node_name"], &[("target_label", "node")])]),
        ),
    ])
}

/// The modules of the blackbox exporter.
pub(crate) fn blackbox() -> String {
    let http = map([
        ("method", word("GET")),
        ("fail_if_not_ssl", word(true)),
        ("valid_status_codes", list([word(200)])),
        ("preferred_ip_protocol", word("ip4")),
    ]);
    let tcp = map([("tls", word(true)), ("preferred_ip_protocol", word("ip4"))]);
    let modules = map([
        ("https_2xx", map([("prober", word("http")), ("timeout", word("10s")), ("http", http)])),
        ("tls", map([("prober", word("tcp")), ("timeout", word("10s")), ("tcp", tcp)])),
    ]);
    map([("modules", modules)]).document(
        "blackbox_exporter: an HTTPS address that has to answer 200, and a port whose certificate\n\
         is looked at. Run it somewhere else than what it probes.",
    )
}

/// Targets of probes, for everybody to replace.
pub(crate) fn probe_targets(addresses: &[&str], about: &str) -> String {
    list([map([("targets", texts(addresses.iter().copied()))])]).document(about)
}
