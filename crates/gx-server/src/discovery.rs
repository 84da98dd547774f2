//! What a program has to know of this network before it uses it: `GET /.well-known/gx`.
//!
//! Every value is taken from where it is decided: settings, route table, ledger and types. Nothing
//! is told here that a client could find out otherwise only by trying.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::State;
use gx_contract::smart_contract;
use gx_fabric::FabricEngine;
use gx_store::SCHEMA_VERSION;
use gx_types::{MAX_SUPPLY, NetworkId, QIRAT_PER_GX};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Route, Served};
use crate::app::{App, Process};
use crate::auth::Logins;
use crate::config::{Config, RateLimits};
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Json};
use crate::http::extract::KEY_LENGTHS;
use crate::http::front::WAIT_MAX;
use crate::http::paging::LIMIT_MAX;
use crate::identity::JWKS_PATH;
use crate::service::{Service, Services};
use crate::tokenomics::{CHANNEL_VERSION, RECEIPT_VERSION};

/// What stands before the paths of everything that is for clients.
const BASE_PATH: &str = "/api/v1";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/.well-known/gx", discovery)
            .summary("Network, versions, limits, features and keys, for programs"),
    ]
}

/// What a client has to know of this network.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Discovery {
    #[schemars(with = "String")]
    network: NetworkId,
    versions: Versions,
    currency: Currency,
    limits: Limits,
    /// What there is: `passkeys`, `receipts`, `signed_commands`, `canonical_commands`, `quotes`,
    /// `escrows`, `qsend`, `statements`, `webhooks`, `notifications`, `documents`.
    features: Vec<&'static str>,
    /// Absent without passkeys.
    passkeys: Option<PasskeysReply>,
    /// Absent where the ledger gives no receipts, or another process has it.
    receipts: Option<ReceiptsReply>,
    /// Where the keys of access tokens stand.
    jwks_path: &'static str,
    services: Vec<ServiceReply>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Versions {
    build: &'static str,
    /// The commit that was built.
    git_hash: Option<&'static str>,
    contract: &'static str,
    api: &'static str,
    schema: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Currency {
    code: &'static str,
    /// Places of an amount.
    decimals: u32,
    max_supply: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Bytes of a body.
    body_bytes: usize,
    /// Rows of a page.
    list_rows: u32,
    idempotency_key_characters: Characters,
    idempotent_answers_hours: u32,
    /// The longest that `Prefer: wait` waits.
    wait_seconds: u64,
    /// Requests a minute, as this network counts them.
    requests_per_minute: Rates,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Characters {
    min: usize,
    max: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Rates {
    credentials: u32,
    commands: u32,
    reads: u32,
}

impl Rates {
    fn of(limits: &RateLimits, network: NetworkId) -> Self {
        let scaled = |limit| limits.scaled(limit, network);
        Self {
            credentials: scaled(limits.credentials_per_minute),
            commands: scaled(limits.commands_per_minute),
            reads: scaled(limits.reads_per_minute),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PasskeysReply {
    relying_party_id: String,
    origins: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReceiptsReply {
    /// Of the form of receipts.
    version: u32,
    algorithm: &'static str,
    /// The keys that sign blocks; the last one signs now. Absent on a Fabric channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<ReceiptKey>,
    /// What receipts of a Fabric channel are checked by.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<ReceiptChannel>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReceiptChannel {
    name: String,
    chaincode: String,
    /// The last configuration block: its number, and the hash of its header in hexadecimal digits.
    configuration_block: u64,
    configuration_hash: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReceiptKey {
    /// In hexadecimal digits.
    public_key: String,
    /// The first block that it has signed.
    from_block: u64,
}

/// A service, and where its routes stand.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ServiceReply {
    name: &'static str,
    about: &'static str,
    /// When it is served alone.
    port: u16,
    /// What its routes begin with.
    base_paths: BTreeSet<String>,
}

/// `GET /.well-known/gx`
async fn discovery(
    State(app): State<App>,
    State(process): State<Process>,
    State(logins): State<Logins>,
    served: Served,
) -> Result<Json<Discovery>> {
    let receipts = receipts(&process).await?;
    Ok(Json(tell(app.config(), &process, &logins, served, receipts)))
}

fn tell(
    config: &Config,
    process: &Process,
    logins: &Logins,
    served: Served,
    receipts: Option<ReceiptsReply>,
) -> Discovery {
    let passkeys = logins.passkeys().map(|party| PasskeysReply {
        relying_party_id: party.id().to_owned(),
        origins: config.auth.passkeys.origins.clone(),
    });
    let described = features(served.routes, passkeys.is_some(), receipts.is_some());
    Discovery {
        network: config.network,
        versions: Versions {
            build: env!("CARGO_PKG_VERSION"),
            git_hash: process.build.git_hash,
            contract: smart_contract::VERSION,
            api: BASE_PATH.rsplit('/').next().unwrap_or_default(),
            schema: SCHEMA_VERSION,
        },
        currency: Currency {
            code: CURRENCY,
            decimals: QIRAT_PER_GX.ilog10(),
            max_supply: MAX_SUPPLY.to_gx(),
        },
        limits: Limits {
            body_bytes: config.http.body_limit_bytes,
            list_rows: LIMIT_MAX,
            idempotency_key_characters: Characters {
                min: *KEY_LENGTHS.start(),
                max: *KEY_LENGTHS.end(),
            },
            idempotent_answers_hours: config.retention.idempotent_answers_hours,
            wait_seconds: WAIT_MAX.as_secs(),
            requests_per_minute: Rates::of(&config.rate_limits, config.network),
        },
        features: described,
        passkeys,
        receipts,
        jwks_path: JWKS_PATH,
        services: services(config, served.routes),
    }
}

/// How long a Fabric network may take to say what it is; then it is not told.
const PATIENCE: Duration = Duration::from_secs(2);

/// What receipts are checked by, where this process has a ledger that gives some.
async fn receipts(process: &Process) -> Result<Option<ReceiptsReply>> {
    if let Some(engine) = process.chain.as_ref().and_then(|chain| chain.channel()) {
        return Ok(of_channel(engine).await);
    }
    let Some(ledger) = process.chain.as_ref().and_then(|chain| chain.ledger()).cloned() else {
        return Ok(None);
    };
    let info = tokio::task::spawn_blocking(move || ledger.info()).await;
    let info = info.map_err(Error::internal)?.map_err(Error::internal)?;
    let key = |(from_block, key): (u64, gx_ledger::PublicKey)| ReceiptKey {
        public_key: key.to_string(),
        from_block,
    };
    let keys = info.keys.into_iter().map(key).collect();
    let (version, algorithm) = (RECEIPT_VERSION, "Ed25519");
    Ok(Some(ReceiptsReply { version, algorithm, keys, channel: None }))
}

async fn of_channel(engine: &FabricEngine) -> Option<ReceiptsReply> {
    let configuration = match tokio::time::timeout(PATIENCE, engine.configuration()).await {
        Ok(Ok(configuration)) => configuration,
        Ok(Err(error)) => {
            let error = gx_types::with_causes(&error);
            tracing::warn!(error, "the channel does not say its configuration");
            return None;
        }
        Err(_) => return None,
    };
    let channel = ReceiptChannel {
        name: configuration.channel().to_owned(),
        chaincode: engine.options().chaincode.clone(),
        configuration_block: configuration.number(),
        configuration_hash: hex::encode(configuration.hash()),
    };
    let (version, algorithm) = (CHANNEL_VERSION, "ECDSA");
    Some(ReceiptsReply { version, algorithm, keys: Vec::new(), channel: Some(channel) })
}

/// Features that are there when a route is.
const ROUTED: [(&str, &str); 8] = [
    ("canonical_commands", "/commands/canonical"),
    ("quotes", "/transfers/quote"),
    ("escrows", "/escrows"),
    ("qsend", "/qsend"),
    ("statements", "/wallets/{userId}/statements"),
    ("webhooks", "/webhooks/events"),
    ("notifications", "/notifications"),
    ("documents", "/documents/constraints"),
];

fn features(routes: &[Route], passkeys: bool, receipts: bool) -> Vec<&'static str> {
    let signed = routes.iter().any(Route::is_signed);
    let is = |route: &Route, path: &str| route.path.strip_prefix(BASE_PATH) == Some(path);
    let has = |path: &str| routes.iter().any(|route| is(route, path));
    let own = [("passkeys", passkeys), ("receipts", receipts), ("signed_commands", signed)];
    let own = own.into_iter().filter_map(|(name, is_there)| is_there.then_some(name));
    let routed = ROUTED.into_iter().filter_map(|(name, path)| has(path).then_some(name));
    own.chain(routed).collect()
}

fn services(config: &Config, routes: &[Route]) -> Vec<ServiceReply> {
    let first_two = |path: &str| {
        let word = path.strip_prefix(BASE_PATH)?.split('/').nth(1)?;
        Some(format!("{BASE_PATH}/{word}"))
    };
    let reply = |service: Service| {
        let own = routes.iter().filter(|route| route.service == Some(service));
        ServiceReply {
            name: service.as_str(),
            about: service.about(),
            port: config.port(Services::One(service)),
            base_paths: own.filter_map(|route| first_two(route.path)).collect(),
        }
    };
    Service::ALL.iter().copied().map(reply).collect()
}
