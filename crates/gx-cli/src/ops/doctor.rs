//! `gx ops doctor`: what keeps a process with these settings, started here, from what it needs.
//!
//! The settings are those of `gx serve`. Plain protocols are probed by `gx-ops`; what only the
//! platform's own clients can tell (schema, channel, identities) is asked of them once the way is
//! known to be open. Nothing is changed: a database or ledger that is not there is not made.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use gx_fabric::{PeerAddress, Wallet, check};
use gx_ops::doctor::{
    Diagnosis, Endpoint, Expected, Part, PostgresLogin, RedisLogin, Service, Tls, TlsMode, Trust,
    Verdict, disk, limits, pod, postgres, reach, redis, render, service,
};
use gx_server::calendar::now_ms;
use gx_server::config::{Config, LedgerEngine};
use gx_store::{PostgresConfig, SCHEMA_VERSION, SslMode, Store};
use gx_types::{Finding, with_causes};

use super::answer::Telling;
use super::input::Source;
use crate::settings::Settings;
use crate::{End, process};

/// Files that a process opens beside connections: databases, logs, keys, libraries.
const FILES_BESIDE: u64 = 128;

/// What is looked at.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Process of the platform, such as http://127.0.0.1:3000, that is asked as well: whether it is
    /// alive, ready, of this network and schema, and of the same time.
    #[arg(long, value_name = "URL")]
    service: Vec<String>,
    /// Orderer of a Fabric network that is reached as well; the settings name none.
    #[arg(long, value_name = "HOST:PORT")]
    orderer: Vec<PeerAddress>,
    /// Seconds that each step may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=60))]
    patience: u64,
    #[command(flatten)]
    telling: Telling,
}

/// What can be looked at beside this place.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Why a pod runs and is not ready: running, alive, ready, behind the ledger, from facts alone.
    Pod(Box<PodArgs>),
}

#[derive(Debug, clap::Args)]
struct PodArgs {
    /// Of the pod: NAME or NAMESPACE/NAME.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(settings: &Settings, args: &Args) -> Result<End> {
    let (diagnosis, telling) = match &args.what {
        Some(What::Pod(args)) => (pod(&args.source.snapshot()?, &args.name)?, &args.telling),
        None => {
            let services = args.service.iter().map(|address| Service::at(address));
            let services = services.collect::<Result<Vec<Service>, _>>()?;
            let config = settings.load(&[])?;
            let patience = Duration::from_secs(args.patience);
            let parts = process::block_on(looked(&config, &services, &args.orderer, patience))?;
            (Diagnosis { parts }, &args.telling)
        }
    };
    telling.tell(&diagnosis, render)?;
    Ok(if diagnosis.is_well() { End::Done } else { End::Findings })
}

async fn looked(
    config: &Config,
    services: &[Service],
    orderers: &[PeerAddress],
    patience: Duration,
) -> Result<Vec<Part>> {
    let mut parts = vec![database(config, patience).await?];
    if config.redis.url.is_set() {
        parts.push(redis(&redis_login(config)?, patience).await);
    }
    match config.ledger.engine {
        LedgerEngine::Embedded => parts.push(ledger(config)),
        LedgerEngine::Fabric => parts.extend(fabric(config, patience).await),
    }
    for orderer in orderers {
        let to = Endpoint { host: orderer.host.clone(), port: orderer.port };
        parts.push(
            reach(&format!("Orderer {orderer}"), &to, peer_tls(config, &to).as_ref(), patience)
                .await,
        );
    }
    let network = config.network.as_str().to_owned();
    let schema = u64::try_from(SCHEMA_VERSION).unwrap_or_default();
    for one in services {
        let expected = Expected { network: network.clone(), schema };
        parts.push(service(one, &expected, patience, || now_ms().div_euclid(1000)).await);
    }
    parts.push(here(config));
    Ok(parts)
}

/// The database: the way to it and the log-in, then what only the store's own client can tell.
async fn database(config: &Config, patience: Duration) -> Result<Part> {
    let store = config.store()?;
    let mut part = match &store {
        gx_store::Config::Postgres(settings) => postgres(&login(settings), patience).await,
        gx_store::Config::Sqlite(settings) => {
            let mut part = Part::new(format!("SQLite {}", settings.path.display()));
            match settings.path.try_exists() {
                Ok(true) => part.ok("file", "it is there"),
                Ok(false) => part.add(
                    "file",
                    Verdict::Wrong,
                    "it is not there",
                    "gx up makes one, and gx migrate; or --data names another folder",
                ),
                Err(error) => part.add(
                    "file",
                    Verdict::Wrong,
                    error.to_string(),
                    "run it as the platform's user",
                ),
            }
            part
        }
    };
    if part.lines.iter().any(|line| line.verdict != Verdict::Ok) {
        part.add("schema", Verdict::Unknown, "not tried", "");
        part.add("network", Verdict::Unknown, "not tried", "");
        return Ok(part);
    }
    let checked = async { Store::open(&store).await?.check(config.network).await };
    let checked = tokio::time::timeout(patience.saturating_mul(2), checked).await;
    match checked {
        Ok(result) => schema(&mut part, config, result),
        Err(_) => {
            let seen = "the database lets in and does not answer";
            part.add("schema", Verdict::Wrong, seen, "its locks and its load: who holds them");
        }
    }
    Ok(part)
}

fn schema(part: &mut Part, config: &Config, checked: Result<(), gx_store::Error>) {
    let network = config.network.as_str();
    match checked {
        Ok(()) => {
            part.ok("schema", format!("this build works with it (version {SCHEMA_VERSION})"));
            part.ok("network", network);
        }
        Err(gx_store::Error::SchemaVersion { found, expected }) => {
            let remedy = match found < expected {
                true => "gx migrate, after a backup",
                false => "use the newest build that has run on it",
            };
            let seen = format!("version {found}, this build needs {expected}");
            part.add("schema", Verdict::Wrong, seen, remedy);
            part.add("network", Verdict::Unknown, "not tried", "");
        }
        Err(gx_store::Error::Network { found, .. }) => {
            part.ok("schema", format!("this build works with it (version {SCHEMA_VERSION})"));
            let seen = format!("it belongs to {found}, the settings are of {network}");
            let remedy = "another database, or the settings of that network";
            part.add("network", Verdict::WrongNetwork, seen, remedy);
        }
        Err(error) => {
            part.add("schema", Verdict::Wrong, with_causes(&error), "the log of the database");
            part.add("network", Verdict::Unknown, "not tried", "");
        }
    }
}

fn login(settings: &PostgresConfig) -> PostgresLogin {
    let identity = settings.ssl_cert.clone().zip(settings.ssl_key.clone());
    let tls = |trust| Tls {
        trust,
        name: settings.host.clone(),
        authorities: settings.ssl_root_cert.clone(),
        identity: identity.clone(),
        protocols: Vec::new(),
    };
    PostgresLogin {
        endpoint: Endpoint { host: settings.host.clone(), port: settings.port },
        tls: match settings.ssl_mode {
            SslMode::Disable => TlsMode::Never,
            SslMode::Prefer => TlsMode::Offered(tls(Trust::Any)),
            SslMode::Require => TlsMode::Required(tls(Trust::Any)),
            SslMode::VerifyCa => TlsMode::Required(tls(Trust::Authority)),
            SslMode::VerifyFull => TlsMode::Required(tls(Trust::Name)),
        },
        user: settings.user.clone(),
        password: settings.password.as_ref().map(|password| password.reveal().to_owned()),
        database: settings.database.clone(),
    }
}

fn redis_login(config: &Config) -> Result<RedisLogin> {
    let authorities = Some(config.redis.tls_ca.clone()).filter(|path| !path.as_os_str().is_empty());
    RedisLogin::parse(config.redis.url.reveal(), authorities)
        .map_err(|error| anyhow::anyhow!("redis.url: {error}"))
}

/// The file of the embedded ledger. While a process works on it nobody else may.
fn ledger(config: &Config) -> Part {
    let path = config.ledger_path();
    let mut part = Part::new(format!("Ledger {}", path.display()));
    match path.try_exists() {
        Ok(true) => part.ok("file", "it is there"),
        Ok(false) => {
            let remedy = "gx up makes one; or --data names another folder; or a backup";
            part.add("file", Verdict::Wrong, "it is not there", remedy);
            part.add("ledger", Verdict::Unknown, "not tried", "");
            return part;
        }
        Err(error) => {
            part.add("file", Verdict::Wrong, error.to_string(), "run it as the platform's user");
            part.add("ledger", Verdict::Unknown, "not tried", "");
            return part;
        }
    }
    match gx_ledger::info(&path) {
        Ok(info) => {
            let network = info.origin.network;
            if network == config.network {
                part.ok("ledger", format!("height {}, of {network}", info.tip.number));
            } else {
                let seen = format!("it is of {network}, the settings are of {}", config.network);
                let remedy = "another data folder, or the settings of that network";
                part.add("ledger", Verdict::WrongNetwork, seen, remedy);
            }
        }
        Err(gx_ledger::Error::InUse { .. }) => {
            part.ok("ledger", "a process works on it; --service asks that one");
        }
        Err(error) => {
            let remedy = "gx ledger verify, and docs/operations/disaster.md";
            part.add("ledger", Verdict::Wrong, with_causes(&error), remedy);
        }
    }
    part
}

/// How TLS is spoken with a node of the Fabric network; none: it is not.
fn peer_tls(config: &Config, to: &Endpoint) -> Option<Tls> {
    let settings = &config.fabric;
    let authority: Option<PathBuf> =
        Some(settings.tls_ca.clone()).filter(|path| !path.as_os_str().is_empty());
    authority.map(|authority| Tls {
        trust: Trust::Name,
        name: match settings.tls_server_name.is_empty() {
            true => to.host.clone(),
            false => settings.tls_server_name.clone(),
        },
        authorities: Some(authority),
        identity: None,
        protocols: vec![b"h2".to_vec()],
    })
}

/// The ways to the peers, and, when one is open, what the platform's own client finds there.
async fn fabric(config: &Config, patience: Duration) -> Vec<Part> {
    let mut parts = Vec::new();
    for peer in &config.fabric.peers {
        let Ok(address) = peer.parse::<PeerAddress>() else {
            let mut part = Part::new(format!("Peer {peer}"));
            part.add(
                "resolve",
                Verdict::Wrong,
                "it is no HOST:PORT",
                "fabric.peers in the settings",
            );
            parts.push(part);
            continue;
        };
        let to = Endpoint { host: address.host, port: address.port };
        let tls = peer_tls(config, &to);
        parts.push(reach(&format!("Peer {peer}"), &to, tls.as_ref(), patience).await);
    }
    let settings = &config.fabric;
    let mut part = Part::new(format!("Channel {} of Fabric", settings.channel));
    if !parts.iter().any(Part::is_well) {
        part.add("channel", Verdict::Unknown, "not tried: no peer is reached", "");
        parts.push(part);
        return parts;
    }
    match findings(config).await {
        Ok(findings) => findings.into_iter().for_each(|finding| told(&mut part, finding)),
        Err(why) => {
            let remedy = "fabric.wallet_dir and fabric.msp_id in the settings";
            part.add("identity", Verdict::Authentication, format!("{why:#}"), remedy);
        }
    }
    parts.push(part);
    parts
}

async fn findings(config: &Config) -> Result<Vec<Finding>> {
    let options = gx_server::fabric_options(config)?;
    let msp_id = Some(config.fabric.msp_id.as_str()).filter(|msp_id| !msp_id.is_empty());
    let wallet_path = config.wallet_dir();
    let wallet = Wallet::open(&wallet_path, msp_id)?;
    let findings = check::run(&options, &wallet, &wallet_path).await;
    if findings.is_empty() {
        bail!("nothing could be looked at");
    }
    Ok(findings)
}

/// A finding about the network, under the step that it is of.
fn told(part: &mut Part, finding: Finding) {
    let (step, verdict) = match finding.rule.as_ref() {
        "peer-name" => ("resolve", Verdict::Unresolved),
        "peer-connection" => ("connect", Verdict::Wrong),
        "identity-validity" | "identity-role" | "identity-issuer" | "wallet-role" => {
            ("identity", Verdict::Authentication)
        }
        "channel-access" => ("channel", Verdict::Wrong),
        "clock" => ("clock", Verdict::Wrong),
        _ => ("contract", Verdict::Wrong),
    };
    let seen = format!("{}: {}", finding.subject, finding.evidence);
    if finding.is_wrong() {
        part.add(step, verdict, seen, finding.remedy);
    } else {
        part.ok(step, seen);
    }
}

/// Room and limits of this place.
fn here(config: &Config) -> Part {
    let mut part = Part::new("This place");
    let folder = &config.data_dir;
    match rustix::fs::statvfs(folder) {
        Ok(found) => {
            let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
            let room = (bytes(found.f_blocks), bytes(found.f_bavail));
            disk(&mut part, folder, room, (found.f_files, found.f_favail));
        }
        Err(error) => {
            let seen = format!("{}: {error}", folder.display());
            let remedy = "data_dir in the settings, or --data";
            part.add("disk", Verdict::Unknown, seen, remedy);
        }
    }
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let connections = u64::try_from(config.http.connections_max).unwrap_or(u64::MAX);
    let needed = connections
        .saturating_add(u64::from(config.database.connections_max))
        .saturating_add(FILES_BESIDE);
    limits(&mut part, most, needed);
    part
}

#[cfg(test)]
mod tests {
    use gx_types::{NetworkId, Rule, Severity};

    use super::*;

    fn verdicts(part: &Part) -> Vec<(&str, Verdict)> {
        part.lines.iter().map(|line| (line.step, line.verdict)).collect()
    }

    #[test]
    fn a_database_of_another_network_is_told_from_one_of_another_schema() {
        let config = Config::load(None, std::iter::empty(), &[]).unwrap();
        let told = |result| {
            let mut part = Part::new("x");
            schema(&mut part, &config, result);
            part
        };
        let found = if config.network == NetworkId::Mainnet {
            NetworkId::Testnet
        } else {
            NetworkId::Mainnet
        };
        let expected = config.network;
        assert!(told(Ok(())).is_well());
        let other = told(Err(gx_store::Error::Network { found, expected }));
        assert_eq!(verdicts(&other), [("schema", Verdict::Ok), ("network", Verdict::WrongNetwork)]);
        for (found, remedy) in [(1, "gx migrate"), (SCHEMA_VERSION + 1, "the newest build")] {
            let error = gx_store::Error::SchemaVersion { found, expected: SCHEMA_VERSION };
            let other = told(Err(error));
            let [first, second] = other.lines.as_slice() else { panic!("{other:?}") };
            assert_eq!((first.verdict, second.verdict), (Verdict::Wrong, Verdict::Unknown));
            assert!(first.remedy.contains(remedy), "{first:?}");
        }
    }

    #[test]
    fn every_rule_about_a_fabric_network_has_a_step_and_keeps_its_remedy() {
        for rule in check::RULES {
            let mut part = Part::new("x");
            told(&mut part, rule.broken("a", "b"));
            assert_ne!(part.lines[0].verdict, Verdict::Ok, "{}", rule.id);
            assert!(!part.lines[0].remedy.is_empty(), "{}", rule.id);
            told(&mut part, rule.holds("a", "b"));
            assert_eq!(part.lines[1].verdict, Verdict::Ok, "{}", rule.id);
            assert_eq!(part.lines[0].step, part.lines[1].step, "{}", rule.id);
        }
        let identity = Rule { id: "identity-role", severity: Severity::High, remedy: "enrol" };
        let mut part = Part::new("x");
        told(&mut part, identity.broken("a", "b"));
        assert_eq!(verdicts(&part), [("identity", Verdict::Authentication)]);
    }

    #[test]
    fn tls_is_checked_as_much_as_the_settings_ask_for() {
        let url = |mode: &str| format!("postgres://u:canary@db.example.org/gx?sslmode={mode}");
        let of = |mode: &str| match url(mode).parse().unwrap() {
            gx_store::Config::Postgres(settings) => login(&settings),
            gx_store::Config::Sqlite(_) => panic!("this is PostgreSQL's"),
        };
        assert!(matches!(of("disable").tls, TlsMode::Never));
        assert!(matches!(of("prefer").tls, TlsMode::Offered(Tls { trust: Trust::Any, .. })));
        assert!(matches!(of("require").tls, TlsMode::Required(Tls { trust: Trust::Any, .. })));
        let authority = of("verify-ca").tls;
        assert!(matches!(authority, TlsMode::Required(Tls { trust: Trust::Authority, .. })));
        assert!(matches!(of("verify-full").tls, TlsMode::Required(Tls { trust: Trust::Name, .. })));
        assert!(!format!("{:?}", of("prefer")).contains("canary"));
    }
}
