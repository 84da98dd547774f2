//! `cargo xtask mutants`: changes the rules about money one by one and tells which changes no test
//! notices.
//!
//! It measures the tests, not the code, and takes hours: it is no part of `ci`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process;

/// Where coins are created, moved, held for somebody, granted, lent, taxed, disbursed and decided
/// on, and where it is checked who may do so.
const MONEY: [&str; 26] = [
    "admin/actions.rs",
    "admin/disbursement.rs",
    "admin/keys.rs",
    "admin/mod.rs",
    "admin/orders.rs",
    "attestation.rs",
    "countries.rs",
    "custody.rs",
    "escrow.rs",
    "fees.rs",
    "freezing.rs",
    "gates.rs",
    "genesis.rs",
    "posting.rs",
    "signature.rs",
    "spending.rs",
    "state/hot.rs",
    "tokenomics.rs",
    "tax_and_fee.rs",
    "treasury.rs",
    "tx.rs",
    "loan_pool/*.rs",
    "organization/*.rs",
    "identity/guardians.rs",
    "identity/keys.rs",
    "identity/recovery*.rs",
];

/// Of the changes that compile, so many in a hundred must be noticed.
const CAUGHT_PERCENT: usize = 90;

/// Which part of the changes is tried.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Part K of N, K from 0; all of them without it.
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if !process::has_cargo("mutants") {
        bail!("cargo-mutants is not installed; cargo install --locked cargo-mutants");
    }
    let out = process::root().join("target/mutants");
    fs::create_dir_all(&out).with_context(|| format!("could not make {}", out.display()))?;
    let mut command = process::cargo(&["mutants", "--package", "gx-contract", "--jobs", "1"]);
    // A mutant that never ends is stopped; a busy machine must not look like one.
    command.args(["--minimum-test-timeout", "1200", "--timeout-multiplier", "10", "--output"]);
    command.arg(&out);
    for file in MONEY {
        command.arg("--file").arg(format!("crates/gx-contract/src/{file}"));
    }
    if let Some(shard) = &args.shard {
        command.args(["--shard", shard]);
    }
    // Its status tells that there are survivors; how many of them there may be is decided below.
    let ended = process::run(&mut command);
    let results = Results::read(&out.join("mutants.out"))?;
    println!("{results}");
    for survivor in &results.missed {
        println!("missed: {survivor}");
    }
    match results.caught_percent() {
        None => ended.and_then(|()| bail!("no change was tried")),
        Some(percent) if percent < CAUGHT_PERCENT => {
            bail!("{percent} % of the changes were noticed, {CAUGHT_PERCENT} % needed")
        }
        Some(_) => Ok(()),
    }
}

/// What became of the changes.
#[derive(Debug)]
struct Results {
    /// A test failed, or never came to its end.
    caught: usize,
    missed: Vec<String>,
    unviable: usize,
}

impl Results {
    fn read(folder: &Path) -> Result<Self> {
        let lines = |name: &str| -> Result<Vec<String>> {
            let path = folder.join(name);
            let text = fs::read_to_string(&path)
                .with_context(|| format!("could not read {}", path.display()))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        Ok(Self {
            caught: lines("caught.txt")?.len() + lines("timeout.txt")?.len(),
            missed: lines("missed.txt")?,
            unviable: lines("unviable.txt")?.len(),
        })
    }

    /// Of those that compile; nothing when there is none.
    fn caught_percent(&self) -> Option<usize> {
        (self.caught * 100).checked_div(self.caught + self.missed.len())
    }
}

impl std::fmt::Display for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { caught, missed, unviable } = self;
        write!(f, "{caught} caught, {} missed, {unviable} unviable", missed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{MONEY, Results};
    use crate::process;

    #[test]
    fn what_does_not_compile_does_not_count() {
        let results = |caught, missed| Results {
            caught,
            missed: vec!["a line".to_owned(); missed],
            unviable: 99,
        };
        assert_eq!(results(4, 1).caught_percent(), Some(80));
        assert_eq!(results(0, 0).caught_percent(), None);
    }

    #[test]
    fn the_files_about_money_exist() {
        let source = process::root().join("crates/gx-contract/src");
        for file in MONEY {
            assert!(source.join(file.replace("/*.rs", "").replace('*', "")).exists(), "{file}");
        }
    }
}
