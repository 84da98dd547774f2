//! The chaincode package of an organization, and the servers that it names.
//!
//! The package holds an address and no code. It is made byte for byte the same each time, so that
//! its id, which the servers must be started with, is known before it is installed.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::parts::{
    Labels, account, container, env, match_labels, meta, mount, pod, probed, scratch, selector,
    service, tcp,
};
use super::{Error, budgets, policies, value};
use crate::model::{CHAINCODE, CHAINCODE_PORT, CHAINCODE_VERSION, Org, PLATFORM_ORG, Workload};

/// A package, and what peers will call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) bytes: Vec<u8>,
    /// `label:hash`.
    pub(super) id: String,
}

/// The package that tells an organization's peers where their server is.
pub(super) fn package(org: Org) -> Result<Package, Error> {
    let address = format!("{}:{CHAINCODE_PORT}", Workload::Chaincode(org).name());
    let connection = json!({ "address": address, "dial_timeout": "10s", "tls_required": false });
    let label = format!("{CHAINCODE}_{CHAINCODE_VERSION}");
    let metadata = json!({ "type": "ccaas", "label": label });
    let code = archive(&[("connection.json", connection.to_string().as_bytes())])?;
    let parts =
        [("code.tar.gz", code.as_slice()), ("metadata.json", &metadata.to_string().into_bytes())];
    let bytes = archive(&parts)?;
    let id = format!("{label}:{}", hex::encode(Sha256::digest(&bytes)));
    Ok(Package { bytes, id })
}

/// Files in one archive: owners, times and compression say nothing.
fn archive(files: &[(&str, &[u8])]) -> Result<Vec<u8>, std::io::Error> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len().try_into().unwrap_or(u64::MAX));
        archive.append_data(&mut header, name, *bytes)?;
    }
    let mut out = GzBuilder::new().mtime(0).write(Vec::new(), Compression::none());
    out.write_all(&archive.into_inner()?)?;
    out.finish()
}

/// The servers of an organization: any of them executes for any of its peers.
pub(super) fn servers(org: Org) -> Result<Vec<Value>, Error> {
    let role = Workload::Chaincode(org);
    let mut objects = vec![
        value(&account(role))?,
        value(&deployment(role, &package(org)?.id))?,
        value(&service(role, &role.name(), selector(role)))?,
    ];
    objects.extend(budgets::of(role)?);
    objects.extend(policies::of(role)?);
    Ok(objects)
}

fn deployment(role: Workload, id: &str) -> Deployment {
    let mut gx = container(role, "gx");
    gx.args = role.gx_args();
    gx.env = Some(vec![
        env("CHAINCODE_SERVER_ADDRESS", format!("0.0.0.0:{CHAINCODE_PORT}")),
        env("CHAINCODE_ID", id),
        env("CHAINCODE_ACCESS", PLATFORM_ORG.msp()),
        env("FABRIC_CHAINCODE_NAME", CHAINCODE),
        env("GX_LOG__FORMAT", "json"),
    ]);
    gx.volume_mounts = Some(vec![mount("tmp", "/tmp", false)]);
    probed(&mut gx, tcp("grpc"), tcp("grpc"));
    let mut template = pod(role, gx, vec![scratch("tmp", 64)], Labels::new());
    if let Some(spec) = &mut template.spec {
        // A call may take 30 s at the peer; the server lets it end within 25 s of a signal.
        spec.termination_grace_period_seconds = Some(40);
    }
    Deployment {
        metadata: meta(role, &role.name()),
        spec: Some(DeploymentSpec {
            replicas: Some(role.replicas().into()),
            revision_history_limit: Some(3),
            selector: match_labels(selector(role)),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template,
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
        let entry = |entry: std::io::Result<tar::Entry<_>>| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        };
        archive.entries().unwrap().map(entry).collect()
    }

    #[test]
    fn a_package_names_its_organizations_server_and_is_always_the_same() {
        for org in Org::ALL {
            let made = package(org).unwrap();
            assert_eq!(made, package(org).unwrap());
            let files = unpacked(&made.bytes);
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["code.tar.gz", "metadata.json"]);
            let code = unpacked(&files[0].1);
            let text = String::from_utf8(code[0].1.clone()).unwrap();
            assert!(text.contains(&format!("gx-chaincode-{}:9999", org.name())), "{text}");
            assert_eq!(made.id, format!("gxtv3_1.0:{}", hex::encode(Sha256::digest(&made.bytes))));
        }
    }
}
