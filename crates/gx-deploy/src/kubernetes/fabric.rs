//! Orderers, peers, authorities, chaincode servers and the Jobs of Fabric.
//!
//! A StatefulSet for each node, since each has an identity of its own. Their disks are bound to
//! the host they are on: a node that is lost takes its orderers' and peers' disks with it, and what
//! replaces them gets its blocks from the others.

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, Container, KeyToPath, PodTemplateSpec, ProjectedVolumeSource,
    SecretProjection, Service, Volume, VolumeProjection,
};
use serde_json::{Value, json};

use super::parts::{
    Labels, NODE, account, claim, config, container, env, http_get, match_labels, meta, mount, pod,
    probed, selector, service,
};
use super::texts::{CORE, CoreYaml, MSP, ORDERER};
use super::{Error, Tree, authorities, budgets, chaincode, jobs, policies, value};
use crate::model::{Ca, Org, Workload, disk_gib};

pub(super) const FOLDER: &str = "base/fabric";
/// Folder of a node's identity: `msp/` and `tls/`.
pub(super) const IDENTITY_DIR: &str = "/etc/fabric/identity";
/// Folder of the configuration file.
pub(super) const CONFIG_DIR: &str = "/etc/fabric/config";

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    tree.text(&format!("{FOLDER}/core.yaml"), CORE.to_owned());
    tree.text(&format!("{FOLDER}/orderer-config.yaml"), ORDERER.to_owned());
    tree.text(&format!("{FOLDER}/msp.yaml"), MSP.to_owned());
    tree.objects(&format!("{FOLDER}/orderers.yaml"), &nodes(Workload::Orderer)?);
    let mut files = vec!["orderers.yaml".to_owned()];
    for org in Org::ALL {
        let name = org.name();
        tree.objects(&format!("{FOLDER}/peers-{name}.yaml"), &nodes(Workload::Peer(org))?);
        tree.objects(&format!("{FOLDER}/chaincode-{name}.yaml"), &chaincode::servers(org)?);
        files.extend([format!("peers-{name}.yaml"), format!("chaincode-{name}.yaml")]);
    }
    let mut objects = Vec::new();
    for ca in Ca::ALL {
        objects.extend(authorities::of(ca)?);
    }
    tree.objects(&format!("{FOLDER}/authorities.yaml"), &objects);
    files.push("authorities.yaml".to_owned());
    let mut maps = json!([
        { "name": CoreYaml::MOUNTED.map, "files": ["core.yaml"] },
        { "name": "orderer-config", "files": ["orderer.yaml=orderer-config.yaml"] },
        { "name": "msp-config", "files": ["config.yaml=msp.yaml"] },
    ]);
    if let (Value::Array(maps), Value::Array(more)) = (&mut maps, jobs::write(tree, &mut files)?) {
        maps.extend(more);
    }
    let about = "Hyperledger Fabric: 5 orderers, 2 peers in each of 2 organizations, 5\n\
        authorities, chaincode servers, and the Jobs that make the channel and bring the\n\
        contract there.\n\
        The state database is LevelDB, in the peer: there is no CouchDB.";
    tree.kustomization(FOLDER, about, json!({ "resources": files, "configMapGenerator": maps }));
    Ok(())
}

/// All nodes of a kind, with the account, budget and policy that they share.
fn nodes(workload: Workload) -> Result<Vec<Value>, Error> {
    let mut objects = vec![value(&account(workload))?];
    for name in workload.owners() {
        objects.push(value(&headless(workload, &name))?);
        let template = match workload {
            Workload::Peer(org) => peer(org, &name, CoreYaml::MOUNTED),
            _ => orderer(&name),
        };
        objects.push(value(&set(workload, &name, template))?);
    }
    objects.extend(budgets::of(workload)?);
    objects.extend(policies::of(workload)?);
    Ok(objects)
}

/// Nodes of Raft and gossip find each other before they are ready.
fn headless(workload: Workload, name: &str) -> Service {
    let mut service = service(workload, name, own(workload, name));
    if let Some(spec) = &mut service.spec {
        spec.cluster_ip = Some("None".to_owned());
        spec.publish_not_ready_addresses = Some(true);
    }
    service
}

/// What selects one node.
fn own(workload: Workload, name: &str) -> Labels {
    let mut labels = selector(workload);
    labels.insert(NODE.to_owned(), name.to_owned());
    labels
}

pub(super) fn set(workload: Workload, name: &str, template: PodTemplateSpec) -> StatefulSet {
    StatefulSet {
        metadata: meta(workload, name),
        spec: Some(StatefulSetSpec {
            // None of them needs another one to be there first.
            pod_management_policy: Some("Parallel".to_owned()),
            replicas: Some(workload.replicas().into()),
            revision_history_limit: Some(3),
            selector: match_labels(own(workload, name)),
            service_name: Some(name.to_owned()),
            template,
            volume_claim_templates: disk_gib(workload).map(|gib| vec![claim(gib)]),
            ..StatefulSetSpec::default()
        }),
        status: None,
    }
}

fn orderer(name: &str) -> PodTemplateSpec {
    let workload = Workload::Orderer;
    let mut orderer = container(workload, "hyperledger/fabric-orderer");
    orderer.env =
        Some(vec![env("FABRIC_CFG_PATH", CONFIG_DIR), env("FABRIC_LOGGING_FORMAT", "json")]);
    node(workload, name, orderer, config("config", "orderer-config"))
}

/// A pod of a peer. Whoever makes one shows that its file of settings is mounted.
fn peer(org: Org, name: &str, core: CoreYaml) -> PodTemplateSpec {
    let workload = Workload::Peer(org);
    let mut peer = container(workload, "hyperledger/fabric-peer");
    let address = format!("{name}:7051");
    // The organization's other peers are where gossip begins.
    let others = org.peers().into_iter().filter(|other| other != name);
    let others: Vec<String> = others.map(|other| format!("{other}:7051")).collect();
    peer.env = Some(vec![
        env("FABRIC_CFG_PATH", CONFIG_DIR),
        env("FABRIC_LOGGING_FORMAT", "json"),
        env("CORE_PEER_ID", name),
        env("CORE_PEER_ADDRESS", address.clone()),
        env("CORE_PEER_LOCALMSPID", org.msp()),
        env("CORE_PEER_GOSSIP_BOOTSTRAP", others.join(" ")),
        env("CORE_PEER_GOSSIP_ENDPOINT", address.clone()),
        env("CORE_PEER_GOSSIP_EXTERNALENDPOINT", address),
        // Large batches make much garbage; collecting it more rarely settles more of them.
        env("GOGC", "400"),
        // Before the limit of the container is reached it is collected all the same.
        env("GOMEMLIMIT", "3500MiB"),
    ]);
    node(workload, name, peer, config("config", core.map))
}

fn node(workload: Workload, name: &str, mut node: Container, settings: Volume) -> PodTemplateSpec {
    node.volume_mounts = Some(vec![
        mount("config", CONFIG_DIR, true),
        mount("identity", IDENTITY_DIR, true),
        mount("data", "/var/hyperledger/production", false),
        mount("tmp", "/tmp", false),
    ]);
    let healthy = || http_get("/healthz", "operations");
    probed(&mut node, healthy(), healthy());
    let volumes = vec![settings, identity(name), super::parts::scratch("tmp", 512)];
    let own = Labels::from([(NODE.to_owned(), name.to_owned())]);
    let mut template = pod(workload, node, volumes, own);
    if let Some(spec) = &mut template.spec {
        spec.termination_grace_period_seconds = Some(60);
    }
    template
}

/// An identity in the folders that Fabric wants, from the flat keys of a Secret.
pub(super) fn identity(owner: &str) -> Volume {
    let items = [
        ("cert.pem", "msp/signcerts/cert.pem"),
        ("key.pem", "msp/keystore/key.pem"),
        ("ca.pem", "msp/cacerts/ca.pem"),
        ("tls-ca.pem", "msp/tlscacerts/tls-ca.pem"),
        ("tls-cert.pem", "tls/cert.pem"),
        ("tls-key.pem", "tls/key.pem"),
        ("tls-ca.pem", "tls/ca.pem"),
    ];
    let item = |(key, path): (&str, &str)| KeyToPath {
        key: key.to_owned(),
        path: path.to_owned(),
        mode: None,
    };
    let secret = SecretProjection {
        name: format!("{owner}-identity"),
        items: Some(items.map(item).to_vec()),
        optional: None,
    };
    let units = ConfigMapProjection {
        name: "msp-config".to_owned(),
        items: Some(vec![item(("config.yaml", "msp/config.yaml"))]),
        optional: None,
    };
    let sources = vec![
        VolumeProjection { secret: Some(secret), ..VolumeProjection::default() },
        VolumeProjection { config_map: Some(units), ..VolumeProjection::default() },
    ];
    Volume {
        name: "identity".to_owned(),
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(0o440),
            sources: Some(sources),
        }),
        ..Volume::default()
    }
}
