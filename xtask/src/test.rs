//! `cargo xtask test`: all tests, and what they need on the machine.
//!
//! All test processes share one throw-away PostgreSQL cluster, because starting one for each of
//! them would take longer than the tests.

use std::env;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use anyhow::{Result, bail};
use gx_pg::{Cluster, Error, Options, Pooler, Programs, SHARED_URL};

use crate::process;

/// Servers and a browser that optional parts and backups are tested with, by Debian's package and
/// the program.
const OPTIONAL: [(&str, &[&str]); 5] = [
    ("chromium", &["chromium", "google-chrome-stable", "google-chrome"]),
    ("clamav-daemon", &["clamd"]),
    ("exim4-daemon-light", &["exim4", "exim"]),
    ("openssh-server", &["sshd"]),
    ("redis-server", &["redis-server"]),
];

/// What the services are always tested on besides SQLite and the embedded ledger: both databases
/// and both ledgers have had their turn then.
const COMBINATION: &str = "postgres+fabric";

/// The two that are left. Database and ledger meet in the projector alone, which has tests of its
/// own on both, so that they would cost every change minutes and rarely tell anything.
const MIXED: [&str; 2] = ["postgres", "fabric"];

/// Runs all tests, or those that `args` (of cargo nextest or cargo test) choose.
pub(crate) fn run(mixed: bool, args: &[String]) -> Result<()> {
    provide()?;
    let cluster = Cluster::start(Options::default())?;
    let url = cluster.server().base_url();
    let threads = threads();
    let cargo = |fixed: &[&str]| {
        let mut command = process::cargo(fixed);
        command.env(THREADS, &threads);
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
            command.env(THREADS, &threads);
            process::run(&mut command)?;
        }
        // The examples in the documentation, which nextest leaves out.
        cargo(&["test", "--doc"])?;
    }
    Ok(())
}

/// How many tests run at once, unless whoever calls says so.
const THREADS: &str = "NEXTEST_TEST_THREADS";

/// Two for each core: half of the time a test waits, for a disk, a lease or another process.
fn threads() -> OsString {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    env::var_os(THREADS).unwrap_or_else(|| (2 * cores).to_string().into())
}

/// Checks for PostgreSQL's server programs, for PgBouncer, and for what optional parts are tested
/// with. In continuous integration, as root, they are installed if they are missing; nobody's own
/// machine is changed unasked, and there tests of optional parts are left out.
fn provide() -> Result<()> {
    let mut missing: Vec<&str> = OPTIONAL
        .into_iter()
        .filter(|(_, programs)| !programs.iter().any(|program| is_installed(program)))
        .map(|(package, _)| package)
        .collect();
    if env::var_os("CI").is_none_or(|ci| ci != "true") {
        Programs::find()?;
        if !Pooler::is_installed() {
            bail!(Error::NoPooler);
        }
        if !missing.is_empty() {
            let packages = missing.join(", ");
            eprintln!("not installed, so that nothing is tested with it: {packages}");
        }
        return Ok(());
    }
    match Programs::find() {
        Ok(_) => {}
        Err(Error::NotInstalled) => missing.push("postgresql"),
        Err(error) => bail!(error),
    }
    if !Pooler::is_installed() {
        missing.push("pgbouncer");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(missing);
    for args in [&["update"][..], &install[..]] {
        process::run(process::command("apt-get", args).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Programs::find()?;
    Ok(())
}

/// Whether a program is where the tests look for it.
fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).any(|program| program.is_file())
}
