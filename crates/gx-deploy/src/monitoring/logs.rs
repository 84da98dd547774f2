//! Logs: Loki keeps them, Alloy brings them.
//!
//! A stream is told by few labels with few values: where the line is from and how severe it is. Ids
//! of requests and traces go beside the line; as labels each would be a stream of its own.

use super::yaml::{list, map, text, word};

/// The labels that a stream may have.
const LABELS: &str = r#""job", "unit", "namespace", "app", "container", "node", "level""#;

/// `loki.yml`: one process, its data on this host, a week of logs.
pub(crate) fn loki() -> String {
    let schema = map([
        ("from", text("2024-01-01")),
        ("store", word("tsdb")),
        ("object_store", word("filesystem")),
        ("schema", word("v13")),
        ("index", map([("prefix", text("index_")), ("period", word("24h"))])),
    ]);
    let ring = map([("kvstore", map([("store", word("inmemory"))]))]);
    map([
        ("auth_enabled", word(false)),
        (
            "server",
            map([("http_listen_address", text("127.0.0.1")), ("http_listen_port", word(3100))]),
        ),
        (
            "common",
            map([
                ("path_prefix", text("/var/lib/loki")),
                ("replication_factor", word(1)),
                ("ring", ring),
            ]),
        ),
        ("schema_config", map([("configs", list([schema]))])),
        (
            "storage_config",
            map([("filesystem", map([("directory", text("/var/lib/loki/chunks"))]))]),
        ),
        (
            "limits_config",
            map([
                ("retention_period", word("168h")),
                ("max_label_names_per_series", word(8)),
                ("allow_structured_metadata", word(true)),
            ]),
        ),
        (
            "compactor",
            map([
                ("working_directory", text("/var/lib/loki/compactor")),
                ("retention_enabled", word(true)),
                ("delete_request_store", word("filesystem")),
            ]),
        ),
    ])
    .document("Loki in one process. Without retention the records' one held 6.6 GB after 37 days.")
}

/// What is done to every line of the platform: its level becomes a label, its ids go beside it.
fn process(to: &str) -> String {
    format!(
        "// Lines of the platform are JSON; what is none passes as it is.
loki.process \"gx\" {{
  stage.json {{
    expressions = {{
      level      = \"level\",
      request_id = \"request_id\",
      trace      = \"trace\",
    }}
  }}
  stage.labels {{
    values = {{ level = \"\" }}
  }}
  stage.structured_metadata {{
    values = {{ request_id = \"\", trace = \"\" }}
  }}
  stage.label_keep {{
    values = [{LABELS}]
  }}
  forward_to = [loki.write.loki.receiver]
}}

loki.write \"loki\" {{
  endpoint {{
    url = \"{to}\"
  }}
}}
"
    )
}

/// Alloy on one host: the journal's lines of our units.
pub(crate) fn host() -> String {
    let process = process("http://127.0.0.1:3100/loki/api/v1/push");
    format!(
        "// {}

loki.relabel \"journal\" {{
  forward_to = []
  rule {{
    source_labels = [\"__journal__systemd_unit\"]
    target_label  = \"unit\"
  }}
  rule {{
    source_labels = [\"__journal__systemd_unit\"]
    regex         = \"(gx|postgresql|redis|caddy|nginx|prometheus).*\"
    action        = \"keep\"
  }}
}}

loki.source.journal \"journal\" {{
  labels        = {{ job = \"journal\" }}
  relabel_rules = loki.relabel.journal.rules
  forward_to    = [loki.process.gx.receiver]
}}

{process}",
        super::MADE
    )
}

/// Alloy in a cluster, one on each node: the lines of the pods there.
pub(crate) fn kubernetes() -> String {
    let process = process("http://loki.monitoring.svc:3100/loki/api/v1/push");
    let rules = [
        ("__meta_kubernetes_namespace", "namespace"),
        ("__meta_kubernetes_pod_label_app_kubernetes_io_name", "app"),
        ("__meta_kubernetes_pod_container_name", "container"),
        ("__meta_kubernetes_pod_node_name", "node"),
    ]
    .map(|(from, to)| {
        format!("  rule {{\n    source_labels = [\"{from}\"]\n    target_label  = \"{to}\"\n  }}\n")
    });
    format!(
        "// {}

discovery.kubernetes \"pods\" {{
  role = \"pod\"
  selectors {{
    role  = \"pod\"
    field = \"spec.nodeName=\" + sys.env(\"NODE_NAME\")
  }}
}}

discovery.relabel \"pods\" {{
  targets = discovery.kubernetes.pods.targets
{}}}

loki.source.kubernetes \"pods\" {{
  targets    = discovery.relabel.pods.output
  forward_to = [loki.process.gx.receiver]
}}

{process}",
        super::MADE,
        rules.concat()
    )
}
