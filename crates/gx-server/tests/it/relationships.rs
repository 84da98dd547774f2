//! Relationships: asked for, answered, ended; and what they make of a trust score.

use serde_json::{Value, json};

use crate::client::Reply;
use crate::server::{Account, Server};

const RELATIONSHIPS: &str = "/api/v1/relationships";

async fn ask(by: &Account, body: Value) -> Reply {
    by.person.client.settle(RELATIONSHIPS, body).await
}

async fn answer(by: &Account, id: &str, verb: &str) -> String {
    let path = format!("{RELATIONSHIPS}/{id}/{verb}");
    by.person.client.settle(&path, json!({})).await.outcome().to_owned()
}

async fn seen(by: &Account, id: &str) -> Value {
    by.person.client.get(&format!("{RELATIONSHIPS}/{id}"), 200).await.body
}

async fn trust(of: &Account) -> Value {
    of.person.client.get("/api/v1/relationships/trust-score", 200).await.body
}

#[tokio::test]
async fn a_friendship_is_asked_for_confirmed_and_ended() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let body = json!({ "email": "BOB@example.org", "relationType": "FRIEND_OF" });
    let asked = ask(&ada, body.clone()).await;
    assert_eq!(asked.outcome(), "committed", "{}", asked.text);
    let id = asked.str("relationshipId").to_owned();
    assert_eq!(ask(&ada, body).await.outcome(), "relationship_exists");

    let by_ada = seen(&ada, &id).await;
    assert_eq!(by_ada["status"], "PENDING_CONFIRMATION");
    assert_eq!(by_ada["relatedProfile"]["firstName"], Value::Null, "he has not answered");
    let by_bob = seen(&bob, &id).await;
    assert_eq!(by_bob["relatedProfile"]["firstName"], "ada");
    assert_eq!((&by_ada["awaitsAnswer"], &by_bob["awaitsAnswer"]), (&json!(false), &json!(true)));
    eve.person.client.get(&format!("{RELATIONSHIPS}/{id}"), 404).await;
    eve.person.client.get(&format!("{RELATIONSHIPS}/nothing"), 404).await;
    assert_eq!(answer(&eve, &id, "confirm").await, "not_party");
    assert_eq!(answer(&ada, &id, "confirm").await, "not_party", "who asks does not answer");
    assert_eq!(answer(&bob, &id, "end").await, "relationship_not_confirmed");
    assert_eq!(answer(&bob, &id, "confirm").await, "committed");
    assert_eq!(seen(&ada, &id).await["relatedProfile"]["firstName"], "bob");
    assert_eq!(trust(&ada).await["totalScore"], 11);
    assert_eq!(trust(&bob).await["friendsScore"], 1);
    assert_eq!(answer(&ada, &id, "end").await, "committed");
    let ended = seen(&bob, &id).await;
    assert_eq!((&ended["status"], &ended["endedBy"]), (&json!("ENDED"), &json!(ada.ledger_id)));
    assert_eq!(trust(&bob).await["totalScore"], 10);
}

#[tokio::test]
async fn who_can_be_asked_and_who_not() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    server.register("new", "DE").await;
    let mut answers = Vec::new();
    for email in ["nobody@example.org", "new@example.org"] {
        let body = json!({ "email": email, "type": "FRIEND_OF" });
        let reply = ada.person.client.post(RELATIONSHIPS, body, 404).await;
        answers.push((reply.str("code").to_owned(), reply.str("message").to_owned()));
    }
    assert_eq!(answers[0].0, "user_not_found");
    assert_eq!(answers[0], answers[1], "whether somebody has registered is not told");
    for (body, code) in [
        (json!({ "email": ada.person.email, "type": "FRIEND_OF" }), "same_account"),
        (json!({ "type": "FRIEND_OF" }), "validation_failed"),
        (json!({ "userId": "IN 7K3 ABC123 0WXYZ 1234" }), "validation_failed"),
        (json!({ "userId": "IN 7K3 ABC123 0WXYZ 1234", "type": "RIVAL_OF" }), "validation_failed"),
    ] {
        let reply = ada.person.client.post(RELATIONSHIPS, body, 400).await;
        assert_eq!(reply.str("code"), code, "{}", reply.text);
    }
    let stranger = json!({ "userId": "IN 7K3 ABC123 0WXYZ 1234", "type": "FRIEND_OF" });
    assert_eq!(ask(&ada, stranger).await.outcome(), "account_not_found");
}

#[tokio::test]
async fn a_score_is_explained_and_lists_are_paged() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    for (by, to, kind) in [
        (&ada, &bob, "MOTHER_OF"),
        (&eve, &bob, "SIBLING_OF"),
        (&ada, &bob, "BUSINESS_PARTNER_OF"),
        (&eve, &bob, "DIRECTOR_OF"),
        (&ada, &bob, "WORKPLACE_ASSOCIATE_OF"),
        (&eve, &bob, "BUSINESS_PARTNER_OF"),
    ] {
        let asked = ask(by, json!({ "userId": to.ledger_id, "type": kind })).await;
        assert_eq!(answer(to, asked.str("relationshipId"), "confirm").await, "committed", "{kind}");
    }
    let asked = ask(&eve, json!({ "userId": bob.ledger_id, "type": "FRIEND_OF" })).await;
    let id = asked.str("relationshipId").to_owned();
    assert_eq!(answer(&bob, &id, "reject").await, "committed");
    assert!(seen(&eve, &id).await["askableFrom"].is_string());
    let again = ask(&eve, json!({ "userId": bob.ledger_id, "type": "FRIEND_OF" })).await;
    assert_eq!(again.outcome(), "relationship_rejected");

    let score = trust(&bob).await;
    assert_eq!(score["totalScore"], 65, "{score}");
    assert_eq!((&score["familyScore"], &score["businessScore"]), (&json!(45), &json!(10)));
    assert_eq!((&score["baseScore"], &score["conductScore"]), (&json!(10), &json!(0)));
    let points = score["points"].as_array().unwrap();
    let sum: u64 = points.iter().map(|part| part["points"].as_u64().unwrap()).sum();
    assert_eq!(sum, 65, "{score}");
    let partners = points.iter().find(|part| part["part"] == "BUSINESS_PARTNERS").unwrap();
    assert_eq!((&partners["count"], &partners["points"]), (&json!(2), &json!(10)));
    assert_eq!(trust(&ada).await["familyScore"], 0, "a child gives its mother nothing");

    let client = &bob.person.client;
    let first = client.get(&format!("{RELATIONSHIPS}?limit=4&status=CONFIRMED"), 200).await;
    assert_eq!(first.body["hasMore"], true);
    let rest = format!("{RELATIONSHIPS}?status=CONFIRMED&cursor={}", first.str("nextCursor"));
    let rest = client.get(&rest, 200).await;
    assert_eq!(rest.body["data"].as_array().unwrap().len(), 2, "{}", rest.text);
    let path = ada.path(&format!("{RELATIONSHIPS}?userId={{}}&type=MOTHER_OF"));
    let one = client.get(&path, 200).await;
    assert_eq!(one.body["data"].as_array().unwrap().len(), 1, "{}", one.text);
    client.get(&format!("{RELATIONSHIPS}?cursor=x"), 400).await;
}
