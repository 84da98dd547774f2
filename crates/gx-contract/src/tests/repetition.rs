//! One outcome per command id, for ever: repeated, reused, in one batch and in later ones.

use gx_types::{Actor, Role};

use super::notation::command;
use super::script::{WORLD, check, check_in_world};
use crate::{BatchRefused, Outcome};

#[test]
fn a_repeated_command_changes_nothing() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred
        + #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        + #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        = alice.IN 489985000
        = bob.FR 510GX",
    );
}

#[test]
fn a_refusal_is_an_outcome_too() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        #pay user:alice.IN Transfer alice.IN bob.FR 900GX => insufficient_balance
        + #pay user:alice.IN Transfer alice.IN bob.FR 900GX => repeated insufficient_balance
        user:bob.FR Transfer bob.FR alice.IN 490GX => Transferred
        #pay user:alice.IN Transfer alice.IN bob.FR 900GX => repeated insufficient_balance
        #pay2 user:alice.IN Transfer alice.IN bob.FR 900GX => Transferred",
    );
}

#[test]
fn an_id_is_not_used_for_another_command() {
    check_in_world(
        r#"open alice.IN 30
        open bob.FR 30
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred
        + #pay user:alice.IN Transfer alice.IN bob.FR 11GX => command_id_reused
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX note => command_id_reused
        #pay user:alice.IN Transfer alice.IN bob.IN 10GX => command_id_reused
        #pay user:bob.FR Transfer alice.IN bob.FR 10GX => command_id_reused
        #pay system Transfer alice.IN bob.FR 10GX => command_id_reused
        #pay system CreateUser carol.IN 30 => command_id_reused
        #pay admin:root PauseSystem "ten letters" => command_id_reused
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        = alice.IN 489985000
        = bob.FR 510GX"#,
    );
}

#[test]
fn a_reused_id_keeps_its_first_outcome() {
    check_in_world(
        "open alice.IN 30
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => account_not_found
        #pay user:alice.IN Transfer alice.IN bob.FR 11GX => command_id_reused
        + #pay user:alice.IN Transfer alice.IN bob.FR 11GX => command_id_reused
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated account_not_found",
    );
}

#[test]
fn the_first_outcome_counts_before_every_gate() {
    check_in_world(
        r#"open alice.IN 30
        open bob.FR 30
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        admin:root PauseSystem "ten letters" => SystemPaused
        #pay user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        #pay as gx_admin user:alice.IN Transfer alice.IN bob.FR 10GX => repeated
        #pay user:alice.IN Transfer alice.IN bob.FR 12GX => command_id_reused"#,
    );
}

#[test]
fn a_command_of_the_wrong_role_has_its_outcome_as_well() {
    check_in_world(
        "#open as gx_admin system CreateUser alice.IN 30 => role_not_allowed
        #open system CreateUser alice.IN 30 => repeated role_not_allowed
        system CreateUser alice.IN 30 => GenesisDistributed, UserCreated",
    );
}

/// A fault of the set-up is no outcome: the same commands pass once it is mended.
#[test]
fn a_batch_that_claims_a_role_its_submitter_lacks_is_refused_as_a_whole() {
    let mut host = check(WORLD);
    let open = ["alice.IN".to_owned(), "30".to_owned()];
    let commands = vec![host.envelope(Actor::System, command("CreateUser", &open))];
    let (before, claimed) = (host.ledger.clone(), Role::PartnerApi);
    for submitter in Role::ALL.into_iter().filter(|role| *role != claimed) {
        let refused = host.submit(claimed, submitter, commands.clone());
        assert_eq!(refused, Err(BatchRefused::RoleNotHeld { claimed, submitter }));
    }
    assert_eq!(host.ledger, before);
    let record = host.submit(claimed, claimed, commands).unwrap();
    assert!(matches!(record.results[0].outcome, Outcome::Applied(_)));
    host.finish();
}

#[test]
fn a_repetition_names_the_batch_and_time_of_the_first_outcome() {
    let mut host = check(WORLD);
    let open = ["alice.IN".to_owned(), "30".to_owned()];
    let envelope = host.envelope(Actor::System, command("CreateUser", &open));
    host.now = 500;
    let first = host.execute(Role::PartnerApi, vec![envelope.clone()]);
    host.now = 900;
    let again = host.execute(Role::PartnerApi, vec![envelope]);
    let Outcome::Repeated(repeated) = &again.results[0].outcome else { panic!("{again:?}") };
    assert_eq!((repeated.batch_id, repeated.time), (first.batch_id, first.time));
    assert_eq!((first.time.0, again.time.0), (500, 900));
    assert_ne!(first.batch_id, again.batch_id);
    host.finish();
}

#[test]
fn an_empty_batch_is_a_batch() {
    let mut host = check(WORLD);
    host.now = 700;
    let before = host.ledger.clone();
    let record = host.execute(Role::Admin, Vec::new());
    assert_eq!((record.results.len(), record.time.0), (0, 700));
    let changed: Vec<&String> =
        host.ledger.iter().filter(|(k, v)| before.get(*k) != Some(v)).map(|(k, _)| k).collect();
    assert_eq!(changed, ["s/clock"]);
    host.finish();
}
