//! Keys and the channel's genesis block, made by the release's own tools.
//!
//! The policies are those of production: a majority of the organizations endorses, and changes of
//! the chaincode need a majority of their administrators.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::UpArgs;
use super::layout::{CHANNEL, HOST, Layout, Orderer, Peer, msp_id};
use super::node::run;
use crate::process;

/// Five orderers and two organizations with two peers each; only some of them may be started.
fn crypto_config() -> String {
    let mut text = String::from(
        r#"OrdererOrgs:
  - Name: Orderer
    Domain: orderer.gx.local
    EnableNodeOUs: true
    Template:
      {Count: 5, Start: 1, Hostname: "orderer{{.Index}}", SANS: [localhost, 127.0.0.1]}
PeerOrgs:
"#,
    );
    for org in [1, 2] {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "  - Name: Org{org}\n    Domain: org{org}.gx.local\n    EnableNodeOUs: true\n    \
             Template: {{Count: 2, SANS: [localhost, 127.0.0.1]}}\n    Users: {{Count: 1}}\n"
        );
    }
    text
}

pub(super) fn make_keys(layout: &Layout) -> Result<()> {
    if layout.crypto().exists() {
        return Ok(());
    }
    let config = layout.folder().join("crypto-config.yaml");
    fs::write(&config, crypto_config())?;
    let unfinished = layout.folder().join("crypto.new");
    let mut cryptogen = process::command(&layout.program("cryptogen").to_string_lossy(), &[]);
    cryptogen.arg("generate").arg("--config").arg(config).arg("--output").arg(&unfinished);
    run(&mut cryptogen)?;
    fs::rename(unfinished, layout.crypto()).context("cannot keep the keys")
}

/// The identities that the platform submits with, issued by the first organization's authority.
pub(super) fn make_identities(layout: &Layout, gx: &str) -> Result<()> {
    if layout.wallet().exists() {
        return Ok(());
    }
    let ca = layout.org(1).join("ca");
    let key = fs::read_dir(&ca)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.to_string_lossy().ends_with("_sk"))
        .context("the authority has no key")?;
    let mut command = process::command(gx, &["fabric", "dev-identities"]);
    command
        .args(["--msp", &msp_id(1), "--ca-cert"])
        .arg(ca.join("ca.org1.gx.local-cert.pem"))
        .arg("--ca-key")
        .arg(key)
        .arg("--wallet")
        .arg(layout.wallet());
    run(&mut command)
}

pub(super) fn make_genesis_block(layout: &Layout, shape: &UpArgs) -> Result<()> {
    if layout.genesis().exists() {
        return Ok(());
    }
    let folder = layout.folder().join("configtx");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("configtx.yaml"), configtx(layout, shape))?;
    let unfinished = layout.folder().join("channel.new");
    let mut configtxgen = process::command(&layout.program("configtxgen").to_string_lossy(), &[]);
    configtxgen
        .arg("-configPath")
        .arg(folder)
        .args(["-profile", "Gx", "-channelID", CHANNEL, "-outputBlock"])
        .arg(&unfinished);
    run(&mut configtxgen)?;
    fs::rename(unfinished, layout.genesis()).context("cannot keep the genesis block")
}

fn configtx(layout: &Layout, shape: &UpArgs) -> String {
    let orderers = || (1..=shape.orderers).map(Orderer);
    let consenters: String = orderers()
        .map(|orderer| {
            let certificate = layout.orderer(orderer).join("tls/server.crt");
            let (port, certificate) = (orderer.port(), certificate.display());
            format!(
                "          - {{Host: {HOST}, Port: {port}, ClientTLSCert: \"{certificate}\", \
                 ServerTLSCert: \"{certificate}\"}}\n"
            )
        })
        .collect();
    let endpoints: Vec<String> =
        orderers().map(|orderer| format!("\"{HOST}:{}\"", orderer.port())).collect();
    let organizations: String = [1, 2].map(|org| organization(layout, org)).concat();
    let UpArgs { batch_timeout, max_messages, .. } = shape;
    format!(
        r#"Profiles:
  Gx:
    Capabilities: {{V3_0: true}}
    Policies: &open
      Readers: {{Type: ImplicitMeta, Rule: ANY Readers}}
      Writers: {{Type: ImplicitMeta, Rule: ANY Writers}}
      Admins: {{Type: ImplicitMeta, Rule: MAJORITY Admins}}
    Orderer:
      OrdererType: etcdraft
      Capabilities: {{V2_0: true}}
      Policies:
        <<: *open
        BlockValidation: {{Type: ImplicitMeta, Rule: ANY Writers}}
      BatchTimeout: {batch_timeout}
      BatchSize:
        MaxMessageCount: {max_messages}
        AbsoluteMaxBytes: 10 MB
        PreferredMaxBytes: 2 MB
      EtcdRaft:
        Options:
          TickInterval: 500ms
          ElectionTick: 10
          HeartbeatTick: 1
          MaxInflightBlocks: 5
          SnapshotIntervalSize: 16 MB
        Consenters:
{consenters}      Organizations:
        - Name: OrdererOrg
          ID: OrdererMSP
          MSPDir: "{orderer_msp}"
          Policies:
            Readers: {{Type: Signature, Rule: "OR('OrdererMSP.member')"}}
            Writers: {{Type: Signature, Rule: "OR('OrdererMSP.member')"}}
            Admins: {{Type: Signature, Rule: "OR('OrdererMSP.admin')"}}
          OrdererEndpoints: [{endpoints}]
    Application:
      Capabilities: {{V2_5: true}}
      Policies:
        <<: *open
        Endorsement: {{Type: ImplicitMeta, Rule: MAJORITY Endorsement}}
        LifecycleEndorsement: {{Type: ImplicitMeta, Rule: MAJORITY Endorsement}}
      Organizations:
{organizations}"#,
        orderer_msp = layout.orderer_org().join("msp").display(),
        endpoints = endpoints.join(", "),
    )
}

fn organization(layout: &Layout, org: u16) -> String {
    let (id, msp) = (msp_id(org), layout.org(org).join("msp"));
    let (msp, port) = (msp.display(), Peer { number: 0, org }.port());
    format!(
        r#"        - Name: {id}
          ID: {id}
          MSPDir: "{msp}"
          AnchorPeers: [{{Host: {HOST}, Port: {port}}}]
          Policies:
            Readers: {{Type: Signature, Rule: "OR('{id}.member')"}}
            Writers: {{Type: Signature, Rule: "OR('{id}.admin', '{id}.client')"}}
            Admins: {{Type: Signature, Rule: "OR('{id}.admin')"}}
            Endorsement: {{Type: Signature, Rule: "OR('{id}.peer')"}}
"#
    )
}
