//! Registration in steps: in order, with codes that are good for little, telling nobody who is
//! registered already.

use std::time::Instant;

use gx_server::{Mail, Route, Workers, read_mailbox};
use gx_store::identity::registrations::{self, NewCode};
use gx_types::TimeMs;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{Client, Reply, new_key};
use crate::server::{PASSWORD, Server, eventually, registration};

const ROOT: &str = "/api/v1/registration";
const PHONE: &str = "+4915155501234";

/// Messages to somebody, newest first.
async fn messages(server: &Server, recipient: &str) -> Vec<Mail> {
    let all = read_mailbox(server.platform.config(), 50).await.unwrap();
    all.into_iter().filter(|mail| mail.recipient == recipient).collect()
}

/// The code in a message.
pub(crate) fn code_in(text: &str) -> String {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    text.split_whitespace().find(is_code).unwrap().to_owned()
}

/// The codes that were sent to somebody, newest first. Two of one moment come in no order, so that
/// tests send one at a time.
async fn codes(server: &Server, recipient: &str) -> Vec<String> {
    let found = messages(server, recipient).await;
    found.iter().map(|mail| code_in(mail.body.as_deref().unwrap())).collect()
}

/// Another code than that.
fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

async fn send(server: &Server, step: &str, body: Value, expect: u16) -> Reply {
    server.client.post(&format!("{ROOT}/{step}"), body, expect).await
}

async fn begin(server: &Server, email: &str) -> String {
    let reply = send(server, "email", json!({ "email": email }), 201).await;
    assert_eq!(reply.str("currentStep"), "EMAIL_SENT");
    reply.str("registrationId").to_owned()
}

/// The body of each step, in their order.
fn body(step: &str, id: &str, code: &str) -> Value {
    match step {
        "email/verify" | "phone/verify" => json!({ "registrationId": id, "otp": code }),
        "name-country" => json!({
            "registrationId": id, "firstName": "Dora", "lastName": "Example", "countryCode": "DE",
        }),
        "dob-gender" => json!({
            "registrationId": id, "dateOfBirth": "1990-06-15", "gender": "female",
        }),
        "password" => json!({
            "registrationId": id, "password": PASSWORD, "confirmPassword": PASSWORD,
        }),
        "phone" => json!({ "registrationId": id, "phoneNum": PHONE }),
        _ => json!({ "registrationId": id }),
    }
}

const STEPS: [&str; 6] =
    ["email/verify", "name-country", "dob-gender", "password", "phone", "phone/verify"];

/// Goes through the steps before one of them; gives the id, and the code of the step if it has one.
pub(crate) async fn before(server: &Server, email: &str, last: &str) -> (String, String) {
    before_with(server, (email, PHONE), last).await
}

async fn before_with(
    server: &Server,
    (email, phone): (&str, &str),
    last: &str,
) -> (String, String) {
    let id = begin(server, email).await;
    let mut code = codes(server, email).await.remove(0);
    for step in STEPS.into_iter().take_while(|step| *step != last) {
        let mut body = body(step, &id, &code);
        if step == "phone" {
            body["phoneNum"] = json!(phone);
        }
        send(server, step, body, 200).await;
        if step == "phone" {
            code = codes(server, phone).await.remove(0);
        }
    }
    (id, code)
}

/// Who sends the sample of a route of a registration, and with what.
pub(crate) async fn prepared(server: &Server, route: &Route) -> (Client, String, Option<String>) {
    let step = route.path.trim_start_matches(ROOT).trim_start_matches('/');
    // Nobody has been registered with these.
    let key = new_key();
    let (email, phone) = (format!("{key}@example.org"), format!("+49152{}", &key[9..]));
    let last = match step {
        "email/resend" => "email/verify",
        "phone/resend" => "phone/verify",
        step => step,
    };
    let (id, code) = match step {
        "email" => (String::new(), String::new()),
        _ => before_with(server, (&email, &phone), last).await,
    };
    let fill = |text: &str| text.replace("{registrationId}", &id).replace("{otp}", &code);
    (Client::new(server.client.address), route.path.to_owned(), route.sample.map(fill))
}

#[tokio::test]
async fn a_person_registers_step_by_step() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let email = "dora@example.org";
    let id = begin(&server, "Dora@Example.org").await;
    let standing = server.client.get(&format!("{ROOT}/{id}"), 200).await;
    assert_eq!(standing.str("currentStep"), "EMAIL_SENT");
    let mut code = codes(&server, email).await.remove(0);
    let expected = ["EMAIL_VERIFIED", "NAME_COUNTRY_SET", "DOB_GENDER_SET", "PASSWORD_SET"];
    for (step, expected) in STEPS.into_iter().zip(expected) {
        let reply = send(&server, step, body(step, &id, &code), 200).await;
        assert_eq!(reply.str("currentStep"), expected);
        match step {
            "dob-gender" => assert_eq!(reply.body["genesisEligible"], true),
            "password" => assert_eq!(reply.str("passwordStrength"), "medium"),
            _ => {}
        }
    }
    // The number may come without its plus, and mistyped at first.
    for number in ["+4915155501299", "4915155501234"] {
        let given = json!({ "registrationId": id, "phoneNum": number });
        assert_eq!(send(&server, "phone", given, 200).await.str("currentStep"), "PHONE_SENT");
    }
    code = codes(&server, PHONE).await.remove(0);
    let mistyped = codes(&server, "+4915155501299").await.remove(0);
    let standing = server.client.get(&format!("{ROOT}/{id}"), 200).await;
    assert_eq!(
        (&standing.body["emailVerified"], standing.str("currentStep")),
        (&json!(true), "PHONE_SENT")
    );
    for personal in ["dora", "Dora", "1990", "FEMALE", "5550"] {
        assert!(!standing.text.contains(personal), "{personal}: {}", standing.text);
    }
    if mistyped != code {
        send(&server, "phone/verify", body("phone/verify", &id, &mistyped), 400).await;
    }
    let reply = send(&server, "phone/verify", body("phone/verify", &id, &code), 200).await;
    assert_eq!(reply.str("currentStep"), "COMPLETED");
    assert_eq!(reply.body["user"]["status"], "PENDING_ADMIN_APPROVAL");
    let dora = server.client.with_token(reply.str("accessToken"));
    let profile = dora.get("/api/v1/users/profile", 200).await;
    assert_eq!((profile.str("email"), profile.str("phone")), (email, PHONE));
    assert_eq!((profile.str("firstName"), profile.str("gender")), ("Dora", "FEMALE"));
    let verified = (&profile.body["emailVerified"], &profile.body["phoneVerified"]);
    assert_eq!(verified, (&json!(true), &json!(true)));
    server.log_in(email).await;
    let again = send(&server, "phone/verify", body("phone/verify", &id, &code), 409).await;
    assert_eq!(again.str("code"), "registration_already_completed");
    let standing = server.client.get(&format!("{ROOT}/{id}"), 200).await;
    assert_eq!(standing.str("currentStep"), "COMPLETED");
}

#[tokio::test]
async fn steps_are_taken_in_their_order() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (id, code) = before(&server, "dora@example.org", "dob-gender").await;
    for step in ["email/verify", "email/resend", "password", "phone", "phone/verify"] {
        let reply = send(&server, step, body(step, &id, &code), 409).await;
        assert_eq!(reply.str("code"), "registration_step_invalid", "{step}");
        assert!(reply.str("message").contains("NAME_COUNTRY_SET"), "{}", reply.text);
    }
    // What was taken last can be corrected.
    send(&server, "name-country", body("name-country", &id, ""), 200).await;
    for (born, fault) in [
        ("3000-01-01", "dob_future_date"),
        ("1890-01-01", "dob_max_age"),
        ("2024-01-01", "dob_min_age"),
    ] {
        let mut given = body("dob-gender", &id, "");
        given["dateOfBirth"] = json!(born);
        let reply = send(&server, "dob-gender", given, 400).await;
        assert_eq!(reply.body["details"][0]["code"], fault);
    }
    let mut given = body("dob-gender", &id, "");
    given["dateOfBirth"] = json!("1930-01-01");
    let reply = send(&server, "dob-gender", given, 200).await;
    assert_eq!(reply.body["genesisEligible"], false);
    let given = json!({ "registrationId": id, "password": "password", "confirmPassword": "other" });
    let reply = send(&server, "password", given, 400).await;
    let faults = reply.body["details"].as_array().unwrap();
    assert!(faults.len() >= 4, "{}", reply.text);
    assert_eq!(faults.last().unwrap()["code"], "passwords_dont_match");
    let unknown = send(&server, "phone", body("phone", "0123", ""), 404).await;
    assert_eq!(unknown.str("code"), "registration_not_found");
    server.client.get(&format!("{ROOT}/0123"), 404).await;
}

#[tokio::test]
async fn a_code_is_good_for_five_attempts_and_is_sent_again_some_times() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let email = "dora@example.org";
    let id = begin(&server, email).await;
    let code = codes(&server, email).await.remove(0);
    let given = |code: &str| body("email/verify", &id, code);
    for _ in 0..5 {
        let reply = send(&server, "email/verify", given(wrong(&code)), 400).await;
        assert_eq!(reply.str("code"), "otp_invalid");
    }
    let reply = send(&server, "email/verify", given(&code), 429).await;
    assert_eq!(reply.str("code"), "otp_max_attempts");
    let malformed = send(&server, "email/verify", given("12345a"), 400).await;
    assert_eq!(malformed.body["details"][0]["code"], "otp_invalid_format");
    for sent in 2..=5 {
        send(&server, "email/resend", body("", &id, ""), 200).await;
        assert_eq!(codes(&server, email).await.len(), sent);
    }
    let reply = send(&server, "email/resend", body("", &id, ""), 429).await;
    assert_eq!(reply.str("code"), "otp_resend_limit");
    let newest = codes(&server, email).await.remove(0);
    if newest != code {
        send(&server, "email/verify", given(&code), 400).await;
    }
    send(&server, "email/verify", given(&newest), 200).await;
}

#[tokio::test]
async fn nobody_learns_who_is_registered() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let mut ada = registration("ada", "DE");
    ada["phone"] = json!(PHONE);
    server.client.post("/api/v1/auth/register", ada, 201).await;
    let mut replies = Vec::new();
    for email in ["ada@example.org", "dora@example.org"] {
        let began = Instant::now();
        let reply = send(&server, "email", json!({ "email": email }), 201).await;
        assert!(began.elapsed().as_millis() >= 240, "{email}: after the same time");
        let id = reply.str("registrationId").to_owned();
        let standing = server.client.get(&format!("{ROOT}/{id}"), 200).await;
        let same = |reply: &Reply| {
            let mut body = reply.body.clone();
            for key in ["registrationId", "createdAt", "expiresAt"] {
                body.as_object_mut().unwrap().remove(key);
            }
            body
        };
        let again = send(&server, "email/resend", body("", &id, ""), 200).await;
        let failed = send(&server, "email/verify", body("email/verify", &id, "000000"), 400).await;
        let code = failed.str("code").to_owned();
        replies.push((same(&reply), same(&standing), same(&again), code));
    }
    // One in a million times the guess is right.
    assert_eq!(replies[0], replies[1]);
    let told = messages(&server, "ada@example.org").await;
    assert_eq!((told.len(), told[0].title.as_str()), (2, "You have an account"));
    assert_eq!(messages(&server, "dora@example.org").await[0].title, "Your code");
    // A number that is somebody's is told to that telephone alone.
    let (id, _) = before(&server, "eve@example.org", "phone").await;
    send(&server, "phone", body("phone", &id, ""), 200).await;
    let told = messages(&server, PHONE).await;
    assert!(told[0].body.as_deref().unwrap().contains("There is one already"));
    // More than somebody can want is not sent, and that is not told either.
    for _ in 0..9 {
        begin(&server, "ada@example.org").await;
    }
    assert_eq!(messages(&server, "ada@example.org").await.len(), 10);
}

#[tokio::test]
async fn of_several_that_verify_at_once_one_registers_the_person() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (id, code) = before(&server, "dora@example.org", "phone/verify").await;
    let path = format!("{ROOT}/phone/verify");
    let given = body("phone/verify", &id, &code).to_string();
    let clients: Vec<Client> = (0..4).map(|_| Client::new(server.client.address)).collect();
    let [a, b, c, d] = clients.as_slice() else { panic!() };
    let verify =
        async |client: &Client| client.send("POST", &path, &[], Some(&given)).await.status.as_u16();
    let (a, b, c, d) = tokio::join!(verify(a), verify(b), verify(c), verify(d));
    let mut statuses = [a, b, c, d];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    server.log_in("dora@example.org").await;
}

#[tokio::test]
async fn whoever_verifies_an_address_ends_other_registrations_with_it() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let email = "dora@example.org";
    let first = begin(&server, email).await;
    let (_, _) = before(&server, email, "name-country").await;
    let reply = send(&server, "email/resend", body("", &first, ""), 404).await;
    assert_eq!(reply.str("code"), "registration_not_found");
    // The address is taken by whoever is done first.
    let (id, code) = before(&server, email, "phone/verify").await;
    server.register("dora", "DE").await;
    let reply = send(&server, "phone/verify", body("phone/verify", &id, &code), 409).await;
    assert_eq!(reply.str("code"), "email_already_exists");
}

/// Keeps a registration of another time.
async fn keep(server: &Server, id: &str, code_until: i64, until: i64) {
    let code = NewCode { hash: "00", sent_at: TimeMs(1), expires_at: TimeMs(code_until) };
    let key = hex::encode(Sha256::digest(id.as_bytes()));
    let mut tx = server.platform.store().begin().await.unwrap();
    let email = format!("{id}@example.org");
    registrations::begin(&mut tx, &key, &email, code, TimeMs(until)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn codes_and_registrations_have_their_time() {
    let settings = [("retention.interval_seconds", "1")];
    let workers = Workers { submitter: false, projector: true };
    let server = Server::start_with(&settings, workers).await;
    keep(&server, "oldcode", 2, i64::MAX).await;
    let reply = send(&server, "email/verify", body("email/verify", "oldcode", "123456"), 400).await;
    assert_eq!(reply.str("code"), "otp_expired");
    // What has ended is told so until it is removed; then nothing is known of it.
    keep(&server, "olddora", i64::MAX, 2).await;
    let path = format!("{ROOT}/olddora");
    let known = server.client.send("GET", &path, &[], None).await;
    assert!([410, 404].contains(&known.status.as_u16()), "{}", known.text);
    eventually("the registration is removed", async || {
        let reply = server.client.send("GET", &path, &[], None).await;
        (reply.status == 404).then_some(())
    })
    .await;
    let quiet = Server::start_with(&[], Workers::NONE).await;
    keep(&quiet, "olddora", i64::MAX, 2).await;
    let reply = quiet.client.get(&path, 410).await;
    assert_eq!(reply.str("code"), "registration_expired");
    for step in ["email/verify", "email/resend", "name-country", "phone"] {
        let reply = send(&quiet, step, body(step, "olddora", "123456"), 410).await;
        assert_eq!(reply.str("code"), "registration_expired", "{step}");
    }
}

#[tokio::test]
async fn no_secret_of_a_registration_is_kept_in_the_open() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let (id, code) = before(&server, "dora@example.org", "phone/verify").await;
    let key = hex::encode(Sha256::digest(id.as_bytes()));
    let kept = registrations::get(server.platform.store(), &key).await.unwrap().unwrap();
    assert!(registrations::get(server.platform.store(), &id).await.unwrap().is_none());
    assert!(!kept.code_hash.unwrap().contains(&code));
    assert!(kept.password_hash.unwrap().starts_with("$argon2id$"));
}
