//! Rules and laws of the contract, tested through its public surface on a naive host.
//!
//! A rule is tested by text tables (see `script`), a law by random histories (see `laws`), a format
//! by golden files (see `golden`). Nothing here may reach into how an execution works. With the
//! feature `testing` the histories are there for the tests of engines (see `elsewhere`).

mod admin_audit;
mod attester_audit;
mod audits;
#[cfg(feature = "testing")]
pub(crate) mod elsewhere;
mod host;
mod invariants;
mod notation;
mod people_audit;
mod phrases;
mod script;

#[cfg(test)]
mod actions;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod admin_faults;
#[cfg(test)]
mod admin_keys;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod attesters;
#[cfg(test)]
mod clock;
mod coins_audit;
#[cfg(test)]
mod countries;
mod custody;
#[cfg(test)]
mod disbursement;
#[cfg(test)]
mod escrow_faults;
#[cfg(test)]
mod fees;
#[cfg(test)]
mod freezing;
#[cfg(test)]
mod genesis;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod governance;
mod histories;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod identity_faults;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod loan_faults;
#[cfg(test)]
mod loans;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod organization_faults;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod params;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod relationships;
#[cfg(test)]
mod repetition;
#[cfg(test)]
mod schedule;
mod society;
mod society_audit;
#[cfg(test)]
mod status;
#[cfg(test)]
mod succession;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod tax;
#[cfg(test)]
mod transfers;

#[cfg(test)]
pub(crate) use golden::records_of_all_kinds;

/// On how many random histories a law is tried: on so many, or on as many as the environment
/// variable `GX_HISTORIES` says, which is for a long night.
#[expect(clippy::disallowed_methods, reason = "tests alone; no rule comes to this")]
pub(crate) fn count_of_histories(usual: u32) -> u32 {
    let asked = std::env::var("GX_HISTORIES").ok();
    asked.map_or(usual, |count| count.parse().expect("GX_HISTORIES is a count"))
}

#[cfg(test)]
fn many(usual: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config::with_cases(count_of_histories(usual))
}
