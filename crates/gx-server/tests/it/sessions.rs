//! Sessions and devices: people see where they are logged in, and end it.

use gx_server::Workers;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{ADMIN_PASSWORD, PASSWORD, Server};

async fn log_in_on(server: &Server, email: &str, device: &str) -> Client {
    let body = json!({ "email": email, "password": PASSWORD, "deviceFingerprint": device });
    let reply = server.client.post("/api/v1/auth/login", body, 200).await;
    server.client.with_token(reply.str("accessToken"))
}

fn rows<'b>(body: &'b Value, list: &str) -> &'b Vec<Value> {
    body[list].as_array().unwrap()
}

async fn delete(client: &Client, path: &str, expect: u16) -> String {
    let reply = client.send("DELETE", path, &[], None).await;
    assert_eq!(reply.status, expect, "DELETE {path}: {}", reply.text);
    reply.body["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_session_is_seen_and_ended() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let phone = log_in_on(&server, &ada.email, "Ada's phone").await;
    let list = phone.get("/api/v1/sessions", 200).await;
    let [newest, oldest] = rows(&list.body, "data").as_slice() else { panic!("{}", list.text) };
    assert_eq!(
        (&newest["isCurrent"], &newest["deviceName"]),
        (&json!(true), &json!("Ada's phone"))
    );
    assert_eq!((&oldest["isCurrent"], &oldest["deviceName"]), (&json!(false), &Value::Null));
    assert_eq!(newest["ipAddress"], "127.0.0.1");
    let first = phone.get("/api/v1/sessions?limit=1", 200).await;
    assert_eq!((&first.body["hasMore"], &first.body["data"][0]), (&json!(true), newest));
    let next = format!("/api/v1/sessions?limit=1&cursor={}", first.str("nextCursor"));
    let second = phone.get(&next, 200).await;
    assert_eq!((&second.body["hasMore"], &second.body["data"][0]), (&json!(false), oldest));
    phone.get("/api/v1/sessions?cursor=nonsense", 400).await;

    let path = format!("/api/v1/sessions/{}", oldest["id"].as_str().unwrap());
    let bob = server.register("bob", "DE").await;
    assert_eq!(delete(&bob.client, &path, 404).await, "not_found", "somebody else's");
    ada.client.get("/api/v1/users/profile", 200).await;
    delete(&phone, &path, 200).await;
    let reply = ada.client.get("/api/v1/users/profile", 401).await;
    assert_eq!(reply.str("code"), "token_invalid");
    delete(&phone, &path, 404).await;
    phone.get("/api/v1/users/profile", 200).await;
}

#[tokio::test]
async fn a_device_goes_with_its_sessions() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let laptop = log_in_on(&server, &ada.email, "laptop").await;
    let phone = log_in_on(&server, &ada.email, "phone").await;
    log_in_on(&server, &ada.email, "phone").await;
    let list = laptop.get("/api/v1/devices", 200).await;
    let seen: Vec<_> = rows(&list.body, "data")
        .iter()
        .map(|row| (&row["deviceName"], &row["sessions"], &row["isCurrent"]))
        .collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(seen, [(&json!("laptop"), &json!(1), &yes), (&json!("phone"), &json!(2), &no)]);
    let first = laptop.get("/api/v1/devices?limit=1", 200).await;
    let next = format!("/api/v1/devices?limit=1&cursor={}", first.str("nextCursor"));
    let second = laptop.get(&next, 200).await;
    assert_eq!(second.body["data"][0]["deviceName"], "phone");
    let id = second.body["data"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/devices/{id}");
    let bob = server.register("bob", "DE").await;
    delete(&bob.client, &path, 404).await;
    delete(&laptop, "/api/v1/devices/not-base64!", 404).await;
    delete(&laptop, &path, 200).await;
    phone.get("/api/v1/users/profile", 401).await;
    laptop.get("/api/v1/users/profile", 200).await;
    delete(&laptop, &path, 404).await;
}

#[tokio::test]
async fn an_admin_ends_other_sessions_or_all() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let log_in = async || {
        let body = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
        let reply = server.client.post("/api/v1/admin/auth/login", body, 200).await;
        server.client.with_token(reply.str("accessToken"))
    };
    let (second, third) = (log_in().await, log_in().await);
    let list = second.get("/api/v1/admin/auth/sessions", 200).await;
    assert_eq!(list.body["total"], 3);
    let own = rows(&list.body, "sessions").iter().find(|row| row["isCurrent"] == true).unwrap();
    let path = |row: &Value| format!("/api/v1/admin/auth/sessions/{}", row["id"].as_str().unwrap());
    assert_eq!(delete(&second, &path(own), 400).await, "current_session");
    delete(&second, &path(&list.body["sessions"][0]), 200).await;
    third.get("/api/v1/admin/auth/profile", 401).await;
    let all = second.post("/api/v1/admin/auth/logout-all", json!({}), 200).await;
    assert_eq!(all.body["revokedCount"], 2);
    for client in [&admin, &second] {
        client.get("/api/v1/admin/auth/profile", 401).await;
    }
}
