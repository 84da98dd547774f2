//! Every way that something can be away, each on something that really is: closed ports, full
//! queues, certificates of others, and servers that answer what they answer then.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::facts::ReadyCheck;

const PATIENCE: Duration = Duration::from_secs(20);
/// For those who never answer.
const SHORT: Duration = Duration::from_millis(300);
/// 2027-01-15T08:00:00Z
const NOW: i64 = 1_800_000_000;

fn step<'a>(part: &'a Part, name: &str) -> &'a Line {
    part.lines.iter().find(|line| line.step == name).unwrap_or_else(|| panic!("{name}: {part:?}"))
}

fn verdict(part: &Part, name: &str) -> Verdict {
    step(part, name).verdict
}

fn at(port: u16) -> Endpoint {
    Endpoint { host: "127.0.0.1".to_owned(), port }
}

async fn listener() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, at(port))
}

/// Something that answers what comes, connection after connection; an answer of HTTP is its last.
async fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Endpoint {
    let (listener, endpoint) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                let told = answer(&bytes[..count]);
                if stream.write_all(&told).await.is_err() || told.starts_with(b"HTTP/") {
                    break;
                }
            }
        }
    });
    endpoint
}

/// Something that takes connections and says nothing.
async fn silent() -> Endpoint {
    let (listener, endpoint) = listener().await;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
        }
    });
    endpoint
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let (listener, endpoint) = listener().await;
    drop(listener);
    let part = reach("x", &endpoint, None, PATIENCE).await;
    assert_eq!(verdict(&part, "resolve"), Verdict::Ok);
    assert_eq!(verdict(&part, "connect"), Verdict::Refused);
    let port = format!("port {}", endpoint.port);
    assert!(step(&part, "connect").remedy.contains(&port), "{part:?}");
    assert!(!part.is_well());
}

#[tokio::test]
async fn what_is_dropped_on_the_way_is_filtered() {
    // The kernel drops what comes to a listener whose queue is full, as a firewall does.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = timeout(SHORT, TcpStream::connect(address)).await {
        held.push(stream.unwrap());
        assert!(held.len() < 64, "the queue never fills");
    }
    let part = reach("x", &at(address.port()), None, SHORT).await;
    assert_eq!(verdict(&part, "connect"), Verdict::Filtered, "{part:?}");
    assert!(step(&part, "connect").remedy.contains("network policies"), "{part:?}");
}

#[tokio::test]
async fn a_name_without_an_address_is_unresolved_and_nothing_after_it_is_told_as_good() {
    // No name can be so long, so no name server is asked.
    let host = format!("{}.example.org", "x".repeat(64));
    let part = reach("x", &Endpoint { host, port: 1 }, Some(&tls_of(None)), PATIENCE).await;
    assert_eq!(verdict(&part, "resolve"), Verdict::Unresolved, "{part:?}");
    assert_eq!(verdict(&part, "connect"), Verdict::Unknown);
    assert_eq!(verdict(&part, "tls"), Verdict::Unknown);
}

#[test]
fn errors_of_the_kernel_have_their_meaning() {
    use std::io::{Error, ErrorKind};
    for (kind, verdict) in [
        (ErrorKind::ConnectionRefused, Verdict::Refused),
        (ErrorKind::TimedOut, Verdict::Filtered),
        (ErrorKind::HostUnreachable, Verdict::Unreachable),
        (ErrorKind::NetworkUnreachable, Verdict::Unreachable),
        (ErrorKind::PermissionDenied, Verdict::Wrong),
    ] {
        assert_eq!(reach::classify(&Error::from(kind)), verdict);
    }
}

fn tls_of(authorities: Option<PathBuf>) -> Tls {
    Tls {
        trust: Trust::Name,
        name: "localhost".to_owned(),
        authorities,
        identity: None,
        protocols: Vec::new(),
    }
}

/// A server of TLS, and the PEM file of who has signed its certificate.
async fn encrypting(folder: &Path, name: &str) -> (Endpoint, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let path = folder.join(format!("{name}.pem"));
    std::fs::write(&path, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, endpoint) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who distrusts it ends the connection.
            let _ = acceptor.accept(stream).await;
        }
    });
    (endpoint, path)
}

#[tokio::test]
async fn tls_is_told_by_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, authority) = encrypting(folder.path(), "localhost").await;
    let (other, stranger) = encrypting(folder.path(), "other.example.org").await;

    let part = reach("x", &server, Some(&tls_of(Some(authority))), PATIENCE).await;
    assert!(part.is_well(), "{part:?}");

    let part = reach("x", &server, Some(&tls_of(Some(stranger.clone()))), PATIENCE).await;
    assert_eq!(verdict(&part, "connect"), Verdict::Ok);
    assert_eq!(verdict(&part, "tls"), Verdict::Tls);
    assert!(step(&part, "tls").remedy.contains("another authority"), "{part:?}");

    let by_name = tls_of(Some(stranger));
    let part = reach("x", &other, Some(&by_name), PATIENCE).await;
    assert_eq!(verdict(&part, "tls"), Verdict::Tls);
    assert!(step(&part, "tls").remedy.contains("another name"), "{part:?}");
    let by_authority = Tls { trust: Trust::Authority, ..by_name.clone() };
    let part = reach("x", &other, Some(&by_authority), PATIENCE).await;
    assert!(part.is_well(), "{part:?}");
    let by_nothing = Tls { trust: Trust::Any, authorities: None, ..by_name };
    let part = reach("x", &server, Some(&by_nothing), PATIENCE).await;
    assert!(step(&part, "tls").seen.contains("nobody checks"), "{part:?}");

    let plain = answering(|_| b"what do you mean?\n".to_vec()).await;
    let part = reach("x", &plain, Some(&by_nothing), PATIENCE).await;
    assert!(step(&part, "tls").remedy.contains("does not speak TLS"), "{part:?}");
    let part = reach("x", &silent().await, Some(&by_nothing), SHORT).await;
    assert_eq!(verdict(&part, "tls"), Verdict::Tls);

    let missing = tls_of(Some(folder.path().join("missing.pem")));
    let part = reach("x", &server, Some(&missing), PATIENCE).await;
    assert!(step(&part, "tls").seen.contains("missing.pem"), "{part:?}");
}

fn login(url: &str, database: &str) -> PostgresLogin {
    let url = url::Url::parse(url).unwrap();
    PostgresLogin {
        endpoint: at(url.port().unwrap()),
        tls: TlsMode::Never,
        user: url.username().to_owned(),
        password: url.password().map(str::to_owned),
        database: database.to_owned(),
    }
}

#[tokio::test]
async fn a_real_server_lets_in_whom_it_knows_and_says_why_not_otherwise() {
    let cluster = gx_pg::Cluster::start(gx_pg::Options::default()).unwrap();
    let good = || login(&cluster.url("postgres"), "postgres");
    let part = postgres(&good(), PATIENCE).await;
    assert!(part.is_well(), "{part:?}");
    assert!(step(&part, "log in").seen.contains("PostgreSQL 1"), "{part:?}");

    let wrong = PostgresLogin { password: Some("not-this-one".to_owned()), ..good() };
    let part = postgres(&wrong, PATIENCE).await;
    assert_eq!(verdict(&part, "connect"), Verdict::Ok);
    assert_eq!(verdict(&part, "log in"), Verdict::Authentication, "{part:?}");
    assert_eq!(verdict(&part, "writes"), Verdict::Unknown);
    assert!(!format!("{part:?}{wrong:?}").contains("not-this-one"));

    let none = PostgresLogin { password: None, ..good() };
    assert_eq!(verdict(&postgres(&none, PATIENCE).await, "log in"), Verdict::Authentication);

    let elsewhere = PostgresLogin { database: "nowhere".to_owned(), ..good() };
    let part = postgres(&elsewhere, PATIENCE).await;
    assert_eq!(verdict(&part, "log in"), Verdict::Wrong);
    assert!(step(&part, "log in").seen.starts_with("3D000"), "{part:?}");

    // This server has no TLS.
    let required = PostgresLogin { tls: TlsMode::Required(tls_of(None)), ..good() };
    let part = postgres(&required, PATIENCE).await;
    assert_eq!(verdict(&part, "tls"), Verdict::Tls);
    assert_eq!(verdict(&part, "log in"), Verdict::Unknown);
    let offered = PostgresLogin { tls: TlsMode::Offered(tls_of(None)), ..good() };
    assert!(postgres(&offered, PATIENCE).await.is_well());
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

#[tokio::test]
async fn a_standby_is_told_and_so_is_what_is_no_postgresql() {
    let standby = answering(|_| {
        [
            message(b'R', &[0, 0, 0, 0]),
            message(b'S', b"server_version\x0017.1\0"),
            message(b'S', b"in_hot_standby\0on\0"),
            message(b'Z', b"I"),
        ]
        .concat()
    });
    let standby = standby.await;
    let to = |endpoint: Endpoint| login(&format!("postgres://u:p@[::]:{}/d", endpoint.port), "d");
    let part = postgres(&to(standby), PATIENCE).await;
    assert_eq!(verdict(&part, "log in"), Verdict::Ok, "{part:?}");
    assert_eq!(verdict(&part, "writes"), Verdict::Wrong);

    let other = answering(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    assert_eq!(verdict(&postgres(&to(other), PATIENCE).await, "log in"), Verdict::Wrong);
    let part = postgres(&to(silent().await), SHORT).await;
    assert!(step(&part, "log in").seen.contains("no answer"), "{part:?}");
}

fn redis_at(endpoint: Endpoint, password: Option<&str>) -> RedisLogin {
    let password = password.map(str::to_owned);
    RedisLogin { endpoint, tls: None, user: String::new(), password }
}

#[tokio::test]
async fn redis_answers_or_says_why_not() {
    // Its one password is `sesame`.
    let server = answering(|asked| match asked {
        asked if asked.ends_with(b"PING\r\n") => b"+PONG\r\n".to_vec(),
        asked if asked.ends_with(b"\r\nsesame\r\n") => b"+OK\r\n".to_vec(),
        _ => b"-WRONGPASS invalid username-password pair\r\n".to_vec(),
    });
    let server = server.await;
    assert!(redis(&redis_at(server.clone(), Some("sesame")), PATIENCE).await.is_well());
    let wrong = redis_at(server, Some("other-secret"));
    let part = redis(&wrong, PATIENCE).await;
    assert_eq!(verdict(&part, "log in"), Verdict::Authentication);
    assert_eq!(verdict(&part, "answers"), Verdict::Unknown);
    assert!(!format!("{part:?}{wrong:?}").contains("other-secret"));

    for (answer, verdict) in [
        ("-NOAUTH Authentication required.\r\n", Verdict::Authentication),
        ("-NOPERM this user has no permissions\r\n", Verdict::Authentication),
        ("-LOADING Redis is loading the dataset in memory\r\n", Verdict::Wrong),
        ("SSH-2.0-x\r\n", Verdict::Wrong),
    ] {
        let server = answering(move |_| answer.as_bytes().to_vec()).await;
        let part = redis(&redis_at(server, None), PATIENCE).await;
        assert_eq!(self::verdict(&part, "answers"), verdict, "{answer}");
    }
}

#[test]
fn a_connection_url_is_read_and_never_shown() {
    let read = RedisLogin::parse("rediss://app:p%40ss@redis.example.org", None).unwrap();
    assert_eq!((read.user.as_str(), read.password.as_deref()), ("app", Some("p@ss")));
    assert_eq!((read.endpoint.port, read.tls.is_some()), (6379, true));
    assert!(!format!("{read:?}").contains("p@ss"));
    for wrong in ["http://canary", "redis:", "redis://:canary@", "canary"] {
        let error = RedisLogin::parse(wrong, None).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{wrong}");
    }
}

/// A process of the platform that answers so.
async fn process(live: u16, ready: (u16, &'static str), version: &'static str) -> Service {
    let endpoint = answering(move |asked| {
        let asked = String::from_utf8_lossy(asked);
        let (status, body) = match asked.split(' ').nth(1).unwrap_or_default() {
            "/livez" => (live, "{}"),
            "/readyz" => ready,
            "/version" => (200, version),
            _ => (404, ""),
        };
        let date = "Date: Fri, 15 Jan 2027 08:00:00 GMT";
        format!("HTTP/1.1 {status} X\r\n{date}\r\n\r\n{body}").into_bytes()
    });
    Service::at(&format!("http://127.0.0.1:{}", endpoint.await.port)).unwrap()
}

fn expected() -> Expected {
    Expected { network: "devnet".to_owned(), schema: 27 }
}

const VERSION: &str = r#"{"network":"devnet","schemaVersion":27}"#;

#[tokio::test]
async fn a_process_that_is_well_is_well() {
    let process = process(200, (200, r#"{"checks":{}}"#), VERSION).await;
    let part = service(&process, &expected(), PATIENCE, || NOW + 2).await;
    assert!(part.is_well(), "{part:?}");
    for name in ["resolve", "connect", "alive", "ready", "network", "schema", "clock"] {
        assert_eq!(verdict(&part, name), Verdict::Ok, "{name}");
    }
}

#[tokio::test]
async fn a_process_of_another_network_schema_and_time_is_told() {
    let other = r#"{"network":"mainnet","schemaVersion":26}"#;
    let process = process(200, (200, "{}"), other).await;
    let part = service(&process, &expected(), PATIENCE, || NOW + 6).await;
    assert_eq!(verdict(&part, "network"), Verdict::WrongNetwork);
    assert_eq!(verdict(&part, "schema"), Verdict::Wrong);
    assert_eq!(verdict(&part, "clock"), Verdict::Wrong);
    assert_eq!(verdict(&part, "ready"), Verdict::Ok);
}

#[tokio::test]
async fn alive_and_not_ready_names_the_check_and_not_alive_is_another_thing() {
    let body = r#"{"checks":{"projection":{"status":"unhealthy","error":"lagging"},
        "database":{"status":"healthy"}}}"#;
    let waiting = process(200, (503, body), VERSION).await;
    let part = service(&waiting, &expected(), PATIENCE, || NOW).await;
    assert_eq!(verdict(&part, "alive"), Verdict::Ok);
    assert_eq!(verdict(&part, "ready"), Verdict::Wrong);
    assert!(step(&part, "ready").seen.contains("projection"), "{part:?}");
    assert!(step(&part, "ready").remedy.contains("Do not raise the threshold"), "{part:?}");

    let dead = process(500, (200, "{}"), VERSION).await;
    let part = service(&dead, &expected(), PATIENCE, || NOW).await;
    assert_eq!(verdict(&part, "alive"), Verdict::Wrong, "{part:?}");
}

#[tokio::test]
async fn what_is_no_process_of_the_platform_tells_no_network() {
    let other = answering(|_| b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()).await;
    let process = Service::at(&format!("http://127.0.0.1:{}", other.port)).unwrap();
    let part = service(&process, &expected(), PATIENCE, || NOW).await;
    assert_eq!(verdict(&part, "alive"), Verdict::Wrong);
    assert_eq!(verdict(&part, "network"), Verdict::Unknown);
    assert_eq!(verdict(&part, "clock"), Verdict::Unknown);
    for wrong in ["ftp://example.org", "example.org:80", "http://"] {
        assert!(Service::at(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_tree_tells_running_alive_and_ready_apart() {
    let check = |name: &str, ok, detail: &str| ReadyCheck {
        name: name.to_owned(),
        ok,
        detail: detail.to_owned(),
    };
    // Nothing is wrong, and nothing is known: neither says anything.
    assert!(not_ready(Some(200), Some(200), &[check("database", true, "")]).is_empty());
    assert!(not_ready(None, None, &[]).is_empty());
    let found = not_ready(Some(500), Some(503), &[check("database", false, "unavailable")]);
    assert_eq!(found.len(), 1, "what is not alive cannot say what it waits for: {found:?}");
    let found = not_ready(Some(200), Some(503), &[]);
    assert!(found[0].seen.contains("/readyz answers 503") && found[0].stops);
    // A check beside the others does not explain why it is not ready.
    let found = not_ready(Some(200), Some(503), &[check("redis", false, "refused")]);
    assert_eq!(found.iter().filter(|branch| branch.stops).count(), 1, "{found:?}");
}

#[test]
fn room_and_limits_are_judged_by_what_is_needed() {
    let looked = |bytes, files| {
        let mut part = Part::new("x");
        disk(&mut part, Path::new("/data"), bytes, files);
        part
    };
    assert!(looked((1000, 200), (0, 0)).is_well());
    assert_eq!(verdict(&looked((1000, 199), (0, 0)), "disk"), Verdict::Wrong);
    assert_eq!(verdict(&looked((1000, 900), (100, 1)), "inodes"), Verdict::Wrong);
    assert_eq!(verdict(&looked((0, 0), (0, 0)), "disk"), Verdict::Unknown);
    let looked = |most| {
        let mut part = Part::new("x");
        limits(&mut part, most, 1000);
        verdict(&part, "limits")
    };
    assert_eq!(looked(None), Verdict::Ok);
    assert_eq!(looked(Some(1000)), Verdict::Ok);
    assert_eq!(looked(Some(999)), Verdict::Wrong);
}

#[test]
fn an_answer_fits_the_terminal_and_does_nothing_to_it() {
    let mut part = Part::new("PostgreSQL gx@db.example.org:5432/gx");
    part.ok("resolve", "192.0.2.7");
    for verdict in Verdict::ALL {
        let remedy = "do something about it ".repeat(9);
        part.add("connect", verdict, "\u{1b}[31mred ".repeat(20), remedy);
    }
    let diagnosis = Diagnosis { parts: vec![part] };
    for width in [80, 200] {
        let text = render(&diagnosis, &Look { width, ..Look::default() });
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(text.starts_with("2 ok, 8 wrong, 1 not known"), "{text}");
    }
    assert!(!diagnosis.is_well());
}
