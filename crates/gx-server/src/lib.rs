//! The services of GX Protocol: HTTP, authentication, submission, projection, configuration.
//!
//! A process is made of one [`config::Config`] and the roles that it plays. The crate holds no
//! HTML but the API reference, and knows nothing of Kubernetes.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod admin;
mod api;
mod app;
mod attester;
mod audit;
mod auth;
mod authorities;
mod bell;
mod build;
pub mod calendar;
mod commands;
pub mod config;
mod data_loader;
mod discovery;
mod documents;
pub mod error;
mod error_budget;
mod governance;
mod http;
mod identity;
mod listening;
mod loanpool;
mod mail;
mod metrics;
mod notifications;
mod organization;
mod otlp;
mod outbound;
mod outgoing;
mod peer;
mod platform;
mod redis;
mod routes;
mod service;
mod sessions;
mod starting;
mod system;
mod tax;
pub mod telemetry;
mod tiers;
mod tokenomics;
mod webhook_client;

pub use admin::one_time::{
    FIRST_ADMIN, OneTimePassword, remove_second_factor, reset_admin_password,
};
pub use api::describe::openapi;
pub use api::{Access, Route, Verb};
pub use app::{App, StartError};
pub use attester::load_signing_key;
pub use auth::{AdminRole, KeyError, Permission, Scope};
pub use build::Build;
pub use listening::Listening;
pub use mail::{Mail, read_mailbox};
pub use platform::{Platform, Workers, fabric_options, open_fabric};
pub use routes::routes;
pub use service::{Service, Services};
pub use starting::Starting;
pub use tokenomics::{
    AnyReceipt, ChannelReceipt, RECEIPT_BYTES_MAX, Receipt, ReceiptConfiguration, ReceiptFault,
    ReceiptProof, Trust,
};

/// What an endpoint is made of.
pub mod endpoint {
    pub use gx_contract::admin::{PauseSystem, ResumeSystem};

    pub use crate::admin::system::PauseBody;
    pub use crate::api::{Access, Answer, Endpoint, Input, Route, Shape};
    pub use crate::auth::{Admin, Caller, Grant, May, Permission, User, grant};
    pub use crate::commands::{Accepted, Commands, Giver};
    pub use crate::error::{Error, Result};
    pub use crate::http::answer::{Created, Json, Message, Read};
    pub use crate::http::extract::{Body, Path};
    pub use crate::http::fields::{Field, NoBody};
}
