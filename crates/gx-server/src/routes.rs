//! Every route of the platform: the services' own lists, joined.
//!
//! Router, access rules, API description and the coverage tests are made from this table.

use std::sync::LazyLock;

use crate::api::Route;
use crate::service::Service;
use crate::{
    admin, discovery, governance, identity, loanpool, organization, system, tax, tokenomics,
};

/// The table, in the order of the services.
pub fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let of = |service: Service| routes_of(service).into_iter().map(move |row| row.of(service));
        let services = Service::ALL.iter().copied().flat_map(of);
        services.chain(discovery::routes()).chain(system::routes()).collect()
    });
    &ROUTES
}

fn routes_of(service: Service) -> Vec<Route> {
    match service {
        Service::Identity => identity::routes(),
        Service::Admin => admin::routes(),
        Service::Tokenomics => tokenomics::routes(),
        Service::Organization => organization::routes(),
        Service::Loanpool => loanpool::routes(),
        Service::Governance => governance::routes(),
        Service::Tax => tax::routes(),
    }
}
