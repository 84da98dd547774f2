//! The contract on the network: package, lifecycle, server.
//!
//! The package says only where the server is. One server answers all peers here; in production
//! each organization runs its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use serde_json::json;

use super::layout::{CHAINCODE, CHAINCODE_ADDRESS, CHANNEL, HOST, Layout, Orderer, Peer, msp_id};
use super::network::{json, peer_client};
use super::node::{self, run, wait};
use crate::process;

const VERSION: &str = "1.0";
const SEQUENCE: &str = "1";

/// File in the network's folder: program and package id of the server.
const SERVED: &str = "served";

/// The builder of chaincode as a service: the release's, or three scripts that do its work.
pub(super) fn builder(layout: &Layout) -> Result<PathBuf> {
    if let Some(folder) = layout.builder() {
        return Ok(folder);
    }
    let folder = layout.folder().join("builder");
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    let scripts = [
        ("detect", "grep -q '\"type\": *\"ccaas\"' \"$2/metadata.json\""),
        ("build", "cp \"$1/connection.json\" \"$3/\""),
        (
            "release",
            "mkdir -p \"$2/chaincode/server\" && cp \"$1/connection.json\" \
             \"$2/chaincode/server/\"",
        ),
    ];
    for (name, script) in scripts {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\nset -eu\n{script}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(folder)
}

/// Packs files of a folder so that the same contents always give the same bytes.
fn pack(folder: &Path, files: &[&str], to: &Path) -> Result<()> {
    let mut tar = process::command("tar", &["--sort=name", "--owner=0", "--group=0"]);
    tar.args(["--numeric-owner", "--mode=0644", "--mtime=@0", "--format=ustar"])
        .args(["--use-compress-program=gzip -n", "-C"])
        .arg(folder)
        .arg("-cf")
        .arg(to)
        .args(files);
    run(&mut tar)
}

fn package(layout: &Layout) -> Result<PathBuf> {
    let folder = layout.folder().join("package");
    fs::create_dir_all(&folder)?;
    let connection =
        json!({"address": CHAINCODE_ADDRESS, "dial_timeout": "10s", "tls_required": false});
    fs::write(folder.join("connection.json"), connection.to_string())?;
    pack(&folder, &["connection.json"], &folder.join("code.tar.gz"))?;
    let label = format!("{CHAINCODE}_{VERSION}");
    let metadata = format!("{{\"type\": \"ccaas\", \"label\": \"{label}\"}}");
    fs::write(folder.join("metadata.json"), metadata)?;
    let package = folder.join("package.tar.gz");
    pack(&folder, &["code.tar.gz", "metadata.json"], &package)?;
    Ok(package)
}

/// Installs, approves and commits the contract where that has not been done. The package's id.
pub(super) fn deploy(layout: &Layout, peers: &[Peer]) -> Result<String> {
    let package = package(layout)?;
    let first = *peers.first().context("there is no peer")?;
    let lifecycle = |peer: Peer, args: &[&str]| {
        let mut command = peer_client(layout, peer, &["lifecycle", "chaincode"]);
        command.args(args);
        command
    };
    let mut id = lifecycle(first, &["calculatepackageid"]);
    let id = process::output(id.arg(&package))?.trim().to_owned();
    for peer in peers {
        let installed = json(&mut lifecycle(*peer, &["queryinstalled", "-O", "json"]))?;
        if !installed.to_string().contains(&id) {
            run(lifecycle(*peer, &["install"]).arg(&package))?;
        }
    }
    if committed(layout, first) {
        return Ok(id);
    }
    let orderer = format!("{HOST}:{}", Orderer(1).port());
    let definition = |command: &mut Command| {
        command
            .args(["-o", &orderer, "--tls", "--cafile"])
            .arg(layout.orderer_ca())
            .args(["--channelID", CHANNEL, "--name", CHAINCODE])
            .args(["--version", VERSION, "--sequence", SEQUENCE]);
    };
    for org in [1, 2] {
        let mut approve = lifecycle(Peer { number: 0, org }, &["approveformyorg"]);
        definition(&mut approve);
        run(approve.args(["--package-id", &id]))?;
    }
    let mut commit = lifecycle(first, &["commit"]);
    definition(&mut commit);
    for org in [1, 2] {
        let peer = Peer { number: 0, org };
        commit
            .args(["--peerAddresses", &format!("{HOST}:{}", peer.port()), "--tlsRootCertFiles"])
            .arg(layout.org_tls_ca(org));
    }
    run(&mut commit)?;
    for peer in peers {
        wait(&format!("{} has the definition", peer.name()), || Ok(committed(layout, *peer)))?;
    }
    Ok(id)
}

fn committed(layout: &Layout, peer: Peer) -> bool {
    let args = ["lifecycle", "chaincode", "querycommitted", "--channelID", CHANNEL, "--name"];
    let mut query = peer_client(layout, peer, &args);
    json(query.args([CHAINCODE, "-O", "json"]))
        .is_ok_and(|found| found.get("sequence").and_then(Value::as_u64) == SEQUENCE.parse().ok())
}

/// Starts the server as it was started before.
pub(super) fn serve_again(layout: &Layout) -> Result<()> {
    let served = fs::read_to_string(layout.folder().join(SERVED)).context("it never ran")?;
    let (gx, id) = served.trim().split_once('\n').context("no program and id are noted")?;
    serve(layout, gx, id)
}

/// Starts the server that all peers ask.
pub(super) fn serve(layout: &Layout, gx: &str, id: &str) -> Result<()> {
    fs::write(layout.folder().join(SERVED), format!("{gx}\n{id}\n"))?;
    let mut command = Command::new(gx);
    command
        .current_dir(layout.folder())
        .args(["chaincode", "--address", CHAINCODE_ADDRESS, "--id", id])
        .args(["--allow", &msp_id(1)]);
    let (_, port) = CHAINCODE_ADDRESS.split_once(':').context("the address has no port")?;
    node::start(layout.folder(), "chaincode", &mut command, &[port.parse()?])
}
