//! The sample settings of reverse proxies, before a platform: nginx and Caddy as they are shipped
//! by Debian, on loopback addresses.
#![expect(clippy::print_stderr, reason = "what was not tested has to be seen")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::{Duration, Instant};

use gx_workbench::child::Child;
use serde_json::Value;

use crate::place::Place;

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// A quiet stream says every five seconds that it lives: what comes sooner was not held back.
const AT_ONCE: Duration = Duration::from_secs(4);

/// Where a client is that is not the proxy.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A proxy in a process of its own, killed in the end.
struct Proxy {
    process: Process,
    address: SocketAddr,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/proxy").join(name)
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn is_installed(program: &str, flag: &str) -> bool {
    let found = Command::new(program).arg(flag).output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

impl Proxy {
    /// Starts a command and waits until it listens.
    fn start(command: &mut Command, address: SocketAddr) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut proxy = Self { process: command.spawn().unwrap(), address };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            let ended = proxy.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "it does not listen: {ended:?}");
            std::thread::yield_now();
        }
        proxy
    }

    /// The sample of nginx on one port without TLS, inside the frame that Debian has around it.
    fn nginx(place: &Path, upstream: &str) -> Option<Self> {
        if !is_installed("nginx", "-v") {
            return None;
        }
        let address = free_address();
        let mut server = String::new();
        for line in fs::read_to_string(sample("nginx.conf")).unwrap().lines() {
            let line = match line.trim() {
                tls if tls.starts_with("ssl_") || tls.starts_with("listen [::]") => continue,
                "listen 80;" => format!("listen {};", free_address()),
                "listen 443 ssl http2;" => format!("listen {address};"),
                "server 127.0.0.1:3000;" => format!("server {upstream};"),
                other => other.to_owned(),
            };
            server.push_str(&line);
            server.push('\n');
        }
        let folder = place.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|of| format!("{of}_temp_path {folder}/{of};\n"))
            .concat();
        let settings = format!(
            "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n\
             error_log {folder}/nginx.log;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{server}}}\n"
        );
        let path = place.join("nginx.conf");
        fs::write(&path, settings).unwrap();
        let log = place.join("nginx.log");
        Some(Self::start(Command::new("nginx").arg("-e").arg(log).arg("-c").arg(path), address))
    }

    /// The sample of Caddy as it is; without a host name it asks nobody for a certificate.
    fn caddy(place: &Path, upstream: &str) -> Option<Self> {
        if !is_installed("caddy", "version") {
            return None;
        }
        let address = free_address();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(sample("Caddyfile"));
        command.env("GX_SITE", format!("http://:{}", address.port())).env("GX_UPSTREAM", upstream);
        command.env("HOME", place).env("XDG_DATA_HOME", place).env("XDG_CONFIG_HOME", place);
        Some(Self::start(&mut command, address))
    }

    /// Sends a request from the client's address; the answer comes by the stream.
    async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((CLIENT, 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: gx.example.org\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        let mut writer = &stream;
        writer.write_all(head.as_bytes()).unwrap();
        // Whoever refuses a body may close before it is sent whole.
        let _ = writer.write_all(body.as_bytes());
        stream
    }

    /// Status and body of an answer.
    async fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = self.send(method, path, headers, body).await;
        let mut answer = Vec::new();
        // The end may be a reset, where a body was refused.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status.unwrap_or_default(), body.unwrap_or_default())
    }
}

/// The document in a body that may come in pieces.
fn document(body: &str) -> Value {
    let (from, to) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    serde_json::from_str(&body[from..=to]).unwrap()
}

/// What has to hold behind any proxy; `person` is somebody's name that nobody else has.
async fn serves(proxy: &Proxy, person: &str) {
    for path in ["/metrics", "/readyz", "/livez", "/health", "/version", "//metrics", "/%6detrics"]
    {
        assert_eq!(proxy.call("GET", path, "", "").await.0, 404, "{path}");
    }
    for path in ["/.well-known/gx", "/.well-known/jwks.json", "/docs", "/openapi.json"] {
        assert_eq!(proxy.call("GET", path, "", "").await.0, 200, "{path}");
    }
    let email = format!("{person}@example.org");
    let register = format!(
        r#"{{"email":"{email}","password":"Sunny-day-7","firstName":"Ada","lastName":"Example",
            "countryCode":"DE","dateOfBirth":"1990-05-17"}}"#
    );
    let key = format!("idempotency-key: {person}-registers-0001\r\n");
    let (status, body) = proxy.call("POST", "/api/v1/auth/register", &key, &register).await;
    assert_eq!(status, 201, "{body}");
    let login = format!(r#"{{"email":"{email}","password":"Sunny-day-7"}}"#);
    // What the client says of itself is not believed, by the proxy or behind it.
    let claim = "x-forwarded-for: 203.0.113.9\r\n";
    let (status, body) = proxy.call("POST", "/api/v1/auth/login", claim, &login).await;
    assert_eq!(status, 200, "{body}");
    let token = document(&body)["accessToken"].as_str().unwrap().to_owned();
    let bearer = format!("authorization: Bearer {token}\r\n");
    let (status, body) = proxy.call("GET", "/api/v1/sessions", &bearer, "").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(document(&body)["data"][0]["ipAddress"], CLIENT.to_string(), "{body}");

    let mut stream = proxy.send("GET", "/api/v1/notifications/stream", &bearer, "").await;
    stream.set_read_timeout(Some(AT_ONCE)).unwrap();
    let (mut seen, mut piece) = (String::new(), [0; 1024]);
    while !seen.contains("\n:") {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "the stream ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    assert!(seen.contains("text/event-stream"), "{seen}");

    for (path, bytes, expected) in [
        ("/api/v1/auth/login", 2 << 20, 413),
        ("/api/v1/users/me/documents", 13 << 20, 400),
        ("/api/v1/users/me/documents", 15 << 20, 413),
    ] {
        let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes));
        let (status, body) = proxy.call("POST", path, &bearer, &body).await;
        assert_eq!(status, expected, "{path}, {bytes} bytes: {body}");
    }
}

/// A platform that believes its proxy.
fn platform() -> (Place, Child, String) {
    let trusted = ("GX_HTTP__TRUSTED_PROXIES".to_owned(), "127.0.0.1".to_owned());
    let place = Place::with(vec![trusted]);
    let child = place.start();
    let upstream = child.url.trim_start_matches("http://").to_owned();
    (place, child, upstream)
}

#[tokio::test]
async fn nginx_keeps_addresses_streams_and_limits() {
    let (place, child, upstream) = platform();
    if let Some(proxy) = Proxy::nginx(place.path(), &upstream) {
        serves(&proxy, "nina").await;
    }
    assert!(child.stop().unwrap().success());
}

#[tokio::test]
async fn caddy_keeps_addresses_streams_and_limits() {
    let (place, child, upstream) = platform();
    if let Some(proxy) = Proxy::caddy(place.path(), &upstream) {
        serves(&proxy, "cara").await;
    }
    assert!(child.stop().unwrap().success());
}
