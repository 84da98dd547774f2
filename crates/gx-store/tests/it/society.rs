//! Users, relationships, recoveries, organizations and their payments, as the ledger answers.

use gx_contract::Refusal;
use gx_contract::freezing::FreezeReasons;
use gx_contract::identity::{
    AccountStatus, GetMyProfile, GetRecovery, KeyResetState, RelationshipState,
};
use gx_contract::organization::{
    GetOrganization, GetPendingTransaction, OrganizationStatus, PendingTxState,
};
use gx_store::identity::{profiles, recovery, relationships};
use gx_store::organization::{organizations, payments};
use gx_types::{AccountId, Amount};
use serde_json::json;

use crate::backend::for_each_backend;
use crate::domains::{same_time, told, written};
use crate::story::public_key;

#[test]
fn users_have_standing_trust_and_key() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        for user_id in &story.people {
            let expected = story.chain.ask(GetMyProfile { user_id: *user_id });
            let found = profiles::get(store, user_id).await.unwrap().unwrap();
            let user = &expected["user"];
            assert_eq!(written(found.status), user["status"]);
            assert_eq!(json!(found.trust_score), user["trustScore"]);
            assert_eq!(written(found.genesis), user["genesis"]);
            assert_eq!(json!(found.created_at.0), user["createdAt"]);
            assert_eq!(written(found.key.map(|(key, _)| key)), expected["publicKey"]);
            let guardians = recovery::guardians(store, user_id).await.unwrap();
            let guardians: Vec<_> = guardians.into_iter().map(|(id, _)| id).collect();
            assert_eq!(written(&guardians), expected["guardians"]);
            let mut begun = recovery::of_user(store, user_id, None, 9).await.unwrap();
            begun.reverse();
            let begun: Vec<_> = begun.iter().map(|found| found.recovery_id).collect();
            assert_eq!(written(begun), expected["recoveryIds"]);
            let found = relationships::relations(store, user_id).await.unwrap();
            let counts = &expected["relations"];
            assert_eq!(json!(found.parents), counts["parents"]);
            assert_eq!(json!(found.spouse.map(written)), counts["spouse"]);
            for (count, name) in [
                (found.siblings, "siblings"),
                (found.children, "children"),
                (found.friends, "friends"),
                (found.business_partners, "businessPartners"),
                (found.directors, "directors"),
                (found.workplace_associates, "workplaceAssociates"),
            ] {
                assert_eq!(json!(count), counts[name], "{name} of {user_id}");
            }
        }
        let locked = profiles::get(store, &story.people[8]).await.unwrap().unwrap();
        assert_eq!((locked.status, locked.frozen), (AccountStatus::Locked, FreezeReasons::NONE));
        assert!(profiles::get(store, &story.business).await.unwrap().is_none());
    });
}

#[test]
fn relationships_are_listed_from_both_sides() {
    for_each_backend(|backend| async move {
        use RelationshipState::*;
        let store = &backend.store;
        let story = told(store, &backend).await;
        let me = &story.people[0];
        let any = relationships::Filter::default();
        let all = relationships::page(store, me, &any, None, 10).await.unwrap();
        let states: Vec<_> = all.iter().map(|one| one.state).collect();
        assert_eq!(states, [PendingConfirmation, Rejected, Ended, Confirmed, Confirmed, Confirmed]);
        assert!(all[1].askable_from.is_some());
        assert_eq!(all[2].ended_by, Some(story.people[4]));
        let mut paged: Vec<relationships::Relationship> = Vec::new();
        while paged.len() < all.len() {
            let before = paged.last().map(|one| one.cursor);
            let page = relationships::page(store, me, &any, before, 2).await.unwrap();
            assert_eq!(page.len(), 2);
            paged.extend(page);
        }
        assert_eq!(paged, all);
        for found in &all {
            let other = [found.subject_id, found.object_id].into_iter().find(|id| id != me);
            let query = gx_contract::identity::GetRelationships { user_id: *me, other_id: other };
            let expected = &story.chain.ask(query)["relationships"][0];
            assert_eq!(written(found.state), expected["state"]);
            assert_eq!(written(found.kind), expected["type"]);
            assert_eq!(json!(found.since.0), expected["since"]);
            assert_eq!(written(found.subject_id), expected["subjectId"]);
            let same = relationships::get(store, found.relationship_id).await.unwrap();
            assert_eq!(same.as_ref(), Some(found));
            let with = relationships::Filter { other, ..any };
            let page = relationships::page(store, me, &with, None, 9).await.unwrap();
            assert_eq!(page.iter().collect::<Vec<_>>(), [found]);
        }
        let confirmed = relationships::Filter { state: Some(Confirmed), ..any };
        let found = relationships::page(store, me, &confirmed, None, 9).await.unwrap();
        assert_eq!(found, all[3..]);
    });
}

#[test]
fn recoveries_show_who_has_confirmed() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        for id in &story.recoveries {
            let found = recovery::get(store, *id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetRecovery { recovery_id: *id });
            assert_eq!(written(found.state), expected["state"]);
            let now = story.chain.now();
            same_time(Some(found.expires_at), &expected["expiresAt"], now);
            same_time(found.completable_at, &expected["completableAt"], now);
            let guardians: Vec<_> = found.guardians.iter().map(|one| one.guardian_id).collect();
            assert_eq!(written(&guardians), expected["guardians"]);
            let said = found.guardians.iter().filter(|one| one.confirmed_at.is_some());
            assert_eq!(said.count(), expected["confirmedBy"].as_array().unwrap().len());
            assert!(found.ended_at.is_some());
        }
        let done = recovery::get(store, story.recoveries[1]).await.unwrap().unwrap();
        assert_eq!(done.completed_by, Some(story.people[5]));
        assert_eq!((done.public_key, done.user_id), (public_key(3), story.people[6]));
        let asked = recovery::of_guardian(store, &story.people[4], None, 9).await.unwrap();
        let asked: Vec<_> = asked.iter().map(|one| one.recovery_id).collect();
        assert_eq!(asked, [story.recoveries[1], story.recoveries[0]]);
        let wards = recovery::wards(store, &story.people[4], None, 9).await.unwrap();
        assert_eq!(wards, [story.people[6]]);
        assert!(recovery::wards(store, &story.people[1], None, 9).await.unwrap().is_empty());
    });
}

#[test]
fn orders_for_another_key_are_vetoed_or_carried_out() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let found = recovery::key_resets(store, &story.people[6]).await.unwrap();
        let states: Vec<_> = found.iter().map(|one| (one.state, one.public_key)).collect();
        let expected =
            [(KeyResetState::Completed, public_key(5)), (KeyResetState::Cancelled, public_key(4))];
        assert_eq!(states, expected);
        let done = found[0];
        assert_eq!(done.completable_at, done.ordered_at.plus_days(7));
        // A day of a pause came before the veto.
        assert!(found[1].completable_at >= found[1].ordered_at.plus_days(8));
        assert!(found.iter().all(|one| one.ended_at.is_some()));
        assert!(recovery::key_resets(store, &story.people[5]).await.unwrap().is_empty());
    });
}

#[test]
fn organizations_have_stakeholders_and_rules() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        for org_id in [story.business, story.government] {
            let found = organizations::get(store, &org_id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetOrganization { org_id });
            assert_eq!(written(found.status), expected["status"]);
            assert_eq!(
                (written(found.kind), json!(found.name)),
                (expected["type"].clone(), expected["name"].clone())
            );
            assert_eq!(written(&found.ladder), expected["ladder"]);
            assert_eq!(written(&found.proposed), expected["proposed"]);
            assert_eq!(written(found.balance), expected["balance"]);
            let (change, lapses) = found.change.clone().unzip();
            assert_eq!(written(change), expected["change"]);
            same_time(lapses, &expected["changeExpiresAt"], story.chain.now());
            assert_eq!(written(found.paid_since_yesterday), expected["paidSinceYesterday"]);
            let named: Vec<_> = found.stakeholders.iter().map(|one| one.stakeholder_id).collect();
            assert_eq!(written(&named), expected["stakeholders"]);
            assert!(found.stakeholders.iter().all(|one| one.endorsed_at.is_some()));
            assert_eq!(found.activated_by, Some(story.people[0]));
        }
        let of = |filter| async move {
            let found = organizations::page(store, &filter, None, 9).await.unwrap();
            found.into_iter().map(|one| one.org_id).collect::<Vec<_>>()
        };
        let any = organizations::Filter::default();
        let office = story.offices[0];
        assert_eq!(of(any).await, [office, story.government, story.business]);
        let stakeholder = |number: usize| Some(story.people[number]);
        let mine = organizations::Filter { stakeholder: stakeholder(1), ..any };
        assert_eq!(of(mine).await, [office, story.government, story.business]);
        let active = organizations::Filter { status: Some(OrganizationStatus::Active), ..mine };
        assert_eq!(of(active).await, [office, story.business]);
        let stranger = organizations::Filter { stakeholder: stakeholder(5), ..any };
        assert!(of(stranger).await.is_empty());
        let one = organizations::page(store, &mine, None, 1).await.unwrap();
        let next = organizations::page(store, &mine, Some(one[0].cursor), 1).await.unwrap();
        assert_eq!((one[0].org_id, next[0].org_id), (office, story.government));
    });
}

#[test]
fn payments_by_many_show_their_approvals_and_ends() {
    for_each_backend(|backend| async move {
        use payments::Decision::*;
        let store = &backend.store;
        let story = told(store, &backend).await;
        for id in &story.payments {
            let found = payments::get(store, *id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetPendingTransaction { pending_tx_id: *id });
            assert_eq!(written(found.state), expected["state"]);
            assert_eq!(json!(found.failure.map(written)), expected["failure"]);
            assert_eq!(written(found.amount), expected["amount"]);
            assert_eq!(json!(found.required), expected["required"]);
            let group: Vec<_> = found.approvers.iter().map(|one| one.approver_id).collect();
            assert_eq!(written(&group), expected["approverGroup"]);
            for (decision, list) in [(Approved, "approvedBy"), (Rejected, "rejectedBy")] {
                assert_eq!(found.decisions(decision), expected[list].as_array().unwrap().len());
            }
            same_time(Some(found.expires_at), &expected["expiresAt"], story.chain.now());
            assert_eq!(found.settled.is_some(), found.state != PendingTxState::Pending);
        }
        let [paid, waiting, cancelled, rejected, left, treasury, dropped] = story.payments[..]
        else {
            panic!()
        };
        let paid = payments::get(store, paid).await.unwrap().unwrap();
        assert_eq!((paid.state, paid.failure), (PendingTxState::Executed, None));
        assert!(!paid.fee.unwrap().is_zero());
        let failed = payments::get(store, cancelled).await.unwrap().unwrap();
        assert_eq!(failed.failure, Some(Refusal::InsufficientBalance));
        let page = payments::of_organization(store, &story.business, None, None, 9).await.unwrap();
        let ids: Vec<_> = page.iter().map(|one| one.pending_tx_id).collect();
        assert_eq!(ids, [left, rejected, cancelled, waiting, paid.pending_tx_id]);
        let state = Some(PendingTxState::Rejected);
        let page = payments::of_organization(store, &story.business, state, None, 9).await.unwrap();
        assert_eq!(page[0].pending_tx_id, rejected);
        let then = page[0].initiated_at;
        let open = payments::open(store, &story.business, then).await.unwrap();
        assert_eq!(open.iter().map(|one| one.pending_tx_id).collect::<Vec<_>>(), [waiting, left]);
        assert!(
            payments::open(store, &story.business, story.chain.now()).await.unwrap().is_empty()
        );
        let mut asked = payments::awaiting(store, &story.people[1], then, None, 9).await.unwrap();
        asked.reverse();
        assert_eq!(asked, open);
        let dropped = payments::get(store, dropped).await.unwrap().unwrap();
        assert_eq!(dropped.state, PendingTxState::Rejected);
        let treasury = payments::get(store, treasury).await.unwrap().unwrap();
        assert_eq!(treasury.fee, Some(Amount::ZERO));
        assert_eq!(treasury.from, AccountId::treasury("IN".parse().unwrap()));
    });
}
