//! Loans, proposals, parameters, taxes, the supply and administrators, as the ledger answers.

use gx_contract::admin::OrderHash;
use gx_contract::escrow::{EscrowState, GetEscrow};
use gx_contract::governance::{GetProposal, Vote};
use gx_contract::loan_pool::{GetLoan, GetMyLoans, LoanState};
use gx_contract::spending::GetSpendingLimit;
use gx_contract::tokenomics::{GetSupplyStatus, GetTreasury};
use gx_contract::{Refusal, admin as contract_admin};
use gx_store::Store;
use gx_store::admin::{attesters, counters, ledger};
use gx_store::governance::{parameters, proposals};
use gx_store::loan_pool::loans;
use gx_store::organization::organizations;
use gx_store::tax_and_fee::{assessments, payments, timers};
use gx_store::tokenomics::flows::{self, Flows};
use gx_store::tokenomics::history::{self, EntryKind, Filter, Place};
use gx_store::tokenomics::limits::{self, Limit};
use gx_store::tokenomics::{escrows, supply, treasuries};
use gx_types::{AccountId, Amount, Pool, TimeMs};
use serde_json::{Value, json};

use crate::backend::for_each_backend;
use crate::chain::person;
use crate::domains::{same_time, told, written};
use crate::story::parameter;

#[test]
fn loans_are_listed_and_counted() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let borrower = &story.people[0];
        for id in &story.loans {
            let found = loans::get(store, *id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetLoan { loan_id: *id });
            // The row of one that has lapsed says so once its borrower applies again.
            let waits = found.state == LoanState::PendingApproval;
            let lapsed = waits && found.lapses_at <= story.chain.now();
            let state = if lapsed { LoanState::Lapsed } else { found.state };
            assert_eq!(written(state), expected["state"]);
            assert_eq!(written(found.outstanding), expected["outstanding"]);
            assert_eq!(written(found.collateral_hash), expected["collateralHash"]);
            // A pause moves the dates of what is open.
            if found.closed_at.is_none() {
                let due = found.term.map(|(_, due)| due);
                same_time(due, &expected["term"]["dueAt"], story.chain.now());
            }
            if waits {
                same_time(Some(found.lapses_at), &expected["lapsesAt"], story.chain.now());
            }
        }
        let books = loans::books(store, borrower).await.unwrap();
        let expected = story.chain.ask(GetMyLoans { borrower_id: *borrower });
        assert_eq!(json!(books.open), json!(expected["loans"].as_array().unwrap().len()));
        assert_eq!(written(books.outstanding), expected["outstanding"]);
        assert_eq!(json!(books.defaults), expected["defaults"]);
        let mine = loans::of_borrower(store, borrower, None, None, 9).await.unwrap();
        let states: Vec<_> = mine.iter().map(|loan| loan.state).collect();
        use LoanState::*;
        assert_eq!(states, [PendingApproval, Cancelled, Lapsed, Defaulted, Rejected, Repaid]);
        assert_eq!(mine[4].reject_reason.as_deref(), Some("too soon"));
        let queue = loans::queue(store, PendingApproval, None, 9).await.unwrap();
        assert_eq!(queue, mine[..1]);
        let undecided = loans::undecided(store, mine[0].applied_at, None, 9).await.unwrap();
        assert_eq!(undecided, mine[..1]);
        let late = loans::undecided(store, mine[0].lapses_at, None, 9).await.unwrap();
        assert!(late.is_empty());
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

#[test]
fn escrows_are_found_by_their_parties() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let mut all = Vec::new();
        for id in &story.escrows {
            let found = escrows::get(store, *id).await.unwrap().unwrap();
            let expected = story.chain.ask(GetEscrow { escrow_id: *id });
            assert_eq!(written(found.state), expected["state"]);
            assert_eq!(
                (written(found.amount), written(found.fee)),
                (expected["amount"].clone(), expected["fee"].clone())
            );
            assert_eq!(written(found.arbiter_id), expected["arbiterId"]);
            assert_eq!(found.settled.is_none(), found.state == EscrowState::Open);
            if found.settled.is_none() {
                same_time(Some(found.expires_at), &expected["expiresAt"], story.chain.now());
            }
            all.insert(0, found);
        }
        use EscrowState::*;
        let states: Vec<_> = all.iter().map(|escrow| escrow.state).collect();
        assert_eq!(states, [Open, Released, Refunded, Released]);
        let [payer, arbiter, payee] = [9, 4, 6].map(|number| &story.people[number]);
        assert_eq!(escrows::of_party(store, payer, None, 9).await.unwrap(), all);
        let decided = escrows::of_party(store, arbiter, Some(all[0].cursor), 2).await.unwrap();
        assert_eq!(decided, all[1..3]);
        assert_eq!(escrows::of_party(store, payee, None, 9).await.unwrap().len(), 3);
        assert_eq!(kinds(store, payer, EntryKind::Escrow).await, 5);
        assert_eq!(kinds(store, payee, EntryKind::Escrow).await, 2);
        assert_eq!(kinds(store, &AccountId::escrow(), EntryKind::Escrow).await, 7);
    });
}

#[test]
fn a_limit_is_as_the_ledger_has_it() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let owner = &story.people[9];
        let told = story.chain.ask(GetSpendingLimit { user_id: *owner });
        assert_eq!(json!([told["perDay"], told["next"]]), json!([null, null]), "it is over");
        let now = story.chain.now();
        assert_eq!(limits::get(store, owner, now).await.unwrap(), Limit::default());
        let before = limits::get(store, owner, TimeMs(0)).await.unwrap();
        assert_eq!(before.per_day, Some(Amount::from_gx(10)));
        assert!(before.next.is_some_and(|(per_day, from)| per_day.is_none() && from < now));
        let nobody = limits::get(store, &story.people[0], now).await.unwrap();
        assert_eq!(nobody, Limit::default());
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
            assert_eq!(json!(found.quorum), expected["quorum"]);
        }
        let [adopted, lost, active] = story.proposals[..] else { panic!() };
        // A pause of a day and a second puts off what is open, and no end that is over.
        for (id, days, ms) in [(adopted, 15, 1000), (lost, 15, 1000), (active, 14, 0)] {
            let found = proposals::get(store, id).await.unwrap().unwrap();
            assert_eq!(found.ends_at.0, found.submitted_at.plus_days(days).0 + ms, "{found:?}");
        }
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
        let mine = proposals::vote_of(store, adopted, &person(103)).await.unwrap();
        assert_eq!(mine.unwrap().vote, Vote::Against);
        assert!(proposals::vote_of(store, adopted, &story.people[3]).await.unwrap().is_none());
        let votes = proposals::votes(store, adopted, None, 97).await.unwrap();
        let rest = proposals::votes(store, adopted, Some(&votes[96].voter_id), 9).await.unwrap();
        assert_eq!((votes.len(), rest.len()), (97, 3));
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
            let scheduled = found.scheduled.map(|(value, at)| (written(value), json!(at.0)));
            let expected = &expected["scheduled"];
            assert_eq!(scheduled.is_some(), expected.is_object());
            if let Some((value, at)) = scheduled {
                assert_eq!((&value, &at), (&expected["newValue"], &expected["effectiveAt"]));
            }
            assert_eq!(parameters::get(store, found.parameter).await.unwrap(), *found);
        }
        let rules = parameters::in_force(store).await.unwrap();
        assert_eq!(written(rules.digest()), expected["digest"]);
        assert_eq!(json!(rules.changes), expected["changes"]);
        let changes = parameters::changes(store, None, None, 9).await.unwrap();
        assert_eq!(changes.iter().map(|one| one.change_no).collect::<Vec<_>>(), [4, 3, 2, 1]);
        assert_eq!(changes[0].function, "AdminContract:ApproveAction");
        assert_eq!(changes[2].function, "GovernanceContract:ExecuteProposal");
        let one = Some(parameter("votingTrustMin"));
        let changes = parameters::changes(store, one, Some(2), 9).await.unwrap();
        assert_eq!((changes.len(), changes[0].old_value.get()), (1, 50));
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
        let newest = assessments::newest(store, 9).await.unwrap();
        let same = |one: &&assessments::Taxed| one.account_id == *payer;
        let of_payer = newest.iter().find(same).unwrap();
        assert_eq!((of_payer.balance, of_payer.amount), (paid[0].taxed_balance, paid[0].amount));
        assert_eq!(assessments::newest(store, 1).await.unwrap(), newest[..1]);
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
            (person(77), Refusal::AccountNotFound),
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
            same_time(found.payable_from, &expected["payableFrom"], story.chain.now());
            assert_eq!(written(found.paid_since_yesterday), expected["paidSinceYesterday"]);
            assert_eq!(treasuries::get(store, found.country).await.unwrap(), Some(found));
        }
        let all = treasuries::all(store).await.unwrap();
        let first = treasuries::page(store, None, 1).await.unwrap();
        assert_eq!(first, all[..1]);
        let rest = treasuries::page(store, Some(first[0].country), 1_000).await.unwrap();
        assert_eq!(rest, all[1..]);
        assert_eq!(treasuries::governed_by(store, &story.government).await.unwrap(), []);
        let given = treasuries::governed_by(store, &story.offices[0]).await.unwrap();
        assert_eq!((given.len(), given[0].order_hash), (1, Some(OrderHash::from_bytes([6; 32]))));
        let paid = ledger::disbursements(store, Some(Pool::Charitable), None, 9).await.unwrap();
        assert_eq!((paid.len(), paid[0].recipient_id), (2, story.people[1]));
        assert_eq!(kinds(store, &story.people[1], EntryKind::Disbursement).await, 1);
    });
}

#[test]
fn flows_are_the_sums_of_the_entries_since() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let owner = &story.people[9];
        let any = Filter::default();
        let page = history::page(store, owner, &any, Place::Newest, 1_000).await.unwrap().unwrap();
        let sum = |from: TimeMs, wanted: fn(&history::Entry) -> bool| {
            let since = page.entries.iter().filter(|entry| entry.at >= from && wanted(entry));
            Amount::from_qirat(since.map(|entry| entry.change_qirat.unsigned_abs()).sum())
        };
        let middle = page.entries[page.entries.len() / 2].at;
        for from in [TimeMs(0), middle, page.entries[0].at] {
            let found = flows::since(store, owner, from).await.unwrap().unwrap();
            assert_eq!(found.incoming, sum(from, |entry| entry.change_qirat > 0));
            assert_eq!(found.outgoing, sum(from, |entry| entry.change_qirat < 0));
            let spends = |entry: &history::Entry| {
                let kinds = [EntryKind::Sent, EntryKind::Escrow, EntryKind::Repayment];
                entry.change_qirat < 0 && kinds.contains(&entry.kind)
            };
            assert_eq!(found.spent, sum(from, spends));
        }
        let later = TimeMs(story.chain.now().0 + 1);
        let nothing = flows::since(store, owner, later).await.unwrap();
        assert_eq!(nothing, Some(Flows::default()));
        assert_eq!(flows::since(store, &person(999), middle).await.unwrap(), None);
    });
}

#[test]
fn counters_count_what_the_story_made() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let found = counters::get(store).await.unwrap();
        assert_eq!(found.countries, treasuries::all(store).await.unwrap().len() as u64);
        let all = treasuries::all(store).await.unwrap();
        let governed = all.iter().filter(|one| one.governed.is_some()).count();
        assert_eq!(found.treasuries, governed as u64);
        assert!(found.users >= story.people.len() as u64 && found.organizations > 0);
        let all = organizations::Filter { stakeholder: None, status: None, country: None };
        let listed = organizations::page(store, &all, None, 100).await.unwrap();
        assert_eq!(found.organizations, listed.len() as u64, "counted as they were proposed");
        assert_eq!(found.blocks, story.chain.blocks.len() as u64);
        assert_eq!((found.people, found.waiting_people), (0, 0), "nobody came by the platform");
    });
}

#[test]
fn attesters_are_listed_with_what_they_have_attested() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let all = attesters::list(store, true, None, 9).await.unwrap();
        let ids: Vec<_> = all.iter().map(|one| one.attester_id.as_str()).collect();
        assert_eq!(ids, ["clinic", "devnet", "office"]);
        for found in &all {
            let query = contract_admin::GetAttester { attester_id: found.attester_id };
            let expected = story.chain.ask(query);
            assert_eq!(json!(found.public_key), expected["publicKey"]);
            assert_eq!(json!(found.daily_max), expected["dailyMax"]);
            assert_eq!(json!(found.countries), expected["countries"]);
            assert_eq!(json!(found.registered_at.0), expected["registeredAt"]);
            assert_eq!(json!(found.removed_at.map(|at| at.0)), expected["removedAt"]);
            let same = attesters::get(store, &found.attester_id).await.unwrap();
            assert_eq!(same.as_ref(), Some(found));
        }
        let counts: Vec<_> = all.iter().map(|one| (one.attested, one.last_day)).collect();
        let day = all[0].last_day.unwrap().0;
        assert_eq!(counts, [(2, Some((day, 2))), (0, None), (1, Some((day, 1)))]);
        let active = attesters::list(store, false, Some(&all[0].attester_id), 1).await.unwrap();
        assert_eq!(active, [all[1].clone()]);
        assert_eq!(attesters::get(store, &"nobody".parse().unwrap()).await.unwrap(), None);
    });
}

#[test]
fn admins_and_their_actions_are_listed() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let story = told(store, &backend).await;
        let all = ledger::admins(store, true, None, 9).await.unwrap();
        let ids: Vec<_> = all.iter().map(|one| one.admin_id.as_str()).collect();
        assert_eq!(
            ids,
            ["alone", "coming", "fourth", "keyed", "leaving", "root", "second", "third"]
        );
        for found in &all {
            let expected = story.chain.ask(contract_admin::GetAdmin { admin_id: found.admin_id });
            assert_eq!(written(found.level), expected["level"]);
            assert_eq!(written(found.account_id), expected["accountId"]);
            assert_eq!(json!(found.appointed_at.0), expected["appointedAt"]);
            assert_eq!(json!(found.removed_at.map(|at| at.0)), expected["removedAt"]);
            assert_eq!(json!(found.public_key), expected["publicKey"]);
            let same = ledger::get_admin(store, &found.admin_id).await.unwrap();
            assert_eq!(same.as_ref(), Some(found));
        }
        assert_eq!(ledger::admins(store, false, None, 9).await.unwrap().len(), 6);
        for action_id in &story.actions {
            let found = ledger::get_action(store, *action_id).await.unwrap().unwrap();
            let query = contract_admin::GetPendingAction { action_id: *action_id };
            let expected = story.chain.ask(query);
            let command = &expected["command"];
            let args: Value = serde_json::from_str(&found.args).unwrap();
            assert_eq!(command, &json!({ found.function.as_str(): args }));
            // The read models keep when one that is over has ended; the ledger does not.
            let over = found.approval.is_some() || found.closure.is_some();
            if !over && found.expires_at > story.chain.now() {
                assert_eq!(json!(found.expires_at.0), expected["expiresAt"]);
                assert_eq!(json!(found.alone_from.map(|at| at.0)), expected["aloneFrom"]);
            }
            let by = found.approval.map(|(by, _)| written(by));
            assert_eq!(by.as_ref(), expected["approval"].get("by"));
            let by = found.closure.map(|(by, _)| written(by));
            assert_eq!(by.as_ref(), expected["closure"].get("by"));
        }
        let actions = ledger::actions(store, None, None, 50).await.unwrap();
        assert_eq!(actions.len(), story.actions.len());
        let unapproved = ledger::get_action(store, story.actions[3]).await.unwrap().unwrap();
        let then = unapproved.proposed_at;
        let pending = ledger::actions(store, Some(then), None, 9).await.unwrap();
        assert_eq!(pending.last(), Some(&unapproved));
        let open = ledger::actions(store, Some(story.chain.now()), None, 9).await.unwrap();
        assert!(open.len() == 1 && open[0].alone_from.is_some(), "{open:?}");
    });
}

#[test]
fn the_fee_of_a_recorded_payment_follows_from_what_is_read_with_it() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        told(store, &backend).await;
        let found = payments::newest(store, 100_000, 1_000).await.unwrap();
        assert!(found.len() > 3, "{}", found.len());
        let fees = gx_contract::FeeSchedule::default();
        for payment in &found {
            let quote = fees.quote(payment.from, payment.to, payment.amount).unwrap();
            assert_eq!(quote.fee, payment.fee, "{payment:?}");
        }
        assert_eq!(payments::newest(store, 100_000, 2).await.unwrap(), found[..2]);
        assert!(payments::newest(store, 0, 2).await.unwrap().is_empty());
    });
}
