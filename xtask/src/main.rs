//! Development commands: `cargo xtask ci`, `test`, `tidy`, `gen`, `bench`, `image`, `deb`,
//! `fabric`, `new`, `mutants`, `pg`.
//!
//! Everything that continuous integration does can be done here by hand with the same command.
//! Nothing of this is part of the product.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod ci;
mod contract_page;
mod contributing;
mod deb;
mod fabric;
mod generate;
mod image;
mod metrics_page;
mod mutants;
mod new;
mod pg;
mod pgbench;
mod process;
mod test;
mod tidy;

/// Development commands of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that must pass before a change goes in, tests included.
    Ci,
    /// All tests, on a throw-away PostgreSQL cluster of their own.
    Test {
        /// The services also on PostgreSQL with the embedded ledger, and on Fabric with SQLite.
        #[arg(long)]
        mixed: bool,
        /// Arguments for cargo nextest or cargo test, such as `-p gx-store`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The rules that neither rustc, clippy nor rustfmt knows.
    Tidy,
    /// Writes the files that are made from the code.
    Gen(generate::Args),
    /// All benchmarks in release mode, one JSON line for each figure.
    Bench(bench::Args),
    /// The image of all roles, as an OCI archive.
    Image(image::Args),
    /// A Debian package of the binary, its units, completions and manual pages.
    Deb(deb::Args),
    /// A Fabric network on this machine, to develop and test on.
    Fabric(fabric::Args),
    /// Whether the list that adds a command is true: follows it in a copy; minutes.
    Contributing,
    /// The skeletons of a command, a route or a migration.
    #[command(subcommand)]
    New(new::Args),
    /// How many changes of the rules about money the tests notice; hours, not part of `ci`.
    Mutants(mutants::Args),
    /// A throw-away PostgreSQL cluster; prints its address and lasts until Ctrl-C.
    Pg(pg::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Ci => ci::run(),
        Command::Test { mixed, args } => test::run(mixed, &args),
        Command::Tidy => tidy::run(),
        Command::Gen(args) => generate::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Image(args) => image::run(&args),
        Command::Deb(args) => deb::run(&args),
        Command::Fabric(args) => fabric::run(&args),
        Command::Contributing => contributing::run(),
        Command::New(args) => new::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Pg(args) => pg::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
