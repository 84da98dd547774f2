//! Where images are told to be missing, and which may go.

use super::*;
use crate::report::Look;
use crate::rules::fixture::read;

const FIXTURE: &str = include_str!("../../../fixtures/questions/images.yaml");

#[test]
fn an_image_that_is_never_pulled_is_needed_on_every_node_that_is_open() {
    let answer = images(&read(FIXTURE).unwrap().snapshot, &Options::default());
    let app = answer.wanted.iter().find(|one| one.image.ends_with("app:1.10.0")).unwrap();
    assert_eq!((app.present.join(","), app.missing.join(",")), ("a".to_owned(), "b".to_owned()));
    // The tainted node is none that it could go to.
    assert!(!app.unknown.contains(&"c".to_owned()));
    assert_eq!(app.ahead, Ahead::No);
    let pulled = answer.wanted.iter().find(|one| one.image.ends_with("web:1")).unwrap();
    assert_eq!(pulled.ahead, Ahead::Yes);
    let transfer = &answer.transfers[0];
    assert_eq!((transfer.from.as_str(), transfer.to.join(",")), ("a", "b".to_owned()));
    assert!(transfer.commands.iter().any(|one| one.contains("--append-verify")));
    assert!(transfer.commands.iter().any(|one| one.contains("sha256sum -c")));
}

#[test]
fn versions_are_ordered_as_numbers_and_what_is_used_stays() {
    let snapshot = read(FIXTURE).unwrap().snapshot;
    let answer = images(&snapshot, &Options { keep: 2 });
    let gone = &answer.deletable[0];
    // 1.10.0 is newer than 1.9.0; 1.2.0 is what an old ReplicaSet would go back to.
    assert_eq!(gone.images, ["docker.io/example/app:1.8.0"]);
    assert_eq!(gone.bytes, 8);
    assert!(images(&snapshot, &Options { keep: 9 }).deletable.is_empty());
    // Nothing may go when it is not known what is used.
    let unknown = snapshot.without(crate::facts::Fact::Pods);
    assert!(images(&unknown, &Options { keep: 0 }).deletable.is_empty());
}

#[test]
fn a_tag_with_two_digests_has_drifted() {
    let answer = images(&read(FIXTURE).unwrap().snapshot, &Options::default());
    assert_eq!(answer.drifted.len(), 1);
    assert_eq!(answer.drifted[0].image, "docker.io/example/web:1");
    assert_eq!(answer.drifted[0].digests.len(), 2);
    let text = render(&answer, &Look::default());
    assert!(text.contains("docker.io/example/app:1.10.0: NO"), "{text}");
}

#[test]
fn a_list_that_may_be_cut_leaves_it_open() {
    let mut snapshot = read(FIXTURE).unwrap().snapshot;
    let crate::facts::Part::Known(nodes) = &mut snapshot.nodes else { panic!() };
    nodes.items[1].images = crate::facts::Known::default();
    let answer = images(&snapshot, &Options::default());
    let app = answer.wanted.iter().find(|one| one.image.ends_with("app:1.10.0")).unwrap();
    assert_eq!((app.unknown.join(","), app.ahead), ("b".to_owned(), Ahead::Unknown));
    assert!(answer.notes[0].contains('b'), "{:?}", answer.notes);
}
