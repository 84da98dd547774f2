//! Where the settings of a command come from: the flags that every command has, file, environment.
//!
//! Secrets have no flags: whoever may list processes could read them there.

use std::path::PathBuf;

use anyhow::{Context, Result};
use gx_server::config::Config;

/// The admin's password, for the demo.
pub const ADMIN_PASSWORD: &str = "GX_ADMIN_PASSWORD";
/// The server that benchmarks use instead of a cluster of their own.
pub const BENCH_DATABASE_URL: &str = "GX_BENCH_DATABASE_URL";

/// The cluster that tests share; `gx-pg` reads it.
const TEST_CLUSTER_URL: &str = "GX_PG_SHARED_URL";

/// The secret that a name was registered with at a Fabric CA.
pub const CA_SECRET: &str = "FABRIC_CA_SECRET";

/// Variables that are no settings of the platform, whatever they begin with; the last three are the
/// client's.
pub const NOT_SETTINGS: [&str; 6] =
    [ADMIN_PASSWORD, BENCH_DATABASE_URL, TEST_CLUSTER_URL, "GX_HOME", "GX_PROFILE", "GX_SERVER"];

/// What settings are read from.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// File of settings; gx.toml in the working folder when there is one.
    #[arg(long, global = true, value_name = "FILE", env = "GX_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of database, ledger and keys [default: ./gx-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks the settings; `flags` are those of the command.
    pub fn load(&self, flags: &[(&str, String)]) -> Result<Config> {
        self.read(flags, |_| true)
    }

    /// The settings of a process that is no client of a Fabric network, whatever the established
    /// variables and the settings of such clients say.
    pub fn load_without_network(&self) -> Result<Config> {
        let embedded = ("ledger.engine", "embedded".to_owned());
        let no_peers = ("fabric.peers", String::new());
        self.read(&[embedded, no_peers], |name| !name.starts_with("FABRIC_"))
    }

    fn read(&self, flags: &[(&str, String)], taken: impl Fn(&str) -> bool) -> Result<Config> {
        let mut all: Vec<(&str, String)> = flags.to_vec();
        if let Some(data) = &self.data {
            let data = data.to_str().context("--data is no text")?;
            all.push(("data_dir", data.to_owned()));
        }
        let environment = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
            .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()) && taken(name));
        Ok(Config::load(self.config.as_deref(), environment, &all)?)
    }
}

/// A secret from the environment.
pub fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
