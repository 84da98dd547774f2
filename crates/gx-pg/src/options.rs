//! How a cluster is set up: fast and careless for tests, or durable for benchmarks.
//!
//! Both keep `synchronous_commit` on, so that what was acknowledged outlives a killed server in
//! either of them; only a crash of the machine separates the two.

use std::path::PathBuf;

/// Settings of a new cluster. `Default` is for tests, [`Options::durable`] for benchmarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether commits wait for the disk. Without it a crash of the machine loses data, a crash
    /// or a kill of the server does not.
    pub fsync: bool,
    pub max_connections: u16,
    /// PostgreSQL's notation, such as `128MB`.
    pub shared_buffers: String,
    /// PostgreSQL's notation, such as `1GB`.
    pub max_wal_size: String,
    /// Further lines of `postgresql.conf`; the last line of a name wins.
    pub settings: Vec<(String, String)>,
    /// Where the cluster's folder is made; the system's temporary folder if `None`.
    pub parent: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fsync: false,
            max_connections: 200,
            shared_buffers: "128MB".to_owned(),
            max_wal_size: "1GB".to_owned(),
            settings: Vec::new(),
            parent: None,
        }
    }
}

impl Options {
    /// Every commit reaches the disk, with memory and checkpoints sized for measuring on a
    /// machine of two cores and 24 GiB that also runs the load.
    pub fn durable() -> Self {
        let settings = [
            ("checkpoint_timeout", "15min"),
            ("effective_cache_size", "12GB"),
            ("maintenance_work_mem", "512MB"),
            ("min_wal_size", "1GB"),
            ("random_page_cost", "1.1"),
            ("wal_buffers", "64MB"),
            ("work_mem", "16MB"),
        ];
        Self {
            fsync: true,
            shared_buffers: "2GB".to_owned(),
            max_wal_size: "8GB".to_owned(),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            ..Self::default()
        }
    }

    /// One more line of `postgresql.conf`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The lines that are appended to the `postgresql.conf` which initdb wrote.
    pub(crate) fn conf(&self) -> String {
        let flag = if self.fsync { "on" } else { "off" };
        let max_connections = self.max_connections.to_string();
        let fixed = [
            // TCP only: the path of a Unix socket may hold 107 bytes, and folders are longer.
            ("unix_socket_directories", ""),
            ("listen_addresses", "127.0.0.1"),
            ("fsync", flag),
            ("full_page_writes", flag),
            ("synchronous_commit", "on"),
            ("max_connections", &max_connections),
            ("shared_buffers", &self.shared_buffers),
            ("max_wal_size", &self.max_wal_size),
            ("jit", "off"),
            ("lc_messages", "C"),
            ("log_timezone", "UTC"),
            ("timezone", "UTC"),
        ];
        let own = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        fixed.into_iter().chain(own).map(|(name, value)| line(name, value)).collect()
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn a_quote_in_a_value_is_doubled_and_the_last_line_is_the_callers() {
        let conf = Options::default().with("fsync", "on").with("cluster_name", "a'b").conf();
        assert!(conf.contains("fsync = 'off'\n"), "{conf}");
        assert!(conf.ends_with("fsync = 'on'\ncluster_name = 'a''b'\n"), "{conf}");
    }

    #[test]
    fn durable_waits_for_the_disk() {
        let conf = Options::durable().conf();
        for line in ["fsync = 'on'", "full_page_writes = 'on'", "synchronous_commit = 'on'"] {
            assert!(conf.contains(line), "{line} is missing:\n{conf}");
        }
    }
}
