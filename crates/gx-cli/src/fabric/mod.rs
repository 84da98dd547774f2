//! `gx chaincode` and `gx fabric`: the contract on Fabric, and what operators do there by hand.
//!
//! What the commands do stands in `gx-fabric`; here are their flags and what they print.

mod call;
mod chaincode;
mod check;
mod connection;
mod identities;

use anyhow::Result;
use clap::Subcommand;

use crate::{End, process};

pub use chaincode::{Args as ChaincodeArgs, run as serve_chaincode};
pub use connection::Connection;

/// `gx fabric`
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Has a Fabric CA issue an identity, for a name that is registered or that is registered now.
    Enroll(identities::EnrollArgs),
    /// Has a Fabric CA issue a newer certificate for an identity of the wallet.
    Reenroll(identities::ReenrollArgs),
    /// Looks at everything that can be wrong between this machine and the network.
    Check(check::Args),
    /// Issues the three service identities with a development network's own authority.
    DevIdentities(identities::DevArgs),
    /// Calls a command of the contract and waits until it is committed.
    Invoke(call::InvokeArgs),
    /// Asks the contract on one peer.
    Query(call::QueryArgs),
}

pub fn run(args: &Args) -> Result<End> {
    match &args.command {
        Command::Enroll(args) => process::block_on(identities::enroll(args)),
        Command::Reenroll(args) => process::block_on(identities::reenroll(args)),
        Command::Check(args) => process::block_on(check::run(args)),
        Command::DevIdentities(args) => identities::develop(args),
        Command::Invoke(args) => process::block_on(call::invoke(args)),
        Command::Query(args) => process::block_on(call::query(args)),
    }
}
