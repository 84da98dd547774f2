//! No line of the log holds a secret or says something of a person, at any level.
//!
//! The test client remembers what it has sent and got under names such as `password` or `phone`;
//! then all lines of the process are searched for it. A route is looked at as soon as it has a
//! sample, whatever its fields hold: they only need a name from the list.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use gx_server::config::Config;
use gx_server::{Access, Verb, Workers, routes, telemetry};
use serde_json::{Value, json};

use crate::client::new_key;
use crate::cluster::Cluster;
use crate::coverage::{prepared, put_back, sent};
use crate::passwords::newest_token;
use crate::second_factors::enrol;
use crate::server::{ADMIN_PASSWORD, Account, Server, registration};

/// What the names of fields have in them, in lower case, whose values are nobody else's business.
const PRIVATE: &[&str] = &[
    "address",
    "apikey",
    "dateofbirth",
    "documentnumber",
    "email",
    "firstname",
    "lastname",
    "middlename",
    "nationalid",
    "otpauth",
    "password",
    "phone",
    "recoverycode",
    "registrationid",
    "secret",
    "taxid",
    "token",
];

/// Values of such fields that tell nothing.
const HARMLESS: &[&str] = &["Bearer", "127.0.0.1"];

/// Everything that is logged in this process.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The log of the whole process: hashes are computed and statements run on other threads.
    fn of_process() -> &'static Self {
        static LINES: OnceLock<Lines> = OnceLock::new();
        REMEMBERED.get_or_init(Mutex::default);
        LINES.get_or_init(Self::set_up)
    }

    fn set_up() -> Self {
        let lines = Self::default();
        let mut log = Config::load(None, [], &[]).unwrap().log;
        log.level = "trace,hyper=info".to_owned();
        let writer = lines.clone();
        let subscriber = telemetry::subscriber(&log, false, move || writer.clone()).unwrap();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        lines
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What must not be found, once a test has begun to look.
static REMEMBERED: OnceLock<Mutex<BTreeSet<String>>> = OnceLock::new();

/// Remembers the private values of a request and its answer.
pub(crate) fn remember(token: Option<&str>, sent: &str, answered: &Value) {
    let Some(remembered) = REMEMBERED.get() else { return };
    let sent: Value = serde_json::from_str(sent).unwrap_or(Value::Null);
    let mut found = BTreeSet::new();
    found.extend(token.map(str::to_owned));
    gather(&sent, "", &mut found);
    // Refusals have codes that are meant to be read.
    if answered["status"].as_u64().is_none() {
        gather(answered, "", &mut found);
    }
    remembered.lock().unwrap().extend(found);
}

fn gather(value: &Value, name: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                gather(value, name, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, name, found)),
        Value::String(text) if is_private(name, text) => {
            found.insert(text.clone());
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_private(name: &str, text: &str) -> bool {
    let name = name.to_lowercase();
    let is_one_time =
        matches!(name.as_str(), "code" | "otp") && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_named = PRIVATE.iter().any(|part| name.contains(part));
    // Shorter words turn up by chance.
    (is_one_time || is_named) && text.len() >= 4 && !HARMLESS.contains(&text)
}

/// Where a value stands in the log by itself, and not as a part of a longer word or number.
fn stands_in<'l>(log: &'l str, value: &str) -> Option<&'l str> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_' || (is_number && c == '.');
    log.match_indices(value).find_map(|(at, _)| {
        let (before, after) = (&log[..at], &log[at + value.len()..]);
        // Durations and counts are bare numbers of the JSON; a code would stand in a text.
        let is_measure = is_number && before.ends_with(':');
        let apart = !before.ends_with(part_of_word) && !after.starts_with(part_of_word);
        let from = before.rfind('\n').map_or(0, |end| end + 1);
        let to = after.find('\n').map_or(log.len(), |end| at + value.len() + end);
        (apart && !is_measure).then_some(&log[from..to])
    })
}

fn assert_silent(lines: &Lines, values: impl IntoIterator<Item = String>) {
    let logged = lines.text();
    assert!(logged.contains("request answered"), "nothing was logged");
    for value in values {
        if let Some(line) = stands_in(&logged, &value) {
            panic!("{value} was logged: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_holds_personal_data_or_a_secret() {
    let lines = Lines::of_process();
    let server = Server::start_with(&[("log.requests", "true")], Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let mut body = registration("zebediah", "DE");
    body["phone"] = json!("+4915112345678");
    body["nationalId"] = json!("L01X00T47");
    server.client.post("/api/v1/auth/register", body.clone(), 201).await;
    server.client.post("/api/v1/auth/register", body, 409).await;
    let wrong = json!({ "email": "zebediah@example.org", "password": "Wrong7horse" });
    server.client.post("/api/v1/auth/login", wrong, 401).await;
    let user = server.log_in("zebediah@example.org").await;
    user.get("/api/v1/users/profile?email=zebediah@example.org", 200).await;
    admin.get("/api/v1/admin/users?search=zebediah", 200).await;
    let factor = enrol(&user, "/api/v1/auth/mfa", "/api/v1/auth/mfa").await;
    let forgot = json!({ "email": "zebediah@example.org" });
    server.client.post("/api/v1/auth/password/forgot", forgot, 200).await;
    let reset = newest_token(&server).await;
    server.account(&admin, "yolanda", "DE").await;
    let known = ["zebediah", "yolanda", "4915112345678", "1990-06-15", "7horse", "argon2id"];
    let known = known.map(str::to_owned).into_iter();
    let mut known = known.chain([reset, factor.secret, server.first_password.clone()]);
    let logged = lines.text();
    assert_eq!(known.find(|value| logged.contains(value.as_str())), None, "it was logged");
    let remembered = REMEMBERED.get().unwrap().lock().unwrap().clone();
    for value in ["L01X00T47", "+4915112345678", factor.recovery[0].as_str()] {
        assert!(remembered.contains(value), "{value} is not looked for");
    }
    assert_silent(lines, remembered);
}

/// Everything of a route that can be asked for without changing anything.
async fn read_all(server: &Server, ada: &Account) {
    let user = server.log_in(&ada.person.email).await;
    let body = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
    let admin = server.client.post("/api/v1/admin/auth/login", body, 200).await;
    let admin = server.client.with_token(admin.str("accessToken"));
    for route in routes().iter().filter(|route| route.verb == Verb::Get) {
        let of_admin = matches!(route.access(), Access::AnyAdmin | Access::Admin(_));
        let is_stream = route.path.ends_with("/events") || route.path.ends_with("/stream");
        if route.access() == Access::System || is_stream {
            continue;
        }
        let path = ada.path(&route.path.replace("{userId}", "{}").replace("{accountId}", "{}"));
        let path = path.replace("{id}", &ada.person.id);
        let client = if of_admin { &admin } else { &user };
        let reply = client.send("GET", &without_names(&path), &[], None).await;
        assert!(!reply.status.is_server_error(), "{route:?}: {}", reply.text);
    }
}

/// What is still a name in braces stands for an id that nobody has.
fn without_names(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "x" + part.split_once('}').unwrap().1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_logs_what_it_is_given_or_gives() {
    let lines = Lines::of_process();
    let cluster = Cluster::start().await;
    let server = cluster.server(&[("log.requests", "true")]).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "adalbert", "DE").await;
    // Whom the samples name.
    server.account(&admin, "ada", "DE").await;
    read_all(&server, &ada).await;
    for route in routes().iter().filter(|route| route.mutates()) {
        let id = new_key();
        let sample = prepared(&server, &ada, route, &id).await;
        let (client, reply) = sent(route, sample, &id).await;
        put_back(&server, route, &client, &reply).await;
    }
    read_all(&server, &ada).await;
    assert_silent(lines, REMEMBERED.get().unwrap().lock().unwrap().clone());
    assert!(!lines.text().contains("argon2id"), "a hash was logged");
}

#[test]
fn values_are_found_by_the_names_of_their_fields() {
    let mut found = BTreeSet::new();
    let value = json!({
        "user": { "emailAddress": "a@example.org", "age": 30, "status": "ACTIVE" },
        "recoveryCodes": ["aaaaa-bbbbb"], "tokenType": "Bearer", "code": "123456",
        "currencyCode": "GXC",
    });
    gather(&value, "", &mut found);
    let expected = ["a@example.org", "123456", "aaaaa-bbbbb"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
    for (log, is_there) in [
        (r#"{"message":"code 123456"}"#, true),
        (r#"{"code":"123456"}"#, true),
        (r#"{"micros":123456}"#, false),
        (r#"{"at":"2026-11-30T10:00:00.123456Z"}"#, false),
        (r#"{"id":"a123456"}"#, false),
    ] {
        assert_eq!(stands_in(log, "123456").is_some(), is_there, "{log}");
    }
}
