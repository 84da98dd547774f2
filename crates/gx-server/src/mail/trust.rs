//! Whom this process believes when it calls others by TLS: the system's authorities, or the ones
//! of a file that the settings name.

use std::path::Path;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// The certificates of the authorities; `key` names the setting in errors.
pub(super) fn authorities(
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
