//! Tax: what payments cost, and the tax on balances that stay large.

mod collection;
mod eligibility;
mod fees;

use crate::api::Route;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes: Vec<Route> = fees::routes().into();
    routes.extend(eligibility::routes());
    routes.extend(collection::routes());
    routes
}
