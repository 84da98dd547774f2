//! Chromium without a window, driven through two pipes by its DevTools protocol: a page, scripts in
//! it, and an authenticator that exists in the browser alone.
//!
//! It ends when its pipes are closed, so that none is left behind by a test that was killed.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::timeout;

use super::program::find;
use crate::server::eventually;

/// Chromium reads commands from the third of its files and answers to the fourth. When it has
/// ended, so do those that it has started.
const START: &str = r#"exec 3<&0 4>&1 </dev/null >/dev/null 2>&1
"$@" & exec 3<&- 4>&-; wait; kill -s KILL 0"#;

/// How long the browser may take for one command.
const DEADLINE: Duration = Duration::from_secs(30);

/// A browser with one page; it goes with the value.
pub(super) struct Browser {
    process: Child,
    pipes: Option<(Sender, BufReader<Receiver>)>,
    commands: u64,
    page: String,
    _folder: TempDir,
}

impl Browser {
    /// `None` where none is installed.
    pub(super) async fn start() -> Option<Self> {
        let program = find(&["chromium", "google-chrome-stable", "google-chrome"], "chromium")?;
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", START, "start"]).arg(program);
        // Its sandbox needs rights that containers do not give. It sees no page but the tests'.
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--no-first-run", "--disable-background-networking", "--disable-sync"]);
        command.args(["--disable-component-update", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", folder.path().display()));
        command.env("HOME", folder.path()).current_dir(folder.path()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let (to, from) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let to = Sender::from_owned_fd(OwnedFd::from(to)).unwrap();
        let from = Receiver::from_owned_fd(OwnedFd::from(from)).unwrap();
        let pipes = Some((to, BufReader::new(from)));
        let page = String::new();
        let mut browser = Self { process, pipes, commands: 0, page, _folder: folder };
        let made = browser.command("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = browser.command("Target.attachToTarget", attach).await;
        browser.page = attached["sessionId"].as_str().unwrap().to_owned();
        browser.command("WebAuthn.enable", json!({})).await;
        Some(browser)
    }

    /// Gives one command and waits for its result.
    async fn command(&mut self, method: &str, params: Value) -> Value {
        let answer = self.send(method, params).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn send(&mut self, method: &str, params: Value) -> Value {
        self.commands += 1;
        let mut command = json!({ "id": self.commands, "method": method, "params": params });
        if !self.page.is_empty() {
            command["sessionId"] = json!(self.page);
        }
        let answer = timeout(DEADLINE, self.exchange(&command)).await;
        answer.unwrap_or_else(|_| panic!("the browser takes too long: {command}"))
    }

    async fn exchange(&mut self, command: &Value) -> Value {
        let (to, from) = self.pipes.as_mut().unwrap();
        to.write_all(format!("{command}\0").as_bytes()).await.unwrap();
        loop {
            let mut message = Vec::new();
            from.read_until(0, &mut message).await.unwrap();
            assert_eq!(message.pop(), Some(0), "the browser has ended");
            let message: Value = serde_json::from_slice(&message).unwrap();
            // The others tell of what happens meanwhile.
            if message["id"] == command["id"] {
                return message;
            }
        }
    }

    /// Adds an authenticator like that of a phone, which keeps passkeys and knows its user.
    pub(super) async fn add_authenticator(&mut self) -> String {
        let options = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let params = json!({ "options": options });
        let added = self.command("WebAuthn.addVirtualAuthenticator", params).await;
        added["authenticatorId"].as_str().unwrap().to_owned()
    }

    /// Whether the authenticator knows its user from now on.
    pub(super) async fn verify(&mut self, authenticator: &str, is_user: bool) {
        let params = json!({ "authenticatorId": authenticator, "isUserVerified": is_user });
        self.command("WebAuthn.setUserVerified", params).await;
    }

    /// The passkeys that an authenticator keeps.
    pub(super) async fn passkeys(&mut self, authenticator: &str) -> Vec<Value> {
        let params = json!({ "authenticatorId": authenticator });
        let found = self.command("WebAuthn.getCredentials", params).await;
        found["credentials"].as_array().unwrap().clone()
    }

    /// Opens a page, and waits until it is there.
    pub(super) async fn open(&mut self, url: &str) {
        self.command("Page.navigate", json!({ "url": url })).await;
        let is_there = format!("location.href === {url:?} && document.readyState === 'complete'");
        eventually("the page is there", async || {
            (self.run(&is_there).await == Ok(json!(true))).then_some(())
        })
        .await;
    }

    /// What an expression comes to, once the promise is kept; or the error that it ends with.
    pub(super) async fn run(&mut self, expression: &str) -> Result<Value, String> {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.send("Runtime.evaluate", params).await;
        let thrown = &answer["result"]["exceptionDetails"];
        match (&answer["error"], thrown) {
            (Value::Null, Value::Null) => Ok(answer["result"]["result"]["value"].clone()),
            (Value::Null, thrown) => Err(thrown["exception"]["description"].to_string()),
            (error, _) => Err(error.to_string()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.pipes = None;
        let _ = self.process.wait();
    }
}
