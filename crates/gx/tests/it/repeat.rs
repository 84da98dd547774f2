//! The same command sent many times at once is one command.

use gx_workbench::client::{Ask, Base, Client};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::place::Place;

/// Replaces the administrator's one-time password and returns the new one.
pub(crate) async fn replace_password(url: &str, once: &str) -> String {
    let mut client = Client::new(url.parse().unwrap());
    let login = json!({ "username": "superowner", "password": once });
    let answer = client.send(Ask::post("/api/v1/admin/auth/login", &login)).await.unwrap();
    let opened: Value = answer.json().unwrap();
    let token = opened["accessToken"].as_str().unwrap();
    let new = format!("{once}-replaced");
    let body = json!({ "currentPassword": once, "newPassword": new });
    let change = Ask::post("/api/v1/admin/auth/password/change", &body).token(token);
    assert_eq!(client.send(change).await.unwrap().status, 200);
    new
}

async fn commands(base: &Base) -> u64 {
    let mut client = Client::new(base.clone());
    let answer = client.send(Ask::get("/api/v1/ledger/info")).await.unwrap();
    answer.json::<Value>().unwrap()["commands"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_from_a_hundred_requests_at_once_is_one_command() {
    let place = Place::new();
    let (child, payers) = place.start_with(234).await;
    let base: Base = child.url.parse().unwrap();
    let before = commands(&base).await;
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (base, payer) = (base.clone(), payers[0].clone());
        let body = json!({ "toUserId": payers[1].ledger_id, "amount": "1.00" });
        requests.spawn(async move {
            let mut client = Client::new(base);
            let ask = Ask::post("/api/v1/transfers", &body).token(&payer.token);
            let answer = client.send(ask.key("one-key-for-all").wait(20)).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            let reply: Value = answer.json().unwrap();
            (reply["commandId"].clone(), reply["status"].clone())
        });
    }
    let answers = requests.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(commands(&base).await, before + 1);

    // The same key for something else is refused, and nothing happens.
    let other = json!({ "toUserId": payers[1].ledger_id, "amount": "2.00" });
    let mut client = Client::new(base.clone());
    let ask = Ask::post("/api/v1/transfers", &other).token(&payers[0].token);
    assert_eq!(client.send(ask.key("one-key-for-all")).await.unwrap().status, 422);
    assert!(child.stop().unwrap().success());
    assert_eq!(place.verified()["commands"], before + 1);
}
