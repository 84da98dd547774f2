//! TLS as a client sees it: whether it is spoken, and whether the other side can be believed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gx_types::with_causes;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::reach::{Connection, silence};
use super::{Part, Verdict};

/// How much of the other side's identity is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: whoever answers is spoken to.
    Any,
    /// Whether an authority that is trusted signed the certificate.
    Authority,
    /// And whether the certificate is of this name.
    Name,
}

/// How TLS is spoken.
#[derive(Debug, Clone)]
pub struct Tls {
    pub trust: Trust,
    /// Name that the certificate must be of.
    pub name: String,
    /// PEM file of the authorities; none: those of this machine.
    pub authorities: Option<PathBuf>,
    /// PEM files of the client's own certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Protocols inside, such as `h2`.
    pub protocols: Vec<Vec<u8>>,
}

/// Speaks TLS, and tells how that went.
pub(super) async fn handshake(
    part: &mut Part,
    stream: Connection,
    tls: &Tls,
    patience: Duration,
) -> Option<Connection> {
    let (config, name) = match prepared(tls) {
        Ok(prepared) => prepared,
        Err(why) => {
            part.add("tls", Verdict::Tls, why, "put the file or the name in the settings right");
            return None;
        }
    };
    let shaken = timeout(patience, TlsConnector::from(config).connect(name, stream)).await;
    match shaken {
        Ok(Ok(stream)) => {
            let how = match tls.trust {
                Trust::Any => "spoken; nobody checks with whom",
                Trust::Authority => "the authority is trusted; the name is not checked",
                Trust::Name => "the certificate is trusted",
            };
            part.ok("tls", how);
            Some(Box::new(stream))
        }
        Ok(Err(error)) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            let remedy = remedy(inner, tls);
            part.add("tls", Verdict::Tls, with_causes(&error), remedy);
            None
        }
        Err(_) => {
            let remedy = "what listens there does not speak TLS: another port, or TLS off";
            part.add("tls", Verdict::Tls, silence(patience), remedy);
            None
        }
    }
}

fn remedy(error: Option<&Error>, tls: &Tls) -> String {
    let name = &tls.name;
    match error {
        // An authority that was made again has the old one's name, and another key.
        Some(Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => "another authority signed it: give the settings the PEM file of the right one"
            .to_owned(),
        Some(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "renew the server's certificate, and set the clock of this machine".to_owned(),
        Some(Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => "set the clock of this machine".to_owned(),
        Some(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("the certificate is of another name: use one of its names, not {name}"),
        Some(Error::InvalidMessage(_)) => {
            "what listens there does not speak TLS: another port, or TLS off".to_owned()
        }
        Some(Error::AlertReceived(_)) => {
            "the server ended it: it wants a client's certificate, or another version of TLS"
                .to_owned()
        }
        _ => {
            "what listens there ends the connection: its log, and whether it speaks TLS".to_owned()
        }
    }
}

fn prepared(tls: &Tls) -> Result<(Arc<ClientConfig>, ServerName<'static>), String> {
    let name = ServerName::try_from(tls.name.clone())
        .map_err(|_| format!("{} is no name of a server", tls.name))?;
    let provider = Arc::new(ring::default_provider());
    let inner = match tls.trust {
        Trust::Any => None,
        Trust::Authority | Trust::Name => {
            let roots = Arc::new(roots(tls)?);
            let built = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            Some(built.build().map_err(|error| format!("the authorities: {error}"))?)
        }
    };
    let verifier =
        Verifier { inner, is_name_checked: tls.trust == Trust::Name, provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &tls.identity {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = certificates(chain)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("{}: {error}", key.display()))?;
            config.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
        }
    };
    config.alpn_protocols.clone_from(&tls.protocols);
    Ok((Arc::new(config), name))
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error| format!("{}: {error}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(failed)?;
    found.collect::<Result<Vec<_>, _>>().map_err(failed)
}

fn roots(tls: &Tls) -> Result<RootCertStore, String> {
    let found = match &tls.authorities {
        Some(path) => certificates(path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        return Err(match &tls.authorities {
            Some(path) => format!("{} holds no certificate", path.display()),
            None => "this machine has no authorities".to_owned(),
        });
    }
    Ok(roots)
}

/// Checks as much as the settings ask for, as the platform's own clients do.
#[derive(Debug)]
struct Verifier {
    inner: Option<Arc<WebPkiServerVerifier>>,
    is_name_checked: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // The name is looked at last, so all else holds.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.is_name_checked => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
