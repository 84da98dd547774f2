//! The command line: one tree of everything that the binary can do.
//!
//! It only names and describes; what a command does stands in the module of its name.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};
use gx_cli::pages::{self, Shell};
use gx_cli::settings::Settings;
use gx_cli::{End, backup, deploy, fabric, key, ledger, ops, roles, up, verify};
use gx_client::{Client, Keys};
#[cfg(feature = "workbench")]
use gx_workbench::{bench, demo};

/// A digital currency on a permissioned ledger: services, ledger, read models and tools.
#[derive(Debug, Parser)]
#[command(name = "gx", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the whole platform in one process; a first start sets everything up.
    Up(up::Args),
    /// Serves the HTTP API alone.
    Serve(roles::ServeArgs),
    /// Sends accepted commands to the ledger.
    Submitter(roles::SubmitterArgs),
    /// Fills the read models from the ledger.
    Projector(roles::ProjectorArgs),
    /// Brings the database's schema up to date.
    Migrate,
    /// Prints the settings in effect, secrets masked, and their digest.
    Config,
    /// Verifies, describes and moves the ledger's file.
    Ledger(ledger::Args),
    /// Makes backups of the platform, proves them, and restores them.
    Backup(backup::Args),
    /// Serves the contract as Fabric chaincode; peers connect to it.
    Chaincode(fabric::ChaincodeArgs),
    /// Checks a Fabric network, and calls the contract on it by hand.
    Fabric(fabric::Args),
    /// Checks what is to be deployed, before it is.
    Deploy(deploy::Args),
    /// Compares ledger, read models and commands of a stopped platform.
    Verify(verify::Args),
    /// Looks at clusters, hosts and stores, and says what is wrong with them.
    #[command(subcommand)]
    Ops(ops::Ops),
    /// Works on the log of what administrators did.
    #[command(subcommand)]
    Audit(Audit),
    /// Does what administrators do over the API, and helps them back in.
    #[command(subcommand)]
    Admin(Admin),
    /// Prints mail and text messages to people, newest first; what was delivered without its text.
    Mailbox {
        /// How many at most.
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        max: u32,
    },
    #[command(flatten)]
    Client(Client),
    /// Registers people in all countries and lets them pay each other, through HTTP only; then
    /// compares every figure with books of its own.
    #[cfg(feature = "workbench")]
    Demo(demo::Args),
    /// Measures; one line for each figure, with the bar that it has to reach.
    #[cfg(feature = "workbench")]
    Bench(bench::Args),
    /// Makes account keys, sets them on the ledger, and signs commands with them.
    #[command(subcommand)]
    Key(Key),
    /// Prints the description of the HTTP API (OpenAPI 3.1).
    Openapi,
    /// Prints what makes a shell complete these commands.
    Completions { shell: Shell },
    /// Prints the manual page of gx, or writes those of all commands to a folder.
    Man {
        /// Folder that the pages are written to.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Prints what this build is.
    Version,
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Computes the chain of hashes again.
    Verify,
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Gives an administrator a new one-time password, shown once, and ends all their sessions.
    ResetPassword {
        /// User name, such as superowner.
        #[arg(value_name = "NAME")]
        username: String,
    },
    /// Takes an administrator's second factor away, and ends all their sessions.
    RemoveSecondFactor {
        /// User name, such as superowner.
        #[arg(value_name = "NAME")]
        username: String,
    },
    #[command(flatten)]
    Online(Box<gx_client::admin::Admin>),
}

#[derive(Debug, Subcommand)]
enum Key {
    #[command(flatten)]
    Offline(key::Key),
    #[command(flatten)]
    Online(Keys),
}

/// Reads the process's arguments and does what they say.
pub(crate) fn run() -> Result<End> {
    let Cli { command, settings } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error, std::env::args_os()),
    };
    match command {
        Command::Up(args) => up::run(&settings, &args),
        Command::Serve(args) => roles::serve(&settings, &args),
        Command::Submitter(args) => roles::submitter(&settings, &args),
        Command::Projector(args) => roles::projector(&settings, &args),
        Command::Migrate => roles::migrate(&settings),
        Command::Config => roles::config(&settings),
        Command::Ledger(args) => ledger::run(&settings, &args),
        Command::Backup(args) => backup::run(&settings, &args),
        Command::Chaincode(args) => fabric::serve_chaincode(&settings, &args),
        Command::Fabric(args) => fabric::run(&args),
        Command::Deploy(args) => deploy::run(&args),
        Command::Verify(args) => verify::run(&settings, &args),
        Command::Ops(ops) => ops::run(&settings, &ops),
        Command::Audit(Audit::Verify) => roles::verify_audit(&settings),
        Command::Admin(Admin::ResetPassword { username }) => {
            roles::reset_password(&settings, &username)
        }
        Command::Admin(Admin::RemoveSecondFactor { username }) => {
            roles::remove_second_factor(&settings, &username)
        }
        Command::Admin(Admin::Online(admin)) => Ok(End::Client(admin.run())),
        Command::Client(client) => Ok(End::Client(client.run())),
        Command::Mailbox { max } => roles::mailbox(&settings, max),
        #[cfg(feature = "workbench")]
        Command::Demo(args) => demo::run(&settings, &args),
        #[cfg(feature = "workbench")]
        Command::Bench(args) => bench::run(&args),
        Command::Key(Key::Offline(key)) => key::run(&key),
        Command::Key(Key::Online(keys)) => Ok(End::Client(keys.run())),
        Command::Openapi => roles::print_openapi(),
        Command::Completions { shell } => pages::completions(Cli::command(), shell),
        Command::Man { folder } => pages::man(Cli::command(), folder.as_deref()),
        Command::Version => roles::version(),
    }
}

/// Tells what is wrong with the arguments: to scripts, which have asked for JSON, in JSON.
fn misused(error: &clap::Error, args: impl Iterator<Item = OsString>) -> Result<End> {
    if error.use_stderr() && wants_json(args) {
        return Ok(End::Client(gx_client::misused(&error.to_string())));
    }
    error.exit()
}

/// Whether `--json` is among the arguments; what follows `--` are texts.
fn wants_json(args: impl Iterator<Item = OsString>) -> bool {
    args.take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

#[cfg(test)]
mod tests {
    use super::{Cli, wants_json};

    #[test]
    fn json_is_asked_for_by_a_flag() {
        let asks = |line: &str| wants_json(line.split(' ').map(Into::into));
        assert!(asks("gx send --json") && asks("gx --json"));
        assert!(!asks("gx send") && !asks("gx send -- --json") && !asks("gx --jsonx"));
    }

    #[test]
    fn the_tree_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
