//! Samples of what admins and voters govern: appointments, actions, parameters, disbursements,
//! proposals and the tax.

use gx_types::{AccountId, ActionId, Amount, Pool, ProposalId};

use super::samples::{
    COMMAND, LEVELS, TIME, account, admin, all, country, posting, public_key, word,
};
use crate::admin::{
    Action, ActionApproved, ActionProposed, ActionRejected, ActionWithdrawn, AdminAppointed,
    AdminKeyRegistered, AdminKeyRotated, AdminRemoved, AdminReplaced, AppointAdmin, Approval,
    ApproveAction, CancelParameterChange, CancelReason, ClockConfirmation, ClockConfirmed, Closure,
    ConfirmClock, DisburseFromPool, Disbursed, OrderHash, OrderReason, ParameterChangeCancelled,
    ParameterScheduled, PoolDisbursed, RegisterAdminKey, RejectAction, RemoveAdmin, ReplaceAdmin,
    RotateAdminKey, SystemParameterUpdated, TransferByOrder, TransferredByOrder,
    UpdateSystemParameter, WithdrawAction,
};
use crate::governance::{
    ActiveProposal, ActiveProposals, CastVote, ExecuteProposal, Proposal, ProposalExecuted,
    ProposalFailed, ProposalFailure, ProposalStatus, ProposalSubmitted, SubmitProposal, Tally,
    Vote, VoteCast, VoteOnProposal,
};
use crate::params::{
    Governed, Parameter, ParameterValue, Parameters, ScheduledChange, StoredParameters, Unit,
};
use crate::state::{AdminLevel, Key, Record, RunningMs, Version};
use crate::tax_and_fee::{
    ApplyVelocityTax, SetVelocityTaxExempt, VelocityTaxApplied, VelocityTaxExemptSet,
    VelocityTaxSkipped,
};
use crate::{Command, Event, Refusal, SignatureBytes};

all!(ORDER_REASONS of OrderReason: CourtOrder Estate ErrorCorrection);
all!(CANCEL_REASONS of CancelReason: CalledOff Superseded ParametersInconsistent);
all!(VOTES of Vote: For Against Abstain);
all!(FAILURES of ProposalFailure: QuorumNotReached NotApproved ParametersInconsistent Lapsed
    Superseded);

pub(super) fn action_id() -> ActionId {
    ActionId::made_by(COMMAND)
}

pub(super) fn proposal_id() -> ProposalId {
    ProposalId::made_by(COMMAND)
}

fn proposed() -> (Parameter, ParameterValue) {
    ("votingDays".parse().unwrap(), ParameterValue::new(15))
}

const TALLY: Tally = Tally { in_favour: 60, against: 40, abstain: 7 };

/// A proposal in each state.
fn proposals() -> Vec<(String, Proposal)> {
    let (param_id, new_value) = proposed();
    let proposal = |status| Proposal {
        v: Version,
        param_id,
        old_value: param_id.default_value(),
        new_value,
        title: "longer \"votes\"".into(),
        proposed_by: admin(),
        submitted_at: TIME,
        last_change: 0,
        ends_at: RunningMs(TIME.plus_days(14).0),
        quorum: 100,
        approval_percent: 60,
        trust_min: 50,
        tally: TALLY,
        status,
    };
    let mut all = vec![
        ("active".to_owned(), proposal(ProposalStatus::Active)),
        ("executed".to_owned(), proposal(ProposalStatus::Executed)),
        ("later".to_owned(), Proposal { last_change: 7, ..proposal(ProposalStatus::Active) }),
    ];
    for reason in FAILURES {
        let status = ProposalStatus::Failed(*reason);
        // A status that is missing here does not compile.
        match status {
            ProposalStatus::Active | ProposalStatus::Executed | ProposalStatus::Failed(_) => {}
        }
        all.push((format!("failed-{}", word(reason)), proposal(status)));
    }
    all
}

/// What two admins decide on in the samples.
fn a_command() -> Command {
    let account_id = Some(account("IN"));
    let (admin_id, level, emergency) = (admin(), AdminLevel::Admin, false);
    AppointAdmin { admin_id, level, account_id, emergency }.into()
}

pub(super) fn records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    let mut add = |case: &str, key, record| all.push((case.to_owned(), key, record));
    for (case, approval, closure) in [
        ("pending", None, None),
        ("executed", Some(Approval { by: admin(), at: TIME }), None),
        ("closed", None, Some(Closure { by: admin(), at: TIME })),
    ] {
        let command = Box::new(a_command());
        let (proposed_by, proposed_at, expires_at) =
            (admin(), TIME, RunningMs(TIME.plus_days(7).0));
        let v = Version;
        let action = Action {
            v,
            command,
            proposed_by,
            proposed_at,
            expires_at,
            alone_from: None,
            approval,
            closure,
        };
        if case == "pending" {
            let alone_from = Some(RunningMs(TIME.plus_days(30).0));
            let alone = Action { alone_from, ..action.clone() };
            add("alone", Key::Action(action_id()), alone.into());
        }
        add(case, Key::Action(action_id()), action.into());
    }
    let none = Disbursed::default();
    let some = none.clone().plus(Pool::Gx, Amount::from_gx(1), TIME).unwrap();
    let some = some.plus(Pool::Charitable, Amount::from_gx(2), TIME).unwrap();
    add("none", Key::Disbursed, none.into());
    add("some", Key::Disbursed, Disbursed { day: None, ..some.clone() }.into());
    add("day", Key::Disbursed, some.into());
    for (case, parameters) in parameters() {
        add(case, Key::Parameters, parameters.into());
    }
    for (case, proposal) in proposals() {
        add(&case, Key::Proposal(proposal_id()), proposal.into());
    }
    for vote in VOTES {
        let record = CastVote { v: Version, vote: *vote, cast_at: TIME };
        add(&word(vote), Key::Vote(proposal_id(), account("IN")), record.into());
    }
    let (param_id, new_value) = proposed();
    let active = ActiveProposal { proposal_id: proposal_id(), param_id, new_value };
    for (case, proposals) in [("none", Vec::new()), ("one", vec![active])] {
        add(case, Key::Proposals, ActiveProposals { v: Version, proposals }.into());
    }
    all
}

/// All at their defaults, one changed, and all changed.
fn parameters() -> [(&'static str, StoredParameters); 5] {
    let default = Parameters::DEFAULT;
    let cap = "feeCapBps".parse().unwrap();
    let changed = default.with(cap, ParameterValue::new(900)).unwrap();
    let all = Parameter::all().fold(default, |parameters, parameter| {
        let value = parameter.default_value().get();
        // What must ascend ascends still when each value grows by one; shares and caps have room
        // below only.
        let value = match parameter.unit() {
            Unit::BasisPoints | Unit::Percent | Unit::Score => value - 1,
            Unit::Qirat | Unit::Days | Unit::Hours | Unit::Count => value + 1,
        };
        parameters.with(parameter, ParameterValue::new(value)).unwrap()
    });
    let (param_id, new_value) = proposed();
    let effective_at = RunningMs(TIME.plus_days(7).0);
    let change = ScheduledChange { param_id, new_value, effective_at };
    let now = RunningMs(TIME.0);
    let scheduled = Governed::from(default).changed(cap, ParameterValue::new(900), now).unwrap();
    let scheduled = scheduled.with_scheduled(change).unwrap();
    let period = "velocityTaxPeriodDays".parse().unwrap();
    let shortened = Governed::from(default).changed(period, ParameterValue::new(200), now).unwrap();
    [
        ("default", default.into()),
        ("changed", changed.into()),
        ("every", all.into()),
        ("scheduled", scheduled.into()),
        ("shortened", shortened.into()),
    ]
}

pub(super) fn events() -> Vec<(String, Event)> {
    let plain = admin_events().into_iter().chain(replacements()).chain(tax_events());
    let plain = plain.map(|(case, event)| (case.to_owned(), event));
    plain.chain(votes_and_results()).collect()
}

fn votes_and_results() -> Vec<(String, Event)> {
    let (proposal_id, (param_id, new_value)) = (proposal_id(), proposed());
    let submitted = ProposalSubmitted {
        proposal_id,
        param_id,
        old_value: param_id.default_value(),
        new_value,
        title: "longer \"votes\"".into(),
        proposed_by: admin(),
        ends_at: TIME.plus_days(14),
        quorum: 100,
        approval_percent: 60,
        trust_min: 50,
    };
    let executed = ProposalExecuted { proposal_id, param_id, new_value, tally: TALLY };
    let mut all: Vec<(String, Event)> =
        vec![("plain".to_owned(), submitted.into()), ("plain".to_owned(), executed.into())];
    for vote in VOTES {
        let (voter_id, tally) = (account("IN"), TALLY);
        let cast = VoteCast { proposal_id, voter_id, vote: *vote, tally };
        all.push((word(vote), cast.into()));
    }
    for reason in CANCEL_REASONS {
        let cancelled_by = (*reason == CancelReason::CalledOff).then_some(admin());
        let reason_of = *reason;
        let cancelled =
            ParameterChangeCancelled { param_id, new_value, reason: reason_of, cancelled_by };
        all.push((word(reason), cancelled.into()));
    }
    for reason in FAILURES {
        let failed = ProposalFailed { proposal_id, reason: *reason, tally: TALLY };
        all.push((word(reason), failed.into()));
    }
    all
}

fn tax_events() -> Vec<(&'static str, Event)> {
    let (account_id, exempt, code) = (account("IN"), true, Refusal::TaxNotDue);
    let applied = VelocityTaxApplied {
        account_id,
        country: country("IN"),
        taxed_balance: Amount::from_qirat(100_000_001),
        rate_bps: 250,
        amount: Amount::from_qirat(2_500_001),
        treasury_amount: Amount::from_qirat(1_250_001),
        charitable_amount: Amount::from_qirat(1_250_000),
        was_taxable_since: TIME,
        taxable_since: None,
        postings: vec![
            posting(account_id, "-2500001", 97_500_000),
            posting(AccountId::treasury(country("IN")), "1250001", 1_250_001),
            posting(Pool::Charitable.account(), "1250000", 158_000_000_001_250_000),
        ],
    };
    let again = VelocityTaxApplied { taxable_since: Some(TIME), ..applied.clone() };
    let mut all: Vec<(&str, Event)> = vec![("stopped", applied.into()), ("running", again.into())];
    for (case, taxable_since) in [("stopped", None), ("running", Some(TIME))] {
        all.push((case, VelocityTaxSkipped { account_id, code, taxable_since }.into()));
        all.push((case, VelocityTaxExemptSet { account_id, exempt, taxable_since }.into()));
    }
    all
}

fn replacements() -> Vec<(&'static str, Event)> {
    let (old_admin_id, new_admin_id) = (admin(), "late".parse().unwrap());
    let level = AdminLevel::SuperAdmin;
    let replaced = AdminReplaced { old_admin_id, new_admin_id, level, account_id: None };
    vec![
        ("plain", replaced.clone().into()),
        ("account", AdminReplaced { account_id: Some(account("IN")), ..replaced }.into()),
    ]
}

fn admin_events() -> Vec<(&'static str, Event)> {
    let (admin_id, level) = (admin(), AdminLevel::SuperAdmin);
    let (action_id, expires_at) = (action_id(), TIME.plus_days(7));
    let command = Box::new(a_command());
    let value = ParameterValue::new;
    let (proposed_by, alone_from) = (admin_id, None);
    let proposed = ActionProposed { action_id, command, proposed_by, expires_at, alone_from };
    vec![
        ("plain", proposed.clone().into()),
        ("alone", ActionProposed { alone_from: Some(TIME.plus_days(30)), ..proposed }.into()),
        ("plain", ActionApproved { action_id, approved_by: admin_id }.into()),
        (
            "plain",
            TransferredByOrder {
                from: account("IN"),
                to: account("FR"),
                amount: Amount::from_qirat(50),
                order_hash: OrderHash::from_bytes([9; 32]),
                reason: OrderReason::Estate,
                postings: vec![posting(account("IN"), "-50", 0), posting(account("FR"), "50", 50)],
            }
            .into(),
        ),
        ("plain", AdminKeyRegistered { admin_id, public_key: public_key() }.into()),
        ("plain", AdminKeyRotated { admin_id, public_key: public_key() }.into()),
        (
            "plain",
            ClockConfirmed { from: TIME, to: TIME.plus_days(2), confirmed_by: vec![admin_id] }
                .into(),
        ),
        ("plain", ActionRejected { action_id, rejected_by: admin_id }.into()),
        ("plain", ActionWithdrawn { action_id, withdrawn_by: admin_id }.into()),
        ("plain", AdminAppointed { admin_id, level, account_id: None }.into()),
        ("account", AdminAppointed { admin_id, level, account_id: Some(account("IN")) }.into()),
        ("plain", AdminRemoved { admin_id, level }.into()),
        (
            "plain",
            ParameterScheduled {
                param_id: "votingDays".parse().unwrap(),
                old_value: value(14),
                new_value: value(15),
                effective_at: TIME,
            }
            .into(),
        ),
        (
            "plain",
            SystemParameterUpdated {
                param_id: "votingDays".parse().unwrap(),
                old_value: value(14),
                new_value: value(15),
                changes: 7,
            }
            .into(),
        ),
        (
            "plain",
            PoolDisbursed {
                pool_id: Pool::Charitable,
                recipient_id: account("IN"),
                amount: Amount::from_qirat(50),
                purpose: "a well \"7\"".into(),
                postings: vec![
                    posting(Pool::Charitable.account(), "-50", 157_999_999_999_999_950),
                    posting(account("IN"), "50", 50),
                ],
            }
            .into(),
        ),
    ]
}

pub(super) fn commands() -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let mut add = |case: &str, command| all.push((case.to_owned(), command));
    let user_id = account("IN");
    for level in LEVELS {
        let (admin_id, level) = (admin(), *level);
        let appoint = AppointAdmin { admin_id, level, account_id: None, emergency: false };
        add(&word(level), appoint.clone().into());
        let account_id = Some(user_id);
        let case = format!("{}-account", word(level));
        add(&case, AppointAdmin { account_id, ..appoint.clone() }.into());
        let case = format!("{}-emergency", word(level));
        add(&case, AppointAdmin { emergency: true, ..appoint }.into());
    }
    for (case, account_id) in [("plain", None), ("account", Some(user_id))] {
        let (old_admin_id, new_admin_id) = (admin(), "late".parse().unwrap());
        add(case, ReplaceAdmin { old_admin_id, new_admin_id, account_id }.into());
    }
    add("plain", RemoveAdmin { admin_id: admin() }.into());
    for param_id in ["votingDays", "feeP2pFreeBelow"] {
        let param_id: Parameter = param_id.parse().unwrap();
        let new_value = param_id.default_value();
        add(param_id.id(), UpdateSystemParameter { param_id, new_value }.into());
    }
    let param_id: Parameter = "votingDays".parse().unwrap();
    add("plain", CancelParameterChange { param_id }.into());
    for pool_id in Pool::ALL {
        let (recipient_id, amount, purpose) = (user_id, Amount::from_qirat(50), "a well".into());
        let disbursement = DisburseFromPool { pool_id, recipient_id, amount, purpose };
        add(pool_id.as_str(), disbursement.into());
    }
    add("plain", ApproveAction { action_id: action_id() }.into());
    let (public_key, proof) = (public_key(), SignatureBytes::from_bytes([3; 64]));
    add("plain", RegisterAdminKey { public_key, proof }.into());
    add("plain", RotateAdminKey { public_key, proof }.into());
    let confirmation = ClockConfirmation { admin_id: admin(), signature: proof };
    let other = ClockConfirmation { admin_id: "second".parse().unwrap(), signature: proof };
    let confirmations = vec![confirmation, other];
    add("plain", ConfirmClock { time: TIME, confirmations }.into());
    for reason in ORDER_REASONS {
        let (from, to, amount) = (user_id, account("FR"), Amount::from_qirat(50));
        let order_hash = OrderHash::from_bytes([9; 32]);
        let order = TransferByOrder { from, to, amount, order_hash, reason: *reason };
        add(&word(reason), order.into());
    }
    add("plain", RejectAction { action_id: action_id() }.into());
    add("plain", WithdrawAction { action_id: action_id() }.into());
    let (param_id, new_value) = proposed();
    add("plain", SubmitProposal { param_id, new_value, title: "longer \"votes\"".into() }.into());
    for vote in VOTES {
        let vote_on = VoteOnProposal { proposal_id: proposal_id(), vote: *vote };
        add(&word(vote), vote_on.into());
    }
    add("plain", ExecuteProposal { proposal_id: proposal_id() }.into());
    add("plain", ApplyVelocityTax { account_ids: vec![user_id, account("FR")] }.into());
    add("plain", SetVelocityTaxExempt { account_id: user_id, exempt: true }.into());
    all
}
