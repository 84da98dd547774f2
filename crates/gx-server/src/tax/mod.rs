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

/// Basis points as per cent, with two places.
fn percent(bps: u32) -> String {
    format!("{}.{:02}", bps / 100, bps % 100)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn basis_points_are_hundredths_of_a_per_cent() {
        for (bps, text) in [(0, "0.00"), (5, "0.05"), (250, "2.50"), (1000, "10.00")] {
            assert_eq!(percent(bps), text);
        }
    }
}
