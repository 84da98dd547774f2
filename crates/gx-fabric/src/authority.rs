//! Fabric CA, as far as enrolment needs it: a name registered with its role, a certificate for a
//! registered name, and a newer one for a certificate that is about to end.
//!
//! The private key is made here and never sent. One request a connection; nothing is retried.
//! Secrets appear in no error and no debug output.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use gx_types::{Role, with_causes};

use crate::certificate::ROLE_ATTRIBUTE;
use crate::issue::Key;
use crate::{Error, Identity};

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Where a Fabric CA listens unless its URL says otherwise.
const PORT: u16 = 7054;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A Fabric CA.
#[derive(Debug, Clone)]
pub struct CaServer {
    /// `https://ca.org1.example.com:7054`, or `http://` for development.
    pub url: String,
    /// PEM text of the authority of the CA's TLS certificate.
    pub tls_ca: Option<String>,
    /// The CA's name, when the server has several.
    pub ca_name: Option<String>,
}

/// What a CA has issued.
#[derive(Debug)]
pub struct Enrolled {
    pub key: Key,
    pub certificate_pem: String,
    /// The authorities, the root last.
    pub chain_pem: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    cert: String,
    server_info: ServerInfo,
}

#[derive(Deserialize)]
struct ServerInfo {
    #[serde(rename = "CAChain")]
    chain: String,
}

/// The word that a registered name is enrolled with.
#[derive(Deserialize)]
struct Registered {
    secret: String,
}

impl CaServer {
    /// Registers a name with its role, and has a certificate issued to it. Nobody ever sees the
    /// secret that the CA draws for the name.
    ///
    /// # Errors
    /// As [`CaServer::enroll`].
    pub async fn register_and_enroll(
        &self,
        registrar: &Identity,
        name: &str,
        role: Role,
    ) -> Result<Enrolled, Error> {
        const PATH: &str = "/api/v1/register";
        let attribute = json!({ "name": ROLE_ATTRIBUTE, "value": role.as_str(), "ecert": true });
        let body = self.body(json!({ "id": name, "type": "client", "attrs": [attribute] }));
        let token = token(registrar, PATH, &body)?;
        let Registered { secret } = self.ask(PATH, body, token).await?;
        self.enroll(name, &secret).await
    }

    /// A certificate for a registered name, with its role if it was registered with one.
    ///
    /// # Errors
    /// [`Error::Settings`] when the CA refuses, with its words; [`Error::Unreachable`],
    /// [`Error::Deadline`] and [`Error::Unreadable`].
    pub async fn enroll(&self, name: &str, secret: &str) -> Result<Enrolled, Error> {
        let key = Key::generate()?;
        let body = self.request(&key, name)?;
        let credentials = BASE64.encode(format!("{name}:{secret}"));
        let issued = self.ask("/api/v1/enroll", body, format!("Basic {credentials}")).await?;
        enrolled(key, &issued)
    }

    /// A newer certificate for an identity, with a new key.
    ///
    /// # Errors
    /// As [`CaServer::enroll`].
    pub async fn reenroll(&self, identity: &Identity) -> Result<Enrolled, Error> {
        const PATH: &str = "/api/v1/reenroll";
        let key = Key::generate()?;
        let name = identity.certificate().common_name().ok_or_else(|| {
            let name = identity.name();
            Error::Settings(format!("the certificate of {name} names nobody"))
        })?;
        let body = self.request(&key, &name)?;
        let token = token(identity, PATH, &body)?;
        let issued = self.ask(PATH, body, token).await?;
        enrolled(key, &issued)
    }

    fn request(&self, key: &Key, name: &str) -> Result<String, Error> {
        // Optional: a registrar has no role.
        let role = json!({ "name": ROLE_ATTRIBUTE, "optional": true });
        let request = key.request(name)?;
        Ok(self.body(json!({ "certificate_request": request, "attr_reqs": [role] })))
    }

    fn body(&self, mut body: Value) -> String {
        if let (Some(ca_name), Some(fields)) = (&self.ca_name, body.as_object_mut()) {
            fields.insert("caname".to_owned(), json!(ca_name));
        }
        body.to_string()
    }

    async fn ask<R: DeserializeOwned>(
        &self,
        path: &str,
        body: String,
        authorization: String,
    ) -> Result<R, Error> {
        let asking = self.exchange(path, body, authorization);
        let seconds = DEADLINE.as_secs();
        let answered = tokio::time::timeout(DEADLINE, asking).await;
        let (status, text) =
            answered.map_err(|_| Error::Deadline { call: "Fabric CA", seconds })??;
        let unreadable = |_| Error::Unreadable { what: "the body" };
        let answer: Value = serde_json::from_slice(&text).map_err(unreadable)?;
        let result = answer.get("result").filter(|result| !result.is_null());
        match result {
            Some(result) if status.is_success() => {
                serde_json::from_value(result.clone()).map_err(unreadable)
            }
            _ => {
                let errors = answer.get("errors").map(Value::to_string).unwrap_or_default();
                Err(Error::Settings(format!("the Fabric CA answered {status}: {errors}")))
            }
        }
    }

    async fn exchange(
        &self,
        path: &str,
        body: String,
        authorization: String,
    ) -> Result<(StatusCode, Bytes), Error> {
        let wrong = || Error::Settings(format!("{:?} is no URL of a Fabric CA", self.url));
        let url: Uri = self.url.parse().map_err(|_| wrong())?;
        let scheme = url.scheme().cloned().ok_or_else(wrong)?;
        let host = url.host().ok_or_else(wrong)?;
        let authority = format!("{host}:{}", url.port_u16().unwrap_or(PORT));
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path);
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri.build().map_err(|_| wrong())?)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, authorization)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| wrong())?;
        let client = Client::builder(TokioExecutor::new()).build(self.connector(&url)?);
        let lost =
            |error: &dyn std::error::Error| Error::Unreachable { reason: with_causes(error) };
        let answer = client.request(request).await.map_err(|error| lost(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|error| lost(&*error))?.to_bytes()))
    }

    fn connector(&self, url: &Uri) -> Result<HttpsConnector<HttpConnector>, Error> {
        let unfit = || Error::Settings("the authority of the CA's TLS is no PEM text".to_owned());
        let mut roots = RootCertStore::empty();
        match (&self.tls_ca, url.scheme_str()) {
            (Some(pem), _) => {
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    roots.add(certificate.map_err(|_| unfit())?).map_err(|_| unfit())?;
                }
            }
            (None, Some("http")) => {}
            (None, Some("https")) => {
                let text = "https needs the authority of the CA's TLS certificate";
                return Err(Error::Settings(text.to_owned()));
            }
            (None, _) => {
                return Err(Error::Settings(format!("{:?} is no URL of a Fabric CA", self.url)));
            }
        }
        let config =
            ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|_| unfit())?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(config);
        Ok(connector.https_or_http().enable_http1().build())
    }
}

/// Certificate and signature over the request, as Fabric CA's tokens have them.
fn token(identity: &Identity, path: &str, body: &str) -> Result<String, Error> {
    let certificate = BASE64.encode(identity.certificate_pem());
    let (path, body) = (BASE64.encode(path), BASE64.encode(body));
    let signed = format!("POST.{path}.{body}.{certificate}");
    let signature = identity.sign(signed.as_bytes()).ok_or(Error::NoRandomness)?;
    Ok(format!("{certificate}.{}", BASE64.encode(&signature)))
}

fn enrolled(key: Key, issued: &Issued) -> Result<Enrolled, Error> {
    let text = |encoded: &str| {
        let bytes = BASE64.decode(encoded).ok()?;
        String::from_utf8(bytes).ok()
    };
    let unreadable = || Error::Unreadable { what: "the certificate" };
    let certificate_pem = text(&issued.cert).ok_or_else(unreadable)?;
    let chain_pem = text(&issued.server_info.chain).ok_or_else(unreadable)?;
    Ok(Enrolled { key, certificate_pem, chain_pem })
}
