//! GovernanceContract: proposals to change a parameter, and the votes on them.
//!
//! What a vote needs is fixed when the proposal is submitted. A vote is a key of its own, so that
//! neither the proposal nor the list of active ones grows with the number of voters or of
//! proposals that have ended.

use gx_types::{AccountId, Actor, AdminId, ProposalId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::admin;
use crate::gates::{ActorRule, Gate};
use crate::identity::check_age;
use crate::params::{Parameter, ParameterValue};
use crate::query::Answer;
use crate::state::{Key, RunningMs, State, User, Version};
use crate::text::check_text;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// So many proposals can be active at a time: all of them are one record.
const ACTIVE_MAX: usize = 100;

/// How long after its end the result of a proposal can be drawn: whoever voted must not be
/// surprised years later.
const EXECUTABLE_FOR_DAYS: u32 = 30;

/// A proposal to change a parameter, as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proposal {
    pub v: Version<1>,
    pub param_id: Parameter,
    /// The parameter's value when the proposal was submitted: what people voted to change.
    pub old_value: ParameterValue,
    pub new_value: ParameterValue,
    pub title: String,
    pub proposed_by: AdminId,
    pub submitted_at: TimeMs,
    /// The number of the parameter's last change by then; absent if there was none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_change: u64,
    /// Votes are taken before this, the result after.
    pub ends_at: RunningMs,
    /// Votes that are needed, abstentions included.
    pub quorum: u32,
    /// Share of FOR in FOR and AGAINST that is needed.
    pub approval_percent: u32,
    /// Trust score that a voter needs.
    pub trust_min: u32,
    pub tally: Tally,
    pub status: ProposalStatus,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Votes of each kind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    #[serde(rename = "for")]
    pub in_favour: u64,
    pub against: u64,
    pub abstain: u64,
}

impl Tally {
    fn count(&mut self, vote: Vote) {
        let votes = match vote {
            Vote::For => &mut self.in_favour,
            Vote::Against => &mut self.against,
            Vote::Abstain => &mut self.abstain,
        };
        *votes = votes.saturating_add(1);
    }

    /// Why the proposal fails with these votes, or nothing if it is adopted.
    pub fn failure(&self, quorum: u32, approval_percent: u32) -> Option<ProposalFailure> {
        let decided = u128::from(self.in_favour).saturating_add(u128::from(self.against));
        if decided.saturating_add(u128::from(self.abstain)) < u128::from(quorum) {
            return Some(ProposalFailure::QuorumNotReached);
        }
        let needed = decided.saturating_mul(u128::from(approval_percent));
        let approved = u128::from(self.in_favour).saturating_mul(100) >= needed && decided != 0;
        if approved { None } else { Some(ProposalFailure::NotApproved) }
    }
}

/// What has become of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProposalStatus {
    Active,
    Executed,
    Failed(ProposalFailure),
}

/// Why a proposal has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProposalFailure {
    QuorumNotReached,
    NotApproved,
    /// It was adopted, but another parameter forbids the value now.
    ParametersInconsistent,
    /// Nobody has drawn its result in the 30 days after its end.
    Lapsed,
    /// The parameter has changed since the proposal was submitted, even if it has changed back.
    Superseded,
}

/// What a user says to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Vote {
    For,
    Against,
    Abstain,
}

/// A vote as the ledger holds it; its key names proposal and voter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CastVote {
    pub v: Version<1>,
    pub vote: Vote,
    pub cast_at: TimeMs,
}

/// The proposals whose result is open, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveProposals {
    pub v: Version<1>,
    pub proposals: Vec<ActiveProposal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveProposal {
    pub proposal_id: ProposalId,
    pub param_id: Parameter,
    pub new_value: ParameterValue,
}

/// Asks the users to change a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubmitProposal {
    pub param_id: Parameter,
    pub new_value: ParameterValue,
    /// 1 to 200 characters, readable by everybody on the ledger.
    pub title: String,
}

/// Votes are taken on a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalSubmitted {
    pub proposal_id: ProposalId,
    pub param_id: Parameter,
    /// The parameter's value when the proposal was submitted.
    pub old_value: ParameterValue,
    pub new_value: ParameterValue,
    pub title: String,
    pub proposed_by: AdminId,
    pub ends_at: TimeMs,
    pub quorum: u32,
    pub approval_percent: u32,
    pub trust_min: u32,
}

impl Effects for ProposalSubmitted {}

impl Rule for SubmitProposal {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin);
    const REFUSALS: &[Refusal] = &[
        Refusal::TextInvalid,
        Refusal::ValueOutOfBounds,
        Refusal::ProposalExists,
        Refusal::TooManyProposals,
    ];
    const EVENTS: &[&str] = &["ProposalSubmitted"];

    fn validate(&self) -> Result<(), Refused> {
        check_text("title", &self.title, 1, 200)?;
        admin::check_bounds(self.param_id, self.new_value)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Actor::Admin(proposed_by) = *tx.actor else {
            return Err(Refusal::ActorNotAllowed.into());
        };
        let proposal_id = ProposalId::made_by(tx.command_id);
        tx.state.load([Key::Proposals, Key::Proposal(proposal_id)])?;
        let Self { param_id, new_value, title } = self.clone();
        let mut active: ActiveProposals = tx.state.get(Key::Proposals)?.unwrap_or_default();
        if active.proposals.iter().any(|p| p.param_id == param_id && p.new_value == new_value) {
            return Err(Refusal::ProposalExists.into());
        }
        if active.proposals.len() >= ACTIVE_MAX {
            return Err(Refusal::TooManyProposals.into());
        }
        active.proposals.push(ActiveProposal { proposal_id, param_id, new_value });
        let (rules, submitted_at) = (tx.params.voting, tx.now);
        let proposal = Proposal {
            v: Version,
            param_id,
            old_value: tx.params.value(param_id),
            new_value,
            title: title.clone(),
            proposed_by,
            submitted_at,
            last_change: tx.params.last_change(param_id),
            ends_at: tx.clocks.running().plus_days(rules.days),
            quorum: rules.quorum,
            approval_percent: rules.approval_percent,
            trust_min: rules.trust_min,
            tally: Tally::default(),
            status: ProposalStatus::Active,
        };
        tx.emit(ProposalSubmitted {
            proposal_id,
            param_id,
            old_value: proposal.old_value,
            new_value,
            title,
            proposed_by,
            ends_at: tx.clocks.time_of_day(proposal.ends_at),
            quorum: proposal.quorum,
            approval_percent: proposal.approval_percent,
            trust_min: proposal.trust_min,
        });
        tx.put(Key::Proposals, active)?;
        tx.put(Key::Proposal(proposal_id), proposal)
    }
}

/// Votes on a proposal, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoteOnProposal {
    pub proposal_id: ProposalId,
    pub vote: Vote,
}

/// A user has voted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoteCast {
    pub proposal_id: ProposalId,
    pub voter_id: AccountId,
    pub vote: Vote,
    /// All votes so far, this one included.
    pub tally: Tally,
}

impl Effects for VoteCast {}

impl Rule for VoteOnProposal {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::ProposalUnknown,
        Refusal::VotingEnded,
        Refusal::AccountTooYoung,
        Refusal::TrustTooLow,
        Refusal::AlreadyVoted,
    ];
    const EVENTS: &[&str] = &["VoteCast"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Actor::User(voter_id) = *tx.actor else {
            return Err(Refusal::ActorNotAllowed.into());
        };
        let key = Key::Proposal(self.proposal_id);
        let vote_key = Key::Vote(self.proposal_id, voter_id);
        tx.state.load([key, vote_key, Key::User(voter_id)])?;
        let mut proposal: Proposal = tx.state.get(key)?.ok_or(Refusal::ProposalUnknown)?;
        if tx.clocks.running() >= proposal.ends_at {
            return Err(Refusal::VotingEnded.into());
        }
        let user: User = tx.state.get(Key::User(voter_id))?.ok_or(Refusal::AccountNotFound)?;
        check_age(&user, tx.now)?;
        if u32::from(user.trust_score) < proposal.trust_min {
            let detail = format!("{} needed, got {}", proposal.trust_min, user.trust_score);
            return Err(Refusal::TrustTooLow.because(detail).into());
        }
        if tx.state.get::<CastVote>(vote_key)?.is_some() {
            return Err(Refusal::AlreadyVoted.into());
        }
        let Self { proposal_id, vote } = *self;
        proposal.tally.count(vote);
        let tally = proposal.tally;
        tx.put(vote_key, CastVote { v: Version, vote, cast_at: tx.now })?;
        tx.put(key, proposal)?;
        tx.emit(VoteCast { proposal_id, voter_id, vote, tally });
        Ok(())
    }
}

/// Draws the result of a proposal after its end, and changes the parameter if it was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecuteProposal {
    pub proposal_id: ProposalId,
}

/// A proposal was adopted; the change of the parameter follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalExecuted {
    pub proposal_id: ProposalId,
    pub param_id: Parameter,
    pub new_value: ParameterValue,
    pub tally: Tally,
}

impl Effects for ProposalExecuted {}

/// A proposal has failed; nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalFailed {
    pub proposal_id: ProposalId,
    pub reason: ProposalFailure,
    pub tally: Tally,
}

impl Effects for ProposalFailed {}

impl Rule for ExecuteProposal {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] =
        &[Refusal::ProposalUnknown, Refusal::ProposalFinished, Refusal::VotingNotEnded];
    const EVENTS: &[&str] = &[
        "ProposalExecuted",
        "ProposalFailed",
        "ParameterChangeCancelled",
        "SystemParameterUpdated",
    ];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (proposal_id, key) = (self.proposal_id, Key::Proposal(self.proposal_id));
        tx.state.load([key, Key::Proposals])?;
        let mut proposal: Proposal = tx.state.get(key)?.ok_or(Refusal::ProposalUnknown)?;
        if proposal.status != ProposalStatus::Active {
            return Err(Refusal::ProposalFinished.into());
        }
        if tx.clocks.running() < proposal.ends_at {
            return Err(Refusal::VotingNotEnded.into());
        }
        let Proposal { param_id, new_value, tally, quorum, approval_percent, .. } = proposal;
        let fits = tx.params.with(param_id, new_value).is_ok();
        let is_late = tx.clocks.running() >= proposal.ends_at.plus_days(EXECUTABLE_FOR_DAYS);
        let is_overtaken = tx.params.last_change(param_id) != proposal.last_change;
        let failure = is_late
            .then_some(ProposalFailure::Lapsed)
            .or(is_overtaken.then_some(ProposalFailure::Superseded))
            .or(tally.failure(quorum, approval_percent))
            .or((!fits).then_some(ProposalFailure::ParametersInconsistent));
        match failure {
            Some(reason) => {
                proposal.status = ProposalStatus::Failed(reason);
                tx.emit(ProposalFailed { proposal_id, reason, tally });
            }
            None => {
                proposal.status = ProposalStatus::Executed;
                tx.emit(ProposalExecuted { proposal_id, param_id, new_value, tally });
                admin::change(tx, param_id, new_value)?;
            }
        }
        let mut active: ActiveProposals = tx.state.get(Key::Proposals)?.unwrap_or_default();
        active.proposals.retain(|active| active.proposal_id != proposal_id);
        tx.put(Key::Proposals, active)?;
        tx.put(key, proposal)
    }
}

/// A proposal and its votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetProposal {
    pub proposal_id: ProposalId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposalView {
    pub proposal_id: ProposalId,
    pub param_id: Parameter,
    pub new_value: ParameterValue,
    pub title: String,
    pub proposed_by: AdminId,
    pub submitted_at: TimeMs,
    pub ends_at: TimeMs,
    pub quorum: u32,
    pub approval_percent: u32,
    pub trust_min: u32,
    pub tally: Tally,
    /// Active until it is executed, even after the end of the vote.
    pub status: ProposalStatus,
}

fn view(state: &mut State, proposal_id: ProposalId) -> Result<ProposalView, Stop> {
    state.load([Key::Clock, Key::System, Key::Proposal(proposal_id)])?;
    let proposal: Option<Proposal> = state.get(Key::Proposal(proposal_id))?;
    let proposal = proposal.ok_or(Refusal::ProposalUnknown)?;
    Ok(ProposalView {
        proposal_id,
        param_id: proposal.param_id,
        new_value: proposal.new_value,
        title: proposal.title,
        proposed_by: proposal.proposed_by,
        submitted_at: proposal.submitted_at,
        ends_at: state.clocks()?.time_of_day(proposal.ends_at),
        quorum: proposal.quorum,
        approval_percent: proposal.approval_percent,
        trust_min: proposal.trust_min,
        tally: proposal.tally,
        status: proposal.status,
    })
}

impl Answer for GetProposal {
    type Answer = ProposalView;

    fn answer(&self, state: &mut State) -> Result<ProposalView, Stop> {
        view(state, self.proposal_id)
    }
}

/// The proposals whose result is open, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListActiveProposals {}

impl Answer for ListActiveProposals {
    type Answer = Vec<ProposalView>;

    fn answer(&self, state: &mut State) -> Result<Vec<ProposalView>, Stop> {
        let active: ActiveProposals = state.get(Key::Proposals)?.unwrap_or_default();
        let ids: Vec<ProposalId> = active.proposals.iter().map(|p| p.proposal_id).collect();
        let clocks = [Key::Clock, Key::System];
        state.load(ids.iter().map(|id| Key::Proposal(*id)).chain(clocks))?;
        ids.into_iter().map(|id| view(state, id)).collect()
    }
}
