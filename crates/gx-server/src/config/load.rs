//! Reads the settings: defaults, gx.toml, environment, command line, in this order.
//!
//! A value from the environment or the command line is read by the type of the key's default, so
//! that a password of digits stays text and a port does not.

use std::path::{Path, PathBuf};

use figment::providers::{Format, Serialized, Toml};
use figment::value::{Tag, Value};
use figment::{Figment, Provider};

use super::{Config, DEFAULTS, Error, Secret};

/// The file that is read from the working folder when none is named.
const DEFAULT_FILE: &str = "gx.toml";

/// Variables with our prefix that are no settings: the binary and the tests read them.
const RESERVED: &[&str] = &["GX_CONFIG", "GX_SLOW_TESTS"];

/// Keys that may come from the environment or a file of their own only.
const SECRETS: &[&str] = &[
    "database.url",
    "database.password",
    "auth.signing_secret",
    "auth.previous_signing_secret",
    "auth.identity_pepper",
    "documents.secret_key",
    "mail.password",
    "texts.bearer",
    "redis.url",
    "telemetry.otlp.bearer",
];

/// Established names of settings, and how their values are read.
const ESTABLISHED: &[(&str, &str, Reading)] = &[
    ("DATABASE_URL", "database.url", Reading::AsIs),
    ("REDIS_URL", "redis.url", Reading::AsIs),
    ("JWT_SECRET", "auth.signing_secret", Reading::AsIs),
    ("JWT_EXPIRY", "auth.access_token_seconds", Reading::Seconds),
    ("JWT_REFRESH_EXPIRY", "auth.refresh_token_seconds", Reading::Seconds),
    ("PROJECTION_LAG_THRESHOLD_MS", "readiness.lag_threshold_ms", Reading::AsIs),
    ("LOG_LEVEL", "log.level", Reading::AsIs),
    ("FABRIC_PEER_ENDPOINT", "fabric.peers", Reading::AsIs),
    ("FABRIC_PEER_TLS_CA_CERT_PATH", "fabric.tls_ca", Reading::AsIs),
    ("FABRIC_TLS_SERVER_NAME_OVERRIDE", "fabric.tls_server_name", Reading::AsIs),
    ("FABRIC_WALLET_PATH", "fabric.wallet_dir", Reading::AsIs),
    ("FABRIC_MSP_ID", "fabric.msp_id", Reading::AsIs),
    ("FABRIC_CHANNEL_NAME", "fabric.channel", Reading::AsIs),
    ("FABRIC_CHAINCODE_NAME", "fabric.chaincode", Reading::AsIs),
    ("FABRIC_ENDORSING_ORGANIZATIONS", "fabric.endorsing_organizations", Reading::AsIs),
];

#[derive(Clone, Copy)]
enum Reading {
    AsIs,
    /// A number of seconds, or one with the unit s, m, h or d.
    Seconds,
}

impl Config {
    /// Reads and checks the settings.
    ///
    /// `file` must exist when it is named; otherwise `gx.toml` is read when there is one. `flags`
    /// are pairs of `section.key` and value.
    ///
    /// # Errors
    /// [`Error`] names the key, variable or file that is wrong.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, Error> {
        let defaults = Figment::from(Toml::string(DEFAULTS));
        let mut figment = defaults.clone();
        if let Some(path) = settings_file(file)? {
            let layer = Figment::from(Toml::file_exact(&path));
            refuse_secrets(&layer, &path)?;
            figment = figment.merge(layer);
        }
        for (name, key, text) in from_environment(environment)? {
            figment = figment.merge(one(&defaults, &name, &key, &text)?);
        }
        for (key, text) in flags {
            figment = figment.merge(one(&defaults, key, key, text)?);
        }
        let mut config: Self = figment.extract().map_err(readable)?;
        config.read_secret_files()?;
        config.validate()?;
        Ok(config)
    }

    fn read_secret_files(&mut self) -> Result<(), Error> {
        let (database, auth, redis) = (&mut self.database, &mut self.auth, &mut self.redis);
        let documents = &mut self.documents;
        let (mail, texts) = (&mut self.mail, &mut self.texts);
        let otlp = &mut self.telemetry.otlp;
        for (key, path, secret) in [
            ("database.url_file", &database.url_file, &mut database.url),
            ("database.password_file", &database.password_file, &mut database.password),
            ("auth.signing_secret_file", &auth.signing_secret_file, &mut auth.signing_secret),
            ("auth.identity_pepper_file", &auth.identity_pepper_file, &mut auth.identity_pepper),
            ("documents.secret_key_file", &documents.secret_key_file, &mut documents.secret_key),
            ("mail.password_file", &mail.password_file, &mut mail.password),
            ("texts.bearer_file", &texts.bearer_file, &mut texts.bearer),
            ("redis.url_file", &redis.url_file, &mut redis.url),
            ("telemetry.otlp.bearer_file", &otlp.bearer_file, &mut otlp.bearer),
        ] {
            if !path.as_os_str().is_empty() {
                let text = std::fs::read_to_string(path).map_err(|source| Error::SecretFile {
                    key,
                    path: path.clone(),
                    source,
                })?;
                *secret = Secret::new(text.lines().next().unwrap_or_default());
            }
        }
        Ok(())
    }
}

fn settings_file(file: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    match file {
        Some(path) if path.is_file() => Ok(Some(path.to_owned())),
        Some(path) => Err(Error::Unreadable(format!("no file {}", path.display()))),
        None => Ok(Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file())),
    }
}

fn refuse_secrets(layer: &Figment, path: &Path) -> Result<(), Error> {
    for key in SECRETS {
        if layer.find_value(key).is_ok() {
            return Err(Error::SecretInFile {
                key: (*key).to_owned(),
                file: path.display().to_string(),
                variable: format!("GX_{}", key.replace('.', "__").to_uppercase()),
            });
        }
    }
    Ok(())
}

/// What the environment sets: (variable, key, value).
fn from_environment(
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<(String, String, String)>, Error> {
    let (mut established, mut own) = (Vec::new(), Vec::new());
    for (name, text) in environment {
        if let Some((_, key, reading)) = ESTABLISHED.iter().find(|(known, ..)| *known == name) {
            let text = match reading {
                Reading::AsIs => text,
                Reading::Seconds => seconds(&text).ok_or_else(|| {
                    Error::Unreadable(format!("{name}: a duration such as 15m expected"))
                })?,
            };
            established.push((name, (*key).to_owned(), text));
        } else if let Some(key) = name.strip_prefix("GX_")
            && !RESERVED.contains(&name.as_str())
        {
            let key = key.replace("__", ".").to_lowercase();
            own.push((name, key, text));
        }
    }
    // Our own names are the more specific ones and win.
    established.extend(own);
    Ok(established)
}

fn seconds(text: &str) -> Option<String> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3600),
        (at, 'd') => (text.get(..at)?, 86_400),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit).map(|seconds| seconds.to_string())
}

/// One setting as a layer of its own, typed as its default is.
fn one(
    defaults: &Figment,
    name: &str,
    key: &str,
    text: &str,
) -> Result<impl Provider + use<>, Error> {
    let default = defaults
        .find_value(key)
        .ok()
        .filter(|value| value.as_dict().is_none())
        .ok_or_else(|| Error::Unknown(format!("{name} (there is no key {key})")))?;
    let wrong = |what: &str| Error::Unreadable(format!("{name}: {what} expected"));
    let tag = Tag::Default;
    let value = match default {
        Value::Num(..) => {
            let number: u64 = text.trim().parse().map_err(|_| wrong("a whole number"))?;
            Value::Num(tag, number.into())
        }
        Value::Bool(..) => {
            Value::Bool(tag, text.trim().parse().map_err(|_| wrong("true or false"))?)
        }
        Value::Array(..) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(tag, items.map(Value::from).collect())
        }
        _ => Value::String(tag, text.to_owned()),
    };
    Ok(Serialized::default(key, value))
}

/// One text for all that figment found wrong, without its profile names.
fn readable(error: figment::Error) -> Error {
    let unknown =
        error.clone().into_iter().any(|e| matches!(e.kind, figment::error::Kind::UnknownField(..)));
    // What the error says of its origin is a place in this source when it is not a file.
    let lines: Vec<String> = error.into_iter().map(|e| e.to_string()).collect();
    let line = |line: &String| line.split(" in crates/").next().unwrap_or_default().to_owned();
    let lines: Vec<String> = lines.iter().map(line).collect();
    let text = lines.join("; ").replace("\"default.", "\"");
    if unknown { Error::Unknown(text) } else { Error::Unreadable(text) }
}
