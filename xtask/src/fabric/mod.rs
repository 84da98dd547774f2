//! `cargo xtask fabric`: a real Fabric network on this machine, to develop and test on.
//!
//! It needs the programs of a Fabric release (3.1 or later, in `FABRIC_HOME`) and no Docker. All of
//! it listens on loopback and lies in one folder. Never a recipe for production: there the keys
//! belong to different organizations.

mod chaincode;
mod channel;
mod layout;
mod network;
mod node;

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::process;
use layout::Layout;

/// What to do with the network.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// Folder of a Fabric release: bin/ with peer, orderer, configtxgen, cryptogen and osnadmin,
    /// and config/ with core.yaml and orderer.yaml.
    #[arg(long, global = true, env = "FABRIC_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// Folder of the network's keys, ledgers and logs.
    #[arg(long, global = true, env = "FABRIC_NET", value_name = "DIR")]
    net: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes and starts the network with the contract on it, or starts what of it is down.
    Up(UpArgs),
    /// Stops everything that `up` has started.
    Down {
        /// Deletes ledgers, keys and logs too.
        #[arg(long)]
        clean: bool,
    },
    /// Prints what runs.
    Status,
    /// Stops one node, as a fault, and prints its name.
    Stop {
        /// Its name as `status` prints it, or `leader` for the orderer that leads the others.
        node: String,
    },
    /// Starts a node that was stopped.
    Start {
        /// Its name as `status` prints it.
        node: String,
    },
    /// Runs the tests that need a network, on the one that is up or on one of their own. They stop
    /// and start its nodes.
    Test {
        /// Binary of the platform; built in release mode when it is not given.
        #[arg(long, value_name = "FILE")]
        gx: Option<PathBuf>,
    },
}

/// The shape of the network. It is fixed until `down --clean`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct UpArgs {
    /// Orderers: 1, 3 or 5.
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u16).range(1..=5))]
    orderers: u16,
    /// Peers of both organizations together: 2 or 4.
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u16).range(2..=4))]
    peers: u16,
    /// How long the orderers wait for more transactions before they cut a block.
    #[arg(long, default_value = "200ms")]
    batch_timeout: String,
    /// Transactions after which a block is cut at once. One batch is one transaction and one block
    /// settles one batch, so waiting for more gains nothing.
    #[arg(long, default_value = "1")]
    max_messages: u32,
    /// Binary of the platform; built in release mode when it is not given.
    #[arg(long, value_name = "FILE")]
    gx: Option<PathBuf>,
}

impl Default for UpArgs {
    fn default() -> Self {
        let batch_timeout = "200ms".to_owned();
        Self { orderers: 3, peers: 2, batch_timeout, max_messages: 1, gx: None }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = args.net.clone().unwrap_or_else(|| process::root().join("target/fabric"));
    let open = || {
        let home = args.home.clone();
        let home = home.context("set FABRIC_HOME to the folder of a Fabric release")?;
        Layout::new(home, folder.clone())
    };
    match &args.command {
        Command::Up(shape) => {
            let layout = open()?;
            network::up(&layout, shape)?;
            print_environment(&layout);
            Ok(())
        }
        Command::Down { clean } => network::down(&folder, *clean),
        Command::Status => network::status(&folder),
        Command::Stop { node } => network::stop(&folder, node),
        Command::Start { node } => network::start(&open()?, node),
        Command::Test { .. } if args.home.is_none() => {
            println!("SKIPPED: the tests on a Fabric network; FABRIC_HOME names no release");
            Ok(())
        }
        Command::Test { gx } => test(&open()?, gx.clone()),
    }
}

/// What the binary and the tests need to find the network.
fn print_environment(layout: &Layout) {
    for (name, value) in layout.environment() {
        println!("export {name}={value}");
    }
}

fn test(layout: &Layout, gx: Option<PathBuf>) -> Result<()> {
    let was_up = network::is_up(layout.folder());
    let shape = UpArgs { gx, ..UpArgs::default() };
    let brought_up = if was_up { Ok(()) } else { network::up(layout, &shape) };
    let tested = brought_up.and_then(|()| {
        // With it the tests stop and start nodes of this network.
        let program = env::current_exe().context("the path of this program")?;
        // The platform first: it wants a channel that nobody has used.
        for (package, tests) in [("gx", "fabric::"), ("gx-fabric", "real::")] {
            let mut command = process::cargo(&["test", "-p", package, "--test", "it", tests]);
            command
                .args(["--", "--nocapture"])
                .env("FABRIC_NODES", &program)
                .env("FABRIC_HOME", layout.home())
                .env("FABRIC_NET", layout.folder());
            process::run(command.envs(layout.environment()))?;
        }
        Ok(())
    });
    if was_up {
        return tested;
    }
    network::down(layout.folder(), false).and(tested)
}
