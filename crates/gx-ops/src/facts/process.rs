//! Processes of the platform, as `/metrics`, `/readyz` and `/version` tell of them.

use super::{Keyed, Known, Labels, Time};

facts! {
    /// One figure of `/metrics`.
    pub struct Sample {
        pub name: String,
        pub labels: Labels,
        /// A number in its text form.
        pub value: String,
    }

    /// One check of `/readyz`.
    pub struct ReadyCheck {
        pub name: String,
        pub ok: bool,
        pub detail: String,
    }

    pub struct Process {
        /// `Pod NAMESPACE/NAME`, or an address.
        pub place: String,
        pub service: String,
        pub at: Time,
        /// HTTP status of `/livez`.
        pub live: Known<u16>,
        /// HTTP status of `/readyz`.
        pub ready: Known<u16>,
        pub checks: Vec<ReadyCheck>,
        pub samples: Known<Vec<Sample>>,
        pub version: Known<String>,
        /// Version of the schema that it works with.
        pub schema_version: Known<u32>,
        /// The network that it serves.
        pub network: String,
        /// Processes that should be set alike show the same.
        pub config_digest: String,
        /// The commit that was built; empty when that was done outside a repository.
        pub commit: Known<String>,
        /// `embedded` or `fabric`.
        pub ledger: String,
        /// `sqlite` or `postgres`.
        pub database: String,
    }
}

impl Keyed for Process {
    fn key(&self) -> String {
        self.place.clone()
    }
}

impl Process {
    /// The figure of this name with these labels, as a number; none when it is not told or none.
    pub fn figure(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &Sample| {
            labels.iter().all(|(k, v)| sample.labels.get(*k).is_some_and(|is| is == v))
        };
        let samples = self.samples.get()?;
        let sample = samples.iter().find(|sample| sample.name == name && has(sample))?;
        sample.value.parse().ok()
    }
}
