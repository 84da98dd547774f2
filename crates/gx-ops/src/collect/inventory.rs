//! The declared inventory, `inventory.toml`.

use super::{COLLECTOR, Origin};
use crate::facts::{Inventory, Part, Scope, Snapshot, Source};

/// A text that is no inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("this is no inventory")]
    Toml(#[from] toml::de::Error),
    #[error("two hosts are named {0}; a host is known by its name")]
    TwoHosts(String),
    #[error("the host {0} is for the environment {1}, which is not declared")]
    NoEnvironment(String, String),
}

/// Reads an inventory.
///
/// # Errors
/// When the text is none, or contradicts itself.
pub fn parse_inventory(text: &str, origin: &Origin) -> Result<Snapshot, InventoryError> {
    let inventory: Inventory = toml::from_str(text)?;
    for (at, host) in inventory.hosts.iter().enumerate() {
        if inventory.hosts.iter().skip(at.saturating_add(1)).any(|other| other.name == host.name) {
            return Err(InventoryError::TwoHosts(host.name.clone()));
        }
        let unknown = host.environments.iter().find(|one| {
            !inventory.environments.is_empty() && !inventory.environments.contains_key(*one)
        });
        if let Some(unknown) = unknown {
            return Err(InventoryError::NoEnvironment(host.name.clone(), unknown.clone()));
        }
    }
    let source = Source {
        from: origin.from.clone(),
        at: origin.at,
        collector: COLLECTOR.to_owned(),
        scope: Scope::Whole,
    };
    let mut snapshot = Snapshot::empty(origin.at);
    snapshot.inventory = Part::collected(source, vec![inventory]);
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Time;

    fn parse(text: &str) -> Result<Snapshot, InventoryError> {
        parse_inventory(text, &Origin { from: "inventory.toml".to_owned(), at: Time::default() })
    }

    const TEXT: &str = r#"
name = "example"
requiredLabels = ["topology.kubernetes.io/zone"]
singleReplica = ["backend-*/projector"]

[[hosts]]
name = "host-a"
alias = "VPS-1"
region = "asia"
roles = ["control-plane", "etcd"]
environments = ["mainnet"]
capacity = { cpu = "8", memory = "32Gi" }

[environments.mainnet]
namespaces = ["backend-mainnet", "fabric-mainnet"]
channel = "gxchannel-mainnet"
"#;

    #[test]
    fn hosts_are_known_by_their_names() {
        let snapshot = parse(TEXT).unwrap();
        let host = snapshot.declared().unwrap().host("host-a").unwrap();
        assert_eq!((host.region.as_str(), host.capacity.cpu()), ("asia", 8000));
        assert_eq!(snapshot.environment("fabric-mainnet"), Some("mainnet"));
        let twice = format!("{TEXT}\n[[hosts]]\nname = \"host-a\"\n");
        assert!(matches!(parse(&twice), Err(InventoryError::TwoHosts(_))));
        let strange = TEXT.replace("[\"mainnet\"]", "[\"moonnet\"]");
        assert!(matches!(parse(&strange), Err(InventoryError::NoEnvironment(_, _))));
        assert!(matches!(parse("hosts = 3"), Err(InventoryError::Toml(_))));
        assert!(matches!(parse("host = []"), Err(InventoryError::Toml(_))));
    }
}
