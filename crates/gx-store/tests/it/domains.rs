//! All that has happened on a ledger, in the read models: as the ledger holds it, however it is
//! applied, and stopped by what does not fit.

use std::collections::BTreeSet;

use gx_contract::identity::RelationshipConfirmed;
use gx_contract::tax_and_fee::CheckVelocityTaxEligibility;
use gx_contract::{Event, Outcome};
use gx_store::projection::Known;
use gx_store::tax_and_fee::{standing, timers};
use gx_store::tokenomics::accounts;
use gx_store::{Class, Engine, Store, projection};
use gx_types::TimeMs;
use serde_json::{Value, json};

use crate::backend::{Backend, for_each_backend};
use crate::projection::{apply, apply_knowing, try_apply};
use crate::story::Story;

/// A value as the ledger's answers write it.
pub(crate) fn written(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The time that the ledger shows as well. Of what is over the read models keep when that was; the
/// ledger shows it put off by pauses that came later.
pub(crate) fn same_time(found: Option<TimeMs>, expected: &Value, now: TimeMs) {
    match found {
        Some(at) if at <= now => assert!(expected.as_i64().unwrap() >= at.0, "{at:?} {expected}"),
        found => assert_eq!(&written(found), expected),
    }
}

pub(crate) async fn told(store: &Store, backend: &Backend) -> Story {
    let lease = backend.projector().await;
    let story = Story::told();
    apply(store, &lease, &story.chain.blocks).await;
    story
}

#[test]
fn the_story_tells_of_every_event() {
    let story = Story::told();
    let mut seen = BTreeSet::new();
    for result in story.chain.blocks.iter().flat_map(|block| &block.record.results) {
        let Outcome::Applied(events) = &result.outcome else { panic!("{result:?}") };
        seen.extend(events.iter().map(Event::name));
    }
    // Happens on mainnet only, and no read model has anything of it.
    seen.insert("ClockConfirmed");
    let missing: Vec<_> = Event::NAMES.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no projection is tested for {missing:?}");
}

#[test]
fn every_account_is_as_the_ledger_holds_it() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let all = accounts::page(store, None, 200).await.unwrap();
        assert_eq!(all.len(), 6 + 2 + 10 + 2 + 100 + 3 + 1);
        let mut sum = 0;
        let mut due = 0;
        let mut snapshot = store.snapshot().await.unwrap();
        let taxation = standing::taxation(&mut snapshot, story.chain.now()).await.unwrap();
        drop(snapshot);
        for found in &all {
            let held = story.chain.account(&found.account_id);
            assert_eq!((found.balance, found.frozen), (held.balance, held.frozen), "{found:?}");
            assert_eq!((found.kind, found.account_type), (held.kind, held.account_type));
            let timer = timers::get(store, &found.account_id).await.unwrap().unwrap();
            let shown =
                story.chain.ask(CheckVelocityTaxEligibility { account_id: found.account_id });
            assert_eq!(json!(timer.taxable_since), shown["taxableSince"], "{found:?}");
            assert_eq!(json!(timer.taxable_for_ms), shown["taxableForMs"], "{found:?}");
            assert_eq!((timer.exempt, timer.kind), (held.tax_exempt, held.kind));
            let stands = taxation.standing(&timer);
            assert_eq!(json!(stands.status), shown["status"], "{found:?}");
            assert_eq!(json!(stands.taxable_since), shown["taxableSince"]);
            assert_eq!(json!(stands.taxable_for_ms), shown["taxableForMs"]);
            assert_eq!(json!(stands.due_at), shown["dueAt"], "{found:?}");
            let (rate, amount) = stands.tax.unzip();
            assert_eq!(
                (json!(rate), json!(amount)),
                (shown["rateBps"].clone(), shown["amount"].clone())
            );
            due += usize::from(shown["status"] == "DUE");
            let last = story.chain.blocks.last().unwrap().number;
            let at = accounts::balance_at(store, &found.account_id, last).await.unwrap();
            assert_eq!(at, Some(held.balance));
            sum += found.balance.qirat();
        }
        assert_eq!(sum, gx_types::MAX_SUPPLY.qirat());
        let (now, days) = (story.chain.now(), 300);
        let found = timers::due(store, now, days, None, 200).await.unwrap();
        assert_eq!(found.len(), due, "as many as the ledger finds");
        assert!(found.is_sorted_by_key(|timer| timer.taxable_since) && due > 3);
        assert!(timers::due(store, now, 100_000, None, 9).await.unwrap().is_empty());
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = timers::due(store, now, days, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place().to_string().parse().unwrap());
            paged.extend(page);
        }
        assert_eq!(paged, found);
    });
}

/// Every table that blocks are made into, row by row.
fn dump(backend: &Backend) -> String {
    let mut text = String::new();
    for table in crate::migrations::READ_MODELS {
        let rows = dump_of(backend, table);
        let may_be_empty = ["outcomes", "entry_marks"].contains(table);
        assert!(may_be_empty || !rows.is_empty(), "{table} is empty");
        text.push_str(&format!("{table}\n{rows}\n"));
    }
    text
}

fn dump_of(backend: &Backend, table: &str) -> String {
    match backend.engine() {
        Engine::Sqlite => {
            let sqlite = |text: String| crate::raw::sqlite(&backend.file(), &text);
            let columns = sqlite(format!(
                "SELECT 'COALESCE(' || name || ', ''-'')' FROM pragma_table_info('{table}')"
            ));
            let row = columns.lines().collect::<Vec<_>>().join(" || '|' || ");
            sqlite(format!("SELECT {row} FROM {table} ORDER BY 1"))
        }
        Engine::Postgres => {
            let row = "SELECT x::text FROM";
            let order = "ORDER BY x::text COLLATE \"C\"";
            backend.database().sql(&format!("{row} {table} x {order}")).unwrap()
        }
    }
}

#[test]
fn block_by_block_all_at_once_and_again_give_the_same_rows() {
    for_each_backend(|backend| async move {
        let story = Story::told();
        let other = Backend::migrated(backend.engine()).await;
        let lease = other.projector().await;
        for block in &story.chain.blocks {
            apply(&other.store, &lease, std::slice::from_ref(block)).await;
        }
        let lease = backend.projector().await;
        apply(&backend.store, &lease, &story.chain.blocks).await;
        let rows = dump(&backend);
        assert_eq!(rows, dump(&other));
        let mut tx = backend.store.begin().await.unwrap();
        projection::clear(&mut tx, &lease).await.unwrap();
        tx.commit().await.unwrap();
        for blocks in story.chain.blocks.chunks(7) {
            apply(&backend.store, &lease, blocks).await;
        }
        assert_eq!(dump(&backend), rows);
    });
}

#[test]
fn what_is_remembered_gives_the_same_rows() {
    for_each_backend(|backend| async move {
        let story = Story::told();
        let other = Backend::migrated(backend.engine()).await;
        let lease = other.projector().await;
        apply(&other.store, &lease, &story.chain.blocks).await;
        let lease = backend.projector().await;
        let mut known = Known::default();
        for blocks in story.chain.blocks.chunks(3) {
            known = apply_knowing(&backend.store, &lease, blocks, known).await.unwrap().1;
        }
        assert_eq!(dump(&backend), dump(&other));
    });
}

#[test]
fn an_event_about_what_is_not_there_stops_the_projection() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let mut story = Story::told();
        let confirms = |event: &Event| matches!(event, Event::RelationshipConfirmed(_));
        let at = story.chain.blocks.iter().position(|block| {
            let Outcome::Applied(events) = &block.record.results[0].outcome else { return false };
            events.iter().any(confirms)
        });
        let at = at.unwrap();
        apply(store, &lease, &story.chain.blocks[..at]).await;
        let before = dump_of(&backend, "relationships");
        let id = story.chain.blocks[at].record.results[0].command_id;
        let mut wrong = story.chain.blocks[at].clone();
        let Outcome::Applied(events) = &mut wrong.record.results[0].outcome else { panic!() };
        let Event::RelationshipConfirmed(event) = &mut events[0] else { panic!() };
        let unknown = event.kind.id_between(story.people[8], story.people[9]);
        *event = RelationshipConfirmed { relationship_id: unknown, ..event.clone() };
        let error = try_apply(store, &lease, &[wrong]).await.unwrap_err();
        assert_eq!(error.class(), Class::Projection);
        let text = error.to_string();
        assert!(text.contains(&id.to_string()) && text.contains("0 rows"), "{text}");
        assert_eq!(dump_of(&backend, "relationships"), before);
        apply(store, &lease, &story.chain.blocks.split_off(at)).await;
    });
}
