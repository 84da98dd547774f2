//! Rules and laws of the contract, tested through its public surface on a naive host.
//!
//! A rule is tested by text tables (see `script`), a law by random histories (see `laws`), a format
//! by golden files (see `golden`). Nothing here may reach into how an execution works.

mod audits;
mod host;
mod invariants;
mod notation;
mod phrases;
mod script;

mod actions;
mod admin;
mod countries;
mod disbursement;
mod fees;
mod freezing;
mod genesis;
mod golden;
mod governance;
mod histories;
mod identity;
mod identity_faults;
mod keys;
mod laws;
mod loan_faults;
mod loans;
mod organization_faults;
mod organizations;
mod params;
mod queries;
mod recovery;
mod refusals;
mod relationships;
mod repetition;
mod society;
mod society_audit;
mod status;
mod surface;
mod tax;
mod transfers;

pub(crate) use golden::records_of_all_kinds;
