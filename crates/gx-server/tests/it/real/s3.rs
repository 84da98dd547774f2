//! Documents in a store that speaks S3 and believes no unsigned request: `s3s`, in this process,
//! with a folder of the test's as the buckets.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use gx_server::Workers;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::program::free_port;
use super::tls;
use crate::documents::{download, form, link_to, picture, uploaded};
use crate::server::{Person, Server};

const BUCKET: &str = "gx-documents";
const SECRET: &str = "made-up-secret-of-the-store";

/// A store and its folder. It runs or it does not; what is in it stays.
struct Store {
    folder: TempDir,
    port: u16,
    tls: Option<TlsAcceptor>,
    running: JoinSet<()>,
}

impl Store {
    async fn start(is_tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("store").join(BUCKET)).unwrap();
        let tls = is_tls.then(|| {
            tls::issue(folder.path(), "authority");
            acceptor(&folder)
        });
        let mut store = Self { folder, port: free_port(), tls, running: JoinSet::new() };
        store.restart().await;
        store
    }

    async fn restart(&mut self) {
        let files = FileSystem::new(self.folder.path().join("store")).unwrap();
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single("gx-key", SECRET));
        let (service, tls) = (service.build(), self.tls.clone());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(address).await.unwrap();
        self.running.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (service, tls) = (service.clone(), tls.clone());
                connections.spawn(async move {
                    let Some(tls) = tls else { return serve(service, stream).await };
                    // Who does not believe the certificate goes away.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(service, stream).await;
                    }
                });
            }
        });
    }

    async fn stop(&mut self) {
        self.running.shutdown().await;
    }

    fn bucket(&self) -> PathBuf {
        self.folder.path().join("store").join(BUCKET)
    }

    /// The names of what the bucket holds. What the store notes beside objects begins with a dot,
    /// and stands outside.
    fn objects(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.bucket()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// A platform that keeps documents here, by this secret and the authority of this file.
    async fn platform(&self, secret: &str, authority: &str) -> Server {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = format!("{scheme}://127.0.0.1:{}", self.port);
        let mut settings = vec![
            ("documents.store", "s3"),
            ("documents.endpoint", &endpoint),
            ("documents.bucket", BUCKET),
            ("documents.access_key", "gx-key"),
        ];
        let authority = self.folder.path().join(authority).display().to_string();
        if self.tls.is_some() {
            settings.push(("documents.tls_ca", &authority));
        }
        let secret = [("GX_DOCUMENTS__SECRET_KEY", secret)];
        Server::start_in(&secret, &settings, Workers::NONE).await
    }
}

async fn serve(service: S3Service, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    // A client that goes away is no fault of the store's.
    let _ = Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn acceptor(folder: &TempDir) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(folder.path().join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.path().join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// What `/readyz` says of the store.
async fn state(server: &Server) -> Value {
    let reply = server.client.send("GET", "/readyz", &[], None).await;
    reply.body["checks"]["documents"]["status"].clone()
}

async fn refused(person: &Person) {
    let reply = form(person, "a.png", "image/png", &picture()).await;
    let told = (reply.status.as_u16(), reply.str("code"));
    assert_eq!(told, (503, "document_store_unavailable"), "{}", reply.text);
    assert!(!reply.header("retry-after").is_empty());
}

async fn delete(person: &Person, document: &str) -> u16 {
    let path = format!("/api/v1/documents/{document}");
    person.client.send("DELETE", &path, &[], None).await.status.as_u16()
}

async fn count(person: &Person) -> Value {
    let path = format!("/api/v1/users/{}/documents", person.id);
    person.client.get(&path, 200).await.body["pagination"]["total"].clone()
}

#[tokio::test]
async fn documents_outlast_a_store_that_is_away() {
    let mut store = Store::start(false).await;
    let server = store.platform(SECRET, "").await;
    assert_eq!(state(&server).await, "healthy");
    let ada = server.register("ada", "DE").await;
    let document = uploaded(&ada, "PASSPORT").await;
    let [name] = store.objects().try_into().unwrap();
    assert!(!name.contains(&document) && !name.contains(&ada.id), "{name}");
    assert!(name.len() >= 20 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
    let sealed = std::fs::read(store.bucket().join(&name)).unwrap();
    for part in [&b"PNG"[..], b"IEND"] {
        assert!(!sealed.windows(part.len()).any(|window| window == part), "it is sealed");
    }
    let link = link_to(&ada.client, &document).await;
    assert!(download(&server.client, &link, 200).await.1.starts_with(b"\x89PNG"));

    store.stop().await;
    assert_eq!(state(&server).await, "unhealthy");
    refused(&ada).await;
    download(&server.client, &link, 503).await;
    assert_eq!(count(&ada).await, 1);
    assert_eq!(store.objects(), std::slice::from_ref(&name));

    store.restart().await;
    assert_eq!(state(&server).await, "healthy");
    assert!(download(&server.client, &link, 200).await.1.starts_with(b"\x89PNG"));
    uploaded(&ada, "OTHER").await;
    assert_eq!((count(&ada).await, store.objects().len()), (2.into(), 2));
    assert_eq!(delete(&ada, &document).await, 200);
    assert!(!store.objects().contains(&name));
    download(&server.client, &link, 404).await;
}

#[tokio::test]
async fn a_bucket_that_is_not_there_makes_nothing_forgotten() {
    let store = Store::start(false).await;
    let server = store.platform(SECRET, "").await;
    let ada = server.register("ada", "DE").await;
    let (one, other) = (uploaded(&ada, "PASSPORT").await, uploaded(&ada, "OTHER").await);
    let aside = store.folder.path().join("aside");
    std::fs::rename(store.bucket(), &aside).unwrap();
    assert_eq!(state(&server).await, "unhealthy");
    // The document is gone at once, and its object as soon as the store can delete it.
    assert_eq!(delete(&ada, &one).await, 200);
    assert_eq!(count(&ada).await, 1);
    std::fs::rename(&aside, store.bucket()).unwrap();
    assert_eq!(store.objects().len(), 2);
    assert_eq!(delete(&ada, &other).await, 200);
    assert!(store.objects().is_empty(), "{:?}", store.objects());
}

#[tokio::test]
async fn a_store_that_refuses_the_key_is_one_that_is_away() {
    let store = Store::start(false).await;
    let server = store.platform("another-secret", "").await;
    assert_eq!(state(&server).await, "unhealthy");
    let ada = server.register("ada", "DE").await;
    refused(&ada).await;
    assert!(store.objects().is_empty());
    assert_eq!(count(&ada).await, 0);
}

#[tokio::test]
async fn a_store_is_believed_by_its_authority_alone() {
    let store = Store::start(true).await;
    let server = store.platform(SECRET, "authority.pem").await;
    assert_eq!(state(&server).await, "healthy");
    let ada = server.register("ada", "DE").await;
    uploaded(&ada, "PASSPORT").await;
    assert_eq!(store.objects().len(), 1);

    let foreign = tempfile::tempdir().unwrap();
    tls::issue(foreign.path(), "authority");
    let other = foreign.path().join("authority.pem").display().to_string();
    let wary = store.platform(SECRET, &other).await;
    assert_eq!(state(&wary).await, "unhealthy");
    let bob = wary.register("bob", "DE").await;
    refused(&bob).await;
    assert_eq!(store.objects().len(), 1);
}
