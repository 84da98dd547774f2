//! Settings of documents: where they are kept, what is taken, and who looks for viruses.

use std::path::PathBuf;

use hyper::Uri;
use serde::{Deserialize, Serialize};

use super::faults::check;
use super::secret::Secret;

/// What keeps documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentStore {
    Folder,
    S3,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    pub store: DocumentStore,
    pub folder: PathBuf,
    pub endpoint: String,
    pub bucket: String,
    pub region: String,
    pub tls_ca: PathBuf,
    pub access_key: String,
    pub secret_key: Secret,
    pub secret_key_file: PathBuf,
    pub path_style: bool,
    pub bytes_max: usize,
    pub accepted_types: Vec<String>,
    pub clamav: ClamAv,
}

/// The virus scanner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClamAv {
    pub address: String,
    pub timeout_ms: u64,
}

/// Every type that can be looked into.
const KNOWN_TYPES: [&str; 4] = ["application/pdf", "image/jpeg", "image/png", "image/webp"];

/// What is decoded in memory stays below this.
const BYTES_MAX: usize = 32 << 20;

impl Documents {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        if self.store == DocumentStore::S3 {
            let uri: Option<Uri> = self.endpoint.parse().ok();
            let is_address = uri.is_some_and(|uri| {
                uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"))
            });
            let what = "must be an address such as https://s3.example.org when documents.store is \
                s3";
            check(faults, is_address, "documents.endpoint", what);
            for (key, is_set) in [
                ("documents.bucket", !self.bucket.is_empty()),
                ("documents.region", !self.region.is_empty()),
                ("documents.access_key", !self.access_key.is_empty()),
                ("documents.secret_key", self.secret_key.is_set()),
            ] {
                check(faults, is_set, key, "is needed when documents.store is s3");
            }
        }
        let fits = self.tls_ca.as_os_str().is_empty() || self.endpoint.starts_with("https:");
        let what =
            "is for an endpoint of https:// only: without TLS nobody's certificate is checked";
        check(faults, fits, "documents.tls_ca", what);
        let fits = (1024..=BYTES_MAX).contains(&self.bytes_max);
        check(faults, fits, "documents.bytes_max", "must be from 1024 to 33554432");
        let known = |text: &String| KNOWN_TYPES.contains(&text.as_str());
        let fits = !self.accepted_types.is_empty() && self.accepted_types.iter().all(known);
        let what = format!("must be some of {}", KNOWN_TYPES.join(", "));
        check(faults, fits, "documents.accepted_types", &what);
        let address = &self.clamav.address;
        let fits = address.is_empty()
            || address.strip_prefix("unix:").is_some_and(|path| path.starts_with('/'))
            || address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            });
        let what = "must be host:port, or unix: and an absolute path";
        check(faults, fits, "documents.clamav.address", what);
        let fits = (100..=300_000).contains(&self.clamav.timeout_ms);
        check(faults, fits, "documents.clamav.timeout_ms", "must be from 100 to 300000");
    }
}
