//! The services of GX Protocol: HTTP, authentication, submission, projection, configuration.
//!
//! A process is made of one [`config::Config`] and the roles that it plays. The crate holds no
//! HTML but the API reference, and knows nothing of Kubernetes.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod admin;
mod app;
mod auth;
pub mod calendar;
mod clock;
mod coalesce;
mod commands;
pub mod config;
pub mod engine;
pub mod error;
mod http;
mod identity;
pub mod metrics;
mod platform;
mod routes;
mod service;
mod system;
pub mod telemetry;
mod tokenomics;

pub use admin::one_time::{FIRST_ADMIN, OneTimePassword, reset_admin_password};
pub use app::{App, StartError};
pub use auth::{AdminRole, KeyError, Permission};
pub use clock::Clock;
pub use http::describe::openapi;
pub use http::route::{Access, Route, Verb};
pub use platform::{Platform, Workers, open_fabric};
pub use routes::routes;
pub use service::{Service, Services};
