//! Settings: where they come from, which of them win, and what is refused.
//!
//! Every test hands its own environment in; the process's is never read.

use std::collections::BTreeSet;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, Error> {
    Config::load(None, environment(pairs), &[])
}

fn load_file(text: &str) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gx.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), [], &[])
}

#[test]
fn the_defaults_are_complete_and_valid() {
    let config = load(&[]).unwrap();
    assert_eq!(config.network, NetworkId::Devnet);
    assert_eq!(config.sqlite_path(), Path::new("./gx-data/gx.db"));
    assert_eq!(config.ledger_path(), Path::new("./gx-data/ledger.redb"));
    assert_eq!(config.keys_dir(), Path::new("./gx-data/keys"));
}

#[test]
fn every_key_has_a_comment() {
    let mut comment = false;
    for line in DEFAULTS.lines() {
        let key =
            line.split_once('=').map(|(key, _)| key.trim()).filter(|_| !line.starts_with('#'));
        if let Some(key) = key {
            assert!(comment, "default.toml: {key} has no comment above it");
        }
        comment = line.starts_with("# ");
    }
}

#[test]
fn the_manual_and_the_struct_have_the_same_keys() {
    let keys = |text: &str| -> BTreeSet<String> {
        let mut section = String::new();
        let mut keys = BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with('[') {
                section = line.to_owned();
            } else if let Some((key, _)) = line.split_once(" = ") {
                keys.insert(format!("{section}{key}"));
            }
        }
        keys
    };
    assert_eq!(keys(DEFAULTS), keys(&load(&[]).unwrap().render_masked()));
}

#[test]
fn the_environment_is_read_by_the_type_of_the_default() {
    let config = load(&[
        ("GX_DATABASE__PASSWORD", "007"),
        ("GX_HTTP__PORT", "8080"),
        ("GX_LOG__REQUESTS", "true"),
        ("GX_HTTP__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("GX_NETWORK", "testnet"),
    ])
    .unwrap();
    assert_eq!(config.database.password.reveal(), "007");
    assert_eq!(config.http.port, 8080);
    assert!(config.log.requests);
    assert_eq!(config.http.trusted_proxies, ["10.0.0.0/8", "::1"]);
    assert_eq!(config.network, NetworkId::Testnet);
}

#[test]
fn established_names_are_accepted_and_ours_win() {
    let secret = "s".repeat(32);
    let config = load(&[
        ("DATABASE_URL", "postgres://gx:p%40ss@db/gx"),
        ("JWT_SECRET", &secret),
        ("JWT_EXPIRY", "1h"),
        ("JWT_REFRESH_EXPIRY", "14d"),
        ("PROJECTION_LAG_THRESHOLD_MS", "9000"),
        ("LOG_LEVEL", "debug"),
        ("GX_LOG__LEVEL", "warn"),
    ])
    .unwrap();
    assert_eq!(config.database.url.reveal(), "postgres://gx:p%40ss@db/gx");
    assert_eq!(config.auth.signing_secret.reveal(), secret);
    assert_eq!(config.auth.access_token_seconds, 3600);
    assert_eq!(config.auth.refresh_token_seconds, 14 * 86_400);
    assert_eq!(config.readiness.lag_threshold_ms, 9000);
    assert_eq!(config.log.level, "warn");
}

#[test]
fn what_is_wrong_is_named() {
    for (name, text, part) in [
        ("GX_HTTP__PROT", "1", "GX_HTTP__PROT (there is no key http.prot)"),
        ("GX_NETWROK", "devnet", "GX_NETWROK"),
        ("GX_HTTP", "1", "GX_HTTP"),
        ("GX_HTTP__PORT", "http", "GX_HTTP__PORT: a whole number expected"),
        ("GX_NETWORK", "prodnet", "network"),
        ("JWT_EXPIRY", "soon", "JWT_EXPIRY"),
        ("JWT_SECRET", "short", "auth.signing_secret must have 32 characters"),
        ("REDIS_URL", "http://localhost", "redis.url must start with redis:// or rediss://"),
        ("GX_REDIS__TLS_CA", "ca.pem", "redis.tls_ca is for rediss:// only"),
        ("LOG_LEVEL", "in[fo", "log.level must be"),
        ("GX_HTTP__ALLOWED_ORIGINS", "*", "http.allowed_origins"),
        ("GX_DOCUMENTS__STORE", "s3", "documents.bucket is needed when documents.store is s3"),
        ("GX_DOCUMENTS__TLS_CA", "ca.pem", "documents.tls_ca is for an endpoint of https:// only"),
        ("GX_DOCUMENTS__ACCEPTED_TYPES", "text/html", "documents.accepted_types must be some of"),
        ("GX_DOCUMENTS__CLAMAV__ADDRESS", "clamd", "documents.clamav.address must be"),
        ("GX_TIERS__TIER1__PER_DAY", "lots", "tiers.tier1.per_day must be an amount"),
        ("GX_TAX__INTERVAL_SECONDS", "5", "tax.interval_seconds must be 0 or at least 60"),
        ("GX_PROMOTION__TARGET", "mainnet", "promotion.target must be empty, testnet"),
        ("GX_PROMOTION__NAMESPACES", "gx", "promotion.namespaces must have {network} in it"),
        ("GX_TELEMETRY__OTLP__ENDPOINT", "collector", "telemetry.otlp.endpoint must be an address"),
    ] {
        let message = load(&[(name, text)]).unwrap_err().to_string();
        assert!(message.contains(part), "{name}={text}: {message}");
    }
    let message = load_file("[http]\nprot = 1\n").unwrap_err().to_string();
    assert!(message.contains("prot") && message.contains("gx.toml"), "{message}");
    let message = load_file("[database]\npassword = \"x\"\n").unwrap_err().to_string();
    assert!(message.contains("database.password is a secret"), "{message}");
    assert!(message.contains("GX_DATABASE__PASSWORD"), "{message}");
    let missing = Config::load(Some(Path::new("/nowhere/gx.toml")), [], &[]);
    assert!(missing.unwrap_err().to_string().contains("/nowhere/gx.toml"));
}

#[test]
fn an_attester_has_an_id_and_a_key_or_neither() {
    let with = |id: &str, file: &str| {
        load(&[("GX_ATTESTER__ID", id), ("GX_ATTESTER__KEY_FILE", file)]).map(drop)
    };
    with("", "").unwrap();
    with("clinic-7", "/keys/attester.pem").unwrap();
    for (id, file, key) in [
        ("clinic-7", "", "attester.key_file"),
        ("", "/keys/attester.pem", "attester.key_file"),
        ("a clinic", "/keys/attester.pem", "attester.id"),
    ] {
        let error = with(id, file).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let error = load(&[
        ("GX_NETWORK", "mainnet"),
        ("GX_AUTH__ARGON2_MEMORY_KIB", "64"),
        ("GX_DATABASE__CONNECTIONS_MAX", "1"),
    ]);
    let Err(Error::Invalid(faults)) = error else { unreachable!("{error:?}") };
    assert_eq!(faults.len(), 2, "{faults:?}");
}

#[test]
fn flags_win_over_the_environment_and_files_of_secrets_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "p@ss/word:?\n").unwrap();
    let flags =
        [("http.port", "4000".to_owned()), ("database.password_file", path.display().to_string())];
    let config = Config::load(None, environment(&[("GX_HTTP__PORT", "1")]), &flags).unwrap();
    assert_eq!(config.http.port, 4000);
    assert_eq!(config.database.password.reveal(), "p@ss/word:?");
}

#[test]
fn secrets_are_masked_wherever_settings_are_printed() {
    let config = load(&[
        ("GX_DATABASE__PASSWORD", "hunter2-hunter2"),
        ("DATABASE_URL", "postgres://gx:hunter2-hunter2@db/gx"),
    ])
    .unwrap();
    for text in [config.render_masked(), format!("{config:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("********"));
    }
    assert_eq!(config.digest().len(), 16);
    assert_ne!(config.digest(), load(&[]).unwrap().digest());
}

#[test]
fn the_ports_of_the_manual_are_those_of_the_table_of_services() {
    let config = Config::load(None, [], &[]).unwrap();
    let table = Service::ALL.iter().map(|service| (*service, service.default_port()));
    assert_eq!(config.http.ports, table.collect());
    let variable = ("GX_HTTP__PORTS__ADMIN".to_owned(), "4002".to_owned());
    let config = Config::load(None, [variable], &[]).unwrap();
    assert_eq!(config.port(Services::One(Service::Admin)), 4002);
    assert_eq!(config.port(Services::One(Service::Identity)), 3001);
    let flag = ("http.ports.identify", "4001".to_owned());
    assert!(Config::load(None, [], &[flag]).is_err());
}

#[test]
fn messages_go_out_safely_or_not_at_all() {
    let faults = |pairs: &[(&str, &str)]| match load(pairs) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let server = ("GX_MAIL__SERVER", "mail.example.org");
    let from = ("GX_MAIL__FROM", "no-reply@example.org");
    assert_eq!(faults(&[server, from]), "");
    assert!(faults(&[server]).contains("mail.from must be an address"));
    let plain = ("GX_MAIL__TLS", "none");
    let (name, word) = (("GX_MAIL__USERNAME", "gx"), ("GX_MAIL__PASSWORD", "made-up"));
    assert!(faults(&[server, from, word]).contains("mail.username is needed"));
    assert!(faults(&[server, from, plain, name, word]).contains("mail.tls must not be none"));
    assert_eq!(faults(&[("GX_MAIL__SERVER", "127.0.0.1"), from, plain, name, word]), "");
    for (url, fits) in [
        ("https://texts.example.org/send", true),
        ("http://127.0.0.1:8080/send", true),
        ("http://[::1]/send", true),
        ("http://texts.example.org/send", false),
        ("texts.example.org", false),
    ] {
        assert_eq!(faults(&[("GX_TEXTS__URL", url)]).is_empty(), fits, "{url}");
    }
    let file = "[texts]\nbearer = \"made-up\"\n";
    assert!(matches!(load_file(file), Err(Error::SecretInFile { .. })));
}
