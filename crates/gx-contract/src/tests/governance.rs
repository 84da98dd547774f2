//! Proposals: who submits, who votes and when, what it takes, and what follows.

use serde_json::{Value, json};

use super::host::Host;
use super::notation::{command_id, query};
use super::script::{check, go_on};
use crate::governance::{ProposalFailure, Tally};
use crate::{NameError, Query, Refusal};
use gx_types::ProposalId;

/// Four users and an admin. Votes that four users can decide ask for less than parameters can.
const WORLD: &str = r#"world IN=60000000 FR=40000000
    put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
    open alice.IN 30
    open bob.FR 30
    open carol.IN 30
    open dave.FR 30
    trust alice.IN 10
    trust bob.FR 10
    trust carol.IN 10
    trust dave.FR 10"#;

fn check_votes(table: &str) -> Host {
    check(&format!("{WORLD}\n{table}"))
}

/// Lines by which users vote on `#p`: `+` for, `-` against, `0` abstaining, `.` not at all.
fn votes(signs: &str) -> String {
    let users = ["alice.IN", "bob.FR", "carol.IN", "dave.FR"];
    let line = |(user, sign): (&str, char)| {
        let vote = match sign {
            '+' => "FOR",
            '-' => "AGAINST",
            '0' => "ABSTAIN",
            _ => return String::new(),
        };
        format!("user:{user} VoteOnProposal #p {vote} => VoteCast voterId={user} vote={vote}\n")
    };
    users.into_iter().zip(signs.chars()).map(line).collect()
}

#[test]
fn an_adopted_proposal_changes_the_parameter() {
    let votes = votes("+++-");
    check_votes(&format!(
        "at 1000
        #p admin:clerk SubmitProposal feeB2bLocalBps 25 \"fairer fees\" => ProposalSubmitted \
            paramId=feeB2bLocalBps oldValue=20 newValue=25 \"title=fairer fees\" \
            proposedBy=clerk endsAt=1209601000 quorum=100 approvalPercent=60 trustMin=50
        needs #p 3 10
        {votes}
        at 14d+1000
        system ExecuteProposal #p => ProposalExecuted paramId=feeB2bLocalBps newValue=25 \
            tally.for=3 tally.against=1 tally.abstain=0, \
            SystemParameterUpdated paramId=feeB2bLocalBps oldValue=20 newValue=25 changes=1
        + system ExecuteProposal #p => proposal_finished
        system ExecuteProposal #p => proposal_finished"
    ));
}

#[test]
fn a_proposal_needs_its_quorum_and_its_share() {
    for (signs, expected) in [
        ("....", "ProposalFailed reason=QUORUM_NOT_REACHED"),
        ("++..", "ProposalFailed reason=QUORUM_NOT_REACHED tally.for=2"),
        ("+++.", "ProposalExecuted, SystemParameterUpdated"),
        ("++-.", "ProposalExecuted tally.for=2 tally.against=1, SystemParameterUpdated"),
        ("++--", "ProposalFailed reason=NOT_APPROVED"),
        ("+--.", "ProposalFailed reason=NOT_APPROVED"),
        ("+00.", "ProposalExecuted tally.abstain=2, SystemParameterUpdated"),
        ("000.", "ProposalFailed reason=NOT_APPROVED tally.abstain=3"),
        ("+-00", "ProposalFailed reason=NOT_APPROVED"),
    ] {
        let votes = votes(signs);
        check_votes(&format!(
            "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
            needs #p 3 10
            {votes}
            at 14d
            admin:clerk ExecuteProposal #p => {expected}"
        ));
    }
}

#[test]
fn quorum_and_approval_are_exact() {
    use ProposalFailure::{NotApproved, QuorumNotReached};
    for ([in_favour, against, abstain], expected) in [
        ([60, 40, 0], None),
        ([59, 40, 1], Some(NotApproved)),
        ([59, 40, 0], Some(QuorumNotReached)),
        ([60, 39, 0], Some(QuorumNotReached)),
        ([60, 39, 1], None),
        ([0, 0, 100], Some(NotApproved)),
        ([1, 0, 99], None),
        ([0, 1, 99], Some(NotApproved)),
        ([600_001, 400_000, 0], None),
        ([599_999, 400_000, 0], Some(NotApproved)),
        ([u64::MAX, 0, u64::MAX], None),
        ([u64::MAX, u64::MAX, 0], Some(NotApproved)),
    ] {
        let tally = Tally { in_favour, against, abstain };
        assert_eq!(tally.failure(100, 60), expected, "{tally:?}");
    }
    let tally = Tally { in_favour: 2, against: 1, abstain: 0 };
    assert_eq!(tally.failure(3, 66), None);
    assert_eq!(tally.failure(3, 67), Some(NotApproved));
}

#[test]
fn votes_are_taken_from_the_submission_to_the_millisecond_before_the_end() {
    check_votes(
        "at 1000
        #p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        + admin:clerk ExecuteProposal #p => voting_not_ended
        needs #p 3 10
        user:alice.IN VoteOnProposal #p FOR => VoteCast tally.for=1
        at 14d+999
        user:bob.FR VoteOnProposal #p FOR => VoteCast tally.for=2
        system ExecuteProposal #p => voting_not_ended
        at 14d+1000
        user:carol.IN VoteOnProposal #p FOR => voting_ended
        system ExecuteProposal #p => ProposalFailed reason=QUORUM_NOT_REACHED
        user:carol.IN VoteOnProposal #p FOR => voting_ended
        user:carol.IN VoteOnProposal #q FOR => proposal_unknown
        system ExecuteProposal #q => proposal_unknown",
    );
}

#[test]
fn a_user_votes_once_on_each_proposal() {
    check_votes(
        "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        #q admin:clerk SubmitProposal votingDays 16 longer => ProposalSubmitted
        needs #p 3 10
        needs #q 3 10
        user:alice.IN VoteOnProposal #p FOR => VoteCast
        + user:alice.IN VoteOnProposal #p FOR => already_voted
        + user:alice.IN VoteOnProposal #q AGAINST => VoteCast tally.for=0 tally.against=1
        user:alice.IN VoteOnProposal #p AGAINST => already_voted
        user:bob.FR VoteOnProposal #p AGAINST => VoteCast tally.for=1 tally.against=1",
    );
}

#[test]
fn voters_are_users_whose_trust_suffices() {
    check_votes(
        r#"#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        needs #p 3 10
        put s/parameters {"v":1,"changes":3,"values":{"votingTrustMin":"30"}}
        #q admin:clerk SubmitProposal votingDays 16 longer => ProposalSubmitted trustMin=30
        user:alice.IN VoteOnProposal #p FOR => VoteCast
        user:alice.IN VoteOnProposal #q FOR => trust_too_low
        admin:root VoteOnProposal #p FOR => actor_not_allowed
        system VoteOnProposal #p FOR => actor_not_allowed
        user:treasury_IN VoteOnProposal #p FOR => actor_not_allowed
        user:nobody.IN VoteOnProposal #p FOR => actor_unknown
        admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        user:bob.FR VoteOnProposal #p FOR => account_frozen"#,
    );
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        trust alice.IN 10
        #p admin:root SubmitProposal votingDays 15 longer => ProposalSubmitted quorum=100 \
            approvalPercent=60 trustMin=50
        user:alice.IN VoteOnProposal #p FOR => trust_too_low",
    );
}

#[test]
fn a_vote_is_of_an_active_user_and_signed_where_there_is_a_key() {
    check_votes(
        "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        needs #p 3 10
        admin:root SetUserStatus alice.IN LOCKED => UserStatusSet
        user:alice.IN VoteOnProposal #p FOR => account_locked
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #dead admin:root SetUserStatus bob.FR DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        user:bob.FR VoteOnProposal #p FOR => account_deceased
        user:carol.IN RegisterKey carol.IN k => KeyRegistered
        user:carol.IN VoteOnProposal #p FOR => signature_missing
        signed=other user:carol.IN VoteOnProposal #p FOR => signature_wrong
        signed=k user:carol.IN VoteOnProposal #p FOR => VoteCast",
    );
}

#[test]
fn what_a_vote_needs_is_fixed_when_it_begins() {
    let votes = votes("+++.");
    check_votes(&format!(
        r#"#p admin:clerk SubmitProposal loanOpenMax 6 more => ProposalSubmitted quorum=100
        needs #p 3 10
        put s/parameters {{"v":1,"changes":3,"values":{{"votingQuorum":"101","votingDays":"7",\
            "votingApprovalPercent":"90","votingTrustMin":"90"}}}}
        at 7d
        admin:clerk ExecuteProposal #p => voting_not_ended
        {votes}
        at 14d
        admin:clerk ExecuteProposal #p => ProposalExecuted, SystemParameterUpdated"#
    ));
}

#[test]
fn no_two_active_proposals_ask_for_the_same() {
    check_votes(
        "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        + admin:root SubmitProposal votingDays 15 other => proposal_exists
        admin:root SubmitProposal votingDays 15 other => proposal_exists
        admin:root SubmitProposal votingDays 16 other => ProposalSubmitted
        admin:root SubmitProposal votingQuorum 150 other => ProposalSubmitted
        at 14d
        admin:root SubmitProposal votingDays 15 other => proposal_exists
        system ExecuteProposal #p => ProposalFailed
        + admin:root SubmitProposal votingDays 15 other => ProposalSubmitted",
    );
}

#[test]
fn at_most_a_hundred_proposals_are_active() {
    let submit = |votes: u32| {
        format!(
            "#p{votes} admin:clerk SubmitProposal votingQuorum {votes} x => ProposalSubmitted\n+ "
        )
    };
    let all: String = (101..=200).map(submit).collect();
    let host = check_votes(&format!(
        "{all} admin:clerk SubmitProposal votingQuorum 201 x => too_many_proposals
        admin:clerk SubmitProposal votingQuorum 101 x => proposal_exists
        at 14d
        system ExecuteProposal #p150 => ProposalFailed
        + admin:clerk SubmitProposal votingQuorum 201 x => ProposalSubmitted
        + admin:clerk SubmitProposal votingQuorum 202 x => too_many_proposals"
    ));
    let active = host.ask(query("GovernanceContract:ListActiveProposals", &json!({}))).unwrap();
    assert_eq!(active.as_array().unwrap().len(), 100);
    assert_eq!(active[0]["newValue"], "101");
    assert_eq!(active[99]["newValue"], "201");
}

#[test]
fn an_adopted_value_that_another_parameter_forbids_by_then_fails() {
    let votes = votes("+++.");
    check_votes(&format!(
        r#"#p admin:clerk SubmitProposal feeB2bLocalBps 60 more => ProposalSubmitted
        needs #p 3 10
        {votes}
        put s/parameters {{"v":1,"changes":3,"values":{{"feeCapBps":"50"}}}}
        at 14d
        system ExecuteProposal #p => ProposalFailed reason=PARAMETERS_INCONSISTENT
        system ExecuteProposal #p => proposal_finished"#
    ));
}

#[test]
fn a_proposal_is_within_bounds_and_has_a_title() {
    check_votes(
        "admin:clerk SubmitProposal votingDays 6 x => value_out_of_bounds
        admin:clerk SubmitProposal votingDays 91 x => value_out_of_bounds
        admin:clerk SubmitProposal feeCapBps 1001 x => value_out_of_bounds
        admin:clerk SubmitProposal votingDays 15 \"\" => text_invalid
        admin:clerk SubmitProposal votingDays 15 x*201 => text_invalid
        admin:clerk SubmitProposal votingDays 15 \"a bell \u{7}\" => text_invalid
        admin:clerk SubmitProposal votingDays 15 x*200 => ProposalSubmitted",
    );
    let wrong = r#"{"proposalId":"PROP_1","vote":"FOR"}"#;
    let read = crate::Command::from_name_and_args("GovernanceContract:VoteOnProposal", wrong);
    assert!(matches!(read, Err(NameError::Arguments { .. })));
}

#[test]
fn admins_submit_and_scheduled_work_may_draw_the_result() {
    check_votes(
        "user:alice.IN SubmitProposal votingDays 15 x => actor_not_allowed
        system SubmitProposal votingDays 15 x => actor_not_allowed
        as gx_super_admin admin:root SubmitProposal votingDays 15 x => role_not_allowed
        as gx_partner_api admin:root SubmitProposal votingDays 15 x => role_not_allowed
        #p admin:root SubmitProposal votingDays 15 x => ProposalSubmitted
        as gx_admin user:alice.IN VoteOnProposal #p FOR => role_not_allowed
        at 14d
        user:alice.IN ExecuteProposal #p => actor_not_allowed
        as gx_partner_api system ExecuteProposal #p => role_not_allowed
        system ExecuteProposal #p => ProposalFailed",
    );
}

#[test]
fn a_proposal_is_shown_with_its_votes_and_what_became_of_it() {
    let id = |key: &str| ProposalId::made_by(command_id(key));
    let host = check_votes(&format!(
        "at 1000
        #p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        #q admin:clerk SubmitProposal votingDays 16 longer => ProposalSubmitted
        needs #p 3 10
        {}",
        votes("+-00"),
    ));
    let shown = |host: &Host, key: &str| {
        let args = json!({"proposalId": id(key)});
        host.ask(query("GovernanceContract:GetProposal", &args))
    };
    let listed = |host: &Host| -> Vec<Value> {
        let list = host.ask(query("GovernanceContract:ListActiveProposals", &json!({}))).unwrap();
        list.as_array().unwrap().iter().map(|row| row["proposalId"].clone()).collect()
    };
    let mut expected = json!({
        "proposalId": id("p"), "paramId": "votingDays", "newValue": "15", "title": "longer",
        "proposedBy": "clerk", "submittedAt": 1000, "endsAt": 1_209_601_000, "quorum": 3,
        "approvalPercent": 60, "trustMin": 10, "tally": {"for": 1, "against": 1, "abstain": 2},
        "status": "ACTIVE"
    });
    assert_eq!(shown(&host, "p").unwrap(), expected);
    assert_eq!(listed(&host), [json!(id("p")), json!(id("q"))]);
    assert_eq!(shown(&host, "r").unwrap_err().code, Refusal::ProposalUnknown);
    let later = go_on(host, "at 20d\nsystem ExecuteProposal #p => ProposalFailed");
    expected["status"] = json!({"FAILED": "NOT_APPROVED"});
    assert_eq!(shown(&later, "p").unwrap(), expected);
    assert_eq!(listed(&later), [json!(id("q"))]);
    let none = check("").ask(Query::from(crate::governance::ListActiveProposals {})).unwrap();
    assert_eq!(none, json!([]));
}

/// Another super admin, with whom the first can decide.
const BOSS: &str = "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed";

/// Who voted years ago must not be surprised, nor who voted to change what is there no more.
#[test]
fn a_result_that_nobody_draws_lapses_and_an_overtaken_one_changes_nothing() {
    let votes = votes("+++.");
    check_votes(&format!(
        "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        needs #p 3 10
        {votes}
        at 44d
        admin:clerk ExecuteProposal #p => ProposalFailed reason=LAPSED"
    ));
    check_votes(&format!(
        "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        needs #p 3 10
        {votes}
        at 43d
        admin:clerk ExecuteProposal #p => ProposalExecuted, SystemParameterUpdated newValue=15"
    ));
    check_votes(&format!(
        "#p admin:clerk SubmitProposal votingDays 15 longer => ProposalSubmitted
        needs #p 3 10
        {votes}
        {BOSS}
        #other admin:root UpdateSystemParameter votingDays 20 => ActionProposed
        admin:boss ApproveAction #other => ActionApproved, ParameterScheduled
        at 15d
        admin:clerk ExecuteProposal #p => SystemParameterUpdated, ProposalFailed reason=SUPERSEDED"
    ));
}

/// A value that was changed there and back is not the one that people voted to change.
#[test]
fn a_parameter_that_was_changed_there_and_back_is_overtaken_all_the_same() {
    let votes = votes("+++.");
    check_votes(&format!(
        "{BOSS}
        #p admin:clerk SubmitProposal loanOpenMax 9 more => ProposalSubmitted
        needs #p 3 10
        {votes}
        #there admin:root UpdateSystemParameter loanOpenMax 6 => ActionProposed
        admin:boss ApproveAction #there => ActionApproved, ParameterScheduled
        at 7d
        #back admin:root UpdateSystemParameter loanOpenMax 5 => \
            SystemParameterUpdated newValue=6, ActionProposed
        admin:boss ApproveAction #back => ActionApproved, ParameterScheduled
        at 14d
        system ExecuteProposal #p => SystemParameterUpdated oldValue=6 newValue=5, \
            ProposalFailed reason=SUPERSEDED"
    ));
}

/// Nobody votes or draws a result while the system is paused.
#[test]
fn a_pause_puts_the_end_of_a_vote_and_its_lapse_off() {
    let vote = |expected: &str| {
        format!(
            "#p admin:clerk SubmitProposal loanOpenMax 9 more => ProposalSubmitted \
                endsAt=1209600000
            needs #p 1 10
            at 13d
            admin:root PauseSystem looking-for-the-fault => SystemPaused
            at 33d
            admin:root ResumeSystem => SystemResumed
            at 33d+86399999
            user:alice.IN VoteOnProposal #p FOR => VoteCast
            + system ExecuteProposal #p => role_not_allowed
            at 34d
            user:bob.FR VoteOnProposal #p FOR => voting_ended
            at 40d
            admin:root PauseSystem looking-for-the-fault => SystemPaused
            at 50d
            admin:root ResumeSystem => SystemResumed
            at {expected}"
        )
    };
    check_votes(&vote(
        "73d+86399999
        system ExecuteProposal #p => ProposalExecuted, SystemParameterUpdated",
    ));
    check_votes(&vote("74d\nsystem ExecuteProposal #p => ProposalFailed reason=LAPSED"));
}
