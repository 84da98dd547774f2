//! Passkeys: made by who is logged in, good for a log-in alone or after a password, and for nothing
//! that the authenticator was not asked.

use gx_server::{Route, Workers, remove_second_factor};
use gx_store::admin::admins;
use gx_store::admin::audit::{self, Filter};
use gx_store::login::{Subject, passkeys};
use gx_types::TimeMs;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::client::{Client, Reply, new_key};
use crate::decisions::colleague;
use crate::second_factors;
use crate::server::{ADMIN_PASSWORD, PASSWORD, Person, Server};

const PASSKEYS: &str = "/api/v1/auth/passkeys";
const OF_ADMINS: &str = "/api/v1/admin/auth/passkeys";

fn at(rest: &str) -> String {
    format!("{PASSKEYS}/{rest}")
}

async fn ask_new(client: &Client) -> Value {
    client.post(&at("register/options"), json!({}), 200).await.body
}

async fn ask(server: &Server) -> Value {
    server.client.post(&at("login/options"), json!({}), 200).await.body
}

pub(crate) async fn register(client: &Client, key: &mut Authenticator) -> Reply {
    let credential = key.create(&ask_new(client).await);
    let body = json!({ "credential": credential, "name": "Ada's phone" });
    client.post(&at("register/finish"), body, 201).await
}

async fn log_in(server: &Server, key: &mut Authenticator, expect: u16) -> Reply {
    let credential = key.get(&ask(server).await);
    finish(server, credential, expect).await
}

async fn finish(server: &Server, credential: Value, expect: u16) -> Reply {
    let body = json!({ "credential": credential, "deviceFingerprint": "tablet" });
    let reply = server.client.post(&at("login/finish"), body, expect).await;
    if expect == 401 {
        assert_eq!(reply.str("code"), "passkey_invalid");
    }
    reply
}

/// Somebody with a passkey.
async fn with_passkey(server: &Server) -> (Person, Authenticator) {
    let (ada, mut key) = (server.register("ada", "DE").await, Authenticator::ed25519());
    register(&ada.client, &mut key).await;
    (ada, key)
}

async fn password_login(server: &Server, email: &str) -> Reply {
    let body = json!({ "email": email, "password": PASSWORD, "deviceFingerprint": "laptop" });
    server.client.post("/api/v1/auth/login", body, 200).await
}

/// How often something stands in the audit log.
async fn logged(server: &Server, action: &str) -> usize {
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 1000).await.unwrap();
    rows.iter().filter(|row| row.action == action).count()
}

async fn delete(client: &Client, id: &str, body: Value, expect: u16) -> Reply {
    let reply = client.send("DELETE", &at(id), &[], Some(&body.to_string())).await;
    assert_eq!(reply.status, expect, "{}", reply.text);
    reply
}

#[tokio::test]
async fn a_passkey_is_made_and_opens_sessions_alone() {
    let server = Server::start_with(&[], Workers::NONE).await;
    for (name, mut key) in [("ada", Authenticator::ed25519()), ("bob", Authenticator::p256())] {
        let person = server.register(name, "DE").await;
        let options = ask_new(&person.client).await;
        let asked = &options["publicKey"];
        assert_eq!((&asked["rp"]["id"], &options["expiresIn"]), (&json!("localhost"), &json!(300)));
        assert_eq!(asked["user"]["name"], person.email.as_str());
        assert_ne!(asked["user"]["id"], person.id.as_str(), "authenticators learn no id");
        let kinds = asked["pubKeyCredParams"].as_array().unwrap();
        let kinds: Vec<i64> = kinds.iter().map(|kind| kind["alg"].as_i64().unwrap()).collect();
        assert_eq!(kinds, [-8, -7, -257]);
        let wanted = &asked["authenticatorSelection"];
        assert_eq!(
            (&wanted["residentKey"], &wanted["userVerification"]),
            (&json!("required"), &json!("required"))
        );
        let body = json!({ "credential": key.create(&options) });
        let made = person.client.post(&at("register/finish"), body, 201).await;
        assert_eq!(made.body["passkey"]["name"], "Passkey");
        let opened = log_in(&server, &mut key, 200).await;
        assert_eq!(opened.body["user"]["email"], person.email.as_str());
        let client = server.client.with_token(opened.str("accessToken"));
        let sessions = client.get("/api/v1/sessions", 200).await;
        assert_eq!(sessions.body["data"][0]["deviceName"], "tablet");
        let list = client.get(PASSKEYS, 200).await;
        assert!(list.body["data"][0]["lastUsedAt"].is_string(), "{}", list.text);
        log_in(&server, &mut key, 200).await;
    }
}

#[tokio::test]
async fn with_a_password_it_is_the_second_factor() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, mut key) = (server.register("ada", "DE").await, Authenticator::p256());
    let other = server.log_in(&ada.email).await;
    let made = register(&ada.client, &mut key).await;
    let codes = made.body["recoveryCodes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    other.get("/api/v1/users/profile", 401).await;
    ada.client.get("/api/v1/users/profile", 200).await;
    let second = register(&ada.client, &mut Authenticator::ed25519()).await;
    assert!(second.body.get("recoveryCodes").is_none(), "{}", second.text);

    let asked = password_login(&server, &ada.email).await;
    assert_eq!(asked.body["mfaMethods"], json!(["PASSKEY"]));
    assert!(asked.body["accessToken"].is_null(), "{}", asked.text);
    let credential = key.get(&ask(&server).await);
    let body = json!({ "credential": credential, "mfaToken": asked.str("mfaToken") });
    let opened = server.client.post(&at("login/finish"), body, 200).await;
    let client = server.client.with_token(opened.str("accessToken"));
    let sessions = client.get("/api/v1/sessions", 200).await;
    assert_eq!(sessions.body["data"][0]["deviceName"], "laptop", "what the log-in said");

    // Who has lost it has codes, each good once.
    let asked = password_login(&server, &ada.email).await;
    let body = json!({ "mfaToken": asked.str("mfaToken"), "code": codes[0] });
    server.client.post("/api/v1/auth/mfa/verify", body.clone(), 200).await;
    let asked = password_login(&server, &ada.email).await;
    let body = json!({ "mfaToken": asked.str("mfaToken"), "code": codes[0] });
    server.client.post("/api/v1/auth/mfa/verify", body, 401).await;

    // A log-in that waits is finished by its owner's passkey alone.
    let (bob, mut other) = (server.register("bob", "DE").await, Authenticator::ed25519());
    register(&bob.client, &mut other).await;
    let credential = other.get(&ask(&server).await);
    let body = json!({ "credential": credential, "mfaToken": asked.str("mfaToken") });
    let reply = server.client.post(&at("login/finish"), body, 401).await;
    assert_eq!(reply.str("code"), "passkey_invalid");
}

#[tokio::test]
async fn a_device_and_a_passkey_stand_side_by_side() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, mut key) = with_passkey(&server).await;
    let mfa = "/api/v1/auth/mfa";
    let enrolled = second_factors::enrol(&ada.client, mfa, mfa).await;
    let asked = password_login(&server, &ada.email).await;
    assert_eq!(asked.body["mfaMethods"], json!(["TOTP", "PASSKEY"]));
    let body = json!({ "password": PASSWORD, "code": enrolled.recovery[0] }).to_string();
    assert_eq!(ada.client.send("DELETE", mfa, &[], Some(&body)).await.status, 200);
    let asked = password_login(&server, &ada.email).await;
    assert_eq!(asked.body["mfaMethods"], json!(["PASSKEY"]));
    // The codes stay with the factor that is left.
    let body = json!({ "mfaToken": asked.str("mfaToken"), "code": enrolled.recovery[1] });
    server.client.post(&format!("{mfa}/verify"), body, 200).await;
    log_in(&server, &mut key, 200).await;
}

#[tokio::test]
async fn what_was_not_asked_opens_nothing() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (_, mut key) = with_passkey(&server).await;
    let used = key.get(&ask(&server).await);
    finish(&server, used.clone(), 200).await;
    finish(&server, used, 401).await;

    key.origin = "http://localhost:3001";
    log_in(&server, &mut key, 401).await;
    key.origin = "http://localhost:3000";
    key.domain = "example.org";
    log_in(&server, &mut key, 401).await;
    key.domain = "localhost";
    key.verifies = false;
    log_in(&server, &mut key, 401).await;
    key.verifies = true;
    // A wrong answer uses its challenge up as well.
    let options = ask(&server).await;
    let mut broken = key.get(&options);
    let right = key.get(&options);
    broken["response"]["signature"] = right["response"]["signature"].clone();
    finish(&server, broken, 401).await;
    finish(&server, right, 401).await;
    log_in(&server, &mut key, 200).await;

    let mut foreign = Authenticator::ed25519();
    let eve = server.register("eve", "DE").await;
    foreign.create(&ask_new(&eve.client).await);
    log_in(&server, &mut foreign, 401).await;
    // Not even with the name of a passkey that is known.
    foreign.credential_id.clone_from(&key.credential_id);
    log_in(&server, &mut foreign, 401).await;
    assert_eq!(logged(&server, "user.passkey.counter").await, 0);
    assert!(logged(&server, "user.passkey.fail").await >= 6);
    for body in [json!({}), json!({ "credential": 7 }), json!({ "credential": {} })] {
        let reply = server.client.post(&at("login/finish"), body, 400).await;
        assert_eq!(reply.body["details"][0]["field"], "credential", "{}", reply.text);
    }
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_written_down() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, mut key) = with_passkey(&server).await;
    key.counter = 7;
    log_in(&server, &mut key, 200).await;
    key.counter = 6;
    log_in(&server, &mut key, 401).await;
    key.counter = 7;
    log_in(&server, &mut key, 401).await;
    assert_eq!(logged(&server, "user.passkey.counter").await, 2);
    log_in(&server, &mut key, 200).await;
    ada.client.get("/api/v1/users/profile", 200).await;
}

#[tokio::test]
async fn what_was_not_asked_makes_no_passkey() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, bob) = (server.register("ada", "DE").await, server.register("bob", "DE").await);
    let try_with = async |client: &Client, credential: Value, expect: u16| {
        let body = json!({ "credential": credential });
        let reply = client.post(&at("register/finish"), body, expect).await;
        reply.body["code"].as_str().unwrap_or_default().to_owned()
    };
    let mut key = Authenticator::ed25519();
    for change in [
        |key: &mut Authenticator| key.origin = "https://localhost.example.org",
        |key: &mut Authenticator| key.domain = "example.org",
        |key: &mut Authenticator| key.verifies = false,
    ] {
        change(&mut key);
        let credential = key.create(&ask_new(&ada.client).await);
        assert_eq!(try_with(&ada.client, credential, 400).await, "passkey_invalid");
        key = Authenticator::ed25519();
    }
    let credential = key.create(&ask_new(&ada.client).await);
    let reply = try_with(&bob.client, credential.clone(), 400).await;
    assert_eq!(reply, "passkey_challenge_invalid", "asked of somebody else");
    try_with(&ada.client, credential.clone(), 201).await;
    assert_eq!(try_with(&ada.client, credential, 400).await, "passkey_challenge_invalid");
    let again = key.create(&ask_new(&bob.client).await);
    assert_eq!(try_with(&bob.client, again, 409).await, "passkey_already_registered");
    let excluded = ask_new(&ada.client).await["publicKey"]["excludeCredentials"].clone();
    assert_eq!(excluded.as_array().unwrap().len(), 1);

    let body = json!({ "password": "Wrong7horse" });
    ada.client.post(&at("register/options"), body, 401).await;
    let body = json!({ "password": PASSWORD });
    ada.client.post(&at("register/options"), body, 200).await;
}

#[tokio::test]
async fn its_owner_renames_and_removes_it() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, mut key) = with_passkey(&server).await;
    let bob = server.register("bob", "DE").await;
    let list = ada.client.get(PASSKEYS, 200).await;
    let id = list.body["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(list.body["data"][0]["name"], "Ada's phone");
    let rename = |client: &Client| {
        let (client, path) = (client.with_token(client.token.as_deref().unwrap()), at(&id));
        async move { client.send("PATCH", &path, &[], Some(r#"{"name": "Old phone"}"#)).await }
    };
    assert_eq!(rename(&bob.client).await.status, 404);
    assert_eq!(rename(&ada.client).await.body["passkey"]["name"], "Old phone");
    assert_eq!(bob.client.get(PASSKEYS, 200).await.body["data"], json!([]));
    delete(&bob.client, &id, json!({}), 404).await;
    register(&ada.client, &mut Authenticator::p256()).await;
    let first = ada.client.get(&format!("{PASSKEYS}?limit=1"), 200).await;
    assert_eq!((&first.body["hasMore"], &first.body["data"][0]["id"]), (&json!(true), &json!(id)));
    let next = format!("{PASSKEYS}?limit=1&cursor={}", first.str("nextCursor"));
    let next = ada.client.get(&next, 200).await;
    assert_eq!(next.body["hasMore"], false);
    ada.client.get(&format!("{PASSKEYS}?cursor=x"), 400).await;

    delete(&ada.client, &id, json!({}), 200).await;
    log_in(&server, &mut key, 401).await;
    delete(&ada.client, &id, json!({}), 404).await;
    let last = next.body["data"][0]["id"].as_str().unwrap();
    delete(&ada.client, last, json!({}), 200).await;
    server.log_in(&ada.email).await;
}

#[tokio::test]
async fn outside_devnet_the_last_factor_goes_with_password_and_code() {
    let settings = [
        ("network", "testnet"),
        ("auth.argon2_memory_kib", "19456"),
        ("rate_limits.credentials_per_minute", "100"),
    ];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let made = register(&ada.client, &mut Authenticator::ed25519()).await;
    let id = made.body["passkey"]["id"].as_str().unwrap();
    let code = made.body["recoveryCodes"][0].as_str().unwrap();
    let reply = delete(&ada.client, id, json!({}), 400).await;
    let fields: Vec<_> = reply.body["details"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&fields[0]["field"], &fields[1]["field"]),
        (&json!("password"), &json!("code")),
        "both faults at once"
    );
    let wrong = json!({ "password": PASSWORD, "code": "aaaaa-aaaaa" });
    assert_eq!(delete(&ada.client, id, wrong, 401).await.str("code"), "mfa_invalid");
    let wrong = json!({ "password": "Wrong7horse", "code": code });
    assert_eq!(delete(&ada.client, id, wrong, 401).await.str("code"), "invalid_credentials");
    delete(&ada.client, id, json!({ "password": PASSWORD, "code": code }), 200).await;
    server.log_in(&ada.email).await;
}

#[tokio::test]
async fn a_network_may_have_none() {
    let settings = [("auth.passkeys.relying_party_id", "")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let reply = ada.client.post(&at("register/options"), json!({}), 501).await;
    assert_eq!(reply.str("code"), "passkeys_unsupported");
    server.client.post(&at("login/options"), json!({}), 501).await;
    ada.client.get(PASSKEYS, 200).await;
}

/// Keeps a passkey of whoever has a session, by the routes under a path.
async fn register_at(base: &str, client: &Client, key: &mut Authenticator) -> Reply {
    let options = client.post(&format!("{base}/register/options"), json!({}), 200).await.body;
    let body = json!({ "credential": key.create(&options), "name": "A phone" });
    client.post(&format!("{base}/register/finish"), body, 201).await
}

/// Logs an administrator in with a passkey, perhaps after a password.
async fn admin_log_in(
    server: &Server,
    key: &mut Authenticator,
    token: Option<&str>,
    expect: u16,
) -> Reply {
    let options = server.client.post(&format!("{OF_ADMINS}/login/options"), json!({}), 200).await;
    let mut body = json!({ "credential": key.get(&options.body) });
    if let Some(token) = token {
        body["mfaToken"] = json!(token);
    }
    server.client.post(&format!("{OF_ADMINS}/login/finish"), body, expect).await
}

#[tokio::test]
async fn an_administrator_logs_in_with_one_alone_or_after_the_password() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let clerk = colleague(&server, "clerk", "SUPER_ADMIN").await;
    let mut key = Authenticator::p256();
    let made = register_at(OF_ADMINS, &clerk, &mut key).await;
    assert_eq!(made.body["recoveryCodes"].as_array().unwrap().len(), 10);
    let profile = clerk.get("/api/v1/admin/auth/profile", 200).await;
    assert_eq!(profile.body["mfaEnabled"], true, "{}", profile.text);
    assert_eq!(profile.str("mfaPrimaryMethod"), "PASSKEY");
    let opened = admin_log_in(&server, &mut key, None, 200).await;
    assert_eq!(opened.body["admin"]["username"], "clerk");
    let alone = server.client.with_token(opened.str("accessToken"));
    alone.get("/api/v1/admin/users", 200).await;

    let login = json!({ "username": "clerk", "password": ADMIN_PASSWORD });
    let asked = server.client.post("/api/v1/admin/auth/login", login, 200).await;
    assert_eq!(asked.body["mfaMethods"], json!(["PASSKEY"]), "{}", asked.text);
    admin_log_in(&server, &mut key, Some(asked.str("mfaToken")), 200).await;

    // A passkey of an administrator is none of a user, and the other way round.
    let (_, mut of_user) = with_passkey(&server).await;
    admin_log_in(&server, &mut of_user, None, 401).await;
    log_in(&server, &mut key, 401).await;
    assert_eq!(logged(&server, "admin.passkey.register").await, 1);

    // Whoever has lost everything is helped by the operators.
    assert!(remove_second_factor(server.platform.config(), "clerk").await.unwrap());
    admin_log_in(&server, &mut key, None, 401).await;
    alone.get("/api/v1/admin/users", 401).await;
}

#[tokio::test]
async fn outside_devnet_a_passkey_is_an_administrator_s_second_factor() {
    let settings = [
        ("network", "testnet"),
        ("auth.argon2_memory_kib", "19456"),
        ("auth.passkeys.admins_alone", "false"),
        ("rate_limits.credentials_per_minute", "100"),
    ];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let clerk = colleague(&server, "clerk", "SUPER_ADMIN").await;
    assert_eq!(clerk.get("/api/v1/admin/users", 403).await.str("code"), "mfa_required");
    let mut key = Authenticator::ed25519();
    register_at(OF_ADMINS, &clerk, &mut key).await;
    clerk.get("/api/v1/admin/users", 200).await;
    let refused = admin_log_in(&server, &mut key, None, 403).await;
    assert_eq!(refused.str("code"), "password_required");
    let login = json!({ "username": "clerk", "password": ADMIN_PASSWORD });
    let asked = server.client.post("/api/v1/admin/auth/login", login, 200).await;
    admin_log_in(&server, &mut key, Some(asked.str("mfaToken")), 200).await;
    let rows = admins::get(server.platform.store(), "clerk").await.unwrap().unwrap();
    assert!(rows.has_passkey && rows.device_since.is_none());
    // A name that is free again brings no passkey with it.
    let mut tx = server.platform.store().begin().await.unwrap();
    admins::remove(&mut tx, "clerk", TimeMs(1)).await.unwrap();
    tx.commit().await.unwrap();
    let owner = Subject::admin("clerk");
    assert_eq!(passkeys::count(server.platform.store(), owner).await.unwrap(), 0);
}

/// Who sends the sample of a route of passkeys, where, and with what of the moment filled in.
pub(crate) async fn prepared(server: &Server, route: &Route) -> (Client, String, Option<String>) {
    let (base, rest) = route.path.split_once("/passkeys").unwrap();
    let base = format!("{base}/passkeys");
    let (name, mut key) = (format!("n{}", new_key()), Authenticator::ed25519());
    let client = match base == OF_ADMINS {
        true => colleague(server, &name, "AUDITOR").await,
        false => server.register(&name, "DE").await.client,
    };
    let options = async |client: &Client, what: &str| {
        client.post(&format!("{base}/{what}/options"), json!({}), 200).await.body
    };
    let (mut id, mut credential) = (String::new(), Value::Null);
    match rest.strip_prefix('/') {
        Some("register/finish") => credential = key.create(&options(&client, "register").await),
        Some("login/finish") => {
            register_at(&base, &client, &mut key).await;
            credential = key.get(&options(&server.client, "login").await);
        }
        Some("{passkeyId}") => {
            let made = register_at(&base, &client, &mut key).await;
            id = made.body["passkey"]["id"].as_str().unwrap().to_owned();
        }
        _ => {}
    }
    let mut sample = route.sample.unwrap().to_owned();
    let given = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    sample = sample.replace("{credentialId}", &given(&credential["id"]));
    for name in
        ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
    {
        let with = given(&credential["response"][name]);
        sample = sample.replace(&format!("{{{name}}}"), &with);
    }
    (client, route.path.replace("{passkeyId}", &id), Some(sample))
}
