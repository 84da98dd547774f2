//! Second factors of users and admins: set up, asked for, taken once, and taken away.

use data_encoding::BASE32_NOPAD;
use gx_server::{Workers, remove_second_factor};
use gx_store::login::sessions::{self, NewSession};
use gx_store::login::{Subject, SubjectKind, second_factors};
use gx_types::TimeMs;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::client::{Client, Reply};
use crate::server::{ADMIN_PASSWORD, PASSWORD, Person, Server};

/// The code that a device shows some steps from now. A step ahead of the server's is taken, so
/// that the end of a step between two lines of a test changes nothing.
pub(crate) fn code(secret: &str, steps_ahead: u64) -> String {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(now / 30 + steps_ahead).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap());
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// A second factor that was set up.
pub(crate) struct Enrolled {
    pub(crate) secret: String,
    pub(crate) recovery: Vec<String>,
}

/// Sets a second factor up, which takes the code of this step.
pub(crate) async fn enrol(client: &Client, set_up: &str, enable: &str) -> Enrolled {
    let secret = client.post(set_up, json!({}), 200).await.str("secret").to_owned();
    let enabled = client.post(enable, json!({ "code": code(&secret, 0) }), 200).await;
    let codes = enabled.body["recoveryCodes"].as_array().unwrap();
    let recovery = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    Enrolled { secret, recovery }
}

const MFA: &str = "/api/v1/auth/mfa";

async fn with_factor(server: &Server) -> (Person, Enrolled) {
    let ada = server.register("ada", "DE").await;
    let enrolled = enrol(&ada.client, MFA, MFA).await;
    (ada, enrolled)
}

async fn challenge(server: &Server, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD, "deviceFingerprint": "phone" });
    let reply = server.client.post("/api/v1/auth/login", body, 200).await;
    assert_eq!(
        (&reply.body["mfaRequired"], &reply.body["requiresMfa"]),
        (&json!(true), &json!(true))
    );
    assert!(reply.body["accessToken"].is_null() && reply.body["user"].is_null(), "{}", reply.text);
    reply.str("mfaToken").to_owned()
}

async fn verify(server: &Server, token: &str, code: &str, expect: u16) -> Reply {
    let body = json!({ "mfaToken": token, "code": code });
    server.client.post("/api/v1/auth/mfa/verify", body, expect).await
}

#[tokio::test]
async fn a_log_in_asks_for_the_code_and_takes_it_once() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, enrolled) = with_factor(&server).await;
    assert_eq!(enrolled.recovery.len(), 10);
    let token = challenge(&server, &ada.email).await;
    let next = code(&enrolled.secret, 1);
    let session = verify(&server, &token, &next, 200).await;
    assert_eq!(session.body["user"]["email"], ada.email.as_str());
    let client = server.client.with_token(session.str("accessToken"));
    let list = client.get("/api/v1/sessions", 200).await;
    assert_eq!(list.body["data"][0]["deviceName"], "phone", "what the log-in said");
    // Neither code nor challenge is good twice.
    let reply = verify(&server, &token, &enrolled.recovery[0], 401).await;
    assert_eq!(reply.str("code"), "mfa_challenge_invalid");
    let token = challenge(&server, &ada.email).await;
    let reply = verify(&server, &token, &next, 401).await;
    assert_eq!(reply.str("code"), "mfa_invalid");
    let typed = enrolled.recovery[0].to_uppercase();
    verify(&server, &token, &typed, 200).await;
    let token = challenge(&server, &ada.email).await;
    verify(&server, &token, &typed, 401).await;
    verify(&server, &token, &enrolled.recovery[1], 200).await;
}

#[tokio::test]
async fn a_factor_counts_once_it_is_confirmed() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let other = server.log_in(&ada.email).await;
    let reply = ada.client.post(MFA, json!({ "code": "123456" }), 409).await;
    assert_eq!(reply.str("code"), "mfa_not_set_up");
    let first = ada.client.post(MFA, json!({}), 200).await;
    let uri = first.str("otpauthUri");
    assert!(uri.starts_with("otpauth://totp/GX%20Protocol:ada%40example.org?secret="), "{uri}");
    let made = ada.client.post(MFA, json!({}), 200).await;
    assert_ne!(made.str("secret"), first.str("secret"));
    server.log_in(&ada.email).await;
    let of_first = json!({ "code": code(first.str("secret"), 0) });
    let reply = ada.client.post(MFA, of_first, 401).await;
    assert_eq!(reply.str("code"), "mfa_invalid");
    ada.client.post(MFA, json!({ "code": code(made.str("secret"), 0) }), 200).await;
    let reply = ada.client.post(MFA, json!({}), 409).await;
    assert_eq!(reply.str("code"), "mfa_already_enabled");
    // Sessions without it end.
    other.get("/api/v1/users/profile", 401).await;
    ada.client.get("/api/v1/users/profile", 200).await;
    let kept = second_factors::get(server.platform.store(), Subject::user(&ada.id)).await.unwrap();
    assert!(!kept.unwrap().secret.contains(made.str("secret")));
}

#[tokio::test]
async fn guesses_end_the_challenge_and_lock_the_account() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, enrolled) = with_factor(&server).await;
    let token = challenge(&server, &ada.email).await;
    let right = [0, 1, 2].map(|ahead| code(&enrolled.secret, ahead));
    let wrong = (0..).map(|guess: u32| format!("{guess:06}")).find(|guess| !right.contains(guess));
    let wrong = wrong.unwrap();
    for _ in 0..5 {
        let reply = verify(&server, &token, &wrong, 401).await;
        assert_eq!(reply.str("code"), "mfa_invalid");
    }
    let reply = verify(&server, &token, &enrolled.recovery[0], 401).await;
    assert_eq!(reply.str("code"), "mfa_challenge_invalid");
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let reply = server.client.post("/api/v1/auth/login", body, 401).await;
    assert_eq!(reply.str("code"), "invalid_credentials");
    verify(&server, "not-a-challenge", &wrong, 401).await;
    verify(&server, &token, "12345", 400).await;
}

#[tokio::test]
async fn a_users_challenge_opens_no_admins_session() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, enrolled) = with_factor(&server).await;
    let token = challenge(&server, &ada.email).await;
    let body = json!({ "mfaToken": token, "code": enrolled.recovery[0] });
    let reply = server.client.post("/api/v1/admin/auth/mfa/verify", body, 401).await;
    assert_eq!(reply.str("code"), "mfa_challenge_invalid");
    verify(&server, &token, &enrolled.recovery[0], 200).await;
}

async fn remove(client: &Client, password: &str, code: &str, expect: u16) -> String {
    let body = json!({ "password": password, "code": code }).to_string();
    let reply = client.send("DELETE", MFA, &[], Some(&body)).await;
    assert_eq!(reply.status, expect, "{}", reply.text);
    reply.body["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn taking_it_away_needs_password_and_code() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (ada, enrolled) = with_factor(&server).await;
    let code = enrolled.recovery[0].as_str();
    assert_eq!(remove(&ada.client, "Wrong7horse", code, 401).await, "invalid_credentials");
    assert_eq!(remove(&ada.client, PASSWORD, "aaaaa-aaaaa", 401).await, "mfa_invalid");
    challenge(&server, &ada.email).await;
    remove(&ada.client, PASSWORD, code, 200).await;
    server.log_in(&ada.email).await;
    assert_eq!(remove(&ada.client, PASSWORD, code, 409).await, "mfa_not_enabled");
}

#[tokio::test]
async fn outside_devnet_admins_need_one_for_everything_else() {
    let settings = [
        ("network", "testnet"),
        ("auth.argon2_memory_kib", "19456"),
        ("rate_limits.credentials_per_minute", "100"),
    ];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let admin = server.admin().await;
    for path in ["/api/v1/admin/users", "/api/v1/admin/auth/sessions"] {
        assert_eq!(admin.get(path, 403).await.str("code"), "mfa_required", "{path}");
    }
    let pause = json!({ "reason": "Maintenance of the network" });
    let reply = admin.post("/api/v1/admin/system/pause", pause, 403).await;
    assert_eq!(reply.str("code"), "mfa_required");
    let profile = admin.get("/api/v1/admin/auth/profile", 200).await;
    assert_eq!(profile.body["mfaEnabled"], false);
    let mfa = |what: &str| format!("/api/v1/admin/auth/mfa/{what}");
    let enrolled = enrol(&admin, &mfa("setup"), &mfa("enable")).await;
    admin.get("/api/v1/admin/users", 200).await;
    let profile = admin.get("/api/v1/admin/auth/profile", 200).await;
    assert_eq!(profile.str("mfaPrimaryMethod"), "TOTP");

    let login = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
    let asked = server.client.post("/api/v1/admin/auth/login", login.clone(), 200).await;
    assert_eq!(
        (&asked.body["requiresMfa"], &asked.body["accessToken"]),
        (&json!(true), &Value::Null)
    );
    let body = json!({ "mfaToken": asked.str("mfaToken"), "code": code(&enrolled.secret, 1) });
    let opened = server.client.post(&mfa("verify"), body, 200).await;
    assert_eq!(
        (&opened.body["success"], &opened.body["requiresMfa"]),
        (&json!(true), &json!(false))
    );
    let second = server.client.with_token(opened.str("accessToken"));
    second.get("/api/v1/admin/users", 200).await;
    let body = json!({ "password": ADMIN_PASSWORD, "code": enrolled.recovery[0] });
    second.post(&mfa("disable"), body, 200).await;
    assert_eq!(second.get("/api/v1/admin/users", 403).await.str("code"), "mfa_required");
}

#[tokio::test]
async fn operators_help_an_admin_who_has_lost_it() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    enrol(&admin, "/api/v1/admin/auth/mfa/setup", "/api/v1/admin/auth/mfa/enable").await;
    let config = server.platform.config();
    assert!(remove_second_factor(config, "nobody").await.is_err());
    assert!(remove_second_factor(config, "superowner").await.unwrap());
    assert!(!remove_second_factor(config, "superowner").await.unwrap());
    admin.get("/api/v1/admin/auth/profile", 401).await;
    let login = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
    let reply = server.client.post("/api/v1/admin/auth/login", login, 200).await;
    assert_eq!(reply.body["requiresMfa"], false);
}

/// A session of somebody's that was opened an hour ago.
async fn opened_an_hour_ago(server: &Server, of: &Person) -> Client {
    let now = gx_engine::Clock::system().now();
    let token = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    let session = NewSession {
        session_id: "0123456789abcdef0123456789abcdef".to_owned(),
        kind: SubjectKind::User,
        subject: of.id.clone(),
        created_at: TimeMs(now.0 - 3_600_000),
        expires_at: now.plus_hours(24),
        client_address: "192.0.2.1".to_owned(),
        user_agent: String::new(),
        device: None,
    };
    let hash = hex::encode(Sha256::digest(token.as_bytes()));
    let mut tx = server.platform.store().begin().await.unwrap();
    sessions::open(&mut tx, &session, &hash, now.plus_hours(24)).await.unwrap();
    tx.commit().await.unwrap();
    let body = json!({ "refreshToken": token });
    let reply = server.client.post("/api/v1/auth/refresh", body, 200).await;
    server.client.with_token(reply.str("accessToken"))
}

/// Whoever has stolen a session does not shut its owner out with a device of their own.
#[tokio::test]
async fn a_factor_is_confirmed_by_who_has_just_logged_in() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let stolen = opened_an_hour_ago(&server, &ada).await;
    let path = "/api/v1/auth/mfa";
    let secret = stolen.post(path, json!({}), 200).await.str("secret").to_owned();
    let code = json!({ "code": code(&secret, 0) });
    let refused = stolen.post(path, code.clone(), 403).await;
    assert_eq!(refused.str("code"), "reauthentication_required");
    ada.client.post(path, code, 200).await;
    stolen.get("/api/v1/users/profile", 401).await;
}
