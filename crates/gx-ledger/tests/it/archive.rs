//! Out of a ledger, into another, and what is not let in.

use std::path::Path;

use gx_ledger::{
    ArchiveFault, Error, Expected, Fault, Ledger, NodeKey, Options, Tip, export, import,
    import_while, join, look,
};
use gx_types::NetworkId;

use crate::load::{Load, filled, key, open, options, quick_folder, submit};

fn archive_of(ledger: &Ledger) -> Vec<u8> {
    let mut archive = Vec::new();
    ledger.export(&mut archive, &mut |_| ()).unwrap();
    archive
}

fn import_into(path: &Path, archive: &[u8], key: &NodeKey) -> Result<Tip, Error> {
    import(&mut &*archive, &options(path), key, &mut |_| ())
}

fn refused(path: &Path, archive: &[u8]) -> ArchiveFault {
    match import_into(path, archive, &key()).unwrap_err() {
        Error::Archive { source } => source,
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_ledger_comes_back_from_its_archive() {
    let folder = quick_folder();
    let path = folder.path().join("ledger");
    let ledger = filled(&path, 6, 12, 60);
    let mut seen = 0;
    let mut archive = Vec::new();
    let tip = ledger
        .export(&mut archive, &mut |progress| {
            seen += 1;
            assert_eq!((progress.blocks, progress.of), (seen, 63));
        })
        .unwrap();
    assert_eq!((tip, seen), (ledger.tip(), 63));
    let copy = folder.path().join("copy");
    assert_eq!(import_into(&copy, &archive, &key()).unwrap(), tip);
    let copied = open(&copy);
    assert_eq!(copied.tip(), tip);
    let info = copied.info().unwrap();
    assert_eq!(info.origin, ledger.info().unwrap().origin);
    assert_eq!(info.state_digest, ledger.info().unwrap().state_digest);
    assert_eq!(archive_of(&copied), archive);
    // Both go on in the same way.
    let batch = Load::new(99).batch(gx_types::Role::PartnerApi, [crate::load::transfer(1, 2, 5)]);
    let (one, other) = (submit(&ledger, &batch, 9_999), submit(&copied, &batch, 9_999));
    assert_eq!(one.hash, other.hash);
    drop(copied);
    let mut closed = Vec::new();
    export(&copy, &mut closed, &mut |_| ()).unwrap();
    assert_eq!(closed, archive_of(&ledger));
}

#[test]
fn another_key_signs_what_comes_after_an_archive() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 12, 10);
    let copy = folder.path().join("copy");
    let heir = NodeKey::from_seed([9; 32]);
    import_into(&copy, &archive_of(&ledger), &heir).unwrap();
    let keys = [(1, key().public()), (14, heir.public())];
    assert_eq!(gx_ledger::info(&copy).unwrap().keys, keys);
    let refused = Ledger::create_or_open(options(&copy), &key()).map(drop);
    assert!(matches!(refused, Err(Error::ForeignKey { .. })));
    let copied = Ledger::create_or_open(options(&copy), &heir).unwrap();
    let mut load = Load::new(99).with_users(12);
    (0..5).for_each(|time| drop(submit(&copied, &load.next(9), 9_000 + time)));
    let report = copied.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!(report.problem, None);
    // And again, as often as it is moved.
    let archive = archive_of(&copied);
    let third = folder.path().join("third");
    let tip = import_into(&third, &archive, &heir).unwrap();
    assert_eq!(tip, copied.tip());
    assert_eq!(gx_ledger::info(&third).unwrap().keys, keys);
}

#[test]
fn a_ledger_is_taken_up_to_the_first_block_that_nobody_wants() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 12, 20);
    let archive = archive_of(&ledger);
    let copy = folder.path().join("copy");
    let mut shown = Vec::new();
    let mut keep = |block: &gx_ledger::Block| {
        shown.push(block.number());
        block.number() != 11
    };
    let (options, key) = (options(&copy), key());
    let tip = import_while(&mut &*archive, &options, &key, &mut keep, &mut |_| ()).unwrap();
    assert_eq!(tip.number, 10);
    assert_eq!(tip.hash, ledger.block(10).unwrap().unwrap().hash());
    assert_eq!(shown, (1..=23).collect::<Vec<u64>>(), "the rest is read as well");
    // It goes on by itself, and the next archive of it is one like any other.
    let copied = open(&copy);
    let batch = Load::new(99).batch(gx_types::Role::PartnerApi, [crate::load::transfer(1, 2, 5)]);
    assert_eq!(submit(&copied, &batch, 9_999).number, 11);
    assert_eq!(copied.verify(&Expected::default(), &mut |_| ()).unwrap().problem, None);
    // What is torn after the last block that is wanted is torn all the same.
    let other = folder.path().join("other");
    let torn = &archive[..archive.len() - 3];
    let mut first = |block: &gx_ledger::Block| block.number() == 1;
    let options = Options { path: other.clone(), ..options };
    let refused = import_while(&mut &*torn, &options, &key, &mut first, &mut |_| ()).unwrap_err();
    assert!(matches!(refused, Error::Archive { source: ArchiveFault::End(23) }), "{refused:?}");
    assert!(!other.exists());
}

#[test]
fn every_altered_byte_of_an_archive_is_refused() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 3, 3);
    let archive = archive_of(&ledger);
    let copy = folder.path().join("copy");
    // Every byte would take minutes; every 37th meets all parts.
    for at in (0..archive.len()).step_by(37) {
        let mut altered = archive.clone();
        altered[at] ^= 4;
        let fault = refused(&copy, &altered);
        assert!(!fault.to_string().is_empty());
        assert!(!copy.exists() && !folder.path().join("copy.import").exists(), "byte {at}");
    }
}

#[test]
fn every_torn_archive_is_refused_and_the_block_named() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 3, 3);
    let archive = archive_of(&ledger);
    let copy = folder.path().join("copy");
    for length in (0..archive.len()).step_by(101) {
        let fault = refused(&copy, &archive[..length]);
        let head = matches!(fault, ArchiveFault::NotAnArchive | ArchiveFault::Torn(0));
        let named = matches!(fault, ArchiveFault::Torn(1..=6) | ArchiveFault::End(6));
        assert!(head || named, "{length}: {fault}");
    }
    for cut in [1, 10, 40, 56] {
        let fault = refused(&copy, &archive[..archive.len() - cut]);
        assert_eq!(fault, ArchiveFault::End(6), "{cut}");
    }
    assert_eq!(refused(&copy, &[&*archive, b"x"].concat()), ArchiveFault::Trailing);
}

/// Length and checksum are right, only the content is not: what an attacker would write.
#[test]
fn a_forged_block_is_refused() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 3, 3);
    let archive = archive_of(&ledger);
    let copy = folder.path().join("copy");
    let block = ledger.block(4).unwrap().unwrap();
    let parts = |bytes: &[u8]| {
        let checksum = blake3::hash(bytes);
        [bytes, &checksum.as_bytes()[..16]].concat()
    };
    let part = block.to_bytes();
    let at = archive.windows(part.len()).position(|window| *window == *part).unwrap();
    let forge = |forged: Vec<u8>| {
        assert_eq!(forged.len(), part.len());
        let mut altered = archive.clone();
        altered.splice(at..at + part.len() + 16, parts(&forged));
        refused(&copy, &altered)
    };
    assert_eq!(import_into(&copy, &archive, &key()).unwrap(), ledger.tip());
    std::fs::remove_file(&copy).unwrap();
    // A digit of an amount, in the commands.
    let mut forged = part.clone();
    let digit = forged.iter().rposition(|byte| byte.is_ascii_digit()).unwrap();
    forged[digit] = if forged[digit] == b'1' { b'2' } else { b'1' };
    let fault = forge(forged);
    assert_eq!(fault, ArchiveFault::Block { number: 4, fault: Fault::OutcomesHash });
    // The header's time.
    let mut forged = part.clone();
    forged[55] ^= 1;
    let ArchiveFault::Block { number: 4, fault } = forge(forged) else { panic!() };
    assert!(matches!(fault, Fault::Signature), "{fault}");
    // Another block in its place.
    let mut other = archive.clone();
    let fifth = ledger.block(5).unwrap().unwrap().to_bytes();
    let mut entry = vec![1];
    entry.extend_from_slice(&u32::try_from(fifth.len()).unwrap().to_le_bytes());
    entry.extend_from_slice(&parts(&fifth));
    other.splice(at - 5..at + part.len() + 16, entry);
    let fault = refused(&copy, &other);
    assert_eq!(fault, ArchiveFault::Block { number: 4, fault: Fault::Number(5) });
}

#[test]
fn an_archive_goes_where_it_belongs_and_over_nothing() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 3, 3);
    let archive = archive_of(&ledger);
    let copy = folder.path().join("copy");
    let elsewhere = Options { network: NetworkId::Testnet, ..options(&copy) };
    let fault = import(&mut &*archive, &elsewhere, &key(), &mut |_| ()).unwrap_err();
    assert!(matches!(fault, Error::Archive { source: ArchiveFault::Network { .. } }));
    let over = import_into(&folder.path().join("ledger"), &archive, &key());
    assert!(matches!(over, Err(Error::Exists { .. })));
    assert_eq!(refused(&copy, b"no archive at all"), ArchiveFault::NotAnArchive);
}

/// What grew since an archive was written, in pieces, makes one archive with it.
#[test]
fn pieces_and_the_archive_before_them_are_the_archive_of_all() {
    let folder = quick_folder();
    let ledger = filled(&folder.path().join("ledger"), 6, 12, 60);
    let (whole, tip) = (archive_of(&ledger), ledger.tip());
    let piece = |first: u64, bytes: usize| {
        let mut piece = Vec::new();
        let last = ledger.export_piece(first, bytes, &mut piece).unwrap();
        let ends = look(&mut piece.as_slice(), first).unwrap();
        assert_eq!(ends.last.0, last);
        assert_eq!(ends.first.map(|(number, _)| number), (first <= last).then_some(first));
        (piece, last)
    };
    // More than two blocks each, so that one that is there twice does not stop the way.
    let size = whole.len() / 5;
    let (mut pieces, mut next) = (Vec::new(), 1);
    while next <= tip.number {
        // Each begins with the last block of the one before: what is there twice is taken once.
        let (bytes, last) = piece(next.saturating_sub(1).max(1), size);
        assert!(last >= next && bytes.len() < whole.len());
        pieces.push(bytes);
        next = last + 1;
    }
    assert!(pieces.len() > 3, "{}", pieces.len());
    assert_eq!(piece(tip.number + 1, size).1, tip.number);
    let joined = |pieces: &[Vec<u8>]| {
        let mut archives = pieces.iter().map(|piece| {
            Ok::<Box<dyn std::io::Read + '_>, std::io::Error>(Box::new(piece.as_slice()))
        });
        let mut out = Vec::new();
        let newest = pieces.last().unwrap();
        join(&mut newest.as_slice(), &mut archives, &mut out).map(|last| (out, last))
    };
    assert_eq!(joined(&pieces).unwrap(), (whole.clone(), tip.number));
    let after = [whole.clone(), pieces.last().unwrap().clone()];
    assert_eq!(joined(&after).unwrap().0, whole);
    // A hole is named, and so is another ledger's piece.
    let holed: Vec<Vec<u8>> = pieces.iter().take(1).chain(&pieces[2..]).cloned().collect();
    let hole = joined(&holed).unwrap_err();
    assert!(matches!(hole, Error::Archive { source: ArchiveFault::Gap { .. } }), "{hole:?}");
    let other = filled(&folder.path().join("other"), 7, 3, 2);
    let (rest, _) = piece(other.tip().number + 1, usize::MAX);
    let elsewhere = Options { network: NetworkId::Testnet, ..options(&folder.path().join("test")) };
    let elsewhere = Ledger::create_or_open(elsewhere, &key()).unwrap();
    for first in [archive_of(&other), archive_of(&elsewhere)] {
        let mixed = joined(&[first, rest.clone()]).unwrap_err();
        assert!(matches!(mixed, Error::Archive { source: ArchiveFault::Another }), "{mixed:?}");
    }
    // A flipped byte is seen before anything is stored.
    let mut flipped = pieces[1].clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert!(look(&mut flipped.as_slice(), 1).is_err());
}
