//! A real virus scanner: what it finds is refused, what it does not look at is not taken.

use std::fs;
use std::process::Command;

use gx_server::Workers;
use serde_json::Value;
use tempfile::TempDir;

use super::program::{Program, find, free_port};
use crate::documents::{form, picture};
use crate::server::{Person, Server, eventually};

/// What the scanner knows: files that hold these bytes.
const MARK: &[u8] = b"GX-INFECTED-FILE";
const KNOWN: &str = "Gx.Test.Mark:0:*:47582d494e4645435445442d46494c45\n";

/// Just more than what the scanner looks at.
const STREAM_MAX: usize = 1 << 20;

/// A scanner with one signature; it goes with the value.
struct Clamd {
    folder: TempDir,
    port: u16,
    command: Command,
    running: Option<Program>,
}

impl Clamd {
    /// `None` where the program is not installed.
    async fn start() -> Option<Self> {
        let program = find(&["clamd"], "clamav-daemon")?;
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let home = folder.path().display();
        let settings = format!(
            "Foreground yes\nDatabaseDirectory {home}/signatures\nTemporaryDirectory {home}\n\
             TCPAddr 127.0.0.1\nTCPSocket {port}\nLocalSocket {home}/clamd.sock\n\
             FixStaleSocket yes\nStreamMaxLength 1M\n"
        );
        fs::create_dir(folder.path().join("signatures")).unwrap();
        fs::write(folder.path().join("signatures/gx.ndb"), KNOWN).unwrap();
        fs::write(folder.path().join("clamd.conf"), settings).unwrap();
        let mut command = Command::new(program);
        command.arg("--config-file").arg(folder.path().join("clamd.conf"));
        let mut clamd = Self { folder, port, command, running: None };
        clamd.restart().await;
        Some(clamd)
    }

    async fn restart(&mut self) {
        let started = Program::start(&self.command, self.folder.path(), &[self.port]).await;
        self.running = Some(started);
    }

    async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill().await;
        }
    }

    fn addresses(&self) -> [String; 2] {
        let socket = self.folder.path().join("clamd.sock");
        [format!("127.0.0.1:{}", self.port), format!("unix:{}", socket.display())]
    }
}

async fn scanned_by(address: &str) -> Server {
    Server::start_with(&[("documents.clamav.address", address)], Workers::NONE).await
}

/// Uploads a file; says with what status, and the code or the verdict.
async fn upload(person: &Person, file: &[u8]) -> (u16, String) {
    let reply = form(person, "a.png", "image/png", file).await;
    assert!(!reply.text.contains("Gx.Test"), "{}", reply.text);
    let said = [&reply.body["code"], &reply.body["data"]["virusScanStatus"]];
    let said = said.into_iter().find_map(Value::as_str).unwrap_or_default();
    (reply.status.as_u16(), said.to_owned())
}

fn answer(status: u16, said: &str) -> (u16, String) {
    (status, said.to_owned())
}

/// How many documents somebody has.
async fn count(person: &Person) -> Value {
    let path = format!("/api/v1/users/{}/documents", person.id);
    person.client.get(&path, 200).await.body["pagination"]["total"].clone()
}

async fn until(server: &Server, status: &str) {
    eventually(&format!("the scanner is {status}"), async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        (reply.body["checks"]["virusScanner"]["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_the_scanner_finds_is_refused_by_either_way_to_it() {
    let Some(clamd) = Clamd::start().await else { return };
    for address in clamd.addresses() {
        let server = scanned_by(&address).await;
        let ada = server.register("ada", "DE").await;
        until(&server, "healthy").await;
        assert_eq!(upload(&ada, &picture()).await, answer(201, "CLEAN"));
        let infected = [&picture()[..], MARK].concat();
        assert_eq!(upload(&ada, &infected).await, answer(422, "document_infected"));
        // Somewhere in the middle of many chunks as well.
        let infected = [&picture()[..], &vec![7; 300_000], MARK, &vec![7; 300_000]].concat();
        assert_eq!(upload(&ada, &infected).await, answer(422, "document_infected"));
        assert_eq!(count(&ada).await, 1);
    }
}

#[tokio::test]
async fn without_its_scanner_nothing_is_taken_until_it_is_back() {
    let Some(mut clamd) = Clamd::start().await else { return };
    let [address, _] = clamd.addresses();
    let server = scanned_by(&address).await;
    let ada = server.register("ada", "DE").await;
    clamd.stop().await;
    until(&server, "unhealthy").await;
    assert_eq!(upload(&ada, &picture()).await, answer(503, "scanner_unavailable"));
    assert_eq!(count(&ada).await, 0);
    clamd.restart().await;
    until(&server, "healthy").await;
    assert_eq!(upload(&ada, &picture()).await, answer(201, "CLEAN"));
    assert_eq!(count(&ada).await, 1);
}

#[tokio::test]
async fn what_the_scanner_does_not_look_at_whole_is_not_taken() {
    let Some(clamd) = Clamd::start().await else { return };
    for address in clamd.addresses() {
        let server = scanned_by(&address).await;
        let ada = server.register("ada", "DE").await;
        let large = [&picture()[..], &vec![7; STREAM_MAX]].concat();
        assert_eq!(upload(&ada, &large).await, answer(503, "scanner_unavailable"));
        assert_eq!(count(&ada).await, 0);
        assert_eq!(upload(&ada, &picture()).await, answer(201, "CLEAN"));
    }
}
