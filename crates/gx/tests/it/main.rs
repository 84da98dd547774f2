//! The binary as people, scripts and power cuts meet it.
//!
//! Every test has a folder of its own and drives processes of the binary that was built with it.

mod away;
mod backup;
mod cli;
mod client;
mod crash;
mod demo;
mod fabric;
mod ledger;
mod mixed;
mod monitoring;
mod operations;
mod place;
mod proxies;
mod repeat;
mod runbooks;
mod start;
mod supervisor;
mod typescript;
