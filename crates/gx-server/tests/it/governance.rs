//! Proposals from their submission to their result, votes, parameters, and trying a change.

use gx_server::Workers;
use serde_json::{Value, json};

use crate::server::Server;
use crate::trust::trusted;

#[tokio::test]
async fn a_proposal_is_voted_on_and_its_result_drawn() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, father) = trusted(&server, &admin).await;
    let body = json!({ "title": "Three weeks", "targetParam": "votingDays", "newValue": "21" });
    let submitted = admin.settle("/api/v1/proposals", body.clone()).await;
    assert_eq!(submitted.str("status"), "committed");
    let path = format!("/api/v1/proposals/{}", submitted.str("proposalId"));
    let again = admin.settle("/api/v1/proposals/submit", body).await;
    assert_eq!(again.str("code"), "proposal_exists");

    let vote = format!("{path}/vote");
    let young = ada.person.client.settle(&vote, json!({ "vote": "YES" })).await;
    assert_eq!(young.str("code"), "account_too_young");
    let shown = ada.person.client.get(&path, 200).await;
    assert_eq!((shown.str("status"), &shown.body["ownVote"]), ("ACTIVE", &json!(null)));
    let left = shown.body["secondsLeft"].as_i64().unwrap();
    assert!((13 * 86_400..=14 * 86_400).contains(&left), "{left}");
    assert_eq!(
        admin.settle(&format!("{path}/execute"), json!({})).await.str("code"),
        "voting_not_ended"
    );

    // Accounts vote when they are thirty days old; by then another proposal is needed.
    server.pass_days(31);
    let changes = json!({ "parameter": "votingDays", "currentValue": "14", "proposedValue": "28" });
    let body = json!({
        "title": "Four weeks", "description": "Two are too short for those at sea.",
        "type": "PARAMETER_CHANGE", "proposedChanges": changes, "votingPeriod": 14,
    });
    let second = admin.settle("/api/v1/proposals/submit", body).await;
    let second = format!("/api/v1/proposals/{}", second.str("proposalId"));
    let vote = format!("{second}/vote");
    for ballot in [json!("PERHAPS"), json!(1), Value::Null] {
        let reply = ada.person.client.post(&vote, json!({ "vote": ballot }), 400).await;
        assert_eq!(reply.body["details"][0]["field"], "vote");
    }
    let cast = ada.person.client.settle(&vote, json!({ "vote": true, "reason": "sea" })).await;
    assert_eq!(cast.str("status"), "committed");
    let twice = ada.person.client.settle(&vote, json!({ "vote": "AGAINST" })).await;
    assert_eq!(twice.str("code"), "already_voted");
    let few = father.person.client.settle(&vote, json!({ "vote": "FOR" })).await;
    assert_eq!(few.str("code"), "trust_too_low");
    let shown = ada.person.client.get(&second, 200).await;
    assert_eq!((&shown.body["tally"]["forVotes"], shown.str("ownVote")), (&json!(1), "FOR"));
    assert_eq!(shown.body["tally"]["wouldFail"], "QUORUM_NOT_REACHED");
    assert_eq!(father.person.client.get(&second, 200).await.body["ownVote"], json!(null));

    let ended = admin.get("/api/v1/proposals?status=ENDED", 200).await;
    assert_eq!(ended.body["data"][0]["title"], "Three weeks");
    server.pass_days(15);
    let drawn = admin.settle(&format!("{second}/execute"), json!({})).await;
    assert_eq!(drawn.str("status"), "committed");
    let shown = ada.person.client.get(&second, 200).await;
    assert_eq!((shown.str("status"), shown.str("failure")), ("FAILED", "QUORUM_NOT_REACHED"));
    let again = admin.settle(&format!("{second}/execute"), json!({})).await;
    assert_eq!(again.str("code"), "proposal_finished");
    let page = ada.person.client.get("/api/v1/proposals?limit=1", 200).await;
    assert_eq!(page.body["data"][0]["title"], "Four weeks");
    let rest = format!("/api/v1/proposals?cursor={}", page.str("nextCursor"));
    let rest = ada.person.client.get(&rest, 200).await;
    assert_eq!(
        (&rest.body["data"][0]["status"], &rest.body["hasMore"]),
        (&json!("ENDED"), &json!(false))
    );
    assert_eq!(admin.get("/api/v1/proposals?status=ACTIVE", 200).await.body["data"], json!([]));
}

#[tokio::test]
async fn what_a_proposal_says_of_today_must_be_true() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let change = |now: &str| {
        let (parameter, value) = ("votingDays", "21");
        json!({ "parameter": parameter, "currentValue": now, "proposedValue": value })
    };
    for (body, code) in [
        (json!({ "title": "T", "newValue": "21" }), "required"),
        (json!({ "title": "T", "targetParam": "votingDays" }), "required"),
        (json!({ "title": "T", "targetParam": "none", "newValue": "21" }), "invalid_parameter"),
        (json!({ "title": "T", "proposedChanges": change("15") }), "value_changed"),
        (
            json!({ "title": "T", "proposedChanges": change("14"), "newValue": "9" }),
            "contradiction",
        ),
        (
            json!({ "title": "T", "proposedChanges": change("14"), "votingPeriod": 7 }),
            "voting_period_fixed",
        ),
        (
            json!({ "title": "T", "proposedChanges": change("14"), "type": "PROTOCOL_UPGRADE" }),
            "invalid_type",
        ),
    ] {
        let reply = admin.post("/api/v1/proposals", body, 400).await;
        assert_eq!(reply.body["details"][0]["code"], code, "{}", reply.text);
    }
    let wide = json!({ "title": "T", "targetParam": "votingDays", "newValue": "1" });
    let reply = admin.post("/api/v1/proposals", wide, 400).await;
    assert_eq!(reply.str("code"), "value_out_of_bounds");
    let ada = server.register("ada", "DE").await;
    let body = json!({ "title": "T", "targetParam": "votingDays", "newValue": "21" });
    ada.client.post("/api/v1/proposals", body, 403).await;
    ada.client.get("/api/v1/proposals/PROP_1", 404).await;
    ada.client.get(&format!("/api/v1/proposals/PROP_{}", "0".repeat(26)), 404).await;
    server.client.get("/api/v1/proposals", 401).await;
}

#[tokio::test]
async fn parameters_are_there_for_everybody() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let change = json!({ "paramId": "votingDays", "newValue": "21" });
    admin.settle("/api/v1/admin/parameters", change).await;
    let all = server.client.get("/api/v1/parameters", 200).await;
    let days = all.body.as_array().unwrap().iter().find(|one| one["paramId"] == "votingDays");
    let days = days.unwrap();
    assert_eq!((&days["value"], &days["defaultValue"]), (&json!("14"), &json!("14")));
    assert_eq!((&days["min"], &days["max"]), (&json!("7"), &json!("90")));
    assert_eq!(days["changedAt"], json!(null));
}

/// However many somebody asks for.
#[tokio::test]
async fn the_settings_say_how_many_payments_are_tried() {
    let server = Server::start_with(&[("governance.simulation_payments", "2")], Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    for _ in 0..3 {
        let body = json!({ "toUserId": bob.ledger_id, "amount": "5.00" });
        ada.person.client.settle("/api/v1/transfers", body).await;
    }
    let body = json!({ "targetParam": "votingDays", "newValue": "21", "payments": 100 });
    let tried = ada.person.client.post("/api/v1/proposals/simulate", body, 200).await;
    assert_eq!(tried.body["total"]["payments"], 2);
}

#[tokio::test]
async fn a_change_of_fees_is_tried_on_payments_of_late() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    for (from, to, amount) in [(&ada, &bob, "200.00"), (&bob, &ada, "50.00"), (&ada, &bob, "2.00")]
    {
        let body = json!({ "toUserId": to.ledger_id, "amount": amount });
        from.person.client.settle("/api/v1/transfers", body).await;
    }
    let try_it = async |body: Value| {
        ada.person.client.post("/api/v1/proposals/simulate", body, 200).await.body
    };
    let upper = json!({ "targetParam": "feeP2pLocalUpperBps", "newValue": "20" });
    let tried = try_it(upper).await;
    // Ten basis points of 200 and five of 50 now.
    assert_eq!(
        (&tried["feesCharged"], &tried["total"]["feesNow"]),
        (&json!("0.225"), &json!("0.225"))
    );
    assert_eq!(tried["total"]["feesProposed"], "0.425");
    assert_eq!((&tried["taxesCharged"], &tried["total"]["taxes"]), (&json!("0.00"), &json!(0)));
    assert_eq!(tried["total"]["feesDifference"], tried["total"]["difference"]);
    assert_eq!(
        (&tried["total"]["difference"], &tried["total"]["payments"]),
        (&json!("0.20"), &json!(3))
    );
    let deciles = tried["deciles"].as_array().unwrap();
    let shown: Vec<_> = deciles.iter().map(|one| (&one["amount"], &one["difference"])).collect();
    assert_eq!(shown, [(&json!("50.00"), &json!("0.00")), (&json!("202.00"), &json!("0.20"))]);
    let free = json!({ "targetParam": "feeP2pLocalUpperBps", "newValue": "0", "payments": 3 });
    assert_eq!(try_it(free).await["total"]["difference"], "-0.20");
    let newest = json!({ "targetParam": "votingDays", "newValue": "21", "payments": 1 });
    let newest = try_it(newest).await;
    assert_eq!(
        (&newest["total"]["amount"], &newest["total"]["difference"]),
        (&json!("2.00"), &json!("0.00"))
    );
    let wide = json!({ "targetParam": "feeP2pLocalUpperBps", "newValue": "1001" });
    let reply = ada.person.client.post("/api/v1/proposals/simulate", wide, 400).await;
    assert_eq!(reply.str("code"), "value_out_of_bounds");
    let tiers = json!({ "targetParam": "feeP2pFreeBelow", "newValue": "200000000" });
    let reply = ada.person.client.post("/api/v1/proposals/simulate", tiers, 422).await;
    assert_eq!(reply.str("code"), "parameters_inconsistent");
}
