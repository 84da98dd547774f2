//! `gx vote`: what the users are asked, and answering.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::api::{Api, part, with_query};
use crate::failure::Result;
use crate::giving::{Order, SETTLED, Settling};
use crate::options::{Job, With};
use crate::out::Parts;

/// What is done with proposals.
#[derive(Debug, Subcommand)]
pub enum Vote {
    /// Lists proposals, newest first.
    List(With<List>),
    /// Shows one: its tally, the time that is left, and your own vote.
    Show(With<Show>),
    /// Votes, once.
    Cast(With<Cast>),
}

impl Vote {
    pub(crate) fn run(&self) -> u8 {
        match self {
            Self::List(job) => job.run(),
            Self::Show(job) => job.run(),
            Self::Cast(job) => job.run(),
        }
    }
}

const PROPOSALS: &str = "/api/v1/proposals";

const ROWS: &Parts = &[
    ("PROPOSAL", "/id"),
    ("STATUS", "/status"),
    ("UNTIL", "/endTime"),
    ("FOR", "/tally/forVotes"),
    ("AGAINST", "/tally/againstVotes"),
    ("OWN", "/ownVote"),
    ("TITLE", "/title"),
];

const ONE: &Parts = &[
    ("proposal", "/id"),
    ("title", "/title"),
    ("parameter", "/targetParam"),
    ("today", "/currentValue"),
    ("proposed", "/newValue"),
    ("status", "/status"),
    ("failed, as", "/failure"),
    ("until", "/endTime"),
    ("for", "/tally/forVotes"),
    ("against", "/tally/againstVotes"),
    ("abstained", "/tally/abstainVotes"),
    ("votes needed", "/tally/quorum"),
    ("per cent needed", "/tally/approvalPercent"),
    ("trust needed", "/tally/trustMin"),
    ("own vote", "/ownVote"),
];

#[derive(Debug, Args)]
pub struct List {
    /// ACTIVE, ENDED, EXECUTED or FAILED.
    #[arg(long)]
    status: Option<String>,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Job for List {
    fn run(&self, api: &mut Api) -> Result<()> {
        let query = [("status", self.status.clone()), ("cursor", self.cursor.clone())];
        let page = api.get(&with_query(PROPOSALS, &query))?;
        api.out.page(&page, ROWS)
    }
}

#[derive(Debug, Args)]
pub struct Show {
    /// Id of the proposal.
    proposal: String,
}

impl Job for Show {
    fn run(&self, api: &mut Api) -> Result<()> {
        let one = api.get(&format!("{PROPOSALS}/{}", part(&self.proposal)))?;
        api.out.record(&one, ONE)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ballot {
    For,
    Against,
    Abstain,
}

#[derive(Debug, Args)]
pub struct Cast {
    /// Id of the proposal.
    proposal: String,
    ballot: Ballot,
    /// Why; it is kept with the vote and is nobody else's concern.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Cast {
    fn run(&self, api: &mut Api) -> Result<()> {
        let vote = match self.ballot {
            Ballot::For => "FOR",
            Ballot::Against => "AGAINST",
            Ballot::Abstain => "ABSTAIN",
        };
        let path = format!("{PROPOSALS}/{}/vote", part(&self.proposal));
        let reply = self.settling.give(api, Order::post(path, json!({ "vote": vote })))?;
        api.out.record(&reply, SETTLED)
    }
}
