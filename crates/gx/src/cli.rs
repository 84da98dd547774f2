//! The command line: one tree of everything that the binary can do.
//!
//! It only names and describes; what a command does stands in the module of its name.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{End, bench};

/// A digital currency on a permissioned ledger: services, ledger, read models and tools.
#[derive(Debug, Parser)]
#[command(name = "gx", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures; one line for each figure, with the bar that it has to reach.
    Bench(bench::Args),
}

/// Reads the process's arguments and does what they say.
pub(crate) fn run() -> Result<End> {
    match Cli::parse().command {
        Command::Bench(args) => bench::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;

    #[test]
    fn the_tree_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
