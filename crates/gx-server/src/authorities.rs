//! Whom this process believes when it calls others by TLS: the system's authorities, or the ones
//! of a file that the settings name. For addresses of the settings only; see `outbound.rs`.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};

/// The certificates of the authorities; `key` names the setting in errors.
pub(crate) fn authorities(
    key: &'static str,
    file: &Path,
) -> Result<Vec<CertificateDer<'static>>, String> {
    if file.as_os_str().is_empty() {
        // Some that cannot be read are no fault while there are others.
        let found = rustls_native_certs::load_native_certs().certs;
        if found.is_empty() {
            return Err(format!("{key}: this machine has no authorities for TLS; name a file"));
        }
        return Ok(found);
    }
    let wrong = |error: &dyn std::fmt::Display| format!("{key}: {}: {error}", file.display());
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))?;
    let found: Vec<CertificateDer<'static>> =
        certificates.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(found) }
}

/// Connects to whoever has a URL. What is reached without TLS needs no authorities.
pub(crate) fn connector(
    key: &'static str,
    file: &Path,
    is_tls: bool,
) -> Result<HttpsConnector<HttpConnector>, String> {
    let mut roots = RootCertStore::empty();
    if is_tls {
        // A machine may have some that nobody can read.
        roots.add_parsable_certificates(authorities(key, file)?);
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(config);
    Ok(connector.https_or_http().enable_http1().build())
}

/// Whether something failed because of TLS: a certificate that is not believed, as a rule.
pub(crate) fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    // The source of an I/O error is that of what it holds, and not what it holds.
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>()
        || held.is_some_and(|held| is_of_tls(held))
        || error.source().is_some_and(is_of_tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_believed_is_no_server_that_is_away() {
        let unknown = rustls::CertificateError::UnknownIssuer;
        let held = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::from(unknown));
        assert!(is_of_tls(&io::Error::other(held)));
        assert!(!is_of_tls(&io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert!(!is_of_tls(&io::Error::other("something else")));
    }
}
