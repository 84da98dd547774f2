//! `cargo xtask test`: all tests, and what they need on the machine.
//!
//! All test processes share one throw-away PostgreSQL cluster, because starting one for each of
//! them would take longer than the tests.

use std::env;

use anyhow::{Result, bail};
use gx_pg::{Cluster, Error, Options, Pooler, Programs, SHARED_URL};

use crate::process;

const APT_GET: [&[&str]; 2] =
    [&["update"], &["install", "--yes", "--no-install-recommends", "postgresql", "pgbouncer"]];

/// What the services are always tested on besides SQLite and the embedded ledger: both databases
/// and both ledgers have had their turn then.
const COMBINATION: &str = "postgres+fabric";

/// The two that are left. Database and ledger meet in the projector alone, which has tests of its
/// own on both, so that they would cost every change minutes and rarely tell anything.
const MIXED: [&str; 2] = ["postgres", "fabric"];

/// Runs all tests, or those that `args` (of cargo nextest or cargo test) choose.
pub(crate) fn run(mixed: bool, args: &[String]) -> Result<()> {
    provide_postgresql()?;
    let cluster = Cluster::start(Options::default())?;
    let url = cluster.server().base_url();
    let cargo = |fixed: &[&str]| {
        let mut command = process::cargo(fixed);
        if args.is_empty() {
            command.arg("--workspace");
        }
        process::run(command.args(args).env(SHARED_URL, &url))
    };
    if !process::has_cargo("nextest") {
        eprintln!("cargo-nextest is not installed; cargo test does the same, only slower");
        return cargo(&["test", "--no-fail-fast"]);
    }
    cargo(&["nextest", "run", "--no-fail-fast"])?;
    if args.is_empty() {
        let mixed = if mixed { &MIXED[..] } else { &[] };
        for on in [COMBINATION].iter().chain(mixed) {
            eprintln!("the services on {on}");
            let filter = ["--workspace", "--filterset", "package(gx-server) & kind(test)"];
            let mut command = process::cargo(&["nextest", "run", "--no-fail-fast"]);
            command.args(filter).env(SHARED_URL, &url).env("GX_TEST_ON", on);
            process::run(&mut command)?;
        }
        // The examples in the documentation, which nextest leaves out.
        cargo(&["test", "--doc"])?;
    }
    Ok(())
}

/// Checks for PostgreSQL's server programs and for PgBouncer. In continuous integration, as root,
/// they are installed if they are missing; nobody's own machine is changed unasked.
fn provide_postgresql() -> Result<()> {
    match Programs::find() {
        Ok(_) if Pooler::is_installed() => return Ok(()),
        Ok(_) if env::var_os("CI").is_none_or(|ci| ci != "true") => bail!(Error::NoPooler),
        Ok(_) => {}
        Err(Error::NotInstalled) if env::var_os("CI").is_some_and(|ci| ci == "true") => {}
        Err(error) => bail!(error),
    }
    for args in APT_GET {
        process::run(process::command("apt-get", args).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Programs::find()?;
    Ok(())
}
