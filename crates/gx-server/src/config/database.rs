//! The database that the settings name, as the store takes it.

use std::time::Duration;

use gx_store::{PostgresConfig, SqliteConfig};

use super::{Config, DatabaseEngine};

impl Config {
    /// Whether the database is the file in the data folder.
    pub fn is_file_database(&self) -> bool {
        self.database.engine == DatabaseEngine::Sqlite && !self.database.url.is_set()
    }

    /// The database that the settings name.
    ///
    /// # Errors
    /// When a connection URL cannot be read. It is never shown.
    pub fn store(&self) -> Result<gx_store::Config, gx_store::ConfigError> {
        let database = &self.database;
        let acquire_timeout = Duration::from_millis(database.acquire_timeout_ms);
        let mut config = if database.url.is_set() {
            database.url.reveal().parse()?
        } else {
            match database.engine {
                DatabaseEngine::Sqlite => gx_store::Config::sqlite(self.sqlite_path()),
                DatabaseEngine::Postgres => {
                    let password = &database.password;
                    let password =
                        password.is_set().then(|| gx_store::Secret::new(password.reveal()));
                    let (host, user, name) = (&database.host, &database.user, &database.name);
                    let mut config = PostgresConfig::new(host, user, password, name);
                    config.port = database.port;
                    config.ssl_mode = database.ssl_mode.parse()?;
                    let certificate = &database.ssl_root_cert;
                    config.ssl_root_cert =
                        Some(certificate.clone()).filter(|path| !path.as_os_str().is_empty());
                    gx_store::Config::Postgres(config)
                }
            }
        };
        match &mut config {
            gx_store::Config::Sqlite(SqliteConfig {
                readers, acquire_timeout: timeout, ..
            }) => {
                *readers = database.connections_max.saturating_sub(1);
                *timeout = acquire_timeout;
            }
            gx_store::Config::Postgres(config) => {
                config.connections = database.connections_max;
                config.acquire_timeout = acquire_timeout;
            }
        }
        Ok(config)
    }
}
