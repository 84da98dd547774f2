//! Whole lives of what people do with the platform, from the first request to the last.

mod ending;
mod office;
mod partner;
mod person;
mod wallet;
mod wallet_guide;

use serde_json::Value;

use crate::client::Client;

/// A path of the interface.
fn v1(path: &str) -> String {
    format!("/api/v1{path}")
}

/// Gives a command that has to be carried out.
async fn done(by: &Client, path: &str, body: Value) -> Value {
    let reply = by.settle(path, body).await;
    assert_eq!(reply.outcome(), "committed", "{path}: {}", reply.text);
    reply.body
}
