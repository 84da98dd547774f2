//! Takes secrets out of what is collected.
//!
//! A value is shown only where both its name and its form are known to be harmless; everything else
//! becomes a salted hash. The salt is not part of a snapshot: without it nobody can try passwords
//! against the hashes, and snapshots that were made with one salt can still be compared.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::percent_decode_str;
use sha2::Sha256;

use crate::facts::{Class, Dsn, Hidden, Value};

/// Random bytes that belong to whoever collects.
#[derive(Clone)]
pub struct Salt([u8; 32]);

impl Salt {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt")
    }
}

/// Hides what may be secret.
#[derive(Debug)]
pub struct Redactor {
    salt: Salt,
    id: String,
    /// Texts that were found in places of secrets; messages are searched for them.
    known: BTreeSet<String>,
}

/// Shorter ones stand in ordinary words.
const SHORTEST_KNOWN: usize = 6;

impl Redactor {
    pub fn new(salt: Salt) -> Self {
        let id = hex(&mac(&salt.0, b"salt"), 4);
        Self { salt, id, known: BTreeSet::new() }
    }

    /// Remembers a text that must not appear in messages either.
    pub(super) fn learn(&mut self, text: &str) {
        if text.len() >= SHORTEST_KNOWN {
            self.known.insert(text.to_owned());
        }
    }

    /// Nothing but its hash, length and class.
    pub fn hide(&self, bytes: &[u8]) -> Hidden {
        Hidden {
            hash: format!("{}:{}", self.id, hex(&mac(&self.salt.0, bytes), 12)),
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            class: class(bytes),
            well_known: is_well_known(bytes),
        }
    }

    /// A value of a place for secrets: never shown, but an address is taken apart.
    pub fn secret(&self, bytes: &[u8]) -> Value {
        let text = std::str::from_utf8(bytes).ok();
        match text.and_then(|text| self.dsn(text)) {
            Some(dsn) => Value::Dsn(Box::new(dsn)),
            None => Value::Hidden(self.hide(bytes)),
        }
    }

    /// A value of a configuration, by its name.
    pub fn setting(&self, name: &str, text: &str) -> Value {
        if let Some(dsn) = self.dsn(text) {
            return Value::Dsn(Box::new(dsn));
        }
        let is_harmless = is_open_name(name) && (is_plain(text) || is_package_id(text));
        let shown = !is_secret_name(name) && (is_figure(text) || is_harmless);
        if shown || text.is_empty() || reference(text).is_some() {
            Value::Plain(text.to_owned())
        } else {
            Value::Hidden(self.hide(text.as_bytes()))
        }
    }

    /// A command line: flags, and the values of flags that are harmless.
    pub fn arguments(&self, words: &[String], begins_with_program: bool) -> Vec<Value> {
        let mut flag = String::new();
        let mut values = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if is_flag(name) => (name.to_owned(), Some(value)),
                _ if is_flag(word) => (word.clone(), None),
                _ => (String::new(), None),
            };
            values.push(match (name.is_empty(), value) {
                (false, None) => Value::Plain(word.clone()),
                (false, Some(value)) => match self.setting(&name, value) {
                    Value::Plain(_) => Value::Plain(word.clone()),
                    hidden @ (Value::Hidden(_) | Value::Dsn(_)) => hidden,
                },
                (true, _) if at == 0 && begins_with_program && is_path(word) => {
                    Value::Plain(word.clone())
                }
                (true, _) if flag.is_empty() && word.starts_with('/') && is_path(word) => {
                    Value::Plain(word.clone())
                }
                (true, _) => self.setting(&flag, word),
            });
            flag = if value.is_none() { name } else { String::new() };
        }
        values
    }

    /// An annotation; none for those that repeat the whole object.
    pub fn annotation(&self, key: &str, text: &str) -> Option<Value> {
        if key == "kubectl.kubernetes.io/last-applied-configuration" {
            return None;
        }
        let shown = ANNOTATIONS.iter().any(|open| match open.strip_suffix('*') {
            Some(beginning) => key.starts_with(beginning),
            None => key == *open,
        });
        let shown = shown && text.len() <= 300 && !text.contains("://");
        Some(match shown {
            true => Value::Plain(self.message(text)),
            false => Value::Hidden(self.hide(text.as_bytes())),
        })
    }

    /// A text that people are to read, without what is known to be secret and without what looks
    /// like the password of an address or of an assignment.
    pub fn message(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.known {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), HIDDEN);
            }
        }
        let words = shown.split_inclusive(char::is_whitespace).map(|word| {
            let at = word.find("://").and_then(|begin| Some((begin, word.rfind('@')?)));
            let assigned = word.split_once(['=', ':']).filter(|(name, _)| is_secret_name(name));
            let end = if word.ends_with(char::is_whitespace) { " " } else { "" };
            match (at, assigned) {
                (Some((begin, end)), _) if begin < end => {
                    let (head, tail) = (word.get(..begin), word.get(end..));
                    format!("{}://{HIDDEN}{}", head.unwrap_or_default(), tail.unwrap_or_default())
                }
                (_, Some((name, value))) if !value.trim().is_empty() => {
                    format!("{name}={HIDDEN}{end}")
                }
                _ => word.to_owned(),
            }
        });
        words.collect()
    }

    /// What a program has told, line by line, as [`Self::message`] shows each; also without what
    /// follows the name of something secret, and without private keys.
    pub fn transcript(&self, text: &str) -> String {
        let mut shown = String::new();
        let mut is_key = false;
        for line in text.lines() {
            let is_end = line.contains("-----END ");
            is_key |= line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
            if is_key {
                shown.push_str(if is_end { "(hidden)\n" } else { "" });
                is_key &= !is_end;
                continue;
            }
            let mut is_next_secret = false;
            for word in self.message(line).split_inclusive(char::is_whitespace) {
                let bare = word.trim();
                let hides = is_next_secret && !bare.is_empty();
                shown.push_str(if hides { HIDDEN } else { bare });
                shown.push_str(word.strip_prefix(bare).unwrap_or(" "));
                let asks = bare.ends_with(['=', ':']) || bare.starts_with('-');
                is_next_secret = match bare.is_empty() {
                    true => is_next_secret,
                    false => !hides && asks && is_secret_name(bare),
                };
            }
            shown.push('\n');
        }
        if is_key {
            shown.push_str("(hidden)\n");
        }
        shown
    }

    /// An address of a server, taken apart; none when the text is no address.
    fn dsn(&self, text: &str) -> Option<Dsn> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.is_empty() || scheme.len() > 24 || !scheme.chars().all(is_scheme) {
            return None;
        }
        let whole = self.hide(text.as_bytes());
        let scheme = scheme.to_ascii_lowercase();
        // The last @ before the host: a password that was not encoded may have some of its own.
        let (login, place) = rest.rsplit_once('@').map_or(("", rest), |(l, p)| (l, p));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (Some(user), Some(password)),
            // A user alone may be a token.
            None => (None, (!login.is_empty()).then_some(login)),
        };
        let end = place.find(['/', '?', '#']).unwrap_or(place.len());
        let (authority, path) = place.split_at_checked(end).unwrap_or((place, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (authority, None),
        };
        let host_ok = !host.is_empty() && is_host(host);
        let encoded = |text: &str| text.chars().all(is_encoded);
        let variable = password.and_then(reference);
        let password = password.filter(|_| variable.is_none()).map(|password| {
            let decoded: Vec<u8> = percent_decode_str(password).collect();
            (encoded(password), self.hide(&decoded))
        });
        let database = path.trim_start_matches('/').split(['/', '?', '#']).next();
        let is_store = STORES.contains(&scheme.as_str());
        let well_formed = host_ok
            && user.is_none_or(encoded)
            && password.as_ref().is_none_or(|(encoded, _)| *encoded)
            && (authority == host || port.is_some());
        Some(Dsn {
            scheme,
            user: user.filter(|user| is_identifier(user)).map(str::to_owned),
            host: if host_ok { host.to_owned() } else { String::new() },
            port,
            database: database.filter(|name| is_store && is_identifier(name)).map(str::to_owned),
            password: password.map(|(_, hidden)| hidden),
            well_formed,
            whole,
            password_variable: variable.map(str::to_owned),
        })
    }
}

const HIDDEN: &str = "(hidden)";

/// Schemes of stores, whose paths are names of databases; those of others may be secret.
const STORES: [&str; 9] = [
    "amqp",
    "couchdb",
    "mongodb",
    "mysql",
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "sqlserver",
];

/// Annotations whose values mean something and are never secret.
const ANNOTATIONS: [&str; 19] = [
    "autoscaling.alpha.kubernetes.io/conditions",
    "batch.kubernetes.io/job-tracking",
    "cert-manager.io/*",
    "cronjob.kubernetes.io/instantiate",
    "deployment.kubernetes.io/*",
    "ingressclass.kubernetes.io/is-default-class",
    "kubectl.kubernetes.io/restartedAt",
    "kubernetes.io/ingress.class",
    "metallb.universe.tf/*",
    "nginx.ingress.kubernetes.io/cors-allow-origin",
    "nginx.ingress.kubernetes.io/enable-cors",
    "nginx.ingress.kubernetes.io/proxy-body-size",
    "node.alpha.kubernetes.io/ttl",
    "ops.gx/*",
    "prometheus.io/*",
    "pv.kubernetes.io/*",
    "storageclass.kubernetes.io/is-default-class",
    "volume.beta.kubernetes.io/*",
    "volume.kubernetes.io/*",
];

/// What in a name says that the value is secret.
const SECRET_WORDS: [&str; 17] = [
    "auth",
    "cookie",
    "credential",
    "dsn",
    "key",
    "license",
    "nonce",
    "passphrase",
    "passwd",
    "password",
    "pepper",
    "private",
    "pwd",
    "salt",
    "secret",
    "seed",
    "token",
];

/// Last words of names whose values are names, places and sizes.
const OPEN_WORDS: [&str; 47] = [
    "addr",
    "address",
    "addresses",
    "alias",
    "bucket",
    "chaincode",
    "channel",
    "count",
    "database",
    "db",
    "dir",
    "directory",
    "domain",
    "enabled",
    "endpoint",
    "endpoints",
    "env",
    "environment",
    "file",
    "format",
    "host",
    "hostname",
    "hosts",
    "id",
    "interval",
    "level",
    "limit",
    "mode",
    "msp",
    "mspid",
    "name",
    "namespace",
    "network",
    "orderers",
    "organizations",
    "path",
    "peers",
    "port",
    "region",
    "retention",
    "service",
    "size",
    "threshold",
    "timeout",
    "user",
    "username",
    "version",
];

/// Whether a name says that its value is secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) || name.ends_with("pass")
}

fn is_open_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    OPEN_WORDS.contains(&last)
        || OPEN_WORDS.iter().any(|word| word.len() > 4 && last.ends_with(word))
}

/// The variable whose value Kubernetes puts in place of such a text.
fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix("$(")?.strip_suffix(')')?;
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_name = name.len() <= 64 && name.chars().all(allowed) && !name.split('_').any(is_random);
    (is_name && name.starts_with(|c: char| c.is_ascii_uppercase())).then_some(name)
}

/// What programs are delivered with as a password, alone or behind the name of a user.
const WELL_KNOWN: [&str; 22] = [
    "123456",
    "12345678",
    "admin",
    "admin123",
    "adminpw",
    "changeit",
    "changeme",
    "couchdb",
    "default",
    "example",
    "grafana",
    "guest",
    "letmein",
    "minioadmin",
    "password",
    "password123",
    "postgres",
    "prom-operator",
    "redis",
    "root",
    "secret",
    "test",
];

fn is_well_known(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim().to_ascii_lowercase();
    let password = text.split_once(':').map_or(text.as_str(), |(_, password)| password);
    WELL_KNOWN.contains(&password)
}

/// A number with or without a unit, or a truth value.
fn is_figure(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let (number, unit) = digits.split_at_checked(end).unwrap_or((digits, ""));
    let is_number = !number.is_empty() && number.len() <= 13;
    let unit_ok = unit.len() <= 3 && unit.chars().all(|c| c.is_ascii_alphabetic() || c == '%');
    let words = ["true", "false", "yes", "no", "on", "off", "debug", "info", "warn", "error"];
    (is_number && unit_ok) || words.contains(&text)
}

/// Names, places and lists of them, with nothing in them that looks like it was drawn at random.
fn is_plain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/,-".contains(c);
    text.len() <= 200
        && text.chars().all(allowed)
        && text.split(['.', ':', '/', ',', '-', '_']).all(|word| !is_random(word))
}

/// The id of a package of chaincode: its label and the SHA-256 of it, which tells nothing else.
fn is_package_id(text: &str) -> bool {
    let Some((label, hash)) = text.split_once(':') else { return false };
    let is_hash = hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit());
    is_hash && !label.is_empty() && is_plain(label)
}

/// A long word with figures among its letters.
fn is_random(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    let turns = word.as_bytes().windows(2).filter(|pair| match pair {
        [a, b] => a.is_ascii_digit() != b.is_ascii_digit(),
        _ => false,
    });
    word.len() >= 12 && digits > 0 && letters > 0 && turns.count() > 2 || word.len() > 40
}

pub(super) fn is_host(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-[]:".contains(c);
    text.len() <= 253 && text.chars().all(allowed) && !text.split('.').any(is_random)
}

fn is_path(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    text.len() <= 120 && text.chars().all(allowed) && !text.split(['/', '-']).any(is_random)
}

fn is_identifier(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(allowed) && !is_random(text)
}

fn is_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    let dashes = word.len() - name.len();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=2).contains(&dashes)
        && !name.is_empty()
        && name.len() <= 64
        && name.chars().all(allowed)
        && !name.split(['-', '.']).any(is_random)
}

/// What may stand in the login of an address as it is.
fn is_encoded(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=".contains(c)
}

fn class(bytes: &[u8]) -> Class {
    let Ok(text) = std::str::from_utf8(bytes) else { return Class::Binary };
    let all = |is: fn(char) -> bool| text.trim_end().chars().all(is);
    if text.is_empty() {
        Class::Empty
    } else if text.contains("PRIVATE KEY-----") {
        Class::PrivateKey
    } else if text.contains("-----BEGIN CERTIFICATE-----") {
        Class::Certificate
    } else if all(|c| c.is_ascii_digit()) {
        Class::Digits
    } else if all(|c| c.is_ascii_alphanumeric()) {
        Class::Alphanumeric
    } else if all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) {
        Class::UrlSafe
    } else if text.trim_end().contains('\n') {
        Class::Lines
    } else {
        Class::Line
    }
}

fn mac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    // A key of any length is taken; should it not be, what comes out still says nothing.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(bytes);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(Salt::new([7; 32]))
    }

    #[test]
    fn what_programs_tell_is_shown_without_secrets() {
        let key = concat!("-----BEGIN ", "PRIVATE KEY-----\nMIIE\n-----END ", "PRIVATE KEY-----");
        let told = format!(
            "step 1: ok\n  \"password\": \"hunter2\",\nlogin --password hunter2 --user gx\n\
             TOKEN=hunter2\nat postgres://gx:hunter2@db/main\n{key}\ndone\nbroken off: {}",
            key.split("\n-----END").next().unwrap()
        );
        let shown = redactor().transcript(&told);
        assert!(!shown.contains("hunter2") && !shown.contains("MIIE"), "{shown}");
        for line in [
            "step 1: ok\n",
            "  \"password\": (hidden)",
            "login --password (hidden) --user gx",
            "done",
        ] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
    }

    #[test]
    fn what_is_harmless_by_name_and_form_is_shown() {
        for (name, text) in [
            ("PROJECTION_LAG_THRESHOLD_MS", "5000"),
            ("FABRIC_CHANNEL_NAME", "gxchannel-mainnet"),
            ("POSTGRES_HOST", "postgres-primary.backend-mainnet.svc.cluster.local"),
            ("FABRIC_PEER_ENDPOINT", "peer0-org1.fabric-mainnet.svc.cluster.local:7051"),
            ("CORE_PEER_LOCALMSPID", "Org1MainnetMSP"),
            ("FEATURE", "true"),
            (
                "CHAINCODE_ID",
                "gxtv3_1.0:fdffaeac2db300fa70740c4d05331ebad28877afb17f5449b87a4f54265139cf",
            ),
            ("ANYTHING", "10s"),
            ("REDIS_PASSWORD", "$(PASSWORD_OF_REDIS)"),
        ] {
            assert_eq!(redactor().setting(name, text).plain(), Some(text), "{name}");
        }
    }

    #[test]
    fn everything_else_is_hidden() {
        for (name, text) in [
            ("POSTGRES_PASSWORD", "12345678"),
            ("ANYTHING", "correct-horse"),
            ("AWS_ACCESS_KEY_ID", "EXAMPLEKEY"),
            ("WEBHOOK_NAME", "a8f3k2l9d0s7f6g5"),
            ("API_HOST", "not a host"),
            ("REDIS_PASSWORD", "$(a8f3k2l9d0s7f6g5)"),
        ] {
            let value = redactor().setting(name, text);
            assert_eq!(value.plain(), None, "{name}");
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        let redactor = redactor();
        let text = "postgresql://gx_admin:p%2Fw@postgres-primary:5432/gx?sslmode=require";
        let value = redactor.secret(text.as_bytes());
        let dsn = value.dsn().unwrap();
        assert_eq!(dsn.user.as_deref(), Some("gx_admin"));
        assert_eq!((dsn.host.as_str(), dsn.port), ("postgres-primary", Some(5432)));
        assert_eq!(dsn.database.as_deref(), Some("gx"));
        assert_eq!(dsn.password.as_ref().unwrap().equals(&redactor.hide(b"p/w")), Some(true));
        assert!(dsn.well_formed);
        // The incident: a password with a slash that nobody has encoded.
        let broken = redactor.secret(b"redis://:ab/c=@redis-master:6379/0");
        let dsn = broken.dsn().unwrap();
        assert!(!dsn.well_formed);
        assert_eq!(dsn.password.as_ref().unwrap().equals(&redactor.hide(b"ab/c=")), Some(true));
        // A reference is no password, and says where to look for it.
        let referring = redactor.setting("URL", "redis://:$(REDIS_PASSWORD)@redis-master:6379");
        let dsn = referring.dsn().unwrap();
        assert_eq!(
            (dsn.password_variable.as_deref(), &dsn.password),
            (Some("REDIS_PASSWORD"), &None)
        );
    }

    #[test]
    fn what_everybody_tries_is_known_as_such() {
        let redactor = redactor();
        for text in ["admin", "adminpw", "admin:adminpw", "Password\n"] {
            assert!(redactor.hide(text.as_bytes()).well_known, "{text}");
        }
        for text in ["administrator", "adminpw2", "", "postgres:hunter2hunter2"] {
            assert!(!redactor.hide(text.as_bytes()).well_known, "{text}");
        }
    }

    #[test]
    fn a_command_line_shows_flags_and_harmless_values() {
        let words = [
            "/bin/prometheus",
            "--storage.tsdb.retention=30d",
            "--web.port",
            "9090",
            "--password",
            "correct",
            "horse",
            "--token=abc",
        ];
        let words = words.map(str::to_owned);
        let shown = redactor().arguments(&words, true);
        let shown: Vec<Option<&str>> = shown.iter().map(Value::plain).collect();
        let expected = [
            Some("/bin/prometheus"),
            Some("--storage.tsdb.retention=30d"),
            Some("--web.port"),
            Some("9090"),
            Some("--password"),
            None,
            None,
            None,
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn messages_lose_what_is_known_to_be_secret() {
        let mut redactor = redactor();
        redactor.learn("hunter2hunter2");
        let text = "login with hunter2hunter2 at redis://u:pw@redis:6379 failed password=x now";
        let shown = redactor.message(text);
        assert_eq!(
            shown,
            "login with (hidden) at redis://(hidden)@redis:6379 failed password=(hidden) now"
        );
    }
}
