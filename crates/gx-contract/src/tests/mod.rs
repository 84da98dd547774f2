//! Rules and laws of the contract, tested through its public surface on a naive host.
//!
//! A rule is tested by text tables (see `script`), a law by random histories (see `laws`), a format
//! by golden files (see `golden`). Nothing here may reach into how an execution works.

mod audits;
mod host;
mod invariants;
mod notation;
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
mod laws;
mod params;
mod queries;
mod refusals;
mod repetition;
mod tax;
mod transfers;
