//! A person from the first code to the lost key: registered, verified, admitted; with friends, a
//! company, a debt, a vote; and saved by those whom she trusts.

use serde_json::{Value, json};

use super::wallet::Wallet;
use super::{done, ending, v1};
use crate::client::Client;
use crate::documents::uploaded;
use crate::organization::{active, initiate};
use crate::registration;
use crate::server::{Account, Person, Server, eventually};

const EMAIL: &str = "dora@example.org";

/// Those around her.
struct Others {
    father: Account,
    spouse: Account,
    sibling: Account,
    friend: Account,
}

impl Others {
    async fn gather(server: &Server, admin: &Client) -> Self {
        Self {
            father: server.account(admin, "father", "DE").await,
            spouse: server.account(admin, "spouse", "DE").await,
            sibling: server.account(admin, "sibling", "DE").await,
            friend: server.account(admin, "friend", "IN").await,
        }
    }
}

fn text<'b>(body: &'b Value, field: &str) -> &'b str {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}"))
}

/// Step by step, with the codes that the mailbox holds.
async fn registers(server: &Server) -> Person {
    let (id, code) = registration::before(server, EMAIL, "phone/verify").await;
    let body = json!({ "registrationId": id, "otp": code });
    let last = server.client.post(&v1("/registration/phone/verify"), body, 200).await;
    assert_eq!(last.body["user"]["status"], "PENDING_ADMIN_APPROVAL");
    let client = server.client.with_token(last.str("accessToken"));
    Person { id: text(&last.body["user"], "id").to_owned(), email: EMAIL.to_owned(), client }
}

/// Hands in her passport: the application's id, and the document's.
async fn shows_her_papers(dora: &Person) -> (String, String) {
    let document = uploaded(dora, "PASSPORT").await;
    let body = json!({
        "documentType": "PASSPORT", "documentNumber": "L01X00T47", "issuingCountry": "DE",
        "expiryDate": "2099-12-31",
    });
    let path = v1(&format!("/users/{}/kyc", dora.id));
    let reply = dora.client.post(&path, body, 201).await;
    assert_eq!(reply.str("status"), "SUBMITTED");
    (reply.str("kycId").to_owned(), document)
}

/// Somebody reads the application, looks at the document, and accepts her.
async fn is_accepted(admin: &Client, dora: &Person, kyc_id: &str, document: &str) {
    let queue = admin.get(&v1("/admin/kyc"), 200).await;
    assert_eq!(queue.body["data"][0]["kycId"], kyc_id);
    let review = admin.get(&v1(&format!("/admin/kyc/{kyc_id}")), 200).await;
    assert_eq!(review.str("documentNumber"), "L01X00T47");
    assert_eq!(review.body["documents"][0]["documentId"], document);
    let link = admin.get(&v1(&format!("/documents/{document}/url")), 200).await;
    admin.get(text(&link.body["data"], "url"), 200).await;
    let path = v1(&format!("/admin/users/{}/approve", dora.id));
    let approved = admin.post(&path, json!({ "notes": "Seen" }), 200).await;
    assert_eq!(approved.str("status"), "APPROVED_PENDING_ONCHAIN");
}

/// Her account is opened on the ledger, and genesis lies in it.
async fn receives_genesis(server: &Server, admin: &Client, dora: Person) -> Account {
    let body = json!({ "userIds": [dora.id] });
    let opened = admin.post(&v1("/admin/users/batch-register-onchain"), body, 202).await;
    let [command] = opened.body["commands"].as_array().unwrap().as_slice() else {
        panic!("{}", opened.text)
    };
    server.committed(admin, text(command, "commandId")).await;
    let profile = dora.client.get(&v1("/users/profile"), 200).await;
    assert_eq!((profile.str("status"), profile.str("tier")), ("ACTIVE", "TIER2"));
    let dora = Account { ledger_id: profile.str("userId").parse().unwrap(), person: dora };
    assert_eq!(dora.balance().await, "500.00");
    is_told(&dora, "Genesis received").await;
    dora
}

/// Waits until she reads it among her notifications.
async fn is_told(who: &Account, title: &str) {
    eventually(title, async || {
        let list = who.person.client.get(&v1("/notifications"), 200).await;
        let told = list.body["notifications"].as_array().unwrap();
        told.iter().any(|one| one["title"] == title).then_some(())
    })
    .await;
}

/// One asks by the other's ledger id or address, and the other agrees.
async fn relate(asks: &Account, agrees: &Account, body: Value) {
    let asked = done(&asks.person.client, &v1("/relationships"), body).await;
    let path = v1(&format!("/relationships/{}/confirm", text(&asked, "relationshipId")));
    done(&agrees.person.client, &path, json!({})).await;
}

async fn befriends(dora: &Account, others: &Others) {
    let is = |to: &Account, kind: &str| json!({ "userId": to.ledger_id, "type": kind });
    relate(&others.father, dora, is(dora, "FATHER_OF")).await;
    relate(dora, &others.spouse, is(&others.spouse, "SPOUSE_OF")).await;
    relate(dora, &others.sibling, is(&others.sibling, "SIBLING_OF")).await;
    let friend = &others.friend;
    relate(dora, friend, json!({ "email": friend.person.email, "relationType": "FRIEND_OF" }))
        .await;
    let score = dora.person.client.get(&v1("/relationships/trust-score"), 200).await.body;
    assert_eq!((&score["totalScore"], &score["friendsScore"]), (&json!(81), &json!(1)));
}

/// Her friend shows a code, she reads it, looks what it says, and pays.
async fn pays_by_qr(dora: &Account, friend: &Account) {
    let asks = json!({ "amount": "12.50", "description": "Two coffees", "validitySeconds": 600 });
    let shown = friend.person.client.post(&v1("/qsend"), asks, 201).await;
    let at = |rest: &str| v1(&format!("/qsend/{}{rest}", shown.str("requestCode")));
    let client = &dora.person.client;
    assert!(client.get(&at("/qr.svg"), 200).await.text.contains("<svg"));
    let read = json!({ "qrData": shown.str("qrData") });
    let read = client.post(&v1("/qsend/verify"), read, 200).await.body;
    assert_eq!((&read["valid"], &read["request"]["amount"]), (&json!(true), &json!("12.50")));
    done(client, &at("/pay"), json!({})).await;
    assert_eq!(friend.person.client.get(&at(""), 200).await.str("status"), "PAID");
    assert_eq!(friend.balance().await, "512.50");
}

/// With her spouse; what it pays, both approve.
async fn founds_a_company(dora: &Account, spouse: &Account, friend: &Account) -> String {
    let company = active(&[dora, spouse]).await;
    let payment = initiate(dora, &company, friend, "30.00").await;
    let path = v1(&format!("/transactions/{payment}"));
    let seen = spouse.person.client.get(&path, 200).await;
    assert_eq!((seen.str("status"), &seen.body["approvalCount"]), ("PENDING", &json!(1)));
    assert_eq!(friend.balance().await, "512.50", "one of two is not enough");
    done(&spouse.person.client, &format!("{path}/approve"), json!({})).await;
    assert_eq!(dora.person.client.get(&path, 200).await.str("status"), "EXECUTED");
    assert_eq!(friend.balance().await, "542.50");
    company
}

async fn borrows_and_repays(admin: &Client, dora: &Account) {
    let client = &dora.person.client;
    let body = json!({
        "amount": "200.00", "purpose": "A kiln", "repaymentPeriod": 6, "collateral": "The kiln",
    });
    let applied = done(client, &v1("/loans/apply"), body).await;
    let path = v1(&format!("/loans/{}", text(&applied, "loanId")));
    assert_eq!(client.get(&path, 200).await.str("status"), "PENDING_APPROVAL");
    done(admin, &format!("{path}/approve"), json!({})).await;
    is_told(dora, "Your loan was approved").await;
    let loan = client.get(&path, 200).await;
    assert_eq!((loan.str("approvedAmount"), loan.str("remainingBalance")), ("200.00", "200.00"));
    for (amount, left) in [("150.00", "50.00"), ("50.00", "0.00")] {
        done(client, &format!("{path}/repay"), json!({ "amount": amount })).await;
        assert_eq!(client.get(&path, 200).await.str("remainingBalance"), left);
    }
    assert_eq!(client.get(&path, 200).await.str("status"), "REPAID");
}

async fn votes(admin: &Client, dora: &Account) {
    let body = json!({ "title": "Three weeks", "targetParam": "votingDays", "newValue": "21" });
    let submitted = done(admin, &v1("/proposals"), body).await;
    let path = v1(&format!("/proposals/{}", text(&submitted, "proposalId")));
    done(&dora.person.client, &format!("{path}/vote"), json!({ "vote": "YES" })).await;
    let seen = dora.person.client.get(&path, 200).await;
    assert_eq!((seen.str("ownVote"), &seen.body["tally"]["forVotes"]), ("FOR", &json!(1)));
}

const LOST: Wallet = Wallet(7);
const NEW: Wallet = Wallet(9);

fn one_coin(to: &Account) -> Value {
    json!({ "toUserId": to.ledger_id, "amount": "1.00" })
}

/// From now on her key signs what she does, and three can give her another together.
async fn takes_a_key(server: &Server, dora: &Account, others: &Others) {
    let registered = LOST.prove(server, dora, &v1("/keys"), json!({})).await;
    assert_eq!(registered.outcome(), "committed", "{}", registered.text);
    let transfers = v1("/transfers");
    let unsigned = dora.person.client.settle(&transfers, one_coin(&others.friend)).await;
    assert_eq!(unsigned.outcome(), "signature_missing");
    let guardians = [&others.father, &others.spouse, &others.sibling].map(|one| one.ledger_id);
    let named = json!({ "guardians": guardians });
    let named = LOST.give(server, dora, &v1("/recovery/guardians"), named).await;
    assert_eq!(named.outcome(), "committed", "{}", named.text);
    let signed = LOST.give(server, dora, &transfers, one_coin(&others.friend)).await;
    assert_eq!(signed.outcome(), "committed", "{}", signed.text);
}

/// Her guardians give the account another key, and what the lost one signs is nothing any more.
async fn loses_it_and_is_helped(server: &Server, dora: &Account, others: &Others) {
    let whose = json!({ "userId": dora.ledger_id });
    let begun = NEW.prove(server, &others.father, &v1("/recovery/initiate"), whose).await;
    assert_eq!(begun.outcome(), "committed", "{}", begun.text);
    let at = |rest: &str| v1(&format!("/recovery/{}{rest}", begun.str("recoveryId")));
    done(&others.spouse.person.client, &at("/confirm"), json!({})).await;
    let early = others.sibling.person.client.settle(&at("/complete"), json!({})).await;
    assert_eq!(early.outcome(), "recovery_too_early", "she has days to say no");
    is_told(dora, "A recovery of your account goes on").await;
    server.pass_days(3);
    done(&others.sibling.person.client, &at("/complete"), json!({})).await;
    let key = dora.person.client.get(&v1("/keys"), 200).await;
    assert_eq!(key.str("publicKey"), NEW.public());
    let transfers = v1("/transfers");
    let found = LOST.give(server, dora, &transfers, one_coin(&others.friend)).await;
    assert_eq!(found.outcome(), "signature_wrong", "by whoever has found it");
    let paid = NEW.give(server, dora, &transfers, one_coin(&others.friend)).await;
    assert_eq!(paid.outcome(), "committed", "{}", paid.text);
}

#[tokio::test]
async fn a_person_lives_from_the_first_code_to_the_lost_key() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let others = Others::gather(&server, &admin).await;
    let dora = registers(&server).await;
    let (kyc_id, document) = shows_her_papers(&dora).await;
    is_accepted(&admin, &dora, &kyc_id, &document).await;
    let dora = receives_genesis(&server, &admin, dora).await;
    befriends(&dora, &others).await;
    pays_by_qr(&dora, &others.friend).await;
    let company = founds_a_company(&dora, &others.spouse, &others.friend).await;
    // Accounts borrow and vote when they are thirty days old.
    server.pass_days(31);
    borrows_and_repays(&admin, &dora).await;
    votes(&admin, &dora).await;
    takes_a_key(&server, &dora, &others).await;
    loses_it_and_is_helped(&server, &dora, &others).await;
    let Others { father, spouse, sibling, friend } = &others;
    let people = [&dora, father, spouse, sibling, friend];
    ending::check(&server, &admin, &people, &[&company]).await;
}
