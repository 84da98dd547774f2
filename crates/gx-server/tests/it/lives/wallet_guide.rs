//! The eighteen operations of the established wallet guide, in its order and with its field names:
//! what wallets that were written against it send, and what they read.
//!
//! Where commands are settled later than the guide thought, their answers are ours: a command id,
//! and where to ask for the outcome.

use serde_json::{Value, json};

use super::v1;
use crate::client::{Client, Reply, new_key};
use crate::server::{Account, PASSWORD, Person, Server};
use crate::trust::trusted;

/// Whether an answer has these fields, whatever they hold.
fn has(value: &Value, fields: &[&str]) {
    let object = value.as_object().unwrap();
    for field in fields {
        assert!(object.contains_key(*field), "no {field} in {value}");
    }
}

/// Gives a command as the guide has it: under its name of the idempotency key.
async fn command(client: &Client, path: &str, body: Value) -> Reply {
    let headers = [("x-idempotency-key", &*new_key())];
    let reply = client.post_with(&v1(path), body, &headers, 202).await;
    has(&reply.body, &["commandId", "status", "message", "estimatedConfirmationTime"]);
    reply
}

/// 1 to 5: an account, a session, and who one is.
async fn joins(server: &Server) -> (Person, Value) {
    let registration = json!({
        "email": "wanda@example.org", "password": PASSWORD, "firstName": "Wanda",
        "lastName": "Example", "phone": "+4915112345678", "countryCode": "DE",
        "dateOfBirth": "1990-06-15",
    });
    let client = &server.client;
    let made = client.post(&v1("/auth/register"), registration.clone(), 201).await;
    has(&made.body, &["userId", "message"]);
    assert_eq!(made.str("kycStatus"), "PENDING");
    let again = client.post(&v1("/auth/register"), registration.clone(), 409).await;
    has(&again.body, &["error", "message", "timestamp", "path"]);
    let mut wrong = registration;
    wrong["password"] = json!("short");
    let wrong = client.post(&v1("/auth/register"), wrong, 400).await;
    has(&wrong.body["details"][0], &["field", "message"]);

    let login = json!({ "email": "wanda@example.org", "password": PASSWORD });
    let opened = client.post(&v1("/auth/login"), login.clone(), 200).await;
    assert_eq!(opened.body["expiresIn"], 900);
    let fields = ["id", "email", "firstName", "lastName", "role", "kycStatus"];
    has(&opened.body["user"], &fields);
    let mut wrong = login;
    wrong["password"] = json!("Wrong7horse");
    let wrong = client.post(&v1("/auth/login"), wrong, 401).await;
    has(&wrong.body, &["error", "message"]);

    let body = json!({ "refreshToken": opened.str("refreshToken") });
    let fresh = client.post(&v1("/auth/refresh"), body, 200).await;
    assert_eq!(fresh.body["expiresIn"], 900);
    client.get(&v1("/users/profile"), 401).await;
    let client = client.with_token(fresh.str("accessToken"));
    let profile = client.get(&v1("/users/profile"), 200).await;
    let fields = [
        "id",
        "email",
        "firstName",
        "lastName",
        "phone",
        "countryCode",
        "kycStatus",
        "accountStatus",
        "tier",
        "createdAt",
        "updatedAt",
    ];
    has(&profile.body, &fields);
    assert_eq!((profile.str("accountStatus"), profile.str("tier")), ("ACTIVE", "TIER1"));
    let id = made.str("userId").to_owned();
    (Person { id, email: "wanda@example.org".to_owned(), client }, profile.body)
}

/// 6 and 7: another name, and who one is by the papers.
async fn introduces_herself(person: &Person) {
    let body = json!({ "firstName": "Wanda Maria" }).to_string();
    let reply = person.client.send("PUT", &v1("/users/profile"), &[], Some(&body)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    has(&reply.body, &["message"]);
    assert_eq!(reply.body["updatedFields"], json!(["firstName"]));
    let body = json!({
        "documentType": "PASSPORT", "documentNumber": "C01X00T47", "issuingCountry": "DE",
        "expiryDate": "2035-12-31", "biometricHash": "b".repeat(64), "documents": [],
    });
    let reply = person.client.post(&v1("/users/kyc/submit"), body, 200).await;
    has(&reply.body, &["kycId", "message"]);
    assert_eq!(reply.str("status"), "SUBMITTED");
}

/// What admins do for somebody who has registered.
async fn is_admitted(server: &Server, admin: &Client, person: Person) -> Account {
    let path = format!("/api/v1/admin/users/{}/approve", person.id);
    let approved = admin.post(&path, json!({}), 200).await;
    let body = json!({ "userIds": [person.id] });
    let reply = admin.post("/api/v1/admin/users/batch-register-onchain", body, 202).await;
    server.committed(admin, reply.body["commands"][0]["commandId"].as_str().unwrap()).await;
    Account { ledger_id: approved.str("ledgerId").parse().unwrap(), person }
}

/// 8 to 10: what she has, what has moved, and a payment; 17 and 18: what that costs.
async fn pays(server: &Server, wanda: &Account, bob: &Account) {
    let client = &wanda.person.client;
    let balance = client.get(&wanda.path("/api/v1/wallets/{}/balance"), 200).await;
    let fields =
        ["userId", "balance", "currency", "frozenAmount", "availableBalance", "lastUpdated"];
    has(&balance.body, &fields);
    assert_eq!((balance.str("balance"), balance.str("currency")), ("500.00", "GXC"));

    let ask = json!({
        "transactionType": "TRANSFER", "amount": "50.00", "fromUserId": wanda.ledger_id,
        "toUserId": bob.ledger_id,
    });
    let fee = client.post(&v1("/fees/calculate"), ask, 200).await;
    has(&fee.body, &["feeAmount", "feePercentage", "totalAmount"]);
    has(&fee.body["breakdown"], &["baseFee", "networkFee"]);

    let body = json!({
        "toUserId": bob.ledger_id, "amount": "50.00", "description": "Rent", "pin": "1234",
    });
    let paid = command(client, "/transactions/transfer", body).await;
    server.committed(client, paid.str("commandId")).await;
    let history = wanda.path("/api/v1/transactions/{}/history?page=1&limit=20&type=TRANSFER");
    let history = client.get(&history, 200).await;
    has(&history.body["pagination"], &["page", "limit", "total", "totalPages"]);
    let fields = [
        "id",
        "type",
        "amount",
        "currency",
        "from",
        "to",
        "status",
        "timestamp",
        "blockNumber",
        "txHash",
        "fee",
        "description",
    ];
    let newest = &history.body["transactions"][0];
    has(newest, &fields);
    assert_eq!((&newest["amount"], &newest["status"]), (&json!("50.00"), &json!("COMPLETED")));
    assert_eq!(newest["fee"], fee.body["feeAmount"], "what was said beforehand");
    client.get(&bob.path("/api/v1/wallets/{}/balance"), 404).await;

    let tax = wanda.path("/api/v1/fees/hoarding-tax/eligibility?userId={}");
    let tax = client.get(&tax, 200).await;
    let fields =
        ["eligible", "taxableAmount", "taxRate", "taxAmount", "reason", "lastTransactionDate"];
    has(&tax.body, &fields);
}

#[tokio::test]
async fn a_wallet_joins_and_pays() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let bob = server.account(&admin, "bob", "DE").await;
    let (wanda, _) = joins(&server).await;
    introduces_herself(&wanda).await;
    let wanda = is_admitted(&server, &admin, wanda).await;
    pays(&server, &wanda, &bob).await;
}

/// 11 and 12: an organization.
async fn founds(server: &Server, ada: &Account, father: &Account) {
    let client = &ada.person.client;
    let body = json!({
        "name": "Example Works", "type": "BUSINESS", "approvalThreshold": 2,
        "description": "We make examples",
        "stakeholders": [
            { "userId": ada.ledger_id, "role": "CEO", "votingWeight": 60 },
            { "userId": father.ledger_id, "role": "CFO", "votingWeight": 40 },
        ],
    });
    let proposed = command(client, "/organizations/propose", body).await;
    server.committed(client, proposed.str("commandId")).await;
    let id = proposed.str("organizationId").replace(' ', "%20");
    let seen = client.get(&v1(&format!("/organizations/{id}")), 200).await;
    let fields = [
        "id",
        "name",
        "type",
        "status",
        "stakeholders",
        "approvalThreshold",
        "balance",
        "createdAt",
    ];
    has(&seen.body, &fields);
    has(&seen.body["stakeholders"][0], &["userId", "joinedAt"]);
    client.get(&v1("/organizations/DE%207K3%20ABC123%201WXYZ%201234"), 404).await;
}

/// 13 and 14: a loan.
async fn borrows(server: &Server, ada: &Account) {
    let client = &ada.person.client;
    let body = json!({
        "amount": "500.00", "purpose": "A kiln", "repaymentPeriod": 6, "collateral": "The kiln",
    });
    let applied = command(client, "/loans/apply", body).await;
    server.committed(client, applied.str("commandId")).await;
    let path = v1(&format!("/loans/{}", applied.str("loanId")));
    let loan = client.get(&path, 200).await;
    let fields = [
        "id",
        "userId",
        "amount",
        "purpose",
        "status",
        "approvedAmount",
        "repaymentPeriod",
        "disbursedAt",
        "dueDate",
        "remainingBalance",
    ];
    has(&loan.body, &fields);
    assert_eq!(loan.str("status"), "PENDING_APPROVAL");
    assert_eq!(loan.body["repaymentPeriod"], 6);
}

/// 15 and 16: a proposal, by an admin here, and a vote.
async fn votes(server: &Server, admin: &Client, ada: &Account) {
    let changes = json!({ "parameter": "votingDays", "currentValue": "14", "proposedValue": "21" });
    let body = json!({
        "title": "Three weeks", "description": "Two are too short for those at sea.",
        "type": "PARAMETER_CHANGE", "proposedChanges": changes, "votingPeriod": 14,
    });
    let submitted = command(admin, "/proposals/submit", body).await;
    server.committed(admin, submitted.str("commandId")).await;
    let path = format!("/proposals/{}/vote", submitted.str("proposalId"));
    let body = json!({ "vote": "YES", "reason": "I am at sea" });
    let cast = command(&ada.person.client, &path, body.clone()).await;
    server.committed(&ada.person.client, cast.str("commandId")).await;
    let twice = ada.person.client.settle(&v1(&path), body).await;
    assert_eq!(twice.outcome(), "already_voted");
}

#[tokio::test]
async fn a_wallet_founds_borrows_and_votes() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, father) = trusted(&server, &admin).await;
    // Accounts borrow and vote when they are thirty days old.
    server.pass_days(31);
    founds(&server, &ada, &father).await;
    borrows(&server, &ada).await;
    votes(&server, &admin, &ada).await;
}
