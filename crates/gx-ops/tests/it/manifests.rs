//! What this repository deploys is what it would want of others: its own rules find nothing in it.

use std::path::Path;
use std::process::Command;

use gx_ops::collect::{Input, Redactor, Salt, gather};
use gx_ops::facts::Time;
use gx_ops::rules::{Options, audit};
use gx_types::{NetworkId, Severity};

/// The manifests of a network as they would be applied; none without the program that renders them.
fn rendered(network: NetworkId) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes/networks");
    let path = folder.join(network.as_str());
    let Ok(run) = Command::new("kubectl").arg("kustomize").arg(path).output() else {
        println!("the rules were not held against the manifests: there is no kubectl");
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(String::from_utf8(run.stdout).unwrap())
}

#[test]
fn nothing_above_low_is_found_in_the_networks() {
    for network in NetworkId::ALL {
        let Some(text) = rendered(network) else { return };
        let at = Time::from_seconds(1_796_000_000);
        let input = Input { name: format!("{network}.yaml"), text, at };
        let snapshot = gather(vec![input], Redactor::new(Salt::new([3; 32]))).unwrap();
        let options = Options { at_least: Some(Severity::Medium), ..Options::default() };
        let found = audit(&snapshot, &options);
        let told: Vec<String> = found.issues().map(|issue| issue.finding.to_string()).collect();
        assert!(told.is_empty(), "{network}:\n{}", told.join("\n"));
    }
}
