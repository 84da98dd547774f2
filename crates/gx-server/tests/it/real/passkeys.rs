//! Passkeys in a real browser, as pages of a wallet use them: the platform is another origin, and
//! the browser has a say as well in who may use which passkey.

use std::convert::Infallible;

use gx_server::Workers;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::browser::Browser;
use crate::server::{PASSWORD, Server};

/// What a page does: requests of another origin, and the two ceremonies with what they answer.
const SCRIPT: &str = r"
const call = async (path, body, token) => {
  const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
  if (token) headers.authorization = `Bearer ${token}`;
  const sent = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await fetch(`${api}/api/v1/auth/passkeys/${path}`, sent);
  return { status: answer.status, body: await answer.json() };
};
const create = async (token) => {
  const { body } = await call('register/options', {}, token);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(body.publicKey);
  const made = await navigator.credentials.create({ publicKey });
  return call('register/finish', { credential: made.toJSON(), name: 'Browser' }, token);
};
const get = async (more) => {
  const { body } = await call('login/options', {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(body.publicKey);
  const found = await navigator.credentials.get({ publicKey });
  return call('login/finish', { credential: found.toJSON(), ...more });
};
";

/// Serves an empty page for as long as the test runs; says on which port.
async fn page() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(empty);
            tokio::spawn(Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

async fn empty(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::from("<!doctype html><title>Wallet</title>"));
    response.headers_mut().insert("content-type", "text/html".parse().unwrap());
    Ok(response)
}

/// A platform that lets pages of these origins call it, and those of the first use passkeys.
async fn platform(origins: &[&str]) -> Server {
    let allowed = origins.join(",");
    let settings = [("http.allowed_origins", &*allowed), ("auth.passkeys.origins", origins[0])];
    Server::start_with(&settings, Workers::NONE).await
}

/// Runs an expression with the functions of the script.
async fn run(browser: &mut Browser, server: &Server, last: &str) -> Result<Value, String> {
    let api = format!("http://{}", server.client.address);
    let script = format!("(async () => {{ const api = '{api}'; {SCRIPT} return {last}; }})()");
    browser.run(&script).await
}

async fn done(browser: &mut Browser, server: &Server, last: &str, status: u16) -> Value {
    let answer = run(browser, server, last).await.unwrap();
    assert_eq!(answer["status"], status, "{last}: {answer}");
    answer["body"].clone()
}

#[tokio::test]
async fn a_passkey_is_made_and_logs_in_alone_and_after_a_password() {
    let Some(mut browser) = Browser::start().await else { return };
    let origin = format!("http://localhost:{}", page().await);
    let server = platform(&[&origin]).await;
    let ada = server.register("ada", "DE").await;
    let token = ada.client.token.as_deref().unwrap();
    let authenticator = browser.add_authenticator().await;
    browser.open(&format!("{origin}/")).await;

    let made = done(&mut browser, &server, &format!("create('{token}')"), 201).await;
    assert_eq!(made["passkey"]["name"], "Browser");
    assert_eq!(made["recoveryCodes"].as_array().unwrap().len(), 10);
    let kept = browser.passkeys(&authenticator).await;
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((&kept["rpId"], &kept["isResidentCredential"]), (&json!("localhost"), &json!(true)));
    // The browser knows that it has one already.
    let again = run(&mut browser, &server, &format!("create('{token}')")).await.unwrap_err();
    assert!(again.contains("InvalidStateError"), "{again}");

    for _ in 0..2 {
        let opened = done(&mut browser, &server, "get({})", 200).await;
        assert_eq!(opened["user"]["email"], ada.email.as_str());
        let client = server.client.with_token(opened["accessToken"].as_str().unwrap());
        client.get("/api/v1/users/profile", 200).await;
    }
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let asked = server.client.post("/api/v1/auth/login", body, 200).await;
    assert_eq!(asked.body["mfaMethods"], json!(["PASSKEY"]));
    let last = format!("get({{ mfaToken: '{}' }})", asked.str("mfaToken"));
    let opened = done(&mut browser, &server, &last, 200).await;
    let client = server.client.with_token(opened["accessToken"].as_str().unwrap());
    client.get("/api/v1/users/profile", 200).await;

    // Whom the authenticator does not know gets nothing of it.
    browser.verify(&authenticator, false).await;
    let refused = run(&mut browser, &server, "get({})").await.unwrap_err();
    assert!(refused.contains("NotAllowedError"), "{refused}");
}

#[tokio::test]
async fn pages_of_other_origins_open_nothing() {
    let Some(mut browser) = Browser::start().await else { return };
    let (port, other) = (page().await, page().await);
    let (origin, same_host) =
        (format!("http://localhost:{port}"), format!("http://localhost:{other}"));
    let address = format!("http://127.0.0.1:{port}");
    let server = platform(&[&origin, &same_host]).await;
    let ada = server.register("ada", "DE").await;
    let token = ada.client.token.as_deref().unwrap();
    browser.add_authenticator().await;
    browser.open(&format!("{origin}/")).await;
    done(&mut browser, &server, &format!("create('{token}')"), 201).await;

    // Another port of the same host: the browser signs, and the platform believes nothing of it.
    browser.open(&format!("{same_host}/")).await;
    let reply = done(&mut browser, &server, "get({})", 401).await;
    assert_eq!(reply["code"], "passkey_invalid");
    let bob = server.register("bob", "DE").await;
    let bobs = bob.client.token.as_deref().unwrap();
    let reply = done(&mut browser, &server, &format!("create('{bobs}')"), 400).await;
    assert_eq!(reply["code"], "passkey_invalid");

    // A page that the platform does not name learns nothing, and another host gets no signature.
    browser.open(&format!("{address}/")).await;
    let refused = run(&mut browser, &server, "get({})").await.unwrap_err();
    assert!(refused.contains("Failed to fetch"), "{refused}");
    let options = "{ challenge: new Uint8Array(16), rpId: 'localhost' }";
    let asked = format!("navigator.credentials.get({{ publicKey: {options} }})");
    let refused = browser.run(&asked).await.unwrap_err();
    assert!(refused.contains("SecurityError"), "{refused}");

    for (person, count) in [(&ada, 1), (&bob, 0)] {
        let list = person.client.get("/api/v1/auth/passkeys", 200).await;
        assert_eq!(list.body["data"].as_array().unwrap().len(), count, "{}", list.text);
    }
}
