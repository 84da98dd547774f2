//! Proposals with their tallies, and the votes on them.

use gx_contract::governance::{ProposalStatus, Tally, Vote};
use gx_contract::params::{Parameter, ParameterValue};
use gx_types::{AccountId, AdminId, ProposalId, TimeMs};

use crate::columns::{ACTIVE, EXECUTED, FAILED};
use crate::sql::{Row, sql};
use crate::{Error, Source};

/// A proposal to change a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub proposal_id: ProposalId,
    pub parameter: Parameter,
    /// The parameter's value when the proposal was submitted.
    pub old_value: ParameterValue,
    pub new_value: ParameterValue,
    pub title: String,
    pub proposed_by: AdminId,
    pub submitted_at: TimeMs,
    /// Votes are taken before this.
    pub ends_at: TimeMs,
    /// Votes that are needed, abstentions included.
    pub quorum: u32,
    /// Share of FOR in FOR and AGAINST that is needed.
    pub approval_percent: u32,
    /// Trust score that a voter needs.
    pub trust_min: u32,
    pub tally: Tally,
    /// Active until it is executed, even after the end of the vote.
    pub status: ProposalStatus,
    pub decided_at: Option<TimeMs>,
    /// The cursor of a page: larger for what was submitted later.
    pub cursor: i64,
}

/// Which proposals to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Active,
    Executed,
    Failed,
}

impl Stage {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => ACTIVE,
            Self::Executed => EXECUTED,
            Self::Failed => FAILED,
        }
    }
}

/// A vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CastVote {
    pub voter_id: AccountId,
    pub vote: Vote,
    pub at: TimeMs,
}

const COLUMNS: &str = "proposal_id, param_id, old_value, new_value, title, proposed_by, \
    submitted_at_ms, ends_at_ms, quorum, approval_percent, trust_min, votes_for, votes_against, \
    votes_abstain, status, failure, decided_at_ms, created_tx";

fn status(row: &Row) -> Result<ProposalStatus, Error> {
    match row.text(14)? {
        ACTIVE => Ok(ProposalStatus::Active),
        EXECUTED => Ok(ProposalStatus::Executed),
        FAILED => Ok(ProposalStatus::Failed(row.named(15, "failure of a proposal")?)),
        text => Err(Error::corrupt("status of a proposal", text)),
    }
}

fn proposal(row: &Row) -> Result<Proposal, Error> {
    Ok(Proposal {
        proposal_id: row.parse(0, "proposal id")?,
        parameter: row.parse(1, "parameter")?,
        old_value: row.natural(2).map(ParameterValue::new)?,
        new_value: row.natural(3).map(ParameterValue::new)?,
        title: row.string(4)?,
        proposed_by: row.parse(5, "admin id")?,
        submitted_at: row.time(6)?,
        ends_at: row.time(7)?,
        quorum: row.small(8)?,
        approval_percent: row.small(9)?,
        trust_min: row.small(10)?,
        tally: Tally {
            in_favour: row.natural(11)?,
            against: row.natural(12)?,
            abstain: row.natural(13)?,
        },
        status: status(row)?,
        decided_at: row.opt_time(16)?,
        cursor: row.int(17)?,
    })
}

/// The proposal with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, id: ProposalId) -> Result<Option<Proposal>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM proposals WHERE proposal_id = $1"))
        .bind(id.to_string())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(proposal).transpose()
}

/// Proposals of one stage or of any, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    stage: Option<Stage>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Proposal>, Error> {
    let mut reader = source.into().open().await?;
    // Two texts, so that each goes along an index of its own.
    let which = match stage {
        Some(_) => "status = $1",
        None => "$1 = ''",
    };
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM proposals WHERE {which} AND created_tx < $2
        ORDER BY created_tx DESC LIMIT $3"
    ))
    .bind(stage.map_or("", Stage::as_str))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(proposal).collect()
}

/// Active proposals whose vote has ended at a time, oldest first: what can be executed.
///
/// # Errors
/// Those of the database.
pub async fn ended(
    source: impl Into<Source<'_>>,
    now: TimeMs,
    limit: u32,
) -> Result<Vec<Proposal>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM proposals WHERE status = $1 AND ends_at_ms <= $2
        ORDER BY created_tx LIMIT $3"
    ))
    .bind(ACTIVE)
    .bind(now)
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(proposal).collect()
}

fn vote(row: &Row) -> Result<CastVote, Error> {
    Ok(CastVote {
        voter_id: row.parse(0, "account id")?,
        vote: row.named(1, "vote")?,
        at: row.time(2)?,
    })
}

/// What a user has voted; `None` if they have not.
///
/// # Errors
/// Those of the database.
pub async fn vote_of(
    source: impl Into<Source<'_>>,
    id: ProposalId,
    voter_id: &AccountId,
) -> Result<Option<CastVote>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT voter_id, vote, at_ms FROM votes
        WHERE proposal_id = $1 AND voter_id = $2")
    .bind(id.to_string())
    .bind(voter_id)
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(vote).transpose()
}

/// Votes on a proposal in the order of the voters' ids, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn votes(
    source: impl Into<Source<'_>>,
    id: ProposalId,
    after: Option<&AccountId>,
    limit: u32,
) -> Result<Vec<CastVote>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT voter_id, vote, at_ms FROM votes
        WHERE proposal_id = $1 AND voter_id > $2 ORDER BY voter_id LIMIT $3")
    .bind(id.to_string())
    .bind(after.map_or("", AccountId::as_str))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(vote).collect()
}
