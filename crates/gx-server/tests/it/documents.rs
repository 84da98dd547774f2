//! Documents of people: what is taken, what is not, and who sees what.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gx_server::{Route, Workers};
use gx_store::admin::audit::{self, Filter};
use gx_store::identity::documents;
use gx_types::TimeMs;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, Reply, new_key};
use crate::server::{Person, Server, eventually};

/// A picture of one point.
const POINT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9\
    awAAAABJRU5ErkJggg==";

pub(crate) fn picture() -> Vec<u8> {
    BASE64_STANDARD.decode(POINT).unwrap()
}

/// Who sends the sample of a route about documents or applications, where, and with what.
pub(crate) async fn prepared(server: &Server, route: &Route) -> (Client, String, Option<String>) {
    let person = server.register(&format!("n{}", new_key()), "DE").await;
    let mut path = route.path.replace("{id}", &person.id);
    if path.contains("{documentId}") {
        path = path.replace("{documentId}", &uploaded(&person, "PASSPORT").await);
    }
    (person.client, path, route.sample.map(str::to_owned))
}

/// Uploads a picture as a document of a type.
pub(crate) async fn uploaded(person: &Person, document_type: &str) -> String {
    let body = json!({ "documentType": document_type, "file": POINT });
    let reply = send(person, body, 201).await;
    reply.body["data"]["documentId"].as_str().unwrap().to_owned()
}

async fn send(person: &Person, body: Value, expect: u16) -> Reply {
    person.client.post(&format!("/api/v1/users/{}/documents", person.id), body, expect).await
}

/// Sends a form whose file has this content.
pub(crate) async fn form(person: &Person, name: &str, kind: &str, file: &[u8]) -> Reply {
    let head = format!(
        "--b\r\ncontent-disposition: form-data; name=\"documentType\"\r\n\r\nPASSPORT\r\n\
        --b\r\ncontent-disposition: form-data; name=\"metadata\"\r\n\r\n\
        {{\"documentNumber\": \"L01X00T47\", \"issuingCountry\": \"DE\"}}\r\n\
        --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
        content-type: {kind}\r\n\r\n"
    );
    let body = [head.as_bytes(), file, b"\r\n--b--\r\n"].concat();
    let path = format!("/api/v1/users/{}/documents/upload", person.id);
    person.client.post_bytes(&path, "multipart/form-data; boundary=b", body).await
}

/// The codes of what is wrong with the fields.
fn faults(reply: &Reply) -> Vec<(&str, &str)> {
    let details = reply.body["details"].as_array().unwrap();
    details.iter().map(|d| (d["field"].as_str().unwrap(), d["code"].as_str().unwrap())).collect()
}

/// What a link leads to.
pub(crate) async fn download(client: &Client, link: &str, expect: u16) -> (HeaderMap, Vec<u8>) {
    let (parts, body) = client.open(link).await.into_parts();
    assert_eq!(parts.status, expect, "{link}");
    (parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

pub(crate) async fn link_to(client: &Client, document_id: &str) -> String {
    let reply = client.get(&format!("/api/v1/documents/{document_id}/url"), 200).await;
    reply.body["data"]["url"].as_str().unwrap().to_owned()
}

/// The files that the server keeps documents in.
fn kept(server: &Server) -> Vec<PathBuf> {
    let folder = server.platform.config().documents_dir();
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    inside(&folder).iter().flat_map(|shard| inside(shard)).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn a_document_is_taken_shown_and_taken_back() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let file = [&picture()[..], b"PK\x03\x04 an archive"].concat();
    let reply = form(&ada, "../../etc/cron.d/evil.png", "image/png", &file).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let document = reply.body["data"].clone();
    assert_eq!(document["mimeType"], "image/png");
    assert_eq!(document["virusScanStatus"], "SKIPPED");
    assert_ne!(document["hash"], document["keptHash"]);
    let id = document["documentId"].as_str().unwrap();
    let name = document["fileName"].as_str().unwrap();
    assert!(name.starts_with("passport-") && name.ends_with(".png"), "{name}");

    let files = kept(&server);
    assert_eq!(files.len(), 1, "{files:?}");
    let sealed = std::fs::read(&files[0]).unwrap();
    assert!(!holds(&sealed, b"PNG") && !holds(&sealed, b"IEND"), "what is kept is sealed");
    let row = documents::get(server.platform.store(), id).await.unwrap().unwrap();
    assert!(!row.details.contains("L01X00T47"), "{}", row.details);

    let list = ada.client.get(&format!("/api/v1/users/{}/documents", ada.id), 200).await;
    assert_eq!(list.body["data"][0], document);
    assert_eq!(list.body["pagination"]["total"], 1);
    let link = link_to(&ada.client, id).await;
    let (headers, content) = download(&server.client, &link, 200).await;
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{name}\"").as_str());
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["cache-control"].to_str().unwrap().contains("no-store"));
    assert!(content.starts_with(b"\x89PNG") && !holds(&content, b"PK\x03\x04"));

    let path = format!("/api/v1/documents/{id}");
    let deleted = ada.client.send("DELETE", &path, &[], None).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert!(kept(&server).is_empty());
    download(&server.client, &link, 404).await;
    assert_eq!(ada.client.send("DELETE", &path, &[], None).await.status, 404);
}

#[tokio::test]
async fn links_are_good_as_they_were_given_only() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let (one, other) = (uploaded(&ada, "PASSPORT").await, uploaded(&ada, "OTHER").await);
    let link = link_to(&ada.client, &one).await;
    download(&server.client, &link, 200).await;
    let expires = link.split("expires=").nth(1).unwrap().split('&').next().unwrap();
    let later = (expires.parse::<i64>().unwrap() + 1).to_string();
    for changed in [
        link.replace(&one, &other),
        link.replace(expires, &later),
        format!("{}0", &link[..link.len() - 1]),
        format!("{}1", &link[..link.len() - 1]),
        format!("/api/v1/documents/{one}/content?expires=0&signature=00"),
        format!("/api/v1/documents/{one}/content?expires=-&signature=zz"),
    ] {
        if changed != link {
            download(&server.client, &changed, 403).await;
        }
    }
    download(&server.client, &format!("/api/v1/documents/{one}/content"), 400).await;
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, eve) = (server.register("ada", "DE").await, server.register("eve", "DE").await);
    let id = uploaded(&ada, "PASSPORT").await;
    let (documents, kyc) =
        (format!("/api/v1/users/{}/documents", ada.id), format!("/api/v1/users/{}/kyc", ada.id));
    eve.client.get(&documents, 404).await;
    eve.client.post(&documents, json!({ "documentType": "OTHER", "file": POINT }), 404).await;
    eve.client.get(&format!("/api/v1/documents/{id}/url"), 404).await;
    let path = format!("/api/v1/documents/{id}");
    assert_eq!(eve.client.send("DELETE", &path, &[], None).await.status, 404);
    eve.client.get(&kyc, 404).await;
    eve.client.post(&kyc, json!({ "documentType": "PASSPORT" }), 404).await;
    let body = json!({ "documents": [{ "documentId": id }] });
    let reply = eve.client.post("/api/v1/users/kyc/submit", body, 400).await;
    assert_eq!(faults(&reply), [("documents[0]", "document_not_found")]);
    // Reviewers see what was submitted to them.
    let admin = server.admin().await;
    admin.get(&format!("/api/v1/documents/{id}/url"), 404).await;
    assert_eq!(kept(&server).len(), 1);
}

#[tokio::test]
async fn hostile_files_are_refused_and_leave_nothing() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let png = picture();
    let pdf = |body: &str| format!("%PDF-1.7\n1 0 obj\n{body}\nendobj\n%%EOF\n").into_bytes();
    let script = pdf("<< /S /Java#53cript /JS (app.alert(1)) >>");
    let archive = [&pdf("<< >>")[..], b"PK\x05\x06 an archive"].concat();
    for (file, kind, code) in [
        (&b""[..], None, "file_empty"),
        (b"<html><script>alert(1)</script>", None, "file_type_not_accepted"),
        (b"MZ\x90\0 a program", Some("image/png"), "file_type_not_accepted"),
        (&png, Some("image/jpeg"), "file_type_mismatch"),
        (&png, Some("application/pdf"), "file_type_mismatch"),
        (&png[..40], Some("image/png"), "file_damaged"),
        (b"\xff\xd8\xff\xe0 no picture", None, "file_damaged"),
        (&script, Some("application/pdf"), "pdf_active_content"),
        (&archive, None, "file_polyglot"),
    ] {
        let file = BASE64_STANDARD.encode(file);
        let body = json!({ "documentType": "PASSPORT", "file": file, "mimeType": kind });
        let reply = send(&ada, body, 400).await;
        assert_eq!(faults(&reply), [("file", code)], "{}", reply.text);
    }
    let taken = BASE64_STANDARD.encode(pdf("<< /Type /Catalog >>"));
    send(&ada, json!({ "documentType": "UTILITY_BILL", "file": taken }), 201).await;
    assert_eq!(kept(&server).len(), 1);
}

#[tokio::test]
async fn every_fault_of_an_upload_is_listed() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let body = json!({
        "documentType": "LIBRARY_CARD", "side": "LEFT", "file": "no base64!", "owner": "eve",
        "metadata": { "issuingCountry": "Germany", "expiryDate": "soon" },
    });
    let reply = send(&ada, body, 400).await;
    let expected = [
        ("owner", "unknown_field"),
        ("file", "invalid_base64"),
        ("documentType", "invalid_document_type"),
        ("side", "invalid_side"),
        ("metadata.issuingCountry", "invalid_country_code"),
        ("metadata.expiryDate", "invalid_date"),
    ];
    assert_eq!(faults(&reply), expected);
    let body = json!({ "documentType": "OTHER", "file": POINT, "size": 7, "hash": "0".repeat(64) });
    let reply = send(&ada, body, 400).await;
    assert_eq!(faults(&reply), [("size", "size_mismatch"), ("hash", "hash_mismatch")]);
    let path = format!("/api/v1/users/{}/documents", ada.id);
    let reply = ada.client.post_bytes(&path, "text/plain", b"hello".to_vec()).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (415, "unsupported_media_type"));
    let form = "multipart/form-data; boundary=b";
    let reply = ada.client.post_bytes(&path, form, b"--b\r\nnothing".to_vec()).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (400, "malformed_multipart"));
    assert!(kept(&server).is_empty());
}

#[tokio::test]
async fn large_files_are_refused() {
    let settings = [("documents.bytes_max", "2048"), ("documents.accepted_types", "image/png")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let reply = server.client.get("/api/v1/documents/constraints", 200).await;
    assert_eq!(reply.body["data"]["maxFileSizeBytes"], 2048);
    assert_eq!(reply.body["data"]["allowedMimeTypes"], json!(["image/png"]));
    let large = [&picture()[..], &[0; 2048]].concat();
    let reply = form(&ada, "a.png", "image/png", &large).await;
    assert_eq!(faults(&reply), [("file", "file_too_large")]);
    let reply = form(&ada, "a.png", "image/png", &vec![0; (1 << 20) + 1000]).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (413, "body_too_large"));
    let jpeg = BASE64_STANDARD.encode(b"\xff\xd8\xff\xe0");
    let reply = send(&ada, json!({ "documentType": "OTHER", "file": jpeg }), 400).await;
    assert_eq!(faults(&reply), [("file", "file_type_not_accepted")]);
}

/// A file of more than other bodies may have is taken where files are.
#[tokio::test]
async fn a_file_may_be_larger_than_other_bodies() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let file = [&picture()[..], &vec![7; 2 << 20]].concat();
    let body = json!({ "documentType": "OTHER", "file": BASE64_STANDARD.encode(file) });
    let key = new_key();
    let path = format!("/api/v1/users/{}/documents", ada.id);
    let headers = [("idempotency-key", &*key)];
    let first = ada.client.post_with(&path, body.clone(), &headers, 201).await;
    let again = ada.client.post_with(&path, body, &headers, 201).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.body, again.body);
    assert_eq!(kept(&server).len(), 1);
}

#[tokio::test]
async fn an_upload_that_ends_early_leaves_nothing() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let mut stream = TcpStream::connect(server.client.address).await.unwrap();
    let head = format!(
        "POST /api/v1/users/{}/documents HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\n\
        content-type: multipart/form-data; boundary=b\r\ncontent-length: 5000\r\n\r\n\
        --b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n",
        ada.id,
        ada.client.token.as_deref().unwrap()
    );
    stream.write_all(&[head.as_bytes(), &picture()].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!holds(&answer, b"201"), "{}", String::from_utf8_lossy(&answer));
    let list = ada.client.get(&format!("/api/v1/users/{}/documents", ada.id), 200).await;
    assert_eq!(list.body["pagination"]["total"], 0);
    assert!(kept(&server).is_empty());
}

#[tokio::test]
async fn objects_without_a_document_are_swept() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let id = uploaded(&ada, "OTHER").await;
    let folder = server.platform.config().documents_dir().join("ab");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["due", "due.draft", "later"] {
        std::fs::write(folder.join(name), "left behind").unwrap();
    }
    let mut tx = server.platform.store().begin().await.unwrap();
    documents::loosen(&mut tx, "abdue", TimeMs(0)).await.unwrap();
    documents::loosen(&mut tx, "ablater", TimeMs(i64::MAX)).await.unwrap();
    tx.commit().await.unwrap();
    let reply = ada.client.send("DELETE", &format!("/api/v1/documents/{id}"), &[], None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(kept(&server), [folder.join("later")]);
}

/// A scanner that finds a virus in what holds the word `EICAR`.
async fn scanner() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(scan(stream));
        }
    });
    (address, task)
}

async fn scan(mut stream: TcpStream) {
    let mut sent = Vec::new();
    let is_whole =
        |sent: &[u8]| sent.ends_with(b"zPING\0") || (sent.len() > 14 && sent.ends_with(&[0; 4]));
    while !is_whole(&sent) {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        if count == 0 {
            return;
        }
        sent.extend(&buffer[..count]);
    }
    let answer: &[u8] = if sent.ends_with(b"zPING\0") {
        b"PONG\0"
    } else if holds(&sent, b"EICAR") {
        b"stream: Win.Test.EICAR_HDB-1 FOUND\0"
    } else {
        assert!(sent.starts_with(b"zINSTREAM\0"));
        b"stream: OK\0"
    };
    stream.write_all(answer).await.unwrap();
}

#[tokio::test]
async fn a_scanner_is_asked_and_nothing_passes_without_it() {
    let (address, task) = scanner().await;
    let address = address.to_string();
    let settings =
        [("documents.clamav.address", &*address), ("documents.clamav.timeout_ms", "900")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let clean = form(&ada, "a.png", "image/png", &picture()).await;
    assert_eq!(clean.body["data"]["virusScanStatus"], "CLEAN", "{}", clean.text);
    let infected = [&picture()[..], b"EICAR"].concat();
    let reply = form(&ada, "a.png", "image/png", &infected).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (422, "document_infected"));
    assert!(!reply.text.contains("Win.Test"), "{}", reply.text);
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 100).await.unwrap();
    let found = rows.iter().find(|row| row.action == "document.infected").unwrap();
    assert!(found.details.contains("Win.Test.EICAR_HDB-1"), "{}", found.details);
    let ready = server.client.send("GET", "/readyz", &[], None).await;
    assert_eq!(ready.body["checks"]["documents"]["status"], "healthy");
    assert_eq!(ready.body["checks"]["virusScanner"]["status"], "healthy");

    task.abort();
    eventually("the scanner is away", async || TcpStream::connect(&address).await.err().map(drop))
        .await;
    let reply = form(&ada, "a.png", "image/png", &picture()).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (503, "scanner_unavailable"));
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(kept(&server).len(), 1);
    let ready = server.client.send("GET", "/readyz", &[], None).await;
    assert_eq!(ready.body["checks"]["virusScanner"]["status"], "unhealthy");
}

#[tokio::test]
async fn a_scanner_that_hangs_hides_nothing_of_the_store() {
    // Connections are taken by the system, and answered by nobody.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let settings = [("documents.clamav.address", &*address)];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let ready = server.client.send("GET", "/readyz", &[], None).await;
    assert_eq!(ready.body["checks"]["documents"]["status"], "healthy", "{}", ready.text);
    assert_eq!(ready.body["checks"]["virusScanner"]["status"], "unhealthy", "{}", ready.text);
}

/// A bucket in memory. It answers 500 while it is told to.
#[derive(Debug, Default)]
struct BucketState {
    objects: HashMap<String, Bytes>,
    is_broken: bool,
}

async fn bucket() -> (SocketAddr, Arc<Mutex<BucketState>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<BucketState>>::default());
    let shared = Arc::clone(&state);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            let answer = move |request| store_object(Arc::clone(&shared), request);
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(connection);
        }
    });
    (address, state)
}

async fn store_object(
    state: Arc<Mutex<BucketState>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let query = parts.uri.query().unwrap_or_default();
    let key = parts.uri.path().to_owned();
    let mut state = state.lock().unwrap();
    let mut content = Bytes::new();
    let status = match parts.method.as_str() {
        _ if state.is_broken => StatusCode::INTERNAL_SERVER_ERROR,
        _ if !query.contains("X-Amz-Signature=") || !query.contains("Credential=gx-key") => {
            StatusCode::FORBIDDEN
        }
        "PUT" => {
            state.objects.insert(key, bytes);
            StatusCode::OK
        }
        "DELETE" => {
            state.objects.remove(&key);
            StatusCode::NO_CONTENT
        }
        "HEAD" => StatusCode::OK,
        _ => match state.objects.get(&key) {
            Some(found) => {
                content = found.clone();
                StatusCode::OK
            }
            None => StatusCode::NOT_FOUND,
        },
    };
    let mut response = Response::new(Full::new(content));
    *response.status_mut() = status;
    Ok(response)
}

#[tokio::test]
async fn documents_can_lie_in_a_bucket() {
    let (address, bucket) = bucket().await;
    let endpoint = format!("http://{address}");
    let settings = [
        ("documents.store", "s3"),
        ("documents.endpoint", &*endpoint),
        ("documents.bucket", "gx-documents"),
        ("documents.access_key", "gx-key"),
    ];
    let secret = [("GX_DOCUMENTS__SECRET_KEY", "a secret of the store")];
    let server = Server::start_in(&secret, &settings, Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let id = uploaded(&ada, "PASSPORT").await;
    {
        let state = bucket.lock().unwrap();
        let (key, object) = state.objects.iter().next().unwrap();
        assert!(key.starts_with("/gx-documents/"), "{key}");
        assert!(!holds(object, b"PNG"), "what is kept is sealed");
    }
    let link = link_to(&ada.client, &id).await;
    let (_, content) = download(&server.client, &link, 200).await;
    assert!(content.starts_with(b"\x89PNG"));
    bucket.lock().unwrap().is_broken = true;
    download(&server.client, &link, 503).await;
    let reply = send(&ada, json!({ "documentType": "OTHER", "file": POINT }), 503).await;
    assert_eq!(reply.str("code"), "document_store_unavailable");
    let list = ada.client.get(&format!("/api/v1/users/{}/documents", ada.id), 200).await;
    assert_eq!(list.body["pagination"]["total"], 1);
    bucket.lock().unwrap().is_broken = false;
    let reply = ada.client.send("DELETE", &format!("/api/v1/documents/{id}"), &[], None).await;
    assert_eq!(reply.status, 200);
    assert!(bucket.lock().unwrap().objects.is_empty());
}
