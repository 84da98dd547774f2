//! Enrolment at a Fabric CA over HTTPS that checks what a real one checks: secrets, tokens signed
//! over the request, certificate requests; and whose certificates have the registered attributes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use gx_fabric::authority::{CaServer, Enrolled};
use gx_fabric::certificate::Certificate;
use gx_fabric::issue::{Authority, Key};
use gx_fabric::{Class, Error, Identity};
use gx_types::Role;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

/// A registered name.
struct Registered {
    secret: String,
    attributes: Vec<(String, String)>,
    is_registrar: bool,
}

struct Ca {
    authority: Authority,
    names: Mutex<BTreeMap<String, Registered>>,
}

/// The client's view of a running CA, which ends with the value.
struct Running {
    server: CaServer,
    ca: Arc<Ca>,
    _serving: JoinSet<()>,
}

impl Running {
    async fn start() -> Self {
        let authority = Authority::generate("ca.org1", 10).unwrap();
        let boss = Registered {
            secret: "boss pw: ü".to_owned(),
            attributes: Vec::new(),
            is_registrar: true,
        };
        let names = Mutex::new(BTreeMap::from([("boss".to_owned(), boss)]));
        let ca = Arc::new(Ca { authority, names });
        let tls = Authority::generate("tlsca.org1", 10).unwrap();
        let key = Key::generate().unwrap();
        let certificate = tls.issue_server(IpAddr::V4(Ipv4Addr::LOCALHOST), &key, 1).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.pem().as_bytes()).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let tls_ca = Some(tls.certificate_pem().to_owned());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), ca.clone()));
        let server = CaServer { url, tls_ca, ca_name: Some("ca-org1".to_owned()) };
        Self { server, ca, _serving: serving }
    }

    /// The identity that was enrolled; its authority has issued it.
    fn identity(&self, name: &str, enrolled: &Enrolled) -> Identity {
        let Enrolled { key, certificate_pem, chain_pem } = enrolled;
        assert_eq!(chain_pem, self.ca.authority.certificate_pem());
        let authority = Certificate::from_pem(chain_pem.as_bytes()).unwrap();
        let identity =
            Identity::from_pem(name, "Org1MSP", certificate_pem.as_bytes(), key.pem()).unwrap();
        assert!(identity.certificate().is_issued_by(&authority));
        identity
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, ca: Arc<Ca>) {
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, ca) = (acceptor.clone(), ca.clone());
        open.spawn(async move {
            // Clients that trust somebody else hang up.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|request| answer(&ca, request));
            let connection = hyper::server::conn::http1::Builder::new();
            // The client closes the connection when it has its answer.
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(ca: &Ca, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let header = request.headers()["authorization"].to_str().unwrap().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let fields: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(fields["caname"], "ca-org1");
    let done = match path.as_str() {
        "/api/v1/enroll" => ca.enroll(&header, &fields),
        "/api/v1/reenroll" => {
            ca.signer(&header, &path, &body).and_then(|name| ca.issue(&name, &fields))
        }
        "/api/v1/register" => {
            ca.signer(&header, &path, &body).and_then(|name| ca.register(&name, &fields))
        }
        other => panic!("no service at {other}"),
    };
    let (status, answer) = match done {
        Ok(result) => (201, json!({ "success": true, "errors": [], "result": result })),
        Err(message) => {
            let errors = json!([{ "code": 20, "message": message }]);
            (401, json!({ "success": false, "errors": errors, "result": null }))
        }
    };
    let answer = Full::new(Bytes::from(answer.to_string()));
    Ok(Response::builder().status(status).body(answer).unwrap())
}

impl Ca {
    fn enroll(&self, header: &str, fields: &Value) -> Result<Value, &'static str> {
        let credentials = header.strip_prefix("Basic ").ok_or("no credentials")?;
        let credentials = String::from_utf8(BASE64.decode(credentials).unwrap()).unwrap();
        let (name, secret) = credentials.split_once(':').unwrap();
        let fits = self.names.lock().unwrap().get(name).is_some_and(|n| n.secret == secret);
        if fits { self.issue(name, fields) } else { Err("Authentication failure") }
    }

    /// Who has signed the request, by a certificate of this CA.
    fn signer(&self, token: &str, path: &str, body: &[u8]) -> Result<String, &'static str> {
        let (encoded, signature) = token.split_once('.').ok_or("no token")?;
        let signed = format!("POST.{}.{}.{encoded}", BASE64.encode(path), BASE64.encode(body));
        let certificate = Certificate::from_pem(&BASE64.decode(encoded).unwrap()).unwrap();
        let own = Certificate::from_pem(self.authority.certificate_pem().as_bytes()).unwrap();
        let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1;
        let key = ring::signature::UnparsedPublicKey::new(algorithm, certificate.public_key());
        let signature = BASE64.decode(signature).unwrap();
        if !certificate.is_issued_by(&own) || key.verify(signed.as_bytes(), &signature).is_err() {
            return Err("Token signature validation failed");
        }
        let subject = certificate.subject();
        Ok(subject.strip_prefix("CN=").unwrap().split(',').next().unwrap().to_owned())
    }

    fn register(&self, by: &str, fields: &Value) -> Result<Value, &'static str> {
        let mut names = self.names.lock().unwrap();
        if !names.get(by).is_some_and(|name| name.is_registrar) {
            return Err("Authorization failure");
        }
        let name = fields["id"].as_str().unwrap().to_owned();
        if names.contains_key(&name) {
            return Err("Identity is already registered");
        }
        assert_eq!(fields["type"], "client");
        let attributes = fields["attrs"].as_array().unwrap().iter().map(|attribute| {
            assert_eq!(attribute["ecert"], true);
            let text = |field: &str| attribute[field].as_str().unwrap().to_owned();
            (text("name"), text("value"))
        });
        let (attributes, secret) = (attributes.collect(), format!("secret of {name}"));
        let answer = json!({ "secret": secret });
        names.insert(name, Registered { secret, attributes, is_registrar: false });
        Ok(answer)
    }

    /// A certificate with the attributes asked for that the name has.
    fn issue(&self, name: &str, fields: &Value) -> Result<Value, &'static str> {
        let names = self.names.lock().unwrap();
        let asked = fields["attr_reqs"].as_array().unwrap();
        let attributes: Vec<(&str, &str)> = names[name]
            .attributes
            .iter()
            .filter(|(name, _)| asked.iter().any(|asked| asked["name"] == name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = fields["certificate_request"].as_str().unwrap();
        let issued = self.authority.issue_to(request, name, &attributes, 5);
        let certificate = issued.map_err(|_| "the request is not signed by its key")?;
        let chain = BASE64.encode(self.authority.certificate_pem());
        let info = json!({ "CAName": "ca-org1", "CAChain": chain });
        Ok(json!({ "Cert": BASE64.encode(certificate), "ServerInfo": info }))
    }
}

#[tokio::test]
async fn a_registrar_registers_a_service_with_its_role() {
    let running = Running::start().await;
    let boss = running.server.enroll("boss", "boss pw: ü").await.unwrap();
    let boss = running.identity("boss", &boss);
    assert!(boss.role().is_err());
    for role in Role::ALL {
        let name = role.as_str();
        let enrolled = running.server.register_and_enroll(&boss, name, role).await.unwrap();
        assert_eq!(running.identity(name, &enrolled).role(), Ok(role));
    }
    let again = running.server.register_and_enroll(&boss, "gx_admin", Role::Admin).await;
    let error = again.unwrap_err();
    assert!(error.to_string().contains("already registered"), "{error}");
}

#[tokio::test]
async fn a_newer_certificate_has_a_new_key_and_the_same_role() {
    let running = Running::start().await;
    let boss = running.server.enroll("boss", "boss pw: ü").await.unwrap();
    let boss = running.identity("boss", &boss);
    let first = running.server.register_and_enroll(&boss, "api", Role::PartnerApi).await.unwrap();
    // The name of the folder is not the registered one.
    let identity = running.identity("some-folder", &first);
    let second = running.server.reenroll(&identity).await.unwrap();
    assert_eq!(running.identity("api", &second).role(), Ok(Role::PartnerApi));
    assert_ne!(second.key.pem(), first.key.pem());
}

#[tokio::test]
async fn who_is_not_allowed_is_told_so_and_secrets_stay_secret() {
    let running = Running::start().await;
    let error = running.server.enroll("boss", "hunter2").await.unwrap_err();
    assert_eq!(error.class(), Class::Misconfigured);
    let text = format!("{error} {error:?}");
    assert!(text.contains("Authentication failure") && !text.contains("hunter2"), "{text}");
    // Somebody of another authority.
    let (other, key) = (Authority::generate("ca.org1", 1).unwrap(), Key::generate().unwrap());
    let pem = other.issue("boss", &key, &[], 1).unwrap();
    let mallory = Identity::from_pem("boss", "Org1MSP", pem.as_bytes(), key.pem()).unwrap();
    let asked = running.server.register_and_enroll(&mallory, "x", Role::SuperAdmin).await;
    let error = asked.unwrap_err();
    assert!(error.to_string().contains("Token signature validation failed"), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_or_found_gets_no_secret() {
    let running = Running::start().await;
    let mut server = running.server.clone();
    let other = Authority::generate("tlsca.org1", 1).unwrap();
    server.tls_ca = Some(other.certificate_pem().to_owned());
    let error = server.enroll("boss", "boss pw: ü").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    for url in ["ca.example.com", "ftp://ca.example.com", "https://127.0.0.1:1"] {
        let server = CaServer { url: url.to_owned(), tls_ca: None, ca_name: None };
        assert!(server.enroll("boss", "x").await.is_err(), "{url}");
    }
}
