//! The services of GX Protocol: HTTP, authentication, submission, projection, configuration.
//!
//! A process is made of one [`config::Config`] and the roles that it plays. The crate holds no
//! HTML but the API reference, and knows nothing of Kubernetes.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod auth;
pub mod calendar;
mod coalesce;
pub mod config;
pub mod engine;
pub mod error;
mod http;
pub mod metrics;
mod platform;
mod service;
pub mod telemetry;

pub use platform::{Platform, Workers};
pub use service::{Service, Services};
