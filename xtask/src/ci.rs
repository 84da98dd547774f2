//! `cargo xtask ci`: every check of a change, in one command.
//!
//! All steps run even if one of them fails, so that one run shows everything there is to repair.

use std::env;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{generate, process, test, tidy};

struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// The cheap ones first. `deny` stays visible where it cannot run.
const STEPS: [Step; 7] = [
    Step { name: "fmt", run: fmt },
    Step { name: "tidy", run: tidy::run },
    Step { name: "clippy", run: clippy },
    Step { name: "test", run: all_tests },
    Step { name: "gen", run: generate::check },
    Step { name: "doc", run: doc },
    Step { name: "deny", run: deny },
];

pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for step in STEPS {
        eprintln!("\n=== {}", step.name);
        let started = Instant::now();
        let result = (step.run)();
        let seconds = started.elapsed().as_secs();
        match result {
            Ok(()) => eprintln!("=== {}: passed in {seconds} s", step.name),
            Err(error) => {
                eprintln!("{error:#}\n=== {}: FAILED after {seconds} s", step.name);
                failed.push(step.name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    eprintln!("\nall checks passed");
    Ok(())
}

fn fmt() -> Result<()> {
    process::run(&mut process::cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let args = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    process::run(&mut process::cargo(&args))
}

fn all_tests() -> Result<()> {
    test::run(false, &[])
}

fn doc() -> Result<()> {
    let args = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    // Flags that the caller gave keep their meaning.
    let flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    let flags = format!("{flags} -D warnings");
    process::run(process::cargo(&args).env("RUSTDOCFLAGS", flags.trim()))
}

fn deny() -> Result<()> {
    if !process::has_cargo("deny") {
        eprintln!("SKIPPED: cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(());
    }
    process::run(&mut process::cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    // The list of known faults is on another server than the crates, out of reach of some machines.
    if let Err(error) = process::run(&mut process::cargo(&["deny", "fetch", "db"])) {
        eprintln!("SKIPPED: the list of known faults cannot be fetched ({error})");
        return Ok(());
    }
    process::run(&mut process::cargo(&["deny", "check", "advisories"]))
}
