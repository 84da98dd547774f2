//! Fields of proposals and votes, and a proposal as it is answered.

use std::borrow::Cow;

use gx_contract::governance::{ProposalFailure, ProposalStatus, Vote};
use gx_store::governance::proposals::{CastVote, Proposal};
use gx_types::{AdminId, ProposalId, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::fields::{Field, FieldErrors, FieldPath, listed_fields, one_of, required};

/// A vote as it is given: in the words of the ledger, in those of wallets, or as yes and no.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ballot(pub(super) Vote);

const BALLOTS: [(&str, Vote); 5] = [
    ("FOR", Vote::For),
    ("AGAINST", Vote::Against),
    ("ABSTAIN", Vote::Abstain),
    ("YES", Vote::For),
    ("NO", Vote::Against),
];

impl Field for Ballot {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        let given = required(value, at, errors)??;
        let vote = match given {
            Value::Bool(is_for) => Some(if *is_for { Vote::For } else { Vote::Against }),
            Value::String(text) => {
                BALLOTS.iter().find(|(name, _)| name == text).map(|(_, vote)| *vote)
            }
            _ => None,
        };
        if vote.is_none() {
            errors.add(
                at,
                "invalid_vote",
                "must be FOR, AGAINST or ABSTAIN; YES and NO, or true \
                and false, are taken for the first two",
            );
        }
        vote.map(Self)
    }
}

impl JsonSchema for Ballot {
    fn schema_name() -> Cow<'static, str> {
        "Ballot".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = BALLOTS.map(|(name, _)| Value::from(name));
        let all: Vec<Value> = names.into_iter().chain([true.into(), false.into()]).collect();
        schemars::json_schema!({ "enum": all })
    }
}

/// What kind of change a proposal is for: there is one kind on this ledger.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ProposalKind {
    ParameterChange,
}

impl ProposalKind {
    const ALL: [Self; 1] = [Self::ParameterChange];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ParameterChange => "PARAMETER_CHANGE",
        }
    }
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Votes are taken.
    Active,
    /// The vote is over, and its result not drawn yet.
    Ended,
    Executed,
    Failed,
}

impl Standing {
    const ALL: [Self; 4] = [Self::Active, Self::Ended, Self::Executed, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Ended => "ENDED",
            Self::Executed => "EXECUTED",
            Self::Failed => "FAILED",
        }
    }

    fn of(row: &Proposal, now: TimeMs) -> Self {
        match row.status {
            ProposalStatus::Active if now >= row.ends_at => Self::Ended,
            ProposalStatus::Active => Self::Active,
            ProposalStatus::Executed => Self::Executed,
            ProposalStatus::Failed(_) => Self::Failed,
        }
    }
}

listed_fields! {
    ProposalKind: "invalid_type";
    Standing: "invalid_status";
}

impl JsonSchema for ProposalKind {
    fn schema_name() -> Cow<'static, str> {
        "ProposalKind".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

impl JsonSchema for Standing {
    fn schema_name() -> Cow<'static, str> {
        "ProposalStanding".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

/// Every standing, as answers show it.
fn standings(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<Standing>()
}

/// A proposal to change a parameter.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProposalReply {
    #[schemars(with = "String")]
    id: ProposalId,
    /// The same as `id`.
    #[schemars(with = "String")]
    proposal_id: ProposalId,
    title: String,
    /// The parameter that it would change.
    target_param: &'static str,
    /// The parameter's value when the proposal was submitted.
    current_value: String,
    new_value: String,
    #[schemars(with = "String")]
    proposer_id: AdminId,
    #[schemars(schema_with = "standings")]
    status: &'static str,
    /// Why it has failed.
    failure: Option<ProposalFailure>,
    submitted_at: String,
    /// Votes are taken before this; a pause of the system moves it.
    end_time: String,
    /// Until then; zero when the vote is over.
    seconds_left: i64,
    decided_at: Option<String>,
    tally: TallyReply,
    /// `FOR`, `AGAINST` or `ABSTAIN`; absent for who has not voted, and in lists.
    own_vote: Option<Vote>,
    own_vote_at: Option<String>,
}

/// The votes so far, and what is needed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TallyReply {
    for_votes: u64,
    against_votes: u64,
    abstain_votes: u64,
    /// Votes that are needed, abstentions included.
    quorum: u32,
    /// Share of FOR in FOR and AGAINST that is needed.
    approval_percent: u32,
    /// Trust score that a voter needs.
    trust_min: u32,
    /// Why it would fail with these votes; absent when it would be adopted.
    would_fail: Option<ProposalFailure>,
}

impl ProposalReply {
    pub(super) fn of(row: Proposal, now: TimeMs) -> Self {
        let time = |at: TimeMs| rfc3339(at.0);
        let left_ms = row.ends_at.0.saturating_sub(now.0).max(0);
        let failure = match row.status {
            ProposalStatus::Failed(failure) => Some(failure),
            ProposalStatus::Active | ProposalStatus::Executed => None,
        };
        let standing = Standing::of(&row, now);
        Self {
            id: row.proposal_id,
            proposal_id: row.proposal_id,
            title: row.title,
            target_param: row.parameter.id(),
            current_value: row.old_value.to_string(),
            new_value: row.new_value.to_string(),
            proposer_id: row.proposed_by,
            status: standing.as_str(),
            failure,
            submitted_at: time(row.submitted_at),
            end_time: time(row.ends_at),
            seconds_left: if standing == Standing::Active { left_ms.div_euclid(1000) } else { 0 },
            decided_at: row.decided_at.map(time),
            tally: TallyReply {
                for_votes: row.tally.in_favour,
                against_votes: row.tally.against,
                abstain_votes: row.tally.abstain,
                quorum: row.quorum,
                approval_percent: row.approval_percent,
                trust_min: row.trust_min,
                would_fail: row.tally.failure(row.quorum, row.approval_percent),
            },
            own_vote: None,
            own_vote_at: None,
        }
    }

    pub(super) fn with(self, own: Option<CastVote>) -> Self {
        let own_vote_at = own.map(|own| rfc3339(own.at.0));
        Self { own_vote: own.map(|own| own.vote), own_vote_at, ..self }
    }
}

/// The id in a path.
pub(super) fn proposal_id(text: &str) -> Result<ProposalId> {
    text.parse().map_err(|_| Error::not_found("Proposal"))
}
