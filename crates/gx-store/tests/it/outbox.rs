//! Commands are accepted once each, in order, whoever inserts them at the same time.

use gx_contract::{Envelope, Signature, SignatureBytes};
use gx_store::outbox::{self, Inserted, NewCommand};
use gx_store::{Store, commands, submission};
use gx_types::{AccountId, Actor, Role, TimeMs};

use crate::backend::for_each_backend;
use crate::chain::{Chain, person};

const AT: TimeMs = TimeMs(1_700_000_000_000);

pub(crate) fn new(envelope: &Envelope) -> NewCommand {
    NewCommand::new(envelope, "tokenomics", Some("00-aa-bb-01".to_owned()), AT)
}

/// Inserts in one transaction.
pub(crate) async fn accept(store: &Store, envelopes: &[Envelope]) -> Vec<Inserted> {
    let rows: Vec<NewCommand> = envelopes.iter().map(new).collect();
    let mut tx = store.begin().await.unwrap();
    let inserted = outbox::insert(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    inserted
}

/// Transfers between two people.
pub(crate) fn transfers(chain: &mut Chain, count: usize) -> Vec<Envelope> {
    (0..count).map(|_| chain.transfer(&person(1), &person(2), "1.5")).collect()
}

fn seqs(inserted: &[Inserted]) -> Vec<i64> {
    inserted.iter().map(|one| one.seq()).collect()
}

#[test]
fn rows_come_back_as_they_were_accepted() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let mut envelopes = transfers(&mut chain, 300);
        envelopes[7].actor = Actor::User(person(7));
        envelopes[9].signature = Some(signature(9));
        let inserted = accept(&backend.store, &envelopes).await;
        assert!(inserted.iter().all(|one| matches!(one, Inserted::New { .. })));
        assert!(seqs(&inserted).is_sorted(), "numbered in the order of the call");
        let run = submission::next_run(&backend.store, &[], 1000, 1 << 20).await.unwrap().unwrap();
        let [run] = &run.batches[..] else { panic!("{run:?}") };
        assert_eq!(run.role, Role::PartnerApi);
        let found: Vec<Envelope> = run.rows.iter().map(|row| row.envelope().unwrap()).collect();
        assert_eq!(found, envelopes);
        let row = &run.rows[0];
        assert_eq!((row.service.as_str(), row.created_at), ("tokenomics", AT));
        assert_eq!(row.traceparent.as_deref(), Some("00-aa-bb-01"));
        let unknown = chain.transfer(&person(1), &person(2), "9").command_id;
        let asked = [envelopes[3].command_id, unknown];
        let traces = outbox::traces(&backend.store, &asked).await.unwrap();
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[&envelopes[3].command_id], "00-aa-bb-01");
        assert_eq!(seqs(&inserted), run.rows.iter().map(|row| row.seq).collect::<Vec<_>>());
    });
}

#[test]
fn a_retry_finds_the_first_row() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let first = transfers(&mut chain, 5);
        let seqs = seqs(&accept(&backend.store, &first).await);
        // A retry, another body under the same id, and something new, in one call.
        let mut other = chain.transfer(&person(1), &person(2), "2");
        other.command_id = first[1].command_id;
        let fresh = chain.transfer(&person(1), &person(2), "3");
        let mut other_actor = first[2].clone();
        other_actor.actor = Actor::System;
        let again = [first[0].clone(), other, fresh.clone(), other_actor];
        let inserted = accept(&backend.store, &again).await;
        assert_eq!(inserted[0], Inserted::Existing { seq: seqs[0], same_body: true });
        assert_eq!(inserted[1], Inserted::Existing { seq: seqs[1], same_body: false });
        assert!(matches!(inserted[2], Inserted::New { seq } if seq > seqs[4]));
        assert_eq!(inserted[3], Inserted::Existing { seq: seqs[2], same_body: false });
        let status = commands::status(&backend.store, &fresh.command_id).await.unwrap().unwrap();
        assert_eq!(status.seq, inserted[2].seq());
    });
}

/// Some signature; the store judges none.
fn signature(seed: u8) -> Signature {
    Signature { signature: SignatureBytes::from_bytes([seed; 64]), expires_at: AT }
}

#[test]
fn a_retry_may_be_signed_anew_and_the_first_signature_stays() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let mut envelope = chain.transfer(&person(1), &person(2), "1");
        envelope.signature = Some(signature(1));
        let first = accept(&backend.store, std::slice::from_ref(&envelope)).await[0];
        let accepted = envelope.clone();
        for again in [Some(signature(2)), None] {
            envelope.signature = again;
            let found = accept(&backend.store, std::slice::from_ref(&envelope)).await[0];
            assert_eq!(found, Inserted::Existing { seq: first.seq(), same_body: true });
        }
        let run = submission::next_run(&backend.store, &[], 9, 1 << 20).await.unwrap().unwrap();
        assert_eq!(run.batches[0].rows[0].envelope().unwrap(), accepted);
    });
}

#[test]
fn one_call_with_an_id_twice_inserts_it_once() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let one = chain.transfer(&person(1), &person(2), "1");
        let mut other = chain.transfer(&person(1), &person(2), "2");
        other.command_id = one.command_id;
        let inserted = accept(&backend.store, &[one.clone(), one, other]).await;
        let Inserted::New { seq } = inserted[0] else { panic!("{inserted:?}") };
        assert_eq!(inserted[1], Inserted::Existing { seq, same_body: true });
        assert_eq!(inserted[2], Inserted::Existing { seq, same_body: false });
    });
}

#[test]
fn nothing_is_accepted_before_the_commit() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let envelopes = transfers(&mut chain, 3);
        let rows: Vec<NewCommand> = envelopes.iter().map(new).collect();
        let mut tx = backend.store.begin().await.unwrap();
        outbox::insert(&mut tx, &rows).await.unwrap();
        let id = envelopes[0].command_id;
        assert!(commands::status(&mut tx, &id).await.unwrap().is_some());
        assert!(commands::status(&backend.store, &id).await.unwrap().is_none());
        drop(tx);
        let inserted = accept(&backend.store, &envelopes).await;
        assert!(inserted.iter().all(|one| matches!(one, Inserted::New { .. })));
    });
}

#[test]
fn many_callers_with_the_same_commands_insert_each_once() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let people: Vec<AccountId> = (0..10).map(person).collect();
        let envelopes: Vec<Envelope> = (0..200)
            .map(|place| chain.transfer(&people[place % 10], &people[(place + 1) % 10], "1"))
            .collect();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..16 {
            let store =
                if caller % 2 == 0 { backend.store.clone() } else { backend.another().await };
            let mut mine = envelopes.clone();
            // Every caller has them in an order of its own.
            mine.rotate_left(caller * 13);
            if caller % 3 == 0 {
                mine.reverse();
            }
            callers.spawn(async move {
                let mut new = 0;
                for part in mine.chunks(50) {
                    for one in accept(&store, part).await {
                        match one {
                            Inserted::New { .. } => new += 1,
                            Inserted::Existing { same_body, .. } => assert!(same_body),
                        }
                    }
                }
                new
            });
        }
        let new: usize = callers.join_all().await.into_iter().sum();
        assert_eq!(new, envelopes.len());
        let ids: Vec<_> = envelopes.iter().map(|envelope| envelope.command_id).collect();
        let statuses = commands::statuses(&backend.store, &ids).await.unwrap();
        assert!(statuses.iter().all(Option::is_some));
    });
}
