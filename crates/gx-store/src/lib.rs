//! SQL of the platform: one schema on SQLite and PostgreSQL, and every statement that touches it.
//!
//! Writing functions take a [`Tx`] so that the caller decides what is atomic; reading functions
//! take a [`Source`]: the store, a snapshot or a transaction. Each table has one writer, named in
//! the migration that makes it. The crate knows no ledger and no HTTP, and never shows a secret.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod admin;
pub mod backup;
pub mod blocks;
mod bulk;
mod columns;
pub mod commands;
mod config;
pub mod deployments;
mod dialect;
mod error;
pub mod governance;
pub mod idempotency;
pub mod identity;
pub mod lease;
pub mod loan_pool;
pub mod login;
pub mod mailbox;
mod migrate;
pub mod notifications;
mod numbering;
pub mod organization;
pub mod outbox;
pub mod partner;
pub mod projection;
pub mod retention;
mod sql;
mod store;
pub mod submission;
pub mod tax_and_fee;
pub mod tokenomics;
pub mod webhooks;

pub use config::{Config, ConfigError, PostgresConfig, Secret, SqliteConfig, SslMode};
pub use error::{Class, Error};
pub use migrate::{Migrated, SCHEMA_KEEPS, SCHEMA_VERSION};
pub use store::{Engine, PoolUse, Snapshot, Source, Store, Tx};
