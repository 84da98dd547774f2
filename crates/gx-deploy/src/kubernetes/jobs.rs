//! The Jobs of Fabric: the channel, and the chaincode of each organization.
//!
//! Fabric's own tools do it, in scripts that look before they act, so that a Job that is started
//! again changes nothing that is done.

use k8s_openapi::ByteString;
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, Volume};
use serde_json::{Value, json};

use super::chaincode::package;
use super::fabric::{CONFIG_DIR, FOLDER, IDENTITY_DIR, identity};
use super::parts::{
    Labels, account, config, container, env, meta, mount, named, pod, scratch, secret,
};
use super::texts::{CHAINCODE_JOB, CHANNEL_JOB, CoreYaml};
use super::{Error, Tree, policies, value};
use crate::model::{CHAINCODE, CHAINCODE_SEQUENCE, CHAINCODE_VERSION, CHANNEL, Org, Workload};

/// Writes the Jobs and their scripts; returns the maps that the folder's kustomization makes.
pub(super) fn write(tree: &mut Tree, files: &mut Vec<String>) -> Result<Value, Error> {
    tree.text(&format!("{FOLDER}/channel.sh"), CHANNEL_JOB.to_owned());
    tree.text(&format!("{FOLDER}/chaincode.sh"), CHAINCODE_JOB.to_owned());
    tree.objects(&format!("{FOLDER}/job-channel.yaml"), &channel()?);
    files.push("job-channel.yaml".to_owned());
    for org in Org::ALL {
        let name = format!("job-chaincode-{}.yaml", org.name());
        tree.objects(&format!("{FOLDER}/{name}"), &organization(org, CoreYaml::MOUNTED)?);
        files.push(name);
    }
    Ok(json!([
        { "name": "channel-script", "files": ["channel.sh"] },
        { "name": "chaincode-script", "files": ["chaincode.sh"] },
    ]))
}

fn channel() -> Result<Vec<Value>, Error> {
    let workload = Workload::ChannelJob;
    let settings =
        vec![env("CHANNEL", CHANNEL), env("ORDERERS", Workload::Orderer.owners().join(" "))];
    let mut tools = tools(workload, "channel.sh", settings);
    let (mut mounts, mut volumes) = common("channel-script", "orderer-admin");
    mounts.push(mount("genesis", "/etc/fabric/genesis", true));
    volumes.push(secret("genesis", "channel-genesis"));
    tools.volume_mounts = Some(mounts);
    let mut objects = vec![value(&account(workload))?, value(&job(workload, tools, volumes))?];
    objects.extend(policies::of(workload)?);
    Ok(objects)
}

/// The peer's own program is what acts here, so it needs the peers' file of settings as well.
fn organization(org: Org, core: CoreYaml) -> Result<Vec<Value>, Error> {
    let workload = Workload::OrganizationJob(org);
    let package = package(org)?;
    let names = Org::ALL.map(Org::name);
    let settings = vec![
        env("FABRIC_CFG_PATH", CONFIG_DIR),
        env("CORE_PEER_LOCALMSPID", org.msp()),
        env("CORE_PEER_TLS_ROOTCERT_FILE", format!("/etc/fabric/tls-roots/{}.pem", org.name())),
        env("CHANNEL", CHANNEL),
        env("CHAINCODE", CHAINCODE),
        env("VERSION", CHAINCODE_VERSION),
        env("SEQUENCE", CHAINCODE_SEQUENCE.to_string()),
        env("PACKAGE_ID", package.id),
        env("PEERS", org.peers().join(" ")),
        env("ORGANIZATIONS", names.join(" ")),
        env("ORDERER", Workload::Orderer.owners().first().cloned().unwrap_or_default()),
    ];
    let mut tools = tools(workload, "chaincode.sh", settings);
    let admin = format!("{}-admin", org.name());
    let (mut mounts, mut volumes) = common("chaincode-script", &admin);
    let map = format!("chaincode-package-{}", org.name());
    for (name, path) in [
        ("genesis", "/etc/fabric/genesis"),
        ("tls-roots", "/etc/fabric/tls-roots"),
        ("package", "/etc/fabric/package"),
        ("config", CONFIG_DIR),
    ] {
        mounts.push(mount(name, path, true));
    }
    volumes.extend([
        secret("genesis", "channel-genesis"),
        secret("tls-roots", "fabric-tls-roots"),
        config("package", &map),
        config("config", core.map),
    ]);
    tools.volume_mounts = Some(mounts);
    let bytes = ByteString(package.bytes);
    let package = ConfigMap {
        metadata: named(&map),
        binary_data: Some([("chaincode.tar.gz".to_owned(), bytes)].into()),
        ..ConfigMap::default()
    };
    let mut objects =
        vec![value(&account(workload))?, value(&package)?, value(&job(workload, tools, volumes))?];
    objects.extend(policies::of(workload)?);
    Ok(objects)
}

fn tools(workload: Workload, script: &str, settings: Vec<EnvVar>) -> Container {
    let mut tools = container(workload, "hyperledger/fabric-tools");
    tools.command = Some(vec!["bash".to_owned(), format!("/etc/fabric/script/{script}")]);
    tools.env = Some(settings);
    tools
}

fn common(
    script: &str,
    admin: &str,
) -> (Vec<k8s_openapi::api::core::v1::VolumeMount>, Vec<Volume>) {
    let mounts = vec![
        mount("script", "/etc/fabric/script", true),
        mount("identity", IDENTITY_DIR, true),
        mount("tmp", "/tmp", false),
    ];
    (mounts, vec![config("script", script), identity(admin), scratch("tmp", 64)])
}

fn job(workload: Workload, tools: Container, volumes: Vec<Volume>) -> Job {
    let mut template = pod(workload, tools, volumes, Labels::new());
    if let Some(spec) = &mut template.spec {
        spec.restart_policy = Some("OnFailure".to_owned());
    }
    Job {
        metadata: meta(workload, &workload.name()),
        spec: Some(JobSpec {
            // The nodes may take a while to find each other.
            backoff_limit: Some(20),
            template,
            ttl_seconds_after_finished: Some(300),
            ..JobSpec::default()
        }),
        status: None,
    }
}
