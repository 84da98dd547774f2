//! What is of the whole cluster: who is stopped last.

use k8s_openapi::api::scheduling::v1::PriorityClass;
use serde_json::json;

use super::parts::named;
use super::{Error, Tree, value};

const CLASSES: [(&str, i32, &str); 2] = [
    ("gx-ledger", 1_000_000, "What settles commands: peers, orderers, the database, workers."),
    ("gx-platform", 900_000, "What serves requests."),
];

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    let mut objects = Vec::new();
    for (name, rank, about) in CLASSES {
        objects.push(value(&PriorityClass {
            metadata: named(name),
            value: rank,
            description: Some(about.to_owned()),
            global_default: Some(false),
            preemption_policy: None,
        })?);
    }
    tree.objects("base/cluster/priorities.yaml", &objects);
    let about = "What is of the whole cluster, and the same for every network.";
    tree.kustomization("base/cluster", about, json!({ "resources": ["priorities.yaml"] }));
    Ok(())
}
