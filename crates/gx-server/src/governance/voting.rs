//! The life of a proposal: submitted by an admin, voted on by users, its result drawn by an admin.

use axum::extract::State;
use gx_contract::governance::{ExecuteProposal, SubmitProposal, VoteOnProposal};
use gx_contract::params::{Parameter, ParameterValue};
use gx_store::Store;
use gx_store::governance::parameters;

use super::fields::{Ballot, ProposalKind, proposal_id};
use crate::api::Route;
use crate::auth::{May, User, grant};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::extract::{Body, Path};
use crate::http::fields::{Count, NoBody, Text, Written, request};

pub(super) fn routes() -> Vec<Route> {
    let submit = Route::post("/api/v1/proposals", submit)
        .summary("Asks the users to change a parameter")
        .sample(
            r#"{"title": "Three weeks to vote", "targetParam": "votingDays", "newValue": "21"}"#,
        )
        .concerns("proposals");
    vec![
        submit.alias("/api/v1/proposals/submit"),
        submit,
        Route::post("/api/v1/proposals/{proposalId}/vote", vote)
            .summary("Votes, once; what a voter needs stands in the proposal")
            .sample(r#"{"vote": "FOR"}"#),
        Route::post("/api/v1/proposals/{proposalId}/execute", execute)
            .summary("Draws the result after the end of the vote; an adopted change takes effect")
            .sample("{}"),
    ]
}

request! {
    /// A change to ask the users about. Which and to what is said by `targetParam` and `newValue`
    /// or by `proposedChanges`.
    pub(crate) struct SubmitBody {
        /// Readable by everybody on the ledger.
        title as "title": Written<1, 200>,
        /// Kept in the audit log; the ledger has the title.
        description as "description": Option<Written<0, 2000>>,
        #[expect(dead_code, reason = "read so that another kind is told apart")]
        kind as "type": Option<ProposalKind>,
        parameter as "targetParam": Option<Parameter>,
        new_value as "newValue": Option<ParameterValue>,
        changes as "proposedChanges": Option<ChangesBody>,
        /// In days; when given it must be the period in force, which is a parameter.
        voting_period as "votingPeriod": Option<Count<1, 3650>>,
    }
}

request! {
    /// Which parameter is to have which value.
    pub(crate) struct ChangesBody {
        parameter as "parameter": Parameter,
        /// When given it must be the value in force.
        current_value as "currentValue": Option<ParameterValue>,
        proposed_value as "proposedValue": ParameterValue,
    }
}

request! {
    /// A vote.
    pub(crate) struct VoteBody {
        vote as "vote": Ballot,
        /// Taken for the sake of established clients, and kept nowhere: votes have no reasons here.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        reason as "reason": Option<Text<0, 500>>,
    }
}

/// `POST /proposals`
async fn submit(
    commands: Commands<May<grant::ConfigUpdate>>,
    State(store): State<Store>,
    Body(body): Body<SubmitBody>,
) -> Result<Accepted<SubmitProposal>> {
    let (param_id, new_value) = change(&store, &body).await?;
    let commands = commands.noting(body.description.map(String::from));
    commands.give(SubmitProposal { param_id, new_value, title: body.title.into() }).await
}

/// What is to be changed, when what the body says of today is true.
async fn change(store: &Store, body: &SubmitBody) -> Result<(Parameter, ParameterValue)> {
    if let Some(given) = body.voting_period {
        let days = parameters::in_force(store).await?.voting.days;
        if given.0 != days {
            let message = format!("is {days} days now; it is the parameter votingDays");
            return Err(Error::field("votingPeriod", "voting_period_fixed", message));
        }
    }
    let Some(changes) = &body.changes else {
        let missing =
            |field| Error::field(field, "required", "is required, unless proposedChanges is given");
        let parameter = body.parameter.ok_or_else(|| missing("targetParam"))?;
        return Ok((parameter, body.new_value.ok_or_else(|| missing("newValue"))?));
    };
    let (parameter, value) = (changes.parameter, changes.proposed_value);
    let differs = body.parameter.is_some_and(|other| other != parameter)
        || body.new_value.is_some_and(|other| other != value);
    if differs {
        let message = "says something else than targetParam and newValue";
        return Err(Error::field("proposedChanges", "contradiction", message));
    }
    if let Some(given) = changes.current_value {
        let now = parameters::get(store, parameter).await?.value;
        if given != now {
            let message = format!("is {now} now");
            return Err(Error::field("proposedChanges.currentValue", "value_changed", message));
        }
    }
    Ok((parameter, value))
}

/// `POST /proposals/{proposalId}/vote`
async fn vote(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(body): Body<VoteBody>,
) -> Result<Accepted<VoteOnProposal>> {
    let (proposal_id, Ballot(vote)) = (proposal_id(&id)?, body.vote);
    commands.give(VoteOnProposal { proposal_id, vote }).await
}

/// `POST /proposals/{proposalId}/execute`
async fn execute(
    commands: Commands<May<grant::ConfigUpdate>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ExecuteProposal>> {
    commands.give(ExecuteProposal { proposal_id: proposal_id(&id)? }).await
}
