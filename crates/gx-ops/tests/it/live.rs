//! What is collected from an API server is what is collected from `kubectl get -o json` of it.

use std::process::Command;

use gx_ops::collect::{Input, Redactor, Salt, collect_live, gather};
use gx_ops::facts::{Fact, Snapshot, Time};

use crate::generate::{self, CLASSES, NAMESPACES, Random};
use crate::rig::{self, Rig};

fn redactor() -> Redactor {
    Redactor::new(Salt::new([1; 32]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_and_dumped_are_the_same() {
    let Some(home) = rig::home() else { return };
    let rig = Rig::start(&home).await;
    let cluster = generate::cluster(0, &mut Random::new(7));
    for name in NAMESPACES {
        rig.create(&generate::namespace(name)).await;
    }
    for (name, mode) in CLASSES {
        rig.create(&generate::class(name, mode)).await;
    }
    let made = [&cluster.nodes, &cluster.volumes, &cluster.claims, &cluster.pods];
    for object in made.into_iter().flatten() {
        rig.create(object).await;
    }
    let at = Time::from_seconds(1_796_000_000);
    // The controller binds claims while they are looked at; both have to see the end of it.
    rig::until("both see the same", async || {
        let live = collect_live(rig.client.clone(), "one", at, redactor()).await.unwrap();
        different(&live, &dump(&rig, at)).is_empty()
    })
    .await;
}

fn dump(rig: &Rig, at: Time) -> Snapshot {
    let kinds = "nodes,pods,namespaces,pv,pvc,storageclasses,roles,clusterroles,rolebindings,\
                 clusterrolebindings,configmaps,services,endpointslices,priorityclasses";
    let output = Command::new("kubectl")
        .arg(format!("--kubeconfig={}", rig.kubeconfig.display()))
        .args(["get", kinds, "-A", "-o", "json", "--show-managed-fields"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    gather(vec![Input { name: "two".to_owned(), text, at }], redactor()).unwrap()
}

/// The parts that the dump has something of, and of which the two do not say the same.
fn different(live: &Snapshot, dumped: &Snapshot) -> Vec<&'static str> {
    let mut seen = 0;
    let mut different = Vec::new();
    macro_rules! compare {
        ($( $fact:ident $part:ident; )*) => {
            $( if dumped.lacks(Fact::$fact).is_none() {
                seen += 1;
                if live.$part.items() != dumped.$part.items() {
                    different.push(Fact::$fact.name());
                }
            } )*
        };
    }
    compare! {
        Nodes nodes; Pods pods; Namespaces namespaces; Volumes volumes; Claims claims;
        StorageClasses storage_classes; Roles roles; RoleBindings role_bindings;
        ConfigMaps config_maps; Services services; PriorityClasses priority_classes;
    }
    assert!(seen >= 8, "the dump has {seen} kinds");
    assert_eq!(live.cluster, dumped.cluster);
    different
}
