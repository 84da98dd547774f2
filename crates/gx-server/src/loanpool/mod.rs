//! Loans without interest: asking for one, deciding on it, repaying it, and who may have one.

mod decisions;
mod eligibility;
mod fields;
mod loans;

use crate::api::Route;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = loans::routes();
    routes.extend(eligibility::routes());
    routes.extend(decisions::routes());
    routes
}
