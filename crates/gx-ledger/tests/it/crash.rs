//! Killed at any moment, a ledger has each block whole or not at all, and all that it promised.
//!
//! The test binary starts itself as the child that is killed.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use gx_contract::Context;
use gx_ledger::Expected;
use gx_types::TimeMs;

use crate::load::{Load, open};
use crate::model::SUPPLY;

const FILE: &str = "GX_LEDGER_TEST_FILE";
const SEED: &str = "GX_LEDGER_TEST_SEED";
const USERS: u32 = 20;

/// Not a test of its own: the process that is killed. It says which blocks it was promised.
#[test]
fn child_that_submits_until_it_is_killed() {
    let (Ok(file), Ok(seed)) = (std::env::var(FILE), std::env::var(SEED)) else { return };
    let ledger = open(Path::new(&file));
    let mut load = Load::new(seed.parse().unwrap());
    if ledger.tip().number == 0 {
        for batch in load.foundation(USERS) {
            say(&ledger.submit(&batch, at(&batch)).unwrap());
        }
    }
    let mut load = load.with_users(USERS);
    let mut waiting = std::collections::VecDeque::new();
    loop {
        let batch = load.next(12);
        waiting.push_back(ledger.enqueue(&batch, at(&batch)).unwrap());
        if waiting.len() > 2 {
            say(&waiting.pop_front().unwrap().wait().unwrap());
        }
    }
}

fn at(batch: &gx_contract::Batch) -> Context {
    Context::embedded(batch.role, TimeMs(5_000))
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn say(receipt: &gx_ledger::Receipt) {
    println!("durable {} {}", receipt.number, receipt.hash);
}

fn start(file: &Path, seed: u64) -> (Child, Lines<BufReader<ChildStdout>>) {
    let name = "crash::child_that_submits_until_it_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(FILE, file)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// The number and the hash of a block that the child says is durable.
fn promised(line: &str) -> Option<(u64, String)> {
    // The test harness writes its own words, also on the same line.
    let (_, rest) = line.split_once("durable ")?;
    let (number, hash) = rest.split_once(' ')?;
    Some((number.parse().ok()?, hash.to_owned()))
}

#[test]
fn killed_at_fifty_moments_it_keeps_what_it_promised() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let mut random = Load::new(11);
    let mut last: Option<(u64, String)> = None;
    for round in 1..=50 {
        let (mut child, mut lines) = start(&file, round);
        let promises = 1 + random.below(25);
        let mut heard = 0;
        while heard < promises {
            let line = lines.next().expect("the child writes until it is killed").unwrap();
            if let Some(promise) = promised(&line) {
                last = Some(promise);
                heard += 1;
            }
        }
        // Somewhere within the batches that follow.
        let spins = random.below(400_000);
        (0..spins).for_each(|_| std::hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
        let rest = lines.map_while(Result::ok).filter_map(|line| promised(&line)).last();
        last = rest.or(last);
        let (number, hash) = last.clone().unwrap();

        let start = Instant::now();
        let ledger = open(&file);
        assert!(start.elapsed() < Duration::from_secs(1), "round {round}: {:?}", start.elapsed());
        let kept = ledger.block(number).unwrap().expect("a promised block is there");
        assert_eq!(kept.hash().to_string(), hash, "round {round}");
        assert_eq!(ledger.snapshot().unwrap().total().unwrap(), SUPPLY);
        if round % 10 == 0 {
            let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
            assert_eq!(report.problem, None, "round {round}");
        }
    }
    let report = gx_ledger::verify(&file, &Expected::default(), &mut |_| ()).unwrap();
    assert_eq!(report.problem, None);
}
