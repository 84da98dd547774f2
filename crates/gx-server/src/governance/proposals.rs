//! Proposals as everybody with a session reads them.

use axum::extract::State;
use gx_store::Store;
use gx_store::governance::proposals::{self, Stage};

use super::fields::{ProposalReply, Standing, proposal_id};
use crate::api::Route;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::answer::{Page, Read, View, place};
use crate::http::extract::{After, Path, Query};
use crate::http::fields::{Count, Text, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/proposals", list)
            .summary("Proposals, newest first")
            .fails(&[(400, "invalid_cursor")]),
        Route::get("/api/v1/proposals/{proposalId}", proposal)
            .summary("One proposal: its tally, the time that is left, and the caller's own vote"),
    ]
}

request! {
    /// Which proposals, newest first; of those whose vote has ended the oldest first, all at once.
    pub(crate) struct ProposalsQuery {
        /// All of them by default.
        status as "status": Option<Standing>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// `GET /proposals`
async fn list(
    _: Caller,
    State(store): State<Store>,
    _: After,
    Query(query): Query<ProposalsQuery>,
) -> Result<Read<Page<ProposalReply>>> {
    let mut view = View::open(&store).await?;
    let page = found(&mut view, query).await?;
    Ok(view.read(page))
}

/// Proposals whose result is open, at most: the ledger has no room for more.
const OPEN_MAX: u32 = 100;

async fn found(view: &mut View, query: ProposalsQuery) -> Result<Page<ProposalReply>> {
    let (now, before) = (view.now(), place(query.cursor)?);
    let limit = query.limit.map_or(20, |limit| limit.0);
    let more = limit.saturating_add(1);
    let snapshot = &mut view.snapshot;
    let page = match query.status {
        Some(Standing::Ended) => {
            let rows = proposals::ended(snapshot, now, OPEN_MAX).await?;
            Page::of(rows, OPEN_MAX, |row| row.cursor)
        }
        // Those whose vote has ended are active to the ledger, and few.
        Some(Standing::Active) => {
            let most = OPEN_MAX.saturating_add(1);
            let mut rows = proposals::page(snapshot, Some(Stage::Active), before, most).await?;
            rows.retain(|row| now < row.ends_at);
            Page::of(rows, limit, |row| row.cursor)
        }
        Some(Standing::Executed) => {
            let rows = proposals::page(snapshot, Some(Stage::Executed), before, more).await?;
            Page::of(rows, limit, |row| row.cursor)
        }
        Some(Standing::Failed) => {
            let rows = proposals::page(snapshot, Some(Stage::Failed), before, more).await?;
            Page::of(rows, limit, |row| row.cursor)
        }
        None => {
            let rows = proposals::page(snapshot, None, before, more).await?;
            Page::of(rows, limit, |row| row.cursor)
        }
    };
    page.try_map(|row| Ok(ProposalReply::of(row, now)))
}

/// `GET /proposals/{proposalId}`
async fn proposal(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<ProposalReply>> {
    let id = proposal_id(&id)?;
    let mut view = View::open(&store).await?;
    let row = proposals::get(&mut view.snapshot, id).await?;
    let row = row.ok_or_else(|| Error::not_found("Proposal"))?;
    let own = match caller {
        Caller::User(user) => user.account,
        Caller::Admin(_) => None,
    };
    let vote = match own {
        Some(own) => proposals::vote_of(&mut view.snapshot, id, &own).await?,
        None => None,
    };
    Ok(view.read(ProposalReply::of(row, view.now()).with(vote)))
}
