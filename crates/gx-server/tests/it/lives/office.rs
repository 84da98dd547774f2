//! A day of those who administer a platform: who let people in and keep them out, decide together
//! on what nobody decides alone, give a treasury to its ministry, clear the outbox, and are
//! accountable for all of it.

use serde_json::{Value, json};

use super::{done, ending, v1};
use crate::approvals::{approve, ask, close};
use crate::client::Client;
use crate::decisions::decide;
use crate::outbox::dead_command;
use crate::second_factors::{code, enrol};
use crate::server::{ADMIN_PASSWORD, Account, Person, Server};

/// The first administrator sets up a second factor, and from then on logs in with its codes.
async fn logs_in_with_a_code(server: &Server) -> Client {
    let first = server.admin().await;
    let (set_up, enable) = (v1("/admin/auth/mfa/setup"), v1("/admin/auth/mfa/enable"));
    let device = enrol(&first, &set_up, &enable).await;
    first.post(&v1("/admin/auth/logout"), json!({}), 200).await;
    first.get(&v1("/admin/auth/profile"), 401).await;
    let login = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
    let asked = server.client.post(&v1("/admin/auth/login"), login, 200).await;
    assert_eq!(asked.body["requiresMfa"], true);
    assert!(asked.body["accessToken"].is_null(), "{}", asked.text);
    let shown = json!({ "mfaToken": asked.str("mfaToken"), "code": code(&device.secret, 1) });
    let opened = server.client.post(&v1("/admin/auth/mfa/verify"), shown, 200).await;
    server.client.with_token(opened.str("accessToken"))
}

/// The currency begins, with its countries.
async fn founds(owner: &Client) {
    done(owner, &v1("/admin/bootstrap"), json!({ "userId": null })).await;
    let countries = json!({ "countries": [
        { "countryCode": "DE", "weight": 60_000_000 },
        { "countryCode": "IN", "weight": 40_000_000 },
    ]});
    done(owner, &v1("/admin/countries/initialize"), countries).await;
    let status = owner.get(&v1("/admin/system/status"), 200).await;
    assert_eq!((&status.body["countries"], status.str("status")), (&json!(2), "ACTIVE"));
}

/// Somebody new begins with a password that is shown once.
async fn hires(server: &Server, owner: &Client, name: &str, role: &str) -> Client {
    let body = json!({
        "username": name, "email": format!("{name}@example.org"), "displayName": name,
        "role": role,
    });
    let made = owner.post(&v1("/admin/admins"), body, 201).await;
    let password = made.str("oneTimePassword");
    let login = json!({ "username": name, "password": password });
    let opened = server.client.post(&v1("/admin/auth/login"), login, 200).await;
    let hired = server.client.with_token(opened.str("accessToken"));
    let body = json!({ "currentPassword": password, "newPassword": ADMIN_PASSWORD });
    hired.post(&v1("/admin/auth/password/change"), body, 200).await;
    hired
}

/// What takes two: one proposes, the other approves; and the one alone can't.
async fn decide_together(owner: &Client, deputy: &Client, path: &str, body: Value) -> Value {
    let proposed = done(owner, &v1(path), body).await;
    let action = proposed["actionId"].as_str().unwrap_or_else(|| panic!("{proposed}"));
    assert_eq!(decide(owner, action, "approve").await["code"], "same_admin");
    assert_eq!(decide(deputy, action, "approve").await["status"], "committed");
    proposed
}

async fn applies(person: &Person, number: &str) {
    let path = v1(&format!("/users/{}/kyc", person.id));
    let body = json!({
        "documentType": "PASSPORT", "documentNumber": number, "issuingCountry": "DE",
        "expiryDate": "2099-12-31",
    });
    person.client.post(&path, body, 201).await;
}

/// Who waits to be looked at, by address.
async fn queue(clerk: &Client) -> Vec<String> {
    let list = clerk.get(&v1("/admin/kyc"), 200).await;
    let rows = list.body["data"].as_array().unwrap();
    let mut emails: Vec<String> =
        rows.iter().map(|row| row["email"].as_str().unwrap().to_owned()).collect();
    emails.sort_unstable();
    emails
}

/// The clerk accepts one applicant and turns the other away, who comes again with a better
/// picture.
async fn works_through_the_queue(server: &Server, clerk: &Client) -> (Account, Account) {
    let ada = server.register("ada", "DE").await;
    let bob = server.register("bob", "DE").await;
    applies(&ada, "L01X00T47").await;
    applies(&bob, "L01X00T48").await;
    assert_eq!(queue(clerk).await, ["ada@example.org", "bob@example.org"]);
    let about = |person: &Person, verb: &str| v1(&format!("/admin/users/{}/{verb}", person.id));
    clerk.post(&about(&ada, "approve"), json!({ "notes": "Seen" }), 200).await;
    let reason = json!({ "reason": "The picture cannot be read" });
    clerk.post(&about(&bob, "deny"), reason, 200).await;
    let told = bob.client.get(&v1("/users/profile"), 200).await;
    assert_eq!(told.str("denialReason"), "The picture cannot be read");
    applies(&bob, "L01X00T48").await;
    assert_eq!(queue(clerk).await, ["bob@example.org"]);
    clerk.post(&about(&bob, "approve"), json!({ "notes": "Readable now" }), 200).await;
    let waiting = clerk.get(&v1("/admin/users/pending-onchain"), 200).await;
    assert_eq!(waiting.body["total"], 2);
    let opened = clerk.post(&v1("/admin/users/batch-register-onchain"), json!({}), 202).await;
    for command in opened.body["commands"].as_array().unwrap() {
        server.committed(clerk, command["commandId"].as_str().unwrap()).await;
    }
    (on_ledger(ada).await, on_ledger(bob).await)
}

/// Somebody whose account has just been opened.
async fn on_ledger(person: Person) -> Account {
    let profile = person.client.get(&v1("/users/profile"), 200).await;
    assert_eq!(profile.str("status"), "ACTIVE");
    let account = Account { ledger_id: profile.str("userId").parse().unwrap(), person };
    assert_eq!(account.balance().await, "500.00");
    account
}

/// A suspicion, and that there was nothing in it.
async fn freezes_and_unfreezes(owner: &Client, ada: &Account, bob: &Account) {
    let path = v1(&format!("/admin/users/{}/freeze", bob.person.id));
    let why = json!({ "reason": "SUSPICIOUS_ACTIVITY", "notes": "Case 7" });
    done(owner, &path, why).await;
    let frozen = owner.get(&v1("/admin/users/frozen"), 200).await;
    assert_eq!(frozen.body["users"][0]["frozenReasons"], json!(["SUSPICIOUS_ACTIVITY"]));
    let refused = bob.person.client.get(&v1("/users/profile"), 403).await;
    assert_eq!(refused.str("code"), "account_frozen");
    let payment = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let paid = ada.person.client.settle(&v1("/transfers"), payment.clone()).await;
    assert_eq!(paid.outcome(), "counterparty_frozen");
    done(owner, &path.replace("freeze", "unfreeze"), json!({})).await;
    done(&ada.person.client, &v1("/transfers"), payment).await;
    assert_eq!(bob.balance().await, "502.00");
}

/// What is off the ledger takes four eyes as well: the clerk asks, the owner decides.
async fn closes_an_account(server: &Server, owner: &Client, clerk: &Client) {
    let eve = server.register("eve", "DE").await;
    let asked = ask(clerk, close(&eve.id)).await;
    let at = |verb: &str| v1(&format!("/admin/approvals/{asked}/{verb}"));
    clerk.post(&at("vote"), approve(), 403).await;
    owner.post(&at("vote"), approve(), 200).await;
    owner.post(&at("execute"), json!({}), 200).await;
    let out = eve.client.get(&v1("/users/profile"), 403).await;
    assert_eq!(out.str("code"), "account_closed");
}

/// A ministry of two comes to govern its country's treasury.
async fn opens_a_treasury(owner: &Client, deputy: &Client, ministers: [&Account; 2]) -> String {
    let body = json!({
        "name": "Ministry of Examples", "countryCode": "DE",
        "stakeholders": ministers.map(|one| one.ledger_id),
    });
    let proposed = decide_together(owner, deputy, "/admin/organizations", body).await;
    let id = proposed["organizationId"].as_str().unwrap().to_owned();
    let at = |rest: &str| v1(&format!("/organizations/{}{rest}", id.replace(' ', "%20")));
    for one in ministers {
        done(&one.person.client, &at("/endorse"), json!({})).await;
    }
    done(&ministers[0].person.client, &at("/activate"), json!({})).await;
    let treasury = json!({ "countryCode": "DE", "organizationId": id });
    decide_together(owner, deputy, "/admin/treasury/activate", treasury).await;
    let seen = owner.get(&at(""), 200).await;
    assert_eq!(seen.body["treasuries"][0]["countryCode"], "DE", "{}", seen.text);
    id
}

/// A week later it pays, by both ministers.
async fn a_treasury_pays(ministry: &str, [ada, bob]: [&Account; 2]) {
    let path = v1(&format!("/organizations/{}/transactions", ministry.replace(' ', "%20")));
    let grant = json!({
        "toUserId": bob.ledger_id, "amount": "1.00", "treasuryCountryCode": "DE",
    });
    let asked = done(&ada.person.client, &path, grant).await;
    let approve = format!("/transactions/{}/approve", asked["pendingTxId"].as_str().unwrap());
    done(&bob.person.client, &v1(&approve), json!({})).await;
    assert_eq!(bob.balance().await, "503.00");
    let left = bob.person.client.get(&v1("/treasury/DE/balance"), 200).await;
    assert_eq!(left.str("balance"), "99.00");
}

async fn voting_days(owner: &Client) -> Value {
    let all = owner.get(&v1("/admin/parameters"), 200).await;
    let all = all.body.as_array().unwrap();
    all.iter().find(|one| one["paramId"] == "votingDays").unwrap()["value"].clone()
}

/// A command that no ledger can carry out: sent again, and when that does not help, discarded.
async fn clears_the_outbox(server: &Server, owner: &Client) {
    let dead = dead_command(server, owner).await;
    let list = owner.get(&v1("/admin/outbox?state=DEAD"), 200).await;
    assert_eq!(list.body["data"][0]["commandId"], dead.as_str());
    let at = |verb: &str| v1(&format!("/admin/outbox/{dead}/{verb}"));
    let because = || json!({ "reason": "Looked into by the office" });
    owner.post(&at("requeue"), because(), 200).await;
    assert_eq!(server.settled(owner, &dead).await, "dead");
    owner.post(&at("discard"), because(), 200).await;
    let told = owner.get(&v1(&format!("/commands/{dead}")), 200).await;
    assert!(told.str("message").contains("discarded"), "{}", told.text);
}

/// Who did what, in which order: a chain that whoever has the file can follow.
async fn exports_the_log(owner: &Client) {
    let file = owner.get(&v1("/admin/audit-logs/export?format=jsonl"), 200).await;
    let rows: Vec<Value> =
        file.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Newest first.
    let follows = |pair: &[Value]| pair[0]["previousHash"] == pair[1]["eventHash"];
    assert!(rows.windows(2).all(follows), "{}", file.text);
    let is_there = |actor: &str, action: &str| {
        rows.iter().any(|r| r["actor"] == actor && r["action"] == action)
    };
    for (actor, action) in [
        ("admin:superowner", "admin.mfa.enable"),
        ("admin:superowner", "AdminContract:BootstrapSystem"),
        ("admin:superowner", "admin.create"),
        ("admin:clerk", "user.deny"),
        ("admin:clerk", "user.approve"),
        ("admin:superowner", "TokenomicsContract:FreezeWallet"),
        ("admin:superowner", "TokenomicsContract:UnfreezeWallet"),
        ("admin:clerk", "approval.create"),
        ("admin:superowner", "approval.execute"),
        ("admin:superowner", "AdminContract:UpdateSystemParameter"),
        ("admin:deputy", "AdminContract:ApproveAction"),
    ] {
        assert!(is_there(actor, action), "{actor} {action}");
    }
}

/// All sessions end, this one as well.
async fn goes_home(owner: &Client) {
    let sessions = owner.get(&v1("/admin/auth/sessions"), 200).await;
    assert_eq!(sessions.body["sessions"][0]["isCurrent"], true, "{}", sessions.text);
    owner.post(&v1("/admin/auth/logout-all"), json!({}), 200).await;
    owner.get(&v1("/admin/auth/profile"), 401).await;
}

#[tokio::test]
async fn administrators_let_people_in_decide_together_and_are_accountable() {
    let server = Server::start().await;
    let owner = logs_in_with_a_code(&server).await;
    founds(&owner).await;
    let clerk = hires(&server, &owner, "clerk", "MODERATOR").await;
    let deputy = hires(&server, &owner, "deputy", "SUPER_OWNER").await;
    let office = json!({ "level": "SUPER_ADMIN", "userId": null });
    done(&owner, &v1("/admin/admins/deputy/appoint"), office).await;
    let (ada, bob) = works_through_the_queue(&server, &clerk).await;
    freezes_and_unfreezes(&owner, &ada, &bob).await;
    closes_an_account(&server, &owner, &clerk).await;
    let change = json!({ "paramId": "votingDays", "newValue": "21" });
    decide_together(&owner, &deputy, "/admin/parameters", change).await;
    assert_eq!(voting_days(&owner).await, "14", "not before a week");
    let ministry = opens_a_treasury(&owner, &deputy, [&ada, &bob]).await;
    server.pass_days(8);
    a_treasury_pays(&ministry, [&ada, &bob]).await;
    assert_eq!(voting_days(&owner).await, "21");
    let grant = json!({ "userId": ada.ledger_id, "amount": "5", "purpose": "A well" });
    let path = "/admin/pools/SYSTEM_CHARITABLE_POOL/disburse";
    decide_together(&owner, &deputy, path, grant).await;
    clears_the_outbox(&server, &owner).await;
    exports_the_log(&owner).await;
    goes_home(&owner).await;
    ending::check(&server, &deputy, &[&ada, &bob], &[&ministry]).await;
}
