//! Where the database is and how to reach it, from parts or from a URL.
//!
//! Any printable password works in both forms: parts go to the driver as they are, and the URL is
//! read by this module rather than by a strict parser, because passwords are pasted into URLs
//! unescaped in practice. `Debug` never shows a password.

use std::fmt;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A text that is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Hand it to the driver; never to a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Which database, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    Sqlite(SqliteConfig),
    Postgres(PostgresConfig),
}

/// One file, one writer, several readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteConfig {
    pub path: PathBuf,
    /// Connections that read beside the one that writes.
    pub readers: u32,
    /// How long to wait for a connection, and for a lock of another process.
    pub acquire_timeout: Duration,
}

/// A PostgreSQL server from parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// Host name or address; the folder of a Unix socket when it starts with `/`.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
    pub ssl_mode: SslMode,
    /// PEM file of the authority that signs the server's certificate.
    pub ssl_root_cert: Option<PathBuf>,
    /// PEM file of the client's certificate.
    pub ssl_cert: Option<PathBuf>,
    /// PEM file of the client's key.
    pub ssl_key: Option<PathBuf>,
    pub application_name: String,
    /// Most connections of this process.
    pub connections: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
}

/// How much the server's identity is checked, as PostgreSQL names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SslMode {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// What is wrong with a connection URL. Never shows the URL, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("a database URL starts with postgres:// or sqlite:")]
    Scheme,
    #[error("the database URL names no {0}")]
    Missing(&'static str),
    #[error("the port of the database URL is no number from 1 to 65535")]
    Port,
    #[error("the database URL has the parameter {0:?}, which is not known")]
    Parameter(String),
    #[error("{0:?} is no sslmode: disable, prefer, require, verify-ca or verify-full")]
    SslMode(String),
}

impl SslMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl FromStr for SslMode {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| ConfigError::SslMode(text.to_owned()))
    }
}

impl SqliteConfig {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, acquire_timeout: Duration::from_secs(3) }
    }
}

impl PostgresConfig {
    pub fn new(
        host: impl Into<String>,
        user: impl Into<String>,
        password: Option<Secret>,
        database: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port: 5432,
            user: user.into(),
            password,
            database: database.into(),
            ssl_mode: SslMode::default(),
            ssl_root_cert: None,
            ssl_cert: None,
            ssl_key: None,
            application_name: "gx".to_owned(),
            connections: 16,
            acquire_timeout: Duration::from_secs(3),
        }
    }
}

impl Config {
    /// A SQLite file with default limits.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteConfig::new(path))
    }

    /// The same database as a URL, percent-encoded, **with** the password: for handing over to
    /// another process, never for a log.
    pub fn to_url(&self) -> Secret {
        Secret(match self {
            Self::Sqlite(config) => format!("sqlite:{}", config.path.display()),
            Self::Postgres(config) => config.url(),
        })
    }

    /// The database without secrets, for people: `postgres://user@host:5432/name`.
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(config) => format!("sqlite:{}", config.path.display()),
            Self::Postgres(PostgresConfig { host, port, user, database, .. }) => {
                format!("postgres://{user}@{host}:{port}/{database}")
            }
        }
    }
}

impl FromStr for Config {
    type Err = ConfigError;

    /// Reads `postgres://user:password@host:port/database?sslmode=…` or `sqlite:path`.
    fn from_str(url: &str) -> Result<Self, ConfigError> {
        if let Some(rest) =
            url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))
        {
            return postgres_from(rest).map(Self::Postgres);
        }
        let path = url.strip_prefix("sqlite:").ok_or(ConfigError::Scheme)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err(ConfigError::Missing("file"));
        }
        Ok(Self::sqlite(path))
    }
}

/// What follows `postgres://`.
///
/// The password ends at the last `@`, so that an unescaped one may hold any of `:/?#[]@`.
fn postgres_from(rest: &str) -> Result<PostgresConfig, ConfigError> {
    let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (decode(user), Some(Secret(decode(password)))),
        None => (decode(login), None),
    };
    let (place, query) = place.split_once('?').unwrap_or((place, ""));
    let (address, database) = place.split_once('/').unwrap_or((place, ""));
    let (host, port) = host_and_port(address)?;
    let mut config = PostgresConfig::new(host, user, password, decode(database));
    config.port = port.unwrap_or(config.port);
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        config.set(name, decode(value))?;
    }
    for (what, value) in
        [("user", &config.user), ("host", &config.host), ("database", &config.database)]
    {
        if value.is_empty() {
            return Err(ConfigError::Missing(what));
        }
    }
    Ok(config)
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_and_port(address: &str) -> Result<(String, Option<u16>), ConfigError> {
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or(ConfigError::Port)?),
        None => None,
    };
    Ok((decode(host), port))
}

impl PostgresConfig {
    fn set(&mut self, name: &str, value: String) -> Result<(), ConfigError> {
        match name {
            "sslmode" => self.ssl_mode = value.parse()?,
            "sslrootcert" => self.ssl_root_cert = Some(value.into()),
            "sslcert" => self.ssl_cert = Some(value.into()),
            "sslkey" => self.ssl_key = Some(value.into()),
            "application_name" => self.application_name = value,
            "host" => self.host = value,
            "port" => self.port = value.parse().map_err(|_| ConfigError::Port)?,
            _ => return Err(ConfigError::Parameter(name.to_owned())),
        }
        Ok(())
    }

    fn url(&self) -> String {
        let mut url = format!("postgres://{}", encode(&self.user));
        if let Some(password) = &self.password {
            url.push(':');
            url.push_str(&encode(password.reveal()));
        }
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { encode(&self.host) };
        let (port, database, mode) = (self.port, encode(&self.database), self.ssl_mode.as_str());
        // Writing to a string cannot fail.
        let _ = write!(url, "@{host}:{port}/{database}?sslmode={mode}");
        for (name, path) in [
            ("sslrootcert", &self.ssl_root_cert),
            ("sslcert", &self.ssl_cert),
            ("sslkey", &self.ssl_key),
        ] {
            if let Some(path) = path {
                let _ = write!(url, "&{name}={}", encode(&path.display().to_string()));
            }
        }
        let _ = write!(url, "&application_name={}", encode(&self.application_name));
        url
    }
}

/// Percent-encodes everything but unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Takes percent-encoding back; a text that is not valid percent-encoding stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return text.to_owned();
        };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn postgres(url: &str) -> Result<PostgresConfig, ConfigError> {
        url.parse().map(|config| match config {
            Config::Postgres(config) => config,
            Config::Sqlite(_) => unreachable!("{url}"),
        })
    }

    #[test]
    fn a_url_gives_all_parts() {
        let config = postgres(
            "postgresql://gx:a%40b@db.internal:6432/main?sslmode=verify-full&sslrootcert=/ca.pem",
        )
        .unwrap();
        assert_eq!((config.host.as_str(), config.port), ("db.internal", 6432));
        assert_eq!((config.user.as_str(), config.database.as_str()), ("gx", "main"));
        assert_eq!(config.password, Some(Secret::new("a@b")));
        assert_eq!(config.ssl_mode, SslMode::VerifyFull);
        assert_eq!(config.ssl_root_cert, Some("/ca.pem".into()));
        let socket = postgres("postgres://gx@/main?host=/run/postgresql").unwrap();
        assert_eq!((socket.host.as_str(), socket.port), ("/run/postgresql", 5432));
        assert_eq!(postgres("postgres://gx@[::1]:5433/main").unwrap().host, "::1");
    }

    #[test]
    fn an_unescaped_password_is_read_as_it_stands() {
        for password in ["p@ss:w/rd?#[1]", "100%", "%zz", "a&b=c"] {
            let config = postgres(&format!("postgres://gx:{password}@host/main")).unwrap();
            assert_eq!(config.password, Some(Secret::new(password)));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (url, error) in [
            ("mysql://gx@host/main", ConfigError::Scheme),
            ("postgres://host/main", ConfigError::Missing("user")),
            ("postgres://gx@/main", ConfigError::Missing("host")),
            ("postgres://gx@host", ConfigError::Missing("database")),
            ("postgres://gx@host:0/main", ConfigError::Port),
            ("postgres://gx@host:x/main", ConfigError::Port),
            ("postgres://gx@host/main?schema=a", ConfigError::Parameter("schema".to_owned())),
            ("postgres://gx@host/main?sslmode=on", ConfigError::SslMode("on".to_owned())),
            ("sqlite:", ConfigError::Missing("file")),
        ] {
            assert_eq!(url.parse::<Config>(), Err(error), "{url}");
        }
    }

    proptest! {
        #[test]
        fn any_printable_password_survives_the_url(
            user in "[!-~]{1,20}", password in "\\PC{0,40}", database in "[!-~]{1,20}"
        ) {
            let password = Some(Secret::new(password));
            let mut config = PostgresConfig::new("::1", user, password, database);
            config.ssl_cert = Some("/a b/c?d.pem".into());
            let config = Config::Postgres(config);
            prop_assert_eq!(config.to_url().reveal().parse::<Config>(), Ok(config.clone()));
        }

        #[test]
        fn no_password_is_shown(password in "[a-zA-Z0-9]{12,40}") {
            let config = PostgresConfig::new("h", "u", Some(Secret::new(password.clone())), "d");
            let config = Config::Postgres(config);
            let shown = format!("{config:?} {:?} {}", config.to_url(), config.describe());
            prop_assert!(!shown.contains(&password), "{}", shown);
        }
    }
}
