//! A disk that is full, and then is not any more.
//!
//! The test binary starts itself as a child whose files may not grow beyond a limit: writing
//! beyond it fails as it does on a full disk. The child lifts the limit itself.

use std::path::Path;
use std::process::Command;

use gx_contract::Context;
use gx_ledger::{Error, Expected, Ledger};
use gx_types::{Role, TimeMs};

use crate::load::{Load, open, transfer};
use crate::model::SUPPLY;

const FILE: &str = "GX_LEDGER_TEST_FULL_FILE";

#[test]
fn a_full_disk_is_named_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let child = "trap '' XFSZ; ulimit -S -f 4096; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", child])
        .arg(std::env::current_exe().unwrap())
        .args(["space::child_with_little_space", "--exact", "--nocapture"])
        .env(FILE, &file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("survived"), "{text}{errors}");
}

/// Not a test of its own: the process that runs out of space.
#[test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn child_with_little_space() {
    let Ok(file) = std::env::var(FILE) else { return };
    let ledger = open(Path::new(&file));
    let mut load = Load::new(1);
    for batch in load.foundation(20) {
        ledger.submit(&batch, Context::embedded(batch.role, TimeMs(1))).unwrap();
    }
    let (last, error) = fill(&ledger, &mut load);
    assert!(matches!(error, Error::Storage { .. }), "{error:?}");
    assert!(error.to_string().contains("ledger"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("File too large"), "{source}");
    // While there is no space, the answer stays the same and nothing is lost.
    let again = submit_one(&ledger, &mut load).unwrap_err();
    assert!(matches!(again, Error::Storage { .. }), "{again:?}");
    assert_eq!(ledger.tip().number, last);

    let pid = std::process::id().to_string();
    let limit = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(limit.unwrap().success());
    let receipt = submit_one(&ledger, &mut load).unwrap();
    assert_eq!(receipt.number, last + 1);
    assert_eq!(ledger.snapshot().unwrap().total().unwrap(), SUPPLY);
    let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!((report.problem, report.tip), (None, ledger.tip()));
    println!("survived {last} blocks");
}

fn submit_one(ledger: &Ledger, load: &mut Load) -> Result<gx_ledger::Receipt, Error> {
    let batch = load.batch(Role::PartnerApi, (0..400).map(|_| transfer(1, 2, 1)));
    ledger.submit(&batch, Context::embedded(Role::PartnerApi, TimeMs(9)))
}

/// Submits until it fails: the number of the last block, and the error.
fn fill(ledger: &Ledger, load: &mut Load) -> (u64, Error) {
    let mut last = ledger.tip().number;
    for _ in 0..2_000 {
        match submit_one(ledger, load) {
            Ok(receipt) => last = receipt.number,
            Err(error) => return (last, error),
        }
    }
    panic!("two thousand blocks fit into the limit");
}
