//! The HTTP surface, asked from outside: a server of its own for each test, on port 0, with the
//! embedded ledger in a folder that is thrown away and SQLite, or what `combination` says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod admin;
mod administrators;
mod approvals;
mod attesters;
mod audit_logs;
mod authenticator;
mod beneficiaries;
mod canonical;
mod client;
mod closing;
mod combination;
mod coverage;
mod decisions;
mod discovery;
mod documents;
mod escrows;
mod governance;
mod hardening;
mod idempotency;
mod identity;
mod keys;
mod lives;
mod kyc;
mod loanpool;
mod notifications;
mod mail;
mod mail_server;
mod organization;
mod outage;
mod outbox;
mod passkeys;
mod passwords;
mod profiles;
mod promised;
mod qsend;
mod recovery;
mod refresh;
mod registration;
mod relationships;
mod second_factors;
mod server;
mod sessions;
mod signing;
mod starting;
mod system;
mod tax;
mod tiers;
mod tokenomics;
mod trust;
mod wallets;
mod webhooks;
mod written;
