//! A Redis of a test's own, with a password, and with TLS where that is asked for.

use std::process::Command;

use tempfile::TempDir;

use super::program::{Program, find, free_port};
use super::tls;

pub(crate) const PASSWORD: &str = "redis-of-a-test";

/// A server that goes with the value.
pub(crate) struct RedisServer {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    is_tls: bool,
    command: Command,
    running: Option<Program>,
}

impl RedisServer {
    /// `None` where the program is not installed.
    pub(crate) async fn start(is_tls: bool) -> Option<Self> {
        let program = find(&["redis-server"], "redis-server")?;
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let text = port.to_string();
        let (plain, encrypted) = if is_tls { ("0", &*text) } else { (&*text, "0") };
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", plain, "--tls-port", encrypted]);
        command.args(["--save", "", "--appendonly", "no", "--requirepass", PASSWORD]);
        if is_tls {
            tls::issue(folder.path(), "ca");
            command.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]);
            command.args(["--tls-ca-cert-file", "ca.pem", "--tls-auth-clients", "no"]);
        }
        let mut server = Self { folder, port, is_tls, command, running: None };
        server.restart().await;
        Some(server)
    }

    /// Starts it again, on the same port.
    pub(crate) async fn restart(&mut self) {
        let started = Program::start(&self.command, self.folder.path(), &[self.port]).await;
        self.running = Some(started);
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill().await;
        }
    }

    pub(crate) fn url(&self, password: &str) -> String {
        let scheme = if self.is_tls { "rediss" } else { "redis" };
        format!("{scheme}://:{password}@127.0.0.1:{}", self.port)
    }
}
