//! Governance: parameters of the currency, proposals to change them, and votes on these.

mod fields;
mod proposals;
mod simulation;
mod voting;

use axum::extract::State;
use gx_store::Store;
use gx_store::governance::parameters;

use crate::admin::decisions::ParameterReply;
use crate::api::Route;
use crate::error::Result;
use crate::http::answer::{Read, View};
use crate::http::extract::After;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let parameters = Route::get("/api/v1/parameters", parameters)
        .summary("The parameters in force, with bounds, defaults and last changes");
    let mut routes = vec![parameters];
    routes.extend(proposals::routes());
    routes.extend(voting::routes());
    routes.extend(simulation::routes());
    routes
}

/// `GET /parameters`
async fn parameters(State(store): State<Store>, _: After) -> Result<Read<Vec<ParameterReply>>> {
    let mut view = View::open(&store).await?;
    let rows = parameters::all(&mut view.snapshot).await?;
    Ok(view.read(rows.into_iter().map(ParameterReply::from).collect()))
}
