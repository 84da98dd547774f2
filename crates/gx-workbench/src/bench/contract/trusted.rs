//! Preparations of what only people of trust may do: borrow and vote.

use anyhow::{Context, Result};
use gx_contract::governance::{ExecuteProposal, SubmitProposal, Vote, VoteOnProposal};
use gx_contract::identity::RelationshipKind;
use gx_contract::loan_pool::{
    ApplyForLoan, ApproveLoan, CancelLoanApplication, CollateralHash, MarkLoanDefaulted,
    RejectLoan, RepayLoan,
};
use gx_contract::params::{Parameter, ParameterValue};
use gx_types::{Amount, LoanId, ProposalId, Role};

use super::people::{self, Relation};
use super::town::{By, Order, Person, Town, Trial, each};

/// Proposals of a batch: no more than 100 can be active at a time.
const PROPOSALS: usize = 90;

/// People who have a parent, a spouse and a sibling, and were there for 30 days, which is enough to
/// borrow.
fn trusted(town: &mut Town, count: usize) -> Result<Vec<Person>> {
    let families: Vec<[Person; 6]> = town.groups(count.div_ceil(6))?;
    let mut relations: Vec<Relation> = Vec::with_capacity(families.len() * 12);
    for [a, b, c, d, e, f] in &families {
        let pairs = |kind| move |(one, other): (&Person, &Person)| (*one, *other, kind);
        relations.extend([(a, b), (c, d), (e, f)].map(pairs(RelationshipKind::SpouseOf)));
        relations.extend([(b, c), (d, e), (f, a)].map(pairs(RelationshipKind::SiblingOf)));
        // The ledger knows no generations.
        let parents = [(a, c), (b, d), (c, e), (d, f), (e, a), (f, b)];
        relations.extend(parents.map(pairs(RelationshipKind::MotherOf)));
    }
    people::relate(town, &relations)?;
    town.wait_days(30);
    Ok(families.into_iter().flatten().take(count).collect())
}

fn application(days: u32) -> impl Fn(Person) -> (By, ApplyForLoan) {
    move |person| {
        let apply = ApplyForLoan {
            amount: Amount::from_gx(1000),
            collateral_hash: CollateralHash::from_bytes([7; 32]),
            duration_days: days,
            purpose: "a second loom".to_owned(),
        };
        (By::Person(person), apply)
    }
}

pub(super) fn apply_for_loan(town: &mut Town) -> Result<Trial> {
    let trusted = trusted(town, town.count())?;
    Ok(town.trial(Role::PartnerApi, each(&trusted, application(365))))
}

/// Loans applied for, with their borrowers.
fn applied_for(town: &mut Town, days: u32) -> Result<Vec<(Person, LoanId)>> {
    let trusted = trusted(town, town.count())?;
    let ids = town.act(Role::PartnerApi, each(&trusted, application(days)))?;
    Ok(trusted.into_iter().zip(ids.into_iter().map(LoanId::made_by)).collect())
}

fn approval((_, loan_id): (Person, LoanId)) -> (By, ApproveLoan) {
    (By::First, ApproveLoan { loan_id })
}

pub(super) fn approve_loan(town: &mut Town) -> Result<Trial> {
    let loans = applied_for(town, 365)?;
    Ok(town.trial(Role::Admin, each(&loans, approval)))
}

pub(super) fn reject_loan(town: &mut Town) -> Result<Trial> {
    let loans = applied_for(town, 365)?;
    let reject = |(_, loan_id)| (By::First, RejectLoan { loan_id, reason: "no collateral".into() });
    Ok(town.trial(Role::Admin, each(&loans, reject)))
}

pub(super) fn cancel_application(town: &mut Town) -> Result<Trial> {
    let loans = applied_for(town, 365)?;
    let cancel = |(person, loan_id)| (By::Person(person), CancelLoanApplication { loan_id });
    Ok(town.trial(Role::PartnerApi, each(&loans, cancel)))
}

fn paid_out(town: &mut Town, days: u32) -> Result<Vec<(Person, LoanId)>> {
    let loans = applied_for(town, days)?;
    town.act(Role::Admin, each(&loans, approval))?;
    Ok(loans)
}

/// The whole loan at once, which counts towards trust.
pub(super) fn repay_loan(town: &mut Town) -> Result<Trial> {
    let loans = paid_out(town, 365)?;
    let repay = |(person, loan_id)| {
        (By::Person(person), RepayLoan { loan_id, amount: Amount::from_gx(1000) })
    };
    Ok(town.trial(Role::PartnerApi, each(&loans, repay)))
}

pub(super) fn mark_defaulted(town: &mut Town) -> Result<Trial> {
    let loans = paid_out(town, 1)?;
    town.wait_days(91);
    let mark = |(_, loan_id)| (By::First, MarkLoanDefaulted { loan_id });
    Ok(town.trial(Role::Admin, each(&loans, mark)))
}

/// Proposals of so many values of a parameter.
fn proposals(count: usize) -> Result<Vec<Order>> {
    let param_id: Parameter = "votingQuorum".parse().map_err(anyhow::Error::msg)?;
    let propose = |number: u64| {
        let (new_value, title) = (ParameterValue::new(1000 + number), "Fewer votes".to_owned());
        (By::First, SubmitProposal { param_id, new_value, title }.into())
    };
    Ok((0..count as u64).map(propose).collect())
}

pub(super) fn submit_proposal(town: &mut Town) -> Result<Trial> {
    let trial = town.trial(Role::Admin, proposals(PROPOSALS)?);
    Ok(Trial { batch: PROPOSALS, ..trial })
}

/// All on one proposal.
pub(super) fn vote(town: &mut Town) -> Result<Trial> {
    let voters = trusted(town, town.count())?;
    let ids = town.act(Role::Admin, proposals(1)?)?;
    let proposal_id = ProposalId::made_by(*ids.first().context("no proposal")?);
    let vote = |person| (By::Person(person), VoteOnProposal { proposal_id, vote: Vote::For });
    Ok(town.trial(Role::PartnerApi, each(&voters, vote)))
}

/// So many votes does a proposal need.
const QUORUM: usize = 100;

/// Of adopted proposals, each of another parameter: of two that change the same, the second fails.
pub(super) fn execute_proposal(town: &mut Town) -> Result<Trial> {
    let voters = trusted(town, QUORUM)?;
    let propose = |param_id: Parameter| {
        let (new_value, title) = (param_id.default_value(), "As it was".to_owned());
        (By::First, SubmitProposal { param_id, new_value, title })
    };
    let all: Vec<_> = Parameter::all().collect();
    let ids: Vec<_> = town.act(Role::Admin, each(&all, propose))?;
    let ids: Vec<_> = ids.into_iter().map(ProposalId::made_by).collect();
    for proposal_id in &ids {
        let (proposal_id, vote) = (*proposal_id, Vote::For);
        let ballot = |person| (By::Person(person), VoteOnProposal { proposal_id, vote });
        town.act(Role::PartnerApi, each(&voters, ballot))?;
    }
    town.wait_days(14);
    let execute = |proposal_id| (By::System, ExecuteProposal { proposal_id });
    let trial = town.trial(Role::Admin, each(&ids, execute));
    Ok(Trial { batch: ids.len(), ..trial })
}
