//! Certificates that were found, and those that something is to renew.

use super::{Condition, Keyed, Time};

facts! {
    /// An X.509 certificate, wherever it was found.
    pub struct Certificate {
        /// Where: `Secret NAMESPACE/NAME KEY`, `host:PATH`, an address.
        pub place: String,
        /// Which of a chain, from 0.
        pub position: u32,
        pub subject: String,
        pub common_name: String,
        pub organizational_units: Vec<String>,
        pub issuer: String,
        pub dns_names: Vec<String>,
        pub addresses: Vec<String>,
        pub not_before: Time,
        pub not_after: Time,
        pub is_authority: bool,
        /// SHA-256 of all of it, in hex.
        pub fingerprint: String,
        /// SHA-256 of its public key, in hex.
        pub key_fingerprint: String,
        /// Attributes that a Fabric authority has signed, such as `gxc_role`, in order.
        pub attributes: std::collections::BTreeMap<String, String>,
    }
}

impl Keyed for Certificate {
    fn key(&self) -> String {
        format!("{}#{}", self.place, self.position)
    }
}

objects! {
    /// What cert-manager is to keep.
    pub struct ManagedCertificate = "Certificate" {
        pub secret: String,
        pub dns_names: Vec<String>,
        pub issuer_kind: String,
        pub issuer: String,
        pub conditions: Vec<Condition>,
        pub not_after: Option<Time>,
        pub renewal: Option<Time>,
    }

    /// Who signs for cert-manager; one of the whole cluster has no namespace.
    pub struct Issuer = "Issuer" {
        /// Address of the ACME server; empty for other kinds.
        pub acme_server: String,
        pub conditions: Vec<Condition>,
        /// How it proves that it may have a certificate: `http01`, `dns01`.
        pub solvers: Vec<String>,
    }
}
