//! A damaged or forged file never passes for a good one, and the block at fault is named.

use std::path::{Path, PathBuf};

use gx_ledger::{Error, Expected, Fault, Ledger, NodeKey, Report};
use gx_types::NetworkId;

use crate::load::{Load, filled, key, open, options, quick_folder, submit};

/// The node's key and the last block, as an operator or a reader knows them.
fn expected(ledger: &Ledger) -> Expected {
    let tip = ledger.tip();
    Expected {
        network: Some(NetworkId::Devnet),
        node: Some(key().public()),
        block: Some((tip.number, tip.hash)),
    }
}

fn verify(path: &Path, expected: &Expected) -> Result<Report, Error> {
    gx_ledger::verify(path, expected, &mut |_| ())
}

/// Everything that a ledger holds, as bytes.
fn contents(path: &Path) -> Vec<Vec<u8>> {
    let ledger = open(path);
    let blocks = 1..=ledger.tip().number;
    let mut all: Vec<_> = blocks.map(|n| ledger.block(n).unwrap().unwrap().to_bytes()).collect();
    for entry in ledger.snapshot().unwrap().entries().unwrap() {
        let (key, value) = entry.unwrap();
        all.push([key.into_bytes(), value].concat());
    }
    all
}

struct Original {
    _folder: tempfile::TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
    expected: Expected,
}

fn original() -> Original {
    let folder = quick_folder();
    let path = folder.path().join("ledger");
    let ledger = filled(&path, 6, 12, 40);
    let expected = expected(&ledger);
    drop(ledger);
    let bytes = std::fs::read(&path).unwrap();
    Original { _folder: folder, path, bytes, expected }
}

#[test]
fn a_flipped_byte_that_matters_is_noticed_wherever_it_is() {
    let original = original();
    let untouched = contents(&original.path);
    let copy = original.path.with_extension("copy");
    let mut random = Load::new(1);
    // Every used part of the file has its turn: most of it is empty pages.
    let used: Vec<usize> = (0..original.bytes.len())
        .filter(|at| original.bytes.get(*at).is_some_and(|byte| *byte != 0))
        .collect();
    let (mut noticed, mut harmless) = (0, 0);
    for _ in 0..120 {
        let at = *used.get(usize::try_from(random.below(used.len() as u64)).unwrap()).unwrap();
        let mut bytes = original.bytes.clone();
        *bytes.get_mut(at).unwrap() ^= 1 << random.below(8);
        std::fs::write(&copy, &bytes).unwrap();
        match verify(&copy, &original.expected) {
            Ok(Report { problem: None, .. }) => {
                assert_eq!(contents(&copy), untouched, "byte {at} went unnoticed");
                harmless += 1;
            }
            Ok(Report { problem: Some(problem), .. }) => {
                assert!(!problem.to_string().is_empty());
                noticed += 1;
            }
            Err(_) => noticed += 1,
        }
    }
    // Pages that are free hold old bytes, which nobody reads.
    assert!(noticed > 15 && harmless > 0, "{noticed} noticed, {harmless} harmless");
}

#[test]
fn a_flipped_byte_in_a_block_names_the_block() {
    let original = original();
    let copy = original.path.with_extension("copy");
    let ledger = open(&original.path);
    for number in [1, 7, 30, 43] {
        let block = ledger.block(number).unwrap().unwrap();
        // The hash of the block before stands in the header and, for all but the last, nowhere
        // else but in the header of the block it is of.
        let needle = block.header().commands_hash;
        let at = find(&original.bytes, needle.as_bytes());
        let mut bytes = original.bytes.clone();
        for at in at {
            *bytes.get_mut(at + 3).unwrap() ^= 0x10;
        }
        std::fs::write(&copy, &bytes).unwrap();
        let problem = verify(&copy, &original.expected).unwrap().problem.unwrap();
        assert_eq!((problem.block, problem.fault), (number, Fault::CommandsHash));
        let damaged = Ledger::create_or_open(options(&copy), &key()).unwrap();
        let block = damaged.block(number).unwrap().unwrap();
        assert_eq!(block.check(&key().public()), Err(Fault::CommandsHash));
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(needle.len()).enumerate();
    windows.filter(|(_, window)| *window == needle).map(|(at, _)| at).collect()
}

#[test]
fn a_truncated_file_is_noticed() {
    let original = original();
    let copy = original.path.with_extension("copy");
    let length = original.bytes.len();
    for length in [length - 1, length - 4096, length / 2, length / 10, 4096, 100, 1] {
        std::fs::write(&copy, original.bytes.get(..length).unwrap()).unwrap();
        match verify(&copy, &original.expected) {
            Ok(report) => assert!(report.problem.is_some(), "cut to {length}"),
            Err(error) => assert!(error.to_string().contains("ledger"), "{error}"),
        }
    }
    std::fs::write(&copy, []).unwrap();
    assert!(matches!(verify(&copy, &original.expected), Err(Error::Missing { .. })));
}

#[test]
fn a_ledger_made_anew_with_another_key_is_a_forgery() {
    let folder = quick_folder();
    let path = folder.path().join("ledger");
    let stranger = NodeKey::from_seed([9; 32]);
    let ledger = Ledger::create_or_open(options(&path), &stranger).unwrap();
    let mut load = Load::new(1);
    for batch in load.foundation(3) {
        submit(&ledger, &batch, 5);
    }
    let node = Some(key().public());
    let refused = ledger.verify(&Expected { node, ..Expected::default() }, &mut |_| ());
    assert!(matches!(refused, Err(Error::ForeignKey { .. })));
    // Without knowing the key, it is a good ledger of its own.
    let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!(report.problem, None);
    // A reader that knows a block of the true one notices as well.
    let block = Some((2, gx_ledger::Hash::from_bytes([1; 32])));
    let report = ledger.verify(&Expected { block, ..Expected::default() }, &mut |_| ()).unwrap();
    let problem = report.problem.unwrap();
    assert_eq!((problem.block, problem.fault), (2, Fault::NotTheKnown));
    assert_eq!(report.tip.number, 2);
    let block = Some((9, gx_ledger::Hash::from_bytes([1; 32])));
    let report = ledger.verify(&Expected { block, ..Expected::default() }, &mut |_| ()).unwrap();
    let problem = report.problem.unwrap();
    assert_eq!((problem.block, problem.fault), (9, Fault::Missing));
}

#[test]
fn a_block_that_was_replaced_in_the_file_is_named() {
    let original = original();
    let copy = original.path.with_extension("copy");
    let ledger = open(&original.path);
    let (block, other) = (ledger.block(9).unwrap().unwrap(), ledger.block(8).unwrap().unwrap());
    // The signature of one block under another.
    let at = find(&original.bytes, block.signature().as_bytes());
    assert!(!at.is_empty());
    let mut bytes = original.bytes.clone();
    for at in at {
        let signature = other.signature().as_bytes();
        bytes.iter_mut().skip(at).zip(signature).for_each(|(to, from)| *to = *from);
    }
    std::fs::write(&copy, &bytes).unwrap();
    let problem = verify(&copy, &original.expected).unwrap().problem.unwrap();
    assert_eq!((problem.block, problem.fault), (9, Fault::Signature));
    // A stranger's key in the header.
    let signer = NodeKey::from_seed([9; 32]).public();
    let header = find(&original.bytes, block.header().state_digest.as_bytes());
    let mut bytes = original.bytes.clone();
    for at in header {
        bytes.iter_mut().skip(at + 32).zip(signer.as_bytes()).for_each(|(to, from)| *to = *from);
    }
    std::fs::write(&copy, &bytes).unwrap();
    let problem = verify(&copy, &original.expected).unwrap().problem.unwrap();
    assert_eq!((problem.block, problem.fault), (9, Fault::ForeignKey(signer)));
}
