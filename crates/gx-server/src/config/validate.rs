//! Rules between settings. All faults are reported at once, each with the key to change.

use std::net::IpAddr;

use axum::http::Uri;
use gx_fabric::PeerAddress;
use gx_types::{AttesterId, NetworkId};
use webauthn_rp::request::AsciiDomain;

use super::faults::check;
use super::{Config, DatabaseEngine, Error, LedgerEngine, MailTls};
use crate::peer::{is_network, is_origin};

/// Secrets shorter than this can be guessed.
const SECRET_LENGTH_MIN: usize = 32;

impl Config {
    /// Checks the rules between settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that is broken.
    pub fn validate(&self) -> Result<(), Error> {
        let mut faults = Vec::new();
        self.check_database(&mut faults);
        self.check_fabric(&mut faults);
        self.check_http(&mut faults);
        self.check_auth(&mut faults);
        self.check_passkeys(&mut faults);
        self.check_attester(&mut faults);
        self.documents.check(&mut faults);
        self.tiers.check(&mut faults);
        self.promotion.check(self.network, &mut faults);
        self.telemetry.otlp.check(&mut faults);
        self.check_messages(&mut faults);
        self.check_redis(&mut faults);
        let limits = &self.rate_limits;
        for (key, value) in [
            ("rate_limits.credentials_per_minute", limits.credentials_per_minute),
            ("rate_limits.commands_per_minute", limits.commands_per_minute),
            ("rate_limits.reads_per_minute", limits.reads_per_minute),
            ("rate_limits.devnet_factor", limits.devnet_factor),
        ] {
            check(&mut faults, value > 0, key, "must be at least 1");
        }
        let clients = "must be at least 1000, or the limits forget who they count";
        check(&mut faults, limits.clients_max >= 1000, "rate_limits.clients_max", clients);
        let (limits, positive) = (&self.readiness, "must be at least 1");
        for (key, value) in [
            ("readiness.lag_threshold_ms", limits.lag_threshold_ms),
            ("readiness.heartbeat_threshold_ms", limits.heartbeat_threshold_ms),
            ("readiness.queue_threshold_ms", limits.queue_threshold_ms),
        ] {
            check(&mut faults, value > 0, key, positive);
        }
        let retention = &self.retention;
        for (key, value) in [
            ("retention.interval_seconds", retention.interval_seconds),
            ("retention.idempotent_answers_hours", retention.idempotent_answers_hours),
        ] {
            check(&mut faults, value > 0, key, positive);
        }
        let days = retention.webhook_deliveries_days;
        let what = "must be 0 or at least 4: messages are tried for three days";
        check(&mut faults, days == 0 || days >= 4, "retention.webhook_deliveries_days", what);
        let is_fit = !self.webhooks.allow_local || self.network == NetworkId::Devnet;
        let what = "must be false: only on devnet may endpoints be on this machine";
        check(&mut faults, is_fit, "webhooks.allow_local", what);
        let interval = self.tax.interval_seconds;
        let seldom = "must be 0 or at least 60: each interval asks anew for what was not taken";
        check(&mut faults, interval == 0 || interval >= 60, "tax.interval_seconds", seldom);
        let fits = (1..=50_000).contains(&self.governance.simulation_payments);
        check(&mut faults, fits, "governance.simulation_payments", "must be from 1 to 50000");
        // A lone word that is no level would be taken for the name of a part of the program.
        let directives = self.log.level.split(',');
        let levels = directives.map(|part| part.rsplit('=').next().unwrap_or_default().trim());
        let mut filters =
            levels.map(|level| level.parse::<tracing_subscriber::filter::LevelFilter>());
        let is_filter = self.log.level.parse::<tracing_subscriber::EnvFilter>().is_ok();
        let what = "must be error, warn, info, debug, trace or off, or a filter such as \
            info,gx_store=debug";
        check(&mut faults, is_filter && filters.all(|level| level.is_ok()), "log.level", what);
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    fn check_passkeys(&self, faults: &mut Vec<String>) {
        let passkeys = &self.auth.passkeys;
        let (id, key) = (passkeys.relying_party_id.as_str(), "auth.passkeys.relying_party_id");
        let is_domain = AsciiDomain::try_from(id.to_owned()).is_ok_and(|domain| {
            domain.as_ref() == id && id.to_ascii_lowercase() == id && !id.ends_with('.')
        });
        let what = "must be a domain in lower case, without scheme and port";
        check(faults, id.is_empty() || is_domain, key, what);
        let key = "auth.passkeys.origins";
        for origin in &passkeys.origins {
            let what = format!("{origin:?} is no origin whose host is {id} or lies below it");
            let fits = is_origin(origin) && lies_in(origin, id);
            check(faults, id.is_empty() || fits, key, &what);
        }
        let fits = id.is_empty() || !passkeys.origins.is_empty();
        check(faults, fits, key, "must name the wallet's pages");
        let fits = (30..=600).contains(&passkeys.timeout_seconds);
        check(faults, fits, "auth.passkeys.timeout_seconds", "must be from 30 to 600");
    }

    fn check_attester(&self, faults: &mut Vec<String>) {
        let attester = &self.attester;
        let (has_id, has_key) =
            (!attester.id.is_empty(), !attester.key_file.as_os_str().is_empty());
        let is_id = !has_id || attester.id.parse::<AttesterId>().is_ok();
        let what = "must be 3 to 24 letters, digits, - or _, as it is registered on the ledger";
        check(faults, is_id, "attester.id", what);
        let what = "must name the key's file when attester.id is set, and only then";
        check(faults, has_id == has_key, "attester.key_file", what);
    }

    fn check_messages(&self, faults: &mut Vec<String>) {
        let (mail, texts) = (&self.mail, &self.texts);
        if !mail.server.is_empty() {
            let is_sender = mail.from.parse::<lettre::Address>().is_ok();
            let what = "must be an address, as mail.server is set";
            check(faults, is_sender, "mail.from", what);
            let pair = !mail.username.is_empty() || !mail.password.is_set();
            check(faults, pair, "mail.username", "is needed with mail.password");
            let is_safe = mail.tls != MailTls::None
                || mail.username.is_empty()
                || is_this_machine(&mail.server);
            let what = "must not be none: the password would be sent in plain text";
            check(faults, is_safe, "mail.tls", what);
        }
        if !texts.url.is_empty() {
            let url = texts.url.parse::<Uri>().ok();
            let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
            let fits = match url.as_ref().and_then(Uri::scheme_str) {
                Some("https") => !host.is_empty(),
                Some("http") => is_this_machine(host),
                _ => false,
            };
            let what = "must be a URL of https, or of http to this machine";
            check(faults, fits, "texts.url", what);
        }
        for (key, value) in
            [("mail.timeout_ms", mail.timeout_ms), ("texts.timeout_ms", texts.timeout_ms)]
        {
            check(faults, value >= 100, key, "must be at least 100");
        }
    }

    fn check_redis(&self, faults: &mut Vec<String>) {
        let redis = &self.redis;
        let (url, has_ca) = (redis.url.reveal(), !redis.tls_ca.as_os_str().is_empty());
        let fits = url.is_empty() || url.starts_with("redis://") || url.starts_with("rediss://");
        check(faults, fits, "redis.url", "must start with redis:// or rediss://");
        let what = "is for rediss:// only: without TLS nobody's certificate is checked";
        check(faults, !has_ca || url.starts_with("rediss://"), "redis.tls_ca", what);
        let what = "must be 1 to 2000: requests wait for it";
        check(faults, (1..=2000).contains(&redis.timeout_ms), "redis.timeout_ms", what);
    }

    fn check_database(&self, faults: &mut Vec<String>) {
        let database = &self.database;
        if database.url.is_set() {
            let known = ["postgres://", "postgresql://", "sqlite:"];
            let fits = known.iter().any(|scheme| database.url.reveal().starts_with(scheme));
            check(faults, fits, "database.url", "must start with postgres:// or sqlite:");
        } else if database.engine == DatabaseEngine::Postgres {
            for (key, text) in [
                ("database.host", &database.host),
                ("database.name", &database.name),
                ("database.user", &database.user),
            ] {
                check(faults, !text.is_empty(), key, "is needed for postgres");
            }
        }
        let mode = database.ssl_mode.parse::<gx_store::SslMode>();
        let what = "must be disable, prefer, require, verify-ca or verify-full";
        check(faults, mode.is_ok(), "database.ssl_mode", what);
        let enough = "must be at least 4: submitter, projector and requests share them";
        check(faults, database.connections_max >= 4, "database.connections_max", enough);
    }

    fn check_fabric(&self, faults: &mut Vec<String>) {
        let fabric = &self.fabric;
        let used = self.ledger.engine == LedgerEngine::Fabric;
        let what = "must be fabric when fabric.peers is set, and only then";
        check(faults, used != fabric.peers.is_empty(), "ledger.engine", what);
        for peer in &fabric.peers {
            let what = format!("{peer:?} is no host:port");
            check(faults, peer.parse::<PeerAddress>().is_ok(), "fabric.peers", &what);
        }
        for (key, text) in
            [("fabric.channel", &fabric.channel), ("fabric.chaincode", &fabric.chaincode)]
        {
            check(faults, !text.is_empty(), key, "must not be empty");
        }
        let least = "must be at least 65536";
        let fits = fabric.transaction_bytes_max >= 65_536;
        check(faults, fits, "fabric.transaction_bytes_max", least);
    }

    fn check_http(&self, faults: &mut Vec<String>) {
        let http = &self.http;
        for origin in &http.allowed_origins {
            let what = format!("{origin:?} is no origin such as https://wallet.example.org");
            check(faults, is_origin(origin), "http.allowed_origins", &what);
        }
        for proxy in &http.trusted_proxies {
            let what = format!("{proxy:?} is no address or network such as 10.0.0.0/8");
            check(faults, is_network(proxy), "http.trusted_proxies", &what);
        }
        for (key, fits) in [
            ("http.body_limit_bytes", http.body_limit_bytes >= 1024),
            ("http.request_timeout_ms", http.request_timeout_ms >= 100),
            ("http.idle_timeout_ms", http.idle_timeout_ms >= 1000),
            ("http.connections_max", http.connections_max >= 16),
        ] {
            check(faults, fits, key, "is too small to serve requests");
        }
    }

    fn check_auth(&self, faults: &mut Vec<String>) {
        let auth = &self.auth;
        for (key, secret) in [
            ("auth.signing_secret", &auth.signing_secret),
            ("auth.previous_signing_secret", &auth.previous_signing_secret),
            ("auth.identity_pepper", &auth.identity_pepper),
        ] {
            let fits = !secret.is_set() || secret.reveal().len() >= SECRET_LENGTH_MIN;
            check(faults, fits, key, "must have 32 characters or more");
        }
        let longer = "must be longer than auth.access_token_seconds";
        let fits = auth.refresh_token_seconds > auth.access_token_seconds;
        check(faults, fits, "auth.refresh_token_seconds", longer);
        let shorter = "must be shorter than auth.access_token_seconds, or theft is never seen";
        let fits = auth.refresh_grace_seconds < auth.access_token_seconds;
        check(faults, fits, "auth.refresh_grace_seconds", shorter);
        let fits = auth.session_seconds >= auth.refresh_token_seconds;
        let longer = "must not be shorter than auth.refresh_token_seconds";
        check(faults, fits, "auth.session_seconds", longer);
        let fits = auth.admin_session_seconds >= auth.admin_idle_seconds;
        let longer = "must not be shorter than auth.admin_idle_seconds";
        check(faults, fits, "auth.admin_session_seconds", longer);
        let fits = auth.lockout_max_seconds >= auth.lockout_first_seconds;
        let longer = "must not be shorter than auth.lockout_first_seconds";
        check(faults, fits, "auth.lockout_max_seconds", longer);
        for (key, value) in [
            ("auth.access_token_seconds", auth.access_token_seconds),
            ("auth.argon2_iterations", auth.argon2_iterations),
            ("auth.argon2_lanes", auth.argon2_lanes),
            ("auth.lockout_failures", auth.lockout_failures),
            ("auth.lockout_first_seconds", auth.lockout_first_seconds),
            ("auth.admin_idle_seconds", auth.admin_idle_seconds),
        ] {
            check(faults, value > 0, key, "must be at least 1");
        }
        // Weak hashes are for throw-away networks only.
        let least = if self.network == NetworkId::Devnet { 64 } else { 19_456 };
        let what = format!("must be at least {least} on {}", self.network);
        check(faults, auth.argon2_memory_kib >= least, "auth.argon2_memory_kib", &what);
    }
}

/// Whether the host of an origin is a domain or lies below it.
fn lies_in(origin: &str, domain: &str) -> bool {
    let host = origin.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split(':').next().unwrap_or_default();
    host.strip_suffix(domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Whether a host is the one that this process runs on.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
