//! Organization: who stands for an organization, and the payments that it agrees on.

mod fields;
mod membership;
mod orders;
mod payments;
mod reading;
mod rules;

use crate::api::Route;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = membership::routes();
    routes.extend(reading::routes());
    routes.extend(rules::routes());
    routes.extend(payments::routes());
    routes.extend(orders::routes());
    routes
}
