//! Settings of every process: read from four places, checked as a whole, printed without secrets.
//!
//! `default.toml` beside this file is the manual and holds every key; a key that it lacks does not
//! exist. Nothing else in the workspace reads the environment.

mod database;
mod documents;
mod faults;
mod load;
mod promotion;
mod render;
mod secret;
mod telemetry;
#[cfg(test)]
mod tests;
mod tiers;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gx_types::NetworkId;
use serde::{Deserialize, Serialize};

pub use documents::{ClamAv, DocumentStore, Documents};
pub use promotion::Promotion;
pub use secret::Secret;
pub use telemetry::{Otlp, Telemetry};
pub use tiers::{Tier, TierLimits, TierTexts, Tiers};

use crate::service::{Service, Services};

/// The manual: every key with its default and what it does.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Why the settings cannot be used. Every text names the key or the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("settings cannot be read: {0}")]
    Unreadable(String),
    #[error("unknown setting: {0}")]
    Unknown(String),
    #[error("{key} is a secret and must not stand in {file}; set {variable} or {key}_file")]
    SecretInFile { key: String, file: String, variable: String },
    #[error("{key}: cannot read {}", path.display())]
    SecretFile { key: &'static str, path: PathBuf, source: std::io::Error },
    #[error("settings do not fit together:{}", list(.0))]
    Invalid(Vec<String>),
}

fn list(faults: &[String]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// All settings of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub network: NetworkId,
    pub data_dir: PathBuf,
    pub database: Database,
    pub ledger: Ledger,
    pub fabric: Fabric,
    pub http: Http,
    pub auth: Auth,
    pub attester: Attester,
    pub mail: Mail,
    pub texts: Texts,
    pub rate_limits: RateLimits,
    pub redis: Redis,
    pub readiness: Readiness,
    pub retention: Retention,
    pub tax: Tax,
    pub governance: Governance,
    pub webhooks: Webhooks,
    pub documents: Documents,
    pub tiers: Tiers,
    pub promotion: Promotion,
    pub telemetry: Telemetry,
    pub log: Log,
}

/// The SQL engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseEngine {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub engine: DatabaseEngine,
    pub path: PathBuf,
    pub url: Secret,
    pub url_file: PathBuf,
    pub host: String,
    pub port: u16,
    pub name: String,
    pub user: String,
    pub password: Secret,
    pub password_file: PathBuf,
    pub ssl_mode: String,
    pub ssl_root_cert: PathBuf,
    pub connections_max: u32,
    pub acquire_timeout_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub engine: LedgerEngine,
    pub path: PathBuf,
}

/// What keeps the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerEngine {
    Embedded,
    Fabric,
}

impl LedgerEngine {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Fabric => "fabric",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fabric {
    pub peers: Vec<String>,
    pub tls_ca: PathBuf,
    pub tls_server_name: String,
    pub wallet_dir: PathBuf,
    pub msp_id: String,
    pub channel: String,
    pub chaincode: String,
    pub endorsing_organizations: Vec<String>,
    pub transaction_bytes_max: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub address: std::net::IpAddr,
    pub port: u16,
    /// Ports of single services, by name.
    pub ports: BTreeMap<Service, u16>,
    pub submitter_port: u16,
    pub projector_port: u16,
    pub body_limit_bytes: usize,
    pub request_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    pub connections_max: usize,
    pub shutdown_grace_ms: u64,
    pub allowed_origins: Vec<String>,
    pub trusted_proxies: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub issuer: String,
    pub access_token_seconds: u32,
    pub refresh_token_seconds: u32,
    pub refresh_grace_seconds: u32,
    pub session_seconds: u32,
    pub signing_secret: Secret,
    pub signing_secret_file: PathBuf,
    pub previous_signing_secret: Secret,
    pub keys_dir: PathBuf,
    pub identity_pepper: Secret,
    pub identity_pepper_file: PathBuf,
    pub argon2_memory_kib: u32,
    pub argon2_iterations: u32,
    pub argon2_lanes: u32,
    pub hashing_threads: usize,
    pub hashing_queue: usize,
    pub lockout_failures: u32,
    pub lockout_first_seconds: u32,
    pub lockout_max_seconds: u32,
    pub admin_idle_seconds: u32,
    pub admin_session_seconds: u32,
    pub passkeys: Passkeys,
}

/// Whom passkeys are made for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    pub relying_party_id: String,
    pub origins: Vec<String>,
    pub timeout_seconds: u32,
    /// Whether one opens an administrator's session by itself.
    pub admins_alone: bool,
}

/// Who attests people on behalf of the platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attester {
    pub id: String,
    pub key_file: PathBuf,
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// After a greeting in plain text.
    Starttls,
    /// From the first byte on.
    Implicit,
    /// Not at all.
    None,
}

/// Which server mail is given to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub server: String,
    pub port: u16,
    pub tls: MailTls,
    pub tls_ca: PathBuf,
    pub username: String,
    pub password: Secret,
    pub password_file: PathBuf,
    pub from: String,
    pub from_name: String,
    pub timeout_ms: u64,
}

/// Who sends text messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    pub url: String,
    pub bearer: Secret,
    pub bearer_file: PathBuf,
    pub tls_ca: PathBuf,
    pub timeout_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    pub credentials_per_minute: u32,
    pub commands_per_minute: u32,
    pub reads_per_minute: u32,
    pub devnet_factor: u32,
    pub clients_max: usize,
}

impl RateLimits {
    /// A limit as a network applies it.
    pub const fn scaled(&self, limit: u32, network: NetworkId) -> u32 {
        match network {
            NetworkId::Devnet => limit.saturating_mul(self.devnet_factor),
            NetworkId::Testnet | NetworkId::Mainnet => limit,
        }
    }
}

/// What processes share limits and news by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub url: Secret,
    pub url_file: PathBuf,
    pub tls_ca: PathBuf,
    pub timeout_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    pub lag_threshold_ms: u64,
    pub heartbeat_threshold_ms: u64,
    pub queue_threshold_ms: u64,
}

/// How long what is no longer needed is kept; what the ledger says is kept for ever.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub interval_seconds: u32,
    pub settled_commands_days: u32,
    pub idempotent_answers_hours: u32,
    pub ended_sessions_days: u32,
    pub notifications_days: u32,
    pub webhook_deliveries_days: u32,
}

impl Retention {
    /// The housekeeper's terms.
    pub fn terms(&self) -> gx_engine::Terms {
        let days = |days: u32| {
            (days > 0).then(|| std::time::Duration::from_secs(u64::from(days) * 86_400))
        };
        gx_engine::Terms {
            every: std::time::Duration::from_secs(self.interval_seconds.into()),
            commands: days(self.settled_commands_days),
            sessions: days(self.ended_sessions_days),
            notifications: days(self.notifications_days),
            deliveries: days(self.webhook_deliveries_days),
        }
    }
}

/// When tax that is due is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    pub interval_seconds: u32,
}

/// How much is reckoned anew for who proposes something.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governance {
    pub simulation_payments: u32,
}

/// Where messages of webhooks may go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub allow_local: bool,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people on a terminal, JSON elsewhere.
    Auto,
    Json,
    Text,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
    pub requests: bool,
}

impl Config {
    /// The SQLite file, when the engine is SQLite and no URL is given.
    pub fn sqlite_path(&self) -> PathBuf {
        self.in_data_dir(&self.database.path, "gx.db")
    }

    /// The file of the embedded ledger.
    pub fn ledger_path(&self) -> PathBuf {
        self.in_data_dir(&self.ledger.path, "ledger.redb")
    }

    /// The folder of the identities on Fabric.
    pub fn wallet_dir(&self) -> PathBuf {
        self.in_data_dir(&self.fabric.wallet_dir, "wallet")
    }

    /// The folder of the keys that are made at the first start.
    pub fn keys_dir(&self) -> PathBuf {
        self.in_data_dir(&self.auth.keys_dir, "keys")
    }

    /// The folder of documents, when they are kept in one.
    pub fn documents_dir(&self) -> PathBuf {
        self.in_data_dir(&self.documents.folder, "documents")
    }

    /// The port for a set of services: one of its own for each, one for all.
    pub fn port(&self, services: Services) -> u16 {
        match services {
            Services::All => self.http.port,
            Services::One(service) => {
                self.http.ports.get(&service).copied().unwrap_or(service.default_port())
            }
            Services::Submitter => self.http.submitter_port,
            Services::Projector => self.http.projector_port,
        }
    }

    fn in_data_dir(&self, path: &Path, default: &str) -> PathBuf {
        if path.as_os_str().is_empty() { self.data_dir.join(default) } else { path.to_owned() }
    }
}
