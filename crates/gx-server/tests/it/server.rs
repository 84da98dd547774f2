//! The server under test, and the people on it.

use std::time::{Duration, Instant};

use gx_server::config::Config;
use gx_server::{App, Build, Listening, Platform, Services, Starting, Workers};
use gx_types::AccountId;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::combination::Combination;

pub(crate) const PASSWORD: &str = "Blue7horse";
pub(crate) const ADMIN_PASSWORD: &str = "Blue7horse-cart";

/// What the server under test says that it was built from.
pub(crate) const BUILD: Build =
    Build { git_hash: Some("0123456789abcdef"), built_at_ms: Some(1_700_000_000_000) };

/// A running server. Its folder goes when it does.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) app: App,
    pub(crate) platform: Platform,
    pub(crate) first_password: String,
    stop: Option<oneshot::Sender<()>>,
    served: Listening,
    _folder: TempDir,
    combination: Combination,
}

/// A person with a session.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) client: Client,
}

impl Server {
    /// Lets days pass, for the platform and for its ledger.
    pub(crate) fn pass_days(&self, days: u16) {
        self.platform.clock().advance_days(days);
        self.combination.pass(days);
    }

    /// The network of the channel that it settles on, if it is one.
    pub(crate) fn network(&self) -> Option<&gx_fabric_network::Network> {
        self.combination.network()
    }

    pub(crate) async fn start() -> Self {
        Self::start_with(&[], Workers::ALL).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)], workers: Workers) -> Self {
        Self::start_in(&[], settings, workers).await
    }

    /// A server that finds these variables in its environment.
    pub(crate) async fn start_in(
        environment: &[(&str, &str)],
        settings: &[(&str, &str)],
        workers: Workers,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().display().to_string();
        let mut flags = vec![
            ("data_dir", data_dir),
            // Hashes are cheap here: their cost is not what is tested.
            ("auth.argon2_memory_kib", "64".to_owned()),
            ("auth.argon2_iterations", "1".to_owned()),
        ];
        let has_database = environment.iter().any(|(name, _)| *name == "DATABASE_URL");
        let combination = Combination::new(has_database).await;
        flags.extend(combination.settings.clone());
        flags.extend(settings.iter().map(|(key, text)| (*key, (*text).to_owned())));
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let mut environment: Vec<_> = environment.iter().map(owned).collect();
        environment.extend(combination.environment.clone());
        let config = Config::load(None, environment, &flags).unwrap();
        let platform = Platform::start(config, workers, true, &Starting::once()).await.unwrap();
        let app = platform.app(BUILD, &Starting::once()).await.unwrap();
        let first = app.ensure_first_admin().await.unwrap().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let config = platform.config();
        let served = Listening::open(config, &Starting::once(), listener, Services::All, stopped);
        served.ready(&app);
        let (first_password, stop) = (first.password, Some(stop));
        Self { client, app, platform, first_password, stop, served, _folder: folder, combination }
    }

    /// Stops serving and waits for the end.
    pub(crate) async fn stop(mut self) -> Platform {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.ended().await;
        self.platform
    }

    /// The super owner, with a password of their own.
    pub(crate) async fn admin(&self) -> Client {
        let body = json!({ "username": "superowner", "password": self.first_password });
        let reply = self.client.post("/api/v1/admin/auth/login", body, 200).await;
        let admin = self.client.with_token(reply.str("accessToken"));
        let body = json!({ "currentPassword": self.first_password, "newPassword": ADMIN_PASSWORD });
        admin.post("/api/v1/admin/auth/password/change", body, 200).await;
        admin
    }

    /// The super owner on a ledger with two countries.
    pub(crate) async fn bootstrapped(&self) -> Client {
        let admin = self.admin().await;
        let reply = admin.settle("/api/v1/admin/bootstrap", json!({ "userId": null })).await;
        assert_eq!(reply.str("status"), "committed");
        let countries = json!({ "countries": [
            { "countryCode": "DE", "weight": 60_000_000 },
            { "countryCode": "IN", "weight": 40_000_000 },
        ]});
        let reply = admin.settle("/api/v1/admin/countries/initialize", countries).await;
        assert_eq!(reply.str("status"), "committed");
        admin
    }

    /// Registers somebody and logs them in.
    pub(crate) async fn register(&self, name: &str, country: &str) -> Person {
        let body = registration(name, country);
        let reply = self.client.post("/api/v1/auth/register", body, 201).await;
        let id = reply.str("userId").to_owned();
        let email = format!("{name}@example.org");
        let client = self.log_in(&email).await;
        Person { id, email, client }
    }

    pub(crate) async fn log_in(&self, email: &str) -> Client {
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = self.client.post("/api/v1/auth/login", body, 200).await;
        self.client.with_token(reply.str("accessToken"))
    }

    /// Somebody with an account on the ledger and the coins of genesis.
    pub(crate) async fn account(&self, admin: &Client, name: &str, country: &str) -> Account {
        let person = self.register(name, country).await;
        let path = format!("/api/v1/admin/users/{}/approve", person.id);
        let approved = admin.post(&path, json!({}), 200).await;
        let ledger_id: AccountId = approved.str("ledgerId").parse().unwrap();
        let body = json!({ "userIds": [person.id] });
        let path = "/api/v1/admin/users/batch-register-onchain";
        let reply = admin.post(path, body, 202).await;
        let command = reply.body["commands"][0]["commandId"].as_str().unwrap();
        self.committed(admin, command).await;
        Account { ledger_id, person }
    }

    /// Waits until a command is committed.
    pub(crate) async fn committed(&self, client: &Client, command: &str) {
        assert_eq!(self.settled(client, command).await, "committed");
    }

    /// Waits until a command has an outcome.
    pub(crate) async fn settled(&self, client: &Client, command: &str) -> Value {
        let path = format!("/api/v1/commands/{command}");
        eventually("the command is settled", async || {
            let status = client.get(&path, 200).await.body["status"].clone();
            Some(status).filter(|status| status != "queued" && status != "submitted")
        })
        .await
    }
}

/// A person with an account on the ledger.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) ledger_id: AccountId,
    pub(crate) person: Person,
}

impl Account {
    /// A path of this account's, `{}` standing for its id.
    pub(crate) fn path(&self, pattern: &str) -> String {
        pattern.replace("{}", &self.ledger_id.to_string().replace(' ', "%20"))
    }

    pub(crate) async fn balance(&self) -> String {
        let path = self.path("/api/v1/wallets/{}/balance");
        self.person.client.get(&path, 200).await.str("balance").to_owned()
    }
}

pub(crate) fn registration(name: &str, country: &str) -> Value {
    json!({
        "email": format!("{name}@example.org"), "password": PASSWORD, "firstName": name,
        "lastName": "Example", "countryCode": country, "dateOfBirth": "1990-06-15",
    })
}

/// Asks again and again until there is an answer, for at most ten seconds.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
