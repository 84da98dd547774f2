//! A command is shown to be in a block without the ledger and without its neighbours, and nothing
//! altered passes.

use gx_ledger::{Proof, ProofFault};

use crate::load::{Load, key, open, submit};

/// A proof from the middle of a ledger of several blocks.
fn proof() -> (tempfile::TempDir, gx_ledger::Ledger, Proof) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder.path().join("ledger"));
    let mut load = Load::new(5);
    let mut batches = load.foundation(10);
    batches.extend((0..4).map(|_| load.next(7)));
    for (batch, time) in batches.iter().zip(10..) {
        submit(&ledger, batch, time);
    }
    let number = ledger.tip().number - 2;
    let proof = ledger.prove(number, 4).unwrap().unwrap();
    (folder, ledger, proof)
}

#[test]
fn every_command_can_be_shown() {
    let (_folder, ledger, _) = proof();
    let tip = ledger.tip();
    for number in 1..=tip.number {
        let block = ledger.block(number).unwrap().unwrap();
        let (batch, record) = (block.batch().unwrap(), block.record().unwrap());
        for (index, envelope) in (0..).zip(&batch.commands) {
            let proof = ledger.prove(number, index).unwrap().unwrap();
            let proven = proof.check().unwrap();
            assert_eq!(proven.envelope, *envelope);
            assert_eq!(Some(&proven.result), record.results.get(index as usize));
            assert_eq!(proven.block, *block.header());
            assert_eq!((proven.head.number, proven.head.hash()), (tip.number, tip.hash));
            assert_eq!(proven.signer(), key().public());
        }
        assert_eq!(ledger.prove(number, block.header().commands).unwrap(), None);
    }
    assert_eq!(ledger.prove(tip.number + 1, 0).unwrap(), None);
    assert_eq!(ledger.prove(0, 0).unwrap(), None);
}

#[test]
fn neighbours_are_not_shown() {
    let (_folder, ledger, proof) = proof();
    let number = proof.check().unwrap().block.number;
    let batch = ledger.block(number).unwrap().unwrap().batch().unwrap();
    let all = format!("{proof:?}");
    for (index, other) in (0..).zip(&batch.commands) {
        let shown = all.contains(&other.command_id.to_string());
        assert_eq!(shown, index == proof.index, "{index}");
    }
}

#[test]
fn nothing_altered_passes() {
    let (_folder, _ledger, proof) = proof();
    let refused = |altered: Proof, what: &str| assert!(altered.check().is_err(), "{what}");
    for (number, header) in proof.headers.iter().enumerate() {
        for at in 0..header.len() {
            let mut altered = proof.clone();
            *altered.headers.get_mut(number).unwrap().get_mut(at).unwrap() ^= 1;
            refused(altered, &format!("byte {at} of header {number}"));
        }
    }
    type Text = fn(&mut Proof) -> &mut String;
    let texts: [Text; 2] = [|proof| &mut proof.command, |proof| &mut proof.outcome];
    for text in texts {
        for at in 0..text(&mut proof.clone()).len() {
            let mut altered = proof.clone();
            let text = text(&mut altered);
            let mut bytes = std::mem::take(text).into_bytes();
            *bytes.get_mut(at).unwrap() ^= 1;
            *text = String::from_utf8(bytes).unwrap();
            refused(altered, &format!("byte {at} of a text"));
        }
    }
    for index in (0..9).filter(|index| *index != proof.index) {
        refused(Proof { index, ..proof.clone() }, "another place");
    }
    let fault = |altered: Proof| altered.check().unwrap_err();
    let swapped = Proof { command: proof.outcome.clone(), ..proof.clone() };
    assert_eq!(fault(swapped), ProofFault::Command);
    let none = Proof { headers: Vec::new(), ..proof.clone() };
    assert_eq!(fault(none), ProofFault::NoHeader);
    let mut gap = proof.clone();
    gap.headers.remove(1);
    assert_eq!(fault(gap), ProofFault::Chain(1));
    // A shorter chain is a chain: its head is another.
    let mut shorter = proof.clone();
    shorter.headers.pop();
    let (long, short) = (proof.check().unwrap(), shorter.check().unwrap());
    assert_eq!(short.head.number + 1, long.head.number);
}
