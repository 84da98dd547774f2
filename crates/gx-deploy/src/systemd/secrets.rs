//! Secrets of units: files that root alone reads, which systemd shows to one process.
//!
//! Every secret is named in every unit that takes settings. One that has no file is empty, which
//! means that it is not set; so a secret is set by putting its file in place, and nothing else.

use std::fmt::Write as _;

use super::CREDENTIALS;

/// A secret: the name of its file, and the setting that names the file to a process.
pub(super) struct Secret {
    pub(super) file: &'static str,
    pub(super) variable: &'static str,
}

pub(super) const SECRETS: &[Secret] = &[
    Secret { file: "database-url", variable: "GX_DATABASE__URL_FILE" },
    Secret { file: "database-password", variable: "GX_DATABASE__PASSWORD_FILE" },
    Secret { file: "signing-secret", variable: "GX_AUTH__SIGNING_SECRET_FILE" },
    Secret { file: "identity-pepper", variable: "GX_AUTH__IDENTITY_PEPPER_FILE" },
    Secret { file: "mail-password", variable: "GX_MAIL__PASSWORD_FILE" },
    Secret { file: "traces-bearer", variable: "GX_TELEMETRY__OTLP__BEARER_FILE" },
    Secret { file: "texts-bearer", variable: "GX_TEXTS__BEARER_FILE" },
    Secret { file: "redis-url", variable: "GX_REDIS__URL_FILE" },
    Secret { file: "documents-secret-key", variable: "GX_DOCUMENTS__SECRET_KEY_FILE" },
];

/// The lines of a unit that takes settings.
pub(super) fn of_settings() -> String {
    let mut text = String::new();
    for Secret { file, variable } in SECRETS {
        credential(&mut text, file);
        let _ = writeln!(text, "Environment={variable}=%d/{file}");
    }
    text
}

/// The lines of the server of the contract, whose variables stand in a file of their own.
pub(super) fn of_chaincode() -> String {
    let mut text = String::new();
    credential(&mut text, "chaincode-tls-key");
    text
}

/// A file that may be missing: then its first line is empty. (systemd takes no empty text.)
fn credential(text: &mut String, file: &str) {
    let _ = writeln!(text, "LoadCredential={file}:{CREDENTIALS}/{file}");
    let _ = writeln!(text, "SetCredential={file}:\\n");
}
