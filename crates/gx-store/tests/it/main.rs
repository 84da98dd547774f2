//! The store on both engines: every query runs on SQLite and on PostgreSQL.
//!
//! Each test gets databases of its own. What a test needs of a ledger comes from the contract
//! itself, run by the small host in `chain`.

mod backend;
mod chain;
mod raw;
mod story;

mod accounts;
mod admins;
mod approvals;
mod audit;
mod backup;
mod beneficiaries;
mod blocks;
mod commands;
mod connecting;
mod credentials;
mod dead;
mod deployments;
mod documents;
mod domains;
mod history;
mod idempotency;
mod kyc;
mod leases;
mod mailbox;
mod migrations;
mod notifications;
mod outbox;
mod partners;
mod passkeys;
mod plans;
mod pooler;
mod projection;
mod qsend;
mod rebuilds;
mod registrations;
mod retention;
mod rules;
mod second_factors;
mod sessions;
mod society;
mod submission;
mod users;
