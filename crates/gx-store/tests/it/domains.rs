//! What every event leaves in the read models, held against what the ledger itself answers.

use std::collections::BTreeSet;

use gx_contract::governance::{GetProposal, Vote};
use gx_contract::identity::{AccountStatus, GetMyProfile, GetRecovery, RelationshipState};
use gx_contract::loan_pool::{GetLoan, GetMyLoans, LoanState};
use gx_contract::organization::{
    GetOrganization, GetPendingTransaction, OrganizationStatus, PendingTxState,
};
use gx_contract::tokenomics::{GetSupplyStatus, GetTreasury};
use gx_contract::{Event, Outcome, Refusal, admin as contract_admin};
use gx_store::admin::ledger;
use gx_store::governance::{parameters, proposals};
use gx_store::identity::{profiles, recovery, relationships};
use gx_store::loan_pool::loans;
use gx_store::organization::{organizations, payments};
use gx_store::tax_and_fee::{assessments, timers};
use gx_store::tokenomics::history::{self, EntryKind, Filter, Place};
use gx_store::tokenomics::{accounts, supply, treasuries};
use gx_store::{Engine, Store, projection};
use gx_types::{AccountId, Amount, Pool, TimeMs};
use serde_json::{Value, json};

use crate::backend::{Backend, for_each_backend};
use crate::projection::apply;
use crate::story::{Story, parameter, public_key};

/// A value as the ledger's answers write it.
fn written(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

async fn told(store: &Store, backend: &Backend) -> Story {
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
    let missing: Vec<_> = Event::NAMES.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no projection is tested for {missing:?}");
}

#[test]
fn every_account_is_as_the_ledger_holds_it() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let all = accounts::page(store, None, 100).await.unwrap();
        assert_eq!(all.len(), 6 + 2 + 10 + 2);
        let mut sum = 0;
        let mut running = 0;
        for found in &all {
            let held = story.chain.account(&found.account_id);
            assert_eq!((found.balance, found.frozen), (held.balance, held.frozen), "{found:?}");
            assert_eq!((found.kind, found.account_type), (held.kind, held.account_type));
            let timer = timers::get(store, &found.account_id).await.unwrap().unwrap();
            assert_eq!(timer.taxable_since, held.taxable_since, "{found:?}");
            assert_eq!((timer.exempt, timer.kind), (held.tax_exempt, held.kind));
            running += usize::from(held.taxable_since.is_some());
            let last = story.chain.blocks.last().unwrap().number;
            let at = accounts::balance_at(store, &found.account_id, last).await.unwrap();
            assert_eq!(at, Some(held.balance));
            sum += found.balance.qirat();
        }
        assert_eq!(sum, gx_types::MAX_SUPPLY.qirat());
        let due = timers::due(store, story.chain.now(), 100).await.unwrap();
        assert_eq!(due.len(), running);
        assert!(due.is_sorted_by_key(|timer| timer.taxable_since) && running > 3);
        let first = timers::due(store, story.chain.now(), 2).await.unwrap();
        assert_eq!(first, due[..2]);
        let before = TimeMs(due[0].taxable_since.unwrap().0 - 1);
        assert!(timers::due(store, before, 9).await.unwrap().is_empty());
    });
}

/// Every table that blocks are made into, row by row, in no meaning order of columns.
fn dump(backend: &Backend) -> String {
    let mut text = String::new();
    for table in crate::migrations::READ_MODELS {
        let rows = match backend.engine() {
            Engine::Sqlite => {
                let columns = crate::raw::sqlite(
                    &backend.file(),
                    &format!(
                        "SELECT 'COALESCE(' || name || ', ''-'')' FROM pragma_table_info('{table}')"
                    ),
                );
                let row = columns.lines().collect::<Vec<_>>().join(" || '|' || ");
                crate::raw::sqlite(
                    &backend.file(),
                    &format!("SELECT {row} FROM {table} ORDER BY 1"),
                )
            }
            Engine::Postgres => backend
                .database()
                .sql(&format!("SELECT x::text FROM {table} x ORDER BY x::text COLLATE \"C\""))
                .unwrap(),
        };
        assert!(!rows.is_empty() || *table == "outcomes" || *table == "entry_marks", "{table}");
        text.push_str(&format!("{table}\n{rows}\n"));
    }
    text
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
            let last = recovery::of_user(store, user_id, None, 1).await.unwrap();
            let last = last.first().map(|found| found.recovery_id);
            assert_eq!(written(last), expected["recoveryId"]);
            let found = relationships::relations(store, user_id).await.unwrap();
            let counts = &expected["relations"];
            assert_eq!(json!(found.parents), counts["parents"]);
            assert_eq!(found.spouse.map(written), counts.get("spouse").cloned());
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
        assert_eq!((locked.status, locked.frozen), (AccountStatus::Locked, None));
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
        let mut paged = Vec::new();
        while let page = relationships::page(
            store,
            me,
            &any,
            paged.last().map(|one: &relationships::Relationship| one.cursor),
            2,
        )
        .await
        .unwrap()
            && !page.is_empty()
        {
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
            assert_eq!(
                relationships::page(store, me, &with, None, 9).await.unwrap(),
                [found.clone()]
            );
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
            assert_eq!(json!(found.expires_at.0), expected["expiresAt"]);
            assert_eq!(json!(found.completable_at.unwrap().0), expected["completableAt"]);
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
        assert_eq!(of(any).await, [story.government, story.business]);
        let stakeholder = |number: usize| Some(story.people[number]);
        let mine = organizations::Filter { stakeholder: stakeholder(1), ..any };
        assert_eq!(of(mine).await, [story.government, story.business]);
        let active = organizations::Filter { status: Some(OrganizationStatus::Active), ..mine };
        assert_eq!(of(active).await, [story.business]);
        let stranger = organizations::Filter { stakeholder: stakeholder(5), ..any };
        assert!(of(stranger).await.is_empty());
        let one = organizations::page(store, &mine, None, 1).await.unwrap();
        let next = organizations::page(store, &mine, Some(one[0].cursor), 1).await.unwrap();
        assert_eq!(next[0].org_id, story.business);
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
            assert_eq!(found.failure.map(written), expected.get("failure").cloned());
            assert_eq!(written(found.amount), expected["amount"]);
            assert_eq!(json!(found.required), expected["required"]);
            for (decision, list) in [(Approved, "approvedBy"), (Rejected, "rejectedBy")] {
                assert_eq!(found.decisions(decision), expected[list].as_array().unwrap().len());
            }
            assert_eq!(json!(found.expires_at.0), expected["expiresAt"]);
            assert_eq!(found.settled.is_some(), found.state != PendingTxState::Pending);
        }
        let [paid, cancelled, rejected, waiting, treasury] = story.payments[..] else { panic!() };
        let paid = payments::get(store, paid).await.unwrap().unwrap();
        assert_eq!((paid.state, paid.failure), (PendingTxState::Executed, None));
        assert!(!paid.fee.unwrap().is_zero());
        let failed = payments::get(store, cancelled).await.unwrap().unwrap();
        assert_eq!(failed.failure, Some(Refusal::InsufficientBalance));
        let page = payments::of_organization(store, &story.business, None, None, 9).await.unwrap();
        let ids: Vec<_> = page.iter().map(|one| one.pending_tx_id).collect();
        assert_eq!(ids, [waiting, rejected, cancelled, paid.pending_tx_id]);
        let state = Some(PendingTxState::Rejected);
        let page = payments::of_organization(store, &story.business, state, None, 9).await.unwrap();
        assert_eq!(page[0].pending_tx_id, rejected);
        let then = page[0].initiated_at;
        let open = payments::open(store, &story.business, then).await.unwrap();
        assert_eq!(open.len(), 1);
        assert!(
            payments::open(store, &story.business, story.chain.now()).await.unwrap().is_empty()
        );
        let asked = payments::awaiting(store, &story.people[1], then, None, 9).await.unwrap();
        assert_eq!(asked, open);
        let treasury = payments::get(store, treasury).await.unwrap().unwrap();
        assert_eq!(treasury.fee, Some(Amount::ZERO));
        assert_eq!(treasury.from, AccountId::treasury("IN".parse().unwrap()));
    });
}

#[test]
fn loans_are_listed_and_counted() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let borrower = &story.people[0];
        for id in &story.loans {
            let found = loans::get(store, *id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetLoan { loan_id: *id });
            assert_eq!(written(found.state), expected["state"]);
            assert_eq!(written(found.outstanding), expected["outstanding"]);
            assert_eq!(written(found.collateral_hash), expected["collateralHash"]);
            let due = found.term.map(|(_, due)| json!(due.0));
            assert_eq!(due.as_ref(), expected.get("term").map(|term| &term["dueAt"]));
        }
        let books = loans::books(store, borrower).await.unwrap();
        let expected = story.chain.ask(GetMyLoans { borrower_id: *borrower });
        assert_eq!(json!(books.open), json!(expected["loans"].as_array().unwrap().len()));
        assert_eq!(written(books.outstanding), expected["outstanding"]);
        assert_eq!(json!(books.defaults), expected["defaults"]);
        let mine = loans::of_borrower(store, borrower, None, None, 9).await.unwrap();
        let states: Vec<_> = mine.iter().map(|loan| loan.state).collect();
        use LoanState::*;
        assert_eq!(states, [PendingApproval, Defaulted, Rejected, Repaid]);
        assert_eq!(mine[2].reject_reason.as_deref(), Some("too soon"));
        let queue = loans::queue(store, PendingApproval, None, 9).await.unwrap();
        assert_eq!(queue, mine[..1]);
        let next = loans::queue(store, PendingApproval, Some(queue[0].cursor), 9).await.unwrap();
        assert!(next.is_empty());
        assert!(loans::overdue(store, story.chain.now(), None, 9).await.unwrap().is_empty());
        let paid = loans::repayments(store, story.loans[0], None, 9).await.unwrap();
        let left: Vec<_> = paid.iter().map(|(_, one)| one.outstanding).collect();
        assert_eq!(left, [Amount::from_gx(250), Amount::ZERO]);
        assert_eq!(kinds(store, borrower, EntryKind::Loan).await, 2);
        assert_eq!(kinds(store, borrower, EntryKind::Repayment).await, 3);
    });
}

/// How many entries of a kind an account has.
async fn kinds(store: &Store, id: &AccountId, kind: EntryKind) -> usize {
    let filter = Filter { kinds: vec![kind], ..Filter::default() };
    let page = history::page(store, id, &filter, Place::Newest, 100).await.unwrap().unwrap();
    assert!(page.entries.iter().all(|entry| entry.kind == kind));
    page.entries.len()
}

#[test]
fn proposals_have_tallies_and_votes() {
    for_each_backend(|backend| async move {
        use proposals::Stage;
        let store = &backend.store;
        let story = told(store, &backend).await;
        for id in &story.proposals {
            let found = proposals::get(store, *id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetProposal { proposal_id: *id });
            assert_eq!(written(found.tally), expected["tally"]);
            assert_eq!(written(found.status), expected["status"]);
            assert_eq!(written(found.new_value), expected["newValue"]);
            assert_eq!(json!(found.ends_at.0), expected["endsAt"]);
            assert_eq!(json!(found.quorum), expected["quorum"]);
        }
        let [adopted, lost, active] = story.proposals[..] else { panic!() };
        let of = |stage| async move {
            let found = proposals::page(store, stage, None, 9).await.unwrap();
            found.into_iter().map(|one| one.proposal_id).collect::<Vec<_>>()
        };
        assert_eq!(of(None).await, [active, lost, adopted]);
        assert_eq!(of(Some(Stage::Active)).await, [active]);
        assert_eq!(of(Some(Stage::Executed)).await, [adopted]);
        assert_eq!(of(Some(Stage::Failed)).await, [lost]);
        let ended = proposals::ended(store, story.chain.now(), 9).await.unwrap();
        assert_eq!(ended[0].proposal_id, active);
        let mine = proposals::vote_of(store, adopted, &story.people[2]).await.unwrap();
        assert_eq!(mine.unwrap().vote, Vote::Against);
        assert!(proposals::vote_of(store, adopted, &story.people[3]).await.unwrap().is_none());
        let votes = proposals::votes(store, adopted, None, 2).await.unwrap();
        let rest = proposals::votes(store, adopted, Some(&votes[1].voter_id), 9).await.unwrap();
        assert_eq!((votes.len(), rest.len()), (2, 1));
    });
}

#[test]
fn parameters_have_value_and_last_change() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let expected = story.chain.ask(contract_admin::ListSystemParameters {});
        let found = parameters::all(store).await.unwrap();
        let listed = expected["parameters"].as_array().unwrap();
        assert_eq!(found.len(), listed.len());
        for (found, expected) in found.iter().zip(listed) {
            assert_eq!(json!(found.parameter.id()), expected["paramId"]);
            assert_eq!(written(found.value), expected["value"]);
            let changed = found.value != found.parameter.default_value();
            assert_eq!(found.last_change.is_some(), changed);
            assert_eq!(parameters::get(store, found.parameter).await.unwrap(), *found);
        }
        let rules = parameters::in_force(store).await.unwrap();
        assert_eq!(written(rules.digest()), expected["digest"]);
        assert_eq!(json!(rules.changes), expected["changes"]);
        let changes = parameters::changes(store, None, None, 9).await.unwrap();
        assert_eq!(changes.iter().map(|one| one.change_no).collect::<Vec<_>>(), [4, 3, 2, 1]);
        assert_eq!(changes[1].function, "GovernanceContract:ExecuteProposal");
        let one = Some(parameter("votingQuorum"));
        let changes = parameters::changes(store, one, Some(2), 9).await.unwrap();
        assert_eq!((changes.len(), changes[0].old_value.get()), (1, 100));
    });
}

#[test]
fn taxes_are_kept_and_have_lines() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let payer = &story.people[0];
        let paid = assessments::of_account(store, payer, None, 9).await.unwrap();
        assert_eq!(paid.len(), 1);
        let shares = paid[0].treasury_amount.checked_add(paid[0].charitable_amount);
        assert_eq!(shares, Some(paid[0].amount));
        let filter = Filter { kinds: vec![EntryKind::Tax], ..Filter::default() };
        let lines = |id: AccountId| {
            let filter = filter.clone();
            async move {
                let page = history::page(store, &id, &filter, Place::Newest, 9).await;
                page.unwrap().unwrap().entries
            }
        };
        let line = &lines(*payer).await[0];
        assert_eq!((line.amount, line.counterparty), (paid[0].amount, None));
        let share = lines(AccountId::treasury(paid[0].country)).await;
        assert!(share.iter().any(|line| line.counterparty == Some(*payer)));
        assert!(!lines(Pool::Charitable.account()).await.is_empty());
        assert!(
            assessments::of_account(store, payer, Some(paid[0].cursor), 9)
                .await
                .unwrap()
                .is_empty()
        );
        for (id, code) in [
            (crate::chain::person(77), Refusal::AccountNotFound),
            (Pool::Loan.account(), Refusal::NotTaxable),
            (story.people[3], Refusal::TaxNotDue),
        ] {
            let skips = assessments::skips(store, &id, None, 9).await.unwrap();
            assert_eq!(skips[0].code, code);
        }
        assert!(timers::get(store, &story.people[7]).await.unwrap().unwrap().exempt);
    });
}

#[test]
fn supply_treasuries_and_disbursements_agree() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let expected = story.chain.ask(GetSupplyStatus {});
        let found = supply::get(store).await.unwrap().unwrap();
        let held = found.pools.iter().map(|row| row.balance).chain([found.locked_treasuries]);
        let held: u64 = held.map(Amount::qirat).sum();
        let circulating = Amount::from_qirat(gx_types::MAX_SUPPLY.qirat() - held);
        assert_eq!(written(circulating), expected["circulatingSupply"]);
        let charity = found.pools.iter().find(|row| row.pool == Pool::Charitable).unwrap();
        assert_eq!(charity.disbursed, Amount::from_gx(20_000));
        for found in treasuries::all(store).await.unwrap() {
            let expected = story.chain.ask(GetTreasury { country_code: found.country });
            assert_eq!(written(found.balance), expected["balance"]);
            assert_eq!(written(found.governed.map(|(org, _)| org)), expected["orgId"]);
            assert_eq!(treasuries::get(store, found.country).await.unwrap(), Some(found));
        }
        assert_eq!(treasuries::governed_by(store, &story.government).await.unwrap().len(), 1);
        let paid = ledger::disbursements(store, Some(Pool::Charitable), None, 9).await.unwrap();
        assert_eq!((paid.len(), paid[0].recipient_id), (2, story.people[1]));
        assert_eq!(kinds(store, &story.people[1], EntryKind::Disbursement).await, 1);
    });
}

#[test]
fn admins_and_their_actions_are_listed() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let all = ledger::admins(store, true, None, 9).await.unwrap();
        let ids: Vec<_> = all.iter().map(|one| one.admin_id.as_str()).collect();
        assert_eq!(ids, ["fourth", "root", "second", "third"]);
        for found in &all {
            let expected = story.chain.ask(contract_admin::GetAdmin { admin_id: found.admin_id });
            assert_eq!(written(found.level), expected["level"]);
            assert_eq!(written(found.account_id), expected["accountId"]);
            assert_eq!(json!(found.appointed_at.0), expected["appointedAt"]);
            assert_eq!(json!(found.removed_at.map(|at| at.0)), expected["removedAt"]);
            let same = ledger::get_admin(store, &found.admin_id).await.unwrap();
            assert_eq!(same.as_ref(), Some(found));
        }
        assert_eq!(ledger::admins(store, false, None, 9).await.unwrap().len(), 3);
        for action_id in &story.actions {
            let found = ledger::get_action(store, *action_id).await.unwrap().unwrap();
            let query = contract_admin::GetPendingAction { action_id: *action_id };
            let expected = story.chain.ask(query);
            let command = &expected["command"];
            let args: Value = serde_json::from_str(&found.args).unwrap();
            assert_eq!(command, &json!({ found.function.as_str(): args }));
            assert_eq!(json!(found.expires_at.0), expected["expiresAt"]);
            let by = found.approval.map(|(by, _)| written(by));
            assert_eq!(by.as_ref(), expected["approval"].get("by"));
        }
        let actions = ledger::actions(store, None, None, 20).await.unwrap();
        assert_eq!(actions.len(), story.actions.len());
        let unapproved = ledger::get_action(store, story.actions[3]).await.unwrap().unwrap();
        let then = unapproved.proposed_at;
        assert_eq!(ledger::actions(store, Some(then), None, 9).await.unwrap(), [unapproved]);
        let now = story.chain.now();
        assert!(ledger::actions(store, Some(now), None, 9).await.unwrap().is_empty());
    });
}
