//! The ledger's file on the command line: described, moved, and found out when it was altered.

use crate::place::Place;

fn json(out: &str) -> serde_json::Value {
    serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn a_ledger_moves_to_another_node_and_stays_the_same() {
    let place = Place::new();
    place.start().stop().unwrap();
    let ledger = |folder: &str, action: &[&str]| {
        let mut args = vec!["ledger"];
        args.extend(action);
        args.extend(["--data", folder, "--json"]);
        place.run(&args)
    };
    let before = json(&ledger("data", &["info"]).out);
    assert_eq!((&before["network"], &before["blocks"]), (&"devnet".into(), &2.into()));
    assert_eq!(ledger("data", &["export", "archive"]).status, Some(0));
    ledger("data", &["export", "archive"]).failed(&["cannot write archive", "exists"]);

    assert_eq!(ledger("copy", &["import", "archive"]).status, Some(0));
    ledger("copy", &["import", "archive"]).failed(&["copy/ledger.redb exists already"]);
    let after = json(&ledger("copy", &["info"]).out);
    for same in ["hash", "stateDigest", "commands", "createdAt"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    let report = json(&ledger("copy", &["verify"]).out);
    assert_eq!((&report["blocks"], &report["problem"]), (&2.into(), &().into()));
    let foreign = "ab".repeat(32);
    ledger("copy", &["verify", "--key", &foreign]).failed(&["is signed with key", &foreign]);
}

#[test]
fn an_altered_archive_is_refused_and_the_block_named() {
    let place = Place::new();
    place.start().stop().unwrap();
    assert_eq!(place.run(&["ledger", "export", "archive", "--data", "data"]).status, Some(0));
    let archive = place.path().join("archive");
    let whole = std::fs::read(&archive).unwrap();
    let mut altered = whole.clone();
    let at = altered.len() * 3 / 4;
    altered[at] ^= 1;
    std::fs::write(&archive, &altered).unwrap();
    let import = ["ledger", "import", "archive", "--data", "copy"];
    place.run(&import).failed(&["block 2", "checksum"]);
    std::fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    place.run(&import).failed(&["ends within block 2"]);
    assert!(!place.path().join("copy/ledger.redb").exists());
}

#[test]
fn what_is_not_there_is_named() {
    let place = Place::new();
    for action in [&["info"][..], &["verify"], &["export", "archive"]] {
        let mut args = vec!["ledger"];
        args.extend(action);
        args.extend(["--file", "nothing.redb"]);
        place.run(&args).failed(&["there is no ledger at nothing.redb"]);
    }
    assert!(!place.path().join("archive").exists(), "nothing is left behind");
    std::fs::write(place.path().join("text"), "not a ledger").unwrap();
    place.run(&["ledger", "info", "--file", "text"]).failed(&["text is not a ledger"]);
    place.run(&["ledger", "import", "text", "--data", "d"]).failed(&["the archive is refused"]);
}
