//! Rows that a block may have many of, and the statements that write them, one for each table.
//!
//! Entries are written beside the balances, in `write`.

use std::collections::BTreeMap;

use gx_contract::Refusal;
use gx_contract::governance::{Tally, Vote};
use gx_types::{AccountId, CountryCode, ProposalId};

use crate::Error;
use crate::bulk::{Bulk, Column};
use crate::sql::{Conn, int, name_of};
use crate::tokenomics::history::EntryKind;

/// A line of an account's history.
#[derive(Debug)]
pub(super) struct EntryRow<'b> {
    pub(super) entry_no: i64,
    pub(super) account_no: i64,
    pub(super) prev_entry: i64,
    pub(super) tx_no: i64,
    pub(super) kind: EntryKind,
    pub(super) counterparty_no: Option<i64>,
    pub(super) change: i64,
    pub(super) fee: i64,
    pub(super) balance: i64,
    pub(super) remark: Option<&'b str>,
}

/// A vote to write. There may be many of them in a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct VoteRow {
    pub(super) proposal_id: ProposalId,
    pub(super) voter_id: AccountId,
    pub(super) vote: Vote,
    pub(super) tx_no: i64,
    pub(super) at_ms: i64,
}

/// Tax that was taken. There may be a thousand of them in a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssessmentRow {
    pub(super) account_id: AccountId,
    pub(super) tx_no: i64,
    pub(super) at_ms: i64,
    pub(super) country: CountryCode,
    pub(super) taxed_balance: i64,
    pub(super) rate_bps: i64,
    pub(super) amount: i64,
    pub(super) treasury: i64,
    pub(super) charitable: i64,
    pub(super) was_taxable_since: i64,
}

/// An account that did not owe the tax.
#[derive(Debug, Clone, Copy)]
pub(super) struct SkipRow {
    pub(super) account_id: AccountId,
    pub(super) tx_no: i64,
    pub(super) at_ms: i64,
    pub(super) code: Refusal,
}

/// Every row that was to be changed was there.
pub(super) fn all_there(touched: u64, rows: usize, table: &'static str) -> Result<(), Error> {
    if usize::try_from(touched) == Ok(rows) {
        Ok(())
    } else {
        Err(Error::corrupt(table, "a row vanished"))
    }
}

pub(super) async fn votes(conn: &mut Conn<'_>, rows: &[VoteRow]) -> Result<(), Error> {
    Bulk::new(
        "INSERT INTO votes (proposal_id, voter_id, vote, tx_no, at_ms) {rows}",
        vec![
            Column::Text(rows.iter().map(|row| row.proposal_id.to_string().into()).collect()),
            Column::Text(rows.iter().map(|row| row.voter_id.as_str().into()).collect()),
            Column::Text(rows.iter().map(|row| name_of(&row.vote).into()).collect()),
            Column::Int(rows.iter().map(|row| row.tx_no).collect()),
            Column::Int(rows.iter().map(|row| row.at_ms).collect()),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}

pub(super) async fn tallies(
    conn: &mut Conn<'_>,
    tallies: &BTreeMap<ProposalId, Tally>,
) -> Result<(), Error> {
    let count = |votes: fn(&Tally) -> u64| {
        tallies.values().map(|tally| int(votes(tally))).collect::<Result<_, _>>().map(Column::Int)
    };
    let touched = Bulk::new(
        "WITH input (proposal_id, votes_for, votes_against, votes_abstain) AS ({rows})
        UPDATE proposals SET votes_for = i.votes_for, votes_against = i.votes_against,
            votes_abstain = i.votes_abstain
        FROM input i WHERE proposals.proposal_id = i.proposal_id",
        vec![
            Column::Text(tallies.keys().map(|id| id.to_string().into()).collect()),
            count(|tally| tally.in_favour)?,
            count(|tally| tally.against)?,
            count(|tally| tally.abstain)?,
        ],
    )
    .run(conn)
    .await?;
    all_there(touched, tallies.len(), "proposals")
}

pub(super) async fn assessments(conn: &mut Conn<'_>, rows: &[AssessmentRow]) -> Result<(), Error> {
    let number = |value: fn(&AssessmentRow) -> i64| Column::Int(rows.iter().map(value).collect());
    Bulk::new(
        "INSERT INTO tax_assessments (account_id, tx_no, at_ms, country, taxed_balance_qirat,
            rate_bps, amount_qirat, treasury_qirat, charitable_qirat, was_taxable_since_ms) {rows}",
        vec![
            Column::Text(rows.iter().map(|row| row.account_id.as_str().into()).collect()),
            number(|row| row.tx_no),
            number(|row| row.at_ms),
            Column::Text(rows.iter().map(|row| row.country.as_str().into()).collect()),
            number(|row| row.taxed_balance),
            number(|row| row.rate_bps),
            number(|row| row.amount),
            number(|row| row.treasury),
            number(|row| row.charitable),
            number(|row| row.was_taxable_since),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}

pub(super) async fn skips(conn: &mut Conn<'_>, rows: &[SkipRow]) -> Result<(), Error> {
    Bulk::new(
        "INSERT INTO tax_skips (account_id, tx_no, at_ms, code) {rows}",
        vec![
            Column::Text(rows.iter().map(|row| row.account_id.as_str().into()).collect()),
            Column::Int(rows.iter().map(|row| row.tx_no).collect()),
            Column::Int(rows.iter().map(|row| row.at_ms).collect()),
            Column::Text(rows.iter().map(|row| row.code.code().into()).collect()),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}
