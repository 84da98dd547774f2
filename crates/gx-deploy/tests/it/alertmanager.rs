//! Alertmanager itself: who hears of what, who is spared, and the heartbeat.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gx_deploy::monitoring::{Pace, Receivers, alerts, configuration};
use serde_json::{Value, json};

use crate::tool::{has, run, written};

const DAEMON: &str = "prometheus-alertmanager";
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn amtool_takes_the_configuration() {
    if !has("amtool", DAEMON) {
        return;
    }
    let (_folder, monitoring) = written();
    let said = run("amtool", &["check-config", "alertmanager/alertmanager.yml"], &monitoring);
    for part in ["4 receivers", "inhibit rules"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn routes_lead_to_somebody() {
    if !has("amtool", DAEMON) {
        return;
    }
    let (_folder, monitoring) = written();
    let file = "--config.file=alertmanager/alertmanager.yml";
    for (labels, receivers) in [
        (["alertname=Watchdog", "severity=info"], "heartbeat"),
        (["alertname=ConservationBroken", "severity=critical"], "pager,mail"),
        (["alertname=DiskFilling", "severity=warning"], "mail"),
        (["alertname=WebhookEndpointDisabled", "severity=info"], "nobody"),
    ] {
        let args = ["config", "routes", "test", file, labels[0], labels[1]];
        // Warnings of amtool's follow.
        let said = run("amtool", &args, &monitoring);
        assert_eq!(said.lines().next(), Some(receivers), "{labels:?}");
    }
}

/// An inhibition whose source or target is no alert would never hold.
#[test]
fn inhibitions_name_alerts() {
    let names: BTreeSet<&str> = alerts().map(|alert| alert.name).collect();
    let text = configuration(&Receivers::default(), Pace::default());
    let (_, inhibitions) = text.split_once("inhibit_rules:").unwrap();
    let (inhibitions, _) = inhibitions.split_once("\nreceivers:").unwrap();
    let named = inhibitions.lines().filter_map(|line| line.split_once("alertname =")).flat_map(
        |(_, names)| {
            let plain = |c: char| !c.is_ascii_alphanumeric();
            names.split(plain).filter(|name| !name.is_empty()).map(str::to_owned)
        },
    );
    let named: Vec<String> = named.collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        assert!(names.contains(name.as_str()), "{name}");
    }
}

/// Something that takes what Alertmanager posts, and tells the path, the token and the body.
struct Sink {
    address: String,
    heard: Receiver<(String, String, Value)>,
}

impl Sink {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever does not ask any more has heard enough.
                if tell.send(take(stream.unwrap())).is_err() {
                    return;
                }
            }
        });
        Self { address, heard }
    }

    /// The alerts that arrive on a path until those that are waited for have.
    fn hears(&self, path: &str, wanted: &[&str]) -> Vec<(String, String)> {
        let deadline = Instant::now() + PATIENCE;
        let mut told: Vec<(String, String)> = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (to, token, body) = self.heard.recv_timeout(left).unwrap_or_else(|_| {
                panic!("{path} heard {told:?} and not {wanted:?}");
            });
            if to != path {
                continue;
            }
            for alert in body["alerts"].as_array().unwrap() {
                let name = alert["labels"]["alertname"].as_str().unwrap().to_owned();
                told.push((name, token.clone()));
            }
            if wanted.iter().all(|name| told.iter().any(|(one, _)| one == name)) {
                return told;
            }
        }
    }
}

fn take(mut stream: TcpStream) -> (String, String, Value) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        found.unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    let path = lines[0].split(' ').nth(1).unwrap().to_owned();
    (path, header("authorization"), serde_json::from_slice(&body).unwrap())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts Alertmanager on a port of its own and waits until it says that it is ready.
fn start(folder: &Path) -> (Running, String) {
    // The port is free at this moment; nothing else on this machine asks for it by name.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let child = Command::new(DAEMON)
        .args([
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            "--cluster.listen-address=",
        ])
        .arg(format!("--web.listen-address={free}"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let deadline = Instant::now() + PATIENCE;
    while ask(&free, "GET", "/-/ready", "").is_none_or(|(status, _)| status != 200) {
        assert!(Instant::now() < deadline, "Alertmanager is not ready");
        std::thread::yield_now();
    }
    (running, free)
}

/// The status of an answer and all of it; `None` when nobody listens.
fn ask(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

/// Hands alerts over.
fn post(address: &str, alerts: &Value) {
    let answered = ask(address, "POST", "/api/v2/alerts", &alerts.to_string());
    assert_eq!(answered.map(|(status, _)| status), Some(200));
}

#[test]
fn the_pager_hears_once_and_the_heartbeat_again_and_again() {
    if !has(DAEMON, DAEMON) {
        return;
    }
    let sink = Sink::open();
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("token of the {name}")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let receivers = Receivers {
        pager_url: format!("http://{}/pager", sink.address),
        pager_token_file: secret("pager"),
        heartbeat_url: format!("http://{}/heartbeat", sink.address),
        heartbeat_token_file: secret("heartbeat"),
        mail_password_file: secret("mail"),
        // Nobody is there: what goes by mail is another test's.
        mail_server: "127.0.0.1:1".to_owned(),
        ..Receivers::default()
    };
    let pace = Pace { gather: "1s", again: "4h", heartbeat: "1s" };
    std::fs::write(folder.path().join("alertmanager.yml"), configuration(&receivers, pace))
        .unwrap();
    let (_running, address) = start(folder.path());
    let alert = |name: &str, severity: &str, more: Value| {
        let mut labels = json!({ "alertname": name, "severity": severity });
        for (key, value) in more.as_object().unwrap() {
            labels[key] = value.clone();
        }
        json!({ "labels": labels })
    };
    // The source of an inhibition first: it holds from the moment that it is known.
    let sources = json!([
        alert("PostgresDown", "critical", json!({ "instance": "db0" })),
        alert("Watchdog", "info", json!({})),
    ]);
    post(&address, &sources);
    let told = sink.hears("/pager", &["PostgresDown"]);
    assert!(told.iter().all(|(_, token)| token == "Bearer token of the pager"), "{told:?}");
    let more = json!([
        alert("DatabaseAway", "critical", json!({ "instance": "a" })),
        alert("ConservationBroken", "critical", json!({})),
    ]);
    post(&address, &more);
    let told = sink.hears("/pager", &["ConservationBroken"]);
    assert!(!told.iter().any(|(name, _)| name == "DatabaseAway"), "it is spared: {told:?}");
    let silenced = "/api/v2/alerts?inhibited=true&active=false&silenced=false&unprocessed=false";
    let (_, silenced) = ask(&address, "GET", silenced, "").unwrap();
    assert!(silenced.contains("DatabaseAway"), "{silenced}");
    assert!(!silenced.contains("ConservationBroken"), "{silenced}");
    // The heartbeat comes again although nothing has changed.
    for _ in 0..2 {
        let told = sink.hears("/heartbeat", &["Watchdog"]);
        assert_eq!(told[0].1, "Bearer token of the heartbeat");
    }
}
