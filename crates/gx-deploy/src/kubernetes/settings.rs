//! The settings of `gx` in a cluster, as variables of its environment.
//!
//! Secrets are files of a mounted Secret; what is set here is where they are.

use crate::model::{CHAINCODE, CHANNEL, NetworkId, PLATFORM_ORG, POD_NETWORK, Part};

use super::parts::HOST;

/// Folder of the platform's secrets.
pub(super) const SECRETS_DIR: &str = "/run/gx/secrets";
/// Folder of the Fabric identities.
pub(super) const WALLET_DIR: &str = "/run/gx/wallet";
/// Folder of the authority of the peers' certificates.
pub(super) const FABRIC_TLS_DIR: &str = "/run/gx/fabric-tls";
/// Folder of the authority of the database's certificate.
pub(super) const DATABASE_TLS_DIR: &str = "/run/gx/database-tls";
/// Folder that a process may write to.
pub(super) const DATA_DIR: &str = "/var/lib/gx";

/// Keys of the Secret `gx-secrets`, and what each is.
pub const SECRETS: [(&str, &str); 6] = [
    ("database-password", "password of the role gx in PostgreSQL"),
    ("signing-secret", "32 characters or more; signs access tokens"),
    ("identity-pepper", "32 characters or more; can never change once an account exists"),
    ("redis-url", "redis://default:PASSWORD@redis:6379"),
    ("mail-password", "password for the mail server; may be empty"),
    ("documents-secret-key", "secret key of the object store of documents"),
];

/// Settings that every network and every role has. Values with the placeholder host name are an
/// overlay's to replace.
pub const BASE_SETTINGS: &[(&str, &str)] = &[
    ("GX_DATA_DIR", DATA_DIR),
    ("GX_DATABASE__ENGINE", "postgres"),
    ("GX_DATABASE__HOST", "postgres"),
    ("GX_DATABASE__NAME", "gx"),
    ("GX_DATABASE__USER", "gx"),
    ("GX_DATABASE__PASSWORD_FILE", "/run/gx/secrets/database-password"),
    ("GX_DATABASE__SSL_MODE", "verify-full"),
    ("GX_DATABASE__SSL_ROOT_CERT", "/run/gx/database-tls/ca.crt"),
    ("GX_LEDGER__ENGINE", "fabric"),
    ("GX_FABRIC__TLS_CA", "/run/gx/fabric-tls/org1.pem"),
    ("GX_FABRIC__WALLET_DIR", WALLET_DIR),
    ("GX_FABRIC__CHANNEL", CHANNEL),
    ("GX_FABRIC__CHAINCODE", CHAINCODE),
    ("GX_HTTP__ADDRESS", "0.0.0.0"),
    ("GX_HTTP__TRUSTED_PROXIES", POD_NETWORK),
    ("GX_AUTH__SIGNING_SECRET_FILE", "/run/gx/secrets/signing-secret"),
    ("GX_AUTH__IDENTITY_PEPPER_FILE", "/run/gx/secrets/identity-pepper"),
    ("GX_AUTH__PASSKEYS__RELYING_PARTY_ID", "wallet.gx.example.org"),
    ("GX_AUTH__PASSKEYS__ORIGINS", "https://wallet.gx.example.org"),
    ("GX_HTTP__ALLOWED_ORIGINS", "https://wallet.gx.example.org"),
    ("GX_REDIS__URL_FILE", "/run/gx/secrets/redis-url"),
    ("GX_DOCUMENTS__STORE", "s3"),
    ("GX_DOCUMENTS__ENDPOINT", "https://documents.gx.example.org"),
    ("GX_DOCUMENTS__BUCKET", "gx-documents"),
    ("GX_DOCUMENTS__ACCESS_KEY", "gx"),
    ("GX_DOCUMENTS__SECRET_KEY_FILE", "/run/gx/secrets/documents-secret-key"),
    ("GX_LOG__FORMAT", "json"),
];

/// Settings of the one service that hands mail to a server, beside the others.
pub(super) const MAIL_SETTINGS: &[(&str, &str)] = &[
    ("GX_MAIL__SERVER", "mail.gx.example.org"),
    ("GX_MAIL__FROM", "no-reply@gx.example.org"),
    ("GX_MAIL__USERNAME", "gx"),
    ("GX_MAIL__PASSWORD_FILE", "/run/gx/secrets/mail-password"),
];

/// What the settings of a network are beside the base's.
pub fn network_settings(network: NetworkId) -> Vec<(&'static str, String)> {
    let namespace = Part::Fabric.namespace(network);
    let peer = |name: String| format!("{name}.{namespace}.svc.cluster.local:7051");
    let peers: Vec<String> = PLATFORM_ORG.peers().into_iter().map(peer).collect();
    vec![
        ("GX_NETWORK", network.to_string()),
        ("GX_FABRIC__PEERS", peers.join(",")),
        ("GX_FABRIC__MSP_ID", PLATFORM_ORG.msp()),
    ]
}

/// What an overlay states of its site, by the name that it has in `site.yaml`, and the settings
/// that it becomes.
pub(super) const SITE: &[(&str, &[&str])] = &[
    ("walletDomain", &["GX_AUTH__PASSKEYS__RELYING_PARTY_ID"]),
    ("walletOrigin", &["GX_AUTH__PASSKEYS__ORIGINS", "GX_HTTP__ALLOWED_ORIGINS"]),
    ("documentsEndpoint", &["GX_DOCUMENTS__ENDPOINT"]),
    ("documentsBucket", &["GX_DOCUMENTS__BUCKET"]),
    ("documentsAccessKey", &["GX_DOCUMENTS__ACCESS_KEY"]),
];

/// The same of the settings of mail.
pub(super) const SITE_MAIL: &[(&str, &str)] = &[
    ("mailServer", "GX_MAIL__SERVER"),
    ("mailFrom", "GX_MAIL__FROM"),
    ("mailUsername", "GX_MAIL__USERNAME"),
];

/// Lines of a file of variables.
pub(super) fn lines<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    settings.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// The name that a reader of the API uses when nothing else is set; see [`HOST`].
pub(super) const API_HOST: &str = HOST;
