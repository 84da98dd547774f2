//! Bringing the network up and down: orderers, peers, channel, contract.
//!
//! Each step looks whether it is done already, so that `up` goes on where an earlier one stopped.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::layout::{CHANNEL, HOST, Layout, Orderer, Peer, msp_id};
use super::node::{self, run, wait};
use super::{UpArgs, chaincode, channel};
use crate::process;

/// Says little about single calls and connections.
const LOG_LEVELS: &str = "warning:grpc=error:comm.grpc.server,gateway=error";

pub(super) fn is_up(folder: &Path) -> bool {
    node::process_of(folder, "chaincode").is_some()
}

pub(super) fn up(layout: &Layout, shape: &UpArgs) -> Result<()> {
    ensure!(shape.orderers != 2 && shape.orderers != 4, "1, 3 or 5 orderers");
    ensure!(shape.peers != 3, "2 or 4 peers");
    check_shape(layout, shape)?;
    let gx = match &shape.gx {
        Some(path) => path.canonicalize()?.display().to_string(),
        None => {
            process::run(&mut process::cargo(&["build", "--release", "-p", "gx"]))?;
            process::root().join("target/release/gx").display().to_string()
        }
    };
    channel::make_keys(layout)?;
    channel::make_identities(layout, &gx)?;
    channel::make_genesis_block(layout, shape)?;
    let orderers: Vec<Orderer> = (1..=shape.orderers).map(Orderer).collect();
    for orderer in &orderers {
        start_orderer(layout, *orderer)?;
    }
    orderers.iter().try_for_each(|orderer| join_orderer(layout, *orderer))?;
    let peers = Peer::all(shape.peers);
    for peer in &peers {
        start_peer(layout, *peer)?;
        join_peer(layout, *peer)?;
    }
    for peer in &peers {
        wait(&format!("{} knows the other peers", peer.name()), || {
            Ok(known_peers(peer.operations_port()) + 1 >= peers.len())
        })?;
    }
    eprintln!("{} orderers and {} peers run", orderers.len(), peers.len());
    let id = chaincode::deploy(layout, &peers)?;
    chaincode::serve(layout, &gx, &id)?;
    eprintln!("chaincode {id} runs; state in {}", layout.folder().display());
    Ok(())
}

/// What is written into the genesis block cannot change while the network exists.
fn check_shape(layout: &Layout, shape: &UpArgs) -> Result<()> {
    let UpArgs { orderers, batch_timeout, max_messages, .. } = shape;
    let text = format!("{orderers} orderers, {batch_timeout}, {max_messages} messages\n");
    let path = layout.folder().join("shape");
    match fs::read_to_string(&path) {
        Ok(made) if made == text => Ok(()),
        Ok(made) => bail!("this network was made with {}; down --clean deletes it", made.trim()),
        Err(_) => fs::write(path, text).context("cannot note the network's shape"),
    }
}

fn start_orderer(layout: &Layout, orderer: Orderer) -> Result<()> {
    let (name, own) = (orderer.name(), layout.orderer(orderer));
    let data = layout.data(&name);
    fs::create_dir_all(&data)?;
    let tls = |file: &str| own.join("tls").join(file).display().to_string();
    let roots = format!("[{}]", tls("ca.crt"));
    let mut command = Command::new(layout.program("orderer"));
    command
        .current_dir(&data)
        .env("FABRIC_CFG_PATH", layout.config())
        .env("FABRIC_LOGGING_SPEC", LOG_LEVELS)
        .env("ORDERER_GENERAL_LISTENADDRESS", HOST)
        .env("ORDERER_GENERAL_LISTENPORT", orderer.port().to_string())
        .env("ORDERER_GENERAL_LOCALMSPID", "OrdererMSP")
        .env("ORDERER_GENERAL_LOCALMSPDIR", own.join("msp"))
        .env("ORDERER_GENERAL_BOOTSTRAPMETHOD", "none")
        .env("ORDERER_GENERAL_TLS_ENABLED", "true")
        .env("ORDERER_GENERAL_TLS_PRIVATEKEY", tls("server.key"))
        .env("ORDERER_GENERAL_TLS_CERTIFICATE", tls("server.crt"))
        .env("ORDERER_GENERAL_TLS_ROOTCAS", &roots)
        .env("ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE", tls("server.crt"))
        .env("ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY", tls("server.key"))
        .env("ORDERER_CHANNELPARTICIPATION_ENABLED", "true")
        .env("ORDERER_ADMIN_LISTENADDRESS", format!("{HOST}:{}", orderer.admin_port()))
        .env("ORDERER_ADMIN_TLS_ENABLED", "true")
        .env("ORDERER_ADMIN_TLS_PRIVATEKEY", tls("server.key"))
        .env("ORDERER_ADMIN_TLS_CERTIFICATE", tls("server.crt"))
        .env("ORDERER_ADMIN_TLS_ROOTCAS", &roots)
        .env("ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED", "true")
        .env("ORDERER_ADMIN_TLS_CLIENTROOTCAS", &roots)
        .env("ORDERER_FILELEDGER_LOCATION", data.join("ledger"))
        .env("ORDERER_CONSENSUS_WALDIR", data.join("wal"))
        .env("ORDERER_CONSENSUS_SNAPDIR", data.join("snapshots"))
        .env("ORDERER_METRICS_PROVIDER", "prometheus")
        .env("ORDERER_OPERATIONS_LISTENADDRESS", format!("{HOST}:{}", orderer.operations_port()));
    node::start(layout.folder(), &name, &mut command, &[orderer.port(), orderer.admin_port()])
}

fn join_orderer(layout: &Layout, orderer: Orderer) -> Result<()> {
    let osnadmin = |args: &[&str]| {
        let tls = layout.orderer_org().join("users/Admin@orderer.gx.local/tls");
        let mut command = process::command(&layout.program("osnadmin").to_string_lossy(), args);
        command
            .args(["-o", &format!("{HOST}:{}", orderer.admin_port()), "--ca-file"])
            .arg(layout.orderer_ca())
            .arg("--client-cert")
            .arg(tls.join("client.crt"))
            .arg("--client-key")
            .arg(tls.join("client.key"));
        command
    };
    let has_joined = |list: &str| list.contains(&format!("\"{CHANNEL}\""));
    if has_joined(&process::output(&mut osnadmin(&["channel", "list"]))?) {
        return Ok(());
    }
    let mut join = osnadmin(&["channel", "join", "--channelID", CHANNEL]);
    let answer = process::output(join.arg("--config-block").arg(layout.genesis()))?;
    ensure!(has_joined(&answer), "{} did not join the channel: {answer}", orderer.name());
    Ok(())
}

fn start_peer(layout: &Layout, peer: Peer) -> Result<()> {
    let (name, own) = (peer.name(), layout.peer(peer));
    let data = layout.data(&name);
    fs::create_dir_all(&data)?;
    let config = peer_config(layout)?;
    let tls = |file: &str| own.join("tls").join(file);
    let address = |port: u16| format!("{HOST}:{port}");
    let builder = chaincode::builder(layout)?;
    let mut command = Command::new(layout.program("peer"));
    command
        .args(["node", "start"])
        .current_dir(&data)
        .env("FABRIC_CFG_PATH", config)
        .env("FABRIC_LOGGING_SPEC", LOG_LEVELS)
        .env("CORE_PEER_ID", &name)
        .env("CORE_PEER_LISTENADDRESS", address(peer.port()))
        .env("CORE_PEER_ADDRESS", address(peer.port()))
        .env("CORE_PEER_CHAINCODELISTENADDRESS", address(peer.chaincode_port()))
        .env("CORE_PEER_CHAINCODEADDRESS", address(peer.chaincode_port()))
        .env("CORE_PEER_LOCALMSPID", msp_id(peer.org))
        .env("CORE_PEER_MSPCONFIGPATH", own.join("msp"))
        .env("CORE_PEER_FILESYSTEMPATH", data.join("ledger"))
        .env("CORE_PEER_TLS_ENABLED", "true")
        .env("CORE_PEER_TLS_CERT_FILE", tls("server.crt"))
        .env("CORE_PEER_TLS_KEY_FILE", tls("server.key"))
        .env("CORE_PEER_TLS_ROOTCERT_FILE", tls("ca.crt"))
        .env("CORE_PEER_GOSSIP_BOOTSTRAP", address(Peer { number: 0, ..peer }.port()))
        .env("CORE_PEER_GOSSIP_ENDPOINT", address(peer.port()))
        // Without it the other organization's gateway never finds this peer.
        .env("CORE_PEER_GOSSIP_EXTERNALENDPOINT", address(peer.port()))
        .env("CORE_PEER_GOSSIP_RECONNECTINTERVAL", "5s")
        .env("CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD", "5s")
        // Nobody asks for the history of a key, and every write would be stored twice.
        .env("CORE_LEDGER_HISTORY_ENABLEHISTORYDATABASE", "false")
        // Large batches make much garbage; docs/fabric.md tells what this costs and gives.
        .env("GOGC", "400")
        .env("CORE_LEDGER_SNAPSHOTS_ROOTDIR", data.join("snapshots"))
        .env("CORE_METRICS_PROVIDER", "prometheus")
        .env("CORE_OPERATIONS_LISTENADDRESS", address(peer.operations_port()))
        .env(
            "CORE_CHAINCODE_EXTERNALBUILDERS",
            format!("[{{name: ccaas, path: {}}}]", builder.display()),
        )
        .env("CORE_CHAINCODE_RUNTIMEPARAMS_USEWRITEBATCH", "true")
        .env("CORE_CHAINCODE_RUNTIMEPARAMS_MAXSIZEWRITEBATCH", "1000")
        .env("CORE_CHAINCODE_RUNTIMEPARAMS_USEGETMULTIPLEKEYS", "true")
        .env("CORE_CHAINCODE_RUNTIMEPARAMS_MAXSIZEGETMULTIPLEKEYS", "1000");
    let ports = [peer.port(), peer.chaincode_port(), peer.operations_port()];
    node::start(layout.folder(), &name, &mut command, &ports)
}

/// The release's configuration of peers, without the Docker that it names and nobody here has.
fn peer_config(layout: &Layout) -> Result<std::path::PathBuf> {
    let path = layout.config().join("core.yaml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let folder = layout.folder().join("config");
    fs::create_dir_all(&folder)?;
    let docker = "endpoint: unix:///var/run/docker.sock";
    fs::write(folder.join("core.yaml"), text.replace(docker, "endpoint: \"\""))?;
    Ok(folder)
}

/// The peer program as a client of a peer, as its organization's administrator.
pub(super) fn peer_client(layout: &Layout, peer: Peer, args: &[&str]) -> Command {
    let mut command = process::command(&layout.program("peer").to_string_lossy(), args);
    command
        .env("FABRIC_CFG_PATH", layout.folder().join("config"))
        .env("FABRIC_LOGGING_SPEC", "warning:grpc=error")
        .env("CORE_PEER_ADDRESS", format!("{HOST}:{}", peer.port()))
        .env("CORE_PEER_LOCALMSPID", msp_id(peer.org))
        .env("CORE_PEER_MSPCONFIGPATH", layout.org_admin(peer.org))
        .env("CORE_PEER_TLS_ENABLED", "true")
        .env("CORE_PEER_TLS_ROOTCERT_FILE", layout.org_tls_ca(peer.org));
    command
}

fn join_peer(layout: &Layout, peer: Peer) -> Result<()> {
    let list = process::output(&mut peer_client(layout, peer, &["channel", "list"]))?;
    if list.lines().any(|line| line.trim() == CHANNEL) {
        return Ok(());
    }
    run(peer_client(layout, peer, &["channel", "join", "-b"]).arg(layout.genesis()))
}

/// How many other peers of the channel a peer knows; the gateway needs them to plan endorsements.
fn known_peers(operations_port: u16) -> usize {
    let text = metrics(operations_port).unwrap_or_default();
    let prefix = format!("gossip_membership_total_peers_known{{channel=\"{CHANNEL}\"}} ");
    let found = text.lines().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok());
    found.unwrap_or_default()
}

fn metrics(port: u16) -> Result<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect((HOST, port))?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Stops chaincode, peers and orderers, in this order.
pub(super) fn down(folder: &Path, clean: bool) -> Result<()> {
    let names = node::names(folder);
    for kind in ["chaincode", "peer", "orderer"] {
        let these: Vec<String> =
            names.iter().filter(|name| name.starts_with(kind)).cloned().collect();
        node::stop(folder, &these)?;
    }
    node::forget(folder, &names);
    if clean && folder.join("shape").exists() {
        fs::remove_dir_all(folder).context("cannot delete the network")?;
    }
    Ok(())
}

/// Stops one node. Prints which one.
pub(super) fn stop(folder: &Path, name: &str) -> Result<()> {
    let name = match name {
        "leader" => leader(folder)?,
        name => name.to_owned(),
    };
    let running = node::process_of(folder, &name);
    ensure!(running.is_some(), "{name} does not run");
    node::stop(folder, std::slice::from_ref(&name))?;
    println!("{name}");
    Ok(())
}

/// The orderer that leads the others.
fn leader(folder: &Path) -> Result<String> {
    let names = node::names(folder);
    let leading = format!("consensus_etcdraft_is_leader{{channel=\"{CHANNEL}\"}} 1");
    let mut orderers = names.iter().filter_map(|name| Orderer::named(name));
    let leads = |orderer: &Orderer| {
        metrics(orderer.operations_port()).is_ok_and(|text| text.lines().any(|l| l == leading))
    };
    orderers.find(leads).map(Orderer::name).context("no orderer leads the others")
}

/// Starts one node that `up` has started before.
pub(super) fn start(layout: &Layout, name: &str) -> Result<()> {
    if let Some(orderer) = Orderer::named(name) {
        return start_orderer(layout, orderer);
    }
    if let Some(peer) = Peer::named(name) {
        return start_peer(layout, peer);
    }
    ensure!(name == "chaincode", "there is no node {name}");
    chaincode::serve_again(layout)
}

pub(super) fn status(folder: &Path) -> Result<()> {
    let names = node::names(folder);
    ensure!(!names.is_empty(), "nothing was started in {}", folder.display());
    for name in names {
        match node::process_of(folder, &name) {
            Some(process) => println!("{name} runs, process {process}"),
            None => println!("{name} is DOWN"),
        }
    }
    Ok(())
}

/// The JSON that a client program has printed.
pub(super) fn json(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&process::output(command)?).context("no JSON")
}
