//! A life on a platform, from the registration on, by the client alone.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::{PASSWORD, Town};
use crate::place::GX;

#[test]
fn people_register_are_approved_and_pay_each_other() {
    let town = Town::new();
    let (root, url) = (town.person("root"), town.platform.url.clone());
    let (ada, id) = town.registered("ada", "DE");
    let waiting = root.done(&["admin", "users", "--status", "PENDING_ADMIN_APPROVAL"]);
    assert_eq!(waiting["users"][0]["id"], id.as_str());
    let table = root.run(&["admin", "users", "--search", "ada"]);
    assert!(table.out.starts_with("USER ") && table.out.contains("ada@example.org"), "{table:?}");
    let opened = root.done(&["admin", "approve", &id, "--notes", "Seen in person"]);
    assert_eq!(opened["opened"][0]["status"], "committed", "{opened}");
    ada.login();
    let me = ada.done(&["whoami"]);
    assert_eq!((me["status"].as_str(), me["server"].as_str()), (Some("ACTIVE"), Some(&*url)));
    assert_eq!(ada.balance(), "500.00");

    let (bob, bobs) = town.resident("bob", "FR");
    let send = ["send", &bobs, "25", "--remark", "for lunch"];
    let asked = ada.run(&send);
    asked.ended(2, &["Pay 25.00 GX to ", "The fee is ", "--yes"]);
    assert_eq!(ada.balance(), "500.00", "nothing is paid without a yes");
    let paid = ada.run(&[&send[..], &["--yes"]].concat());
    assert_eq!(paid.status, Some(0), "{paid:?}");
    assert!(paid.err.contains(" is accepted") && paid.out.contains("committed"), "{paid:?}");
    let command = paid.out.lines().find_map(|line| line.strip_prefix("command")).unwrap().trim();
    assert_eq!(ada.done(&["command", command])["status"], "committed");
    let refused = ada.run(&["command", &later_refused(&ada, &bobs)]);
    refused.ended(1, &["error: insufficient_balance: ", " GX, needed "]);
    assert!(refused.out.contains("refused"), "{refused:?}");
    bob.run(&["command", command]).refused("not_found");
    assert_eq!(bob.balance(), "525.00");

    let history = bob.done(&["history", "--type", "RECEIVED"]);
    assert_eq!(history["data"][0]["description"], "for lunch");
    let history = ada.run(&["history", "--limit", "1"]);
    assert!(history.out.starts_with("TIME") && history.err.contains("--cursor "), "{history:?}");
    let table = ada.run(&["history", "--csv"]);
    assert!(table.out.lines().count() > 2 && table.out.contains("for lunch"), "{table:?}");
    let short = ada.run(&["send", &bobs, "5000", "--yes"]);
    short.refused("insufficient_balance");
    assert!(short.err.contains(" GX") && !short.err.contains(" Q"), "in coins: {short:?}");
    let told = ada.run(&["send", &bobs, "5000", "--yes", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.err).unwrap();
    assert_eq!(told["error"]["code"], "insufficient_balance");
    assert_eq!(told["error"]["exitStatus"], 1);
    assert!(told["error"]["message"].as_str().unwrap().contains(" Q"), "{told}");
    let account = me["userId"].as_str().unwrap();
    let before = ada.balance();
    root.settled(&["admin", "genesis", account, "--yes"], "commandId");
    assert_eq!(ada.balance(), before, "nobody has genesis twice");

    let freeze = ["admin", "freeze", &id, "--reason", "compliance-review"];
    root.run(&freeze).ended(2, &["Freeze the account", "--yes"]);
    root.settled(&[&freeze[..], &["--yes"]].concat(), "commandId");
    ada.run(&["balance"]).refused("account_frozen");
    root.settled(&["admin", "unfreeze", &id], "commandId");
    ada.login();
    assert_eq!(ada.done(&["balance"])["frozenAmount"], "0.00");
    let denied = town.registered("eve", "DE").1;
    let deny = ["admin", "deny", &denied, "--reason", "The document cannot be read"];
    assert_eq!(root.done(&deny)["status"], "DENIED");
    assert!(town.platform.stop().unwrap().success());
    town.place.verified();
}

/// Id of a payment that no quote has kept from the ledger, which refuses it: what is repeated
/// under a key is given without a quote.
fn later_refused(person: &super::Person<'_>, to: &str) -> String {
    let send = ["send", to, "5000", "--yes", "--json", "--idempotency-key", "too-much-by-far"];
    person.run(&send).ended(1, &["insufficient_balance"]);
    let account = person.done(&["whoami"])["userId"].as_str().unwrap().to_owned();
    let actor = format!("user:{account}");
    let derive = ["key", "command-id", "--actor", &actor, "--idempotency-key", "too-much-by-far"];
    person.run(&derive).out.trim().to_owned()
}

#[test]
fn administrators_look_after_the_system() {
    let town = Town::new();
    let root = town.person("root");
    assert_eq!(root.done(&["admin", "status"])["status"], "ACTIVE");
    assert_eq!(root.done(&["admin", "whoami"])["username"], "superowner");
    root.run(&["admin", "pause", "--reason", "Maintenance"]).ended(2, &["--yes"]);
    root.settled(&["admin", "pause", "--reason", "Maintenance", "--yes"], "commandId");
    assert_eq!(root.done(&["admin", "status"])["isPaused"], true);
    root.settled(&["admin", "resume"], "commandId");
    let parameters = root.run(&["admin", "parameters", "list"]);
    assert!(parameters.out.contains("votingDays"), "{parameters:?}");
    let set = ["admin", "parameters", "set", "votingDays", "21", "--yes"];
    let action = root.settled(&set, "actionId");
    let actions = root.done(&["admin", "actions", "list"]);
    assert_eq!(actions["data"][0]["actionId"], action.as_str());
    root.run(&["admin", "actions", "approve", &action, "--yes"]).ended(1, &["error: "]);
    root.settled(&["admin", "actions", "withdraw", &action], "commandId");
    let shown = root.done(&["admin", "actions", "show", &action]);
    assert_eq!(shown["status"], "WITHDRAWN");
    assert_eq!(root.done(&["admin", "outbox", "list"])["data"], serde_json::json!([]));
    let log = root.done(&["admin", "audit", "--action", "admin.login"]);
    assert!(!log["data"].as_array().unwrap().is_empty(), "{log}");
    assert_eq!(root.run(&["admin", "logout"]).status, Some(0));
    root.run(&["admin", "status"]).ended(4, &["gx admin login"]);
}

#[test]
fn organizations_loans_and_votes_are_a_command_away() {
    let town = Town::new();
    let root = town.person("root");
    let (ada, adas) = town.resident("ada", "DE");
    let (bob, bobs) = town.resident("bob", "DE");
    let (eve, eves) = town.resident("eve", "DE");
    let propose =
        ["org", "propose", "Example Works", "--stakeholder", &adas, "--stakeholder", &bobs];
    let works = ada.settled(&propose, "organizationId");
    let again =
        ["org", "propose", " example  WORKS", "--stakeholder", &adas, "--stakeholder", &bobs];
    ada.run(&again).ended(2, &["of this name already", "Example Works", &works, "--yes"]);
    ada.run(&["org", "activate", &works]).refused("endorsements_missing");
    ada.settled(&["org", "endorse", &works], "commandId");
    bob.settled(&["org", "endorse", &works], "commandId");
    eve.run(&["org", "endorse", &works]).refused("not_stakeholder");
    ada.settled(&["org", "activate", &works], "commandId");
    ada.settled(&["send", &works, "100", "--yes"], "commandId");
    assert_eq!(ada.done(&["org", "list"])["data"][0]["status"], "ACTIVE");
    let shown = bob.run(&["org", "show", &works]);
    assert!(shown.out.contains("Example Works") && shown.out.contains("100.00"), "{shown:?}");

    let pay = ["org", "pay", &works, &eves, "10", "--remark", "rent"];
    ada.run(&pay).ended(2, &["once enough have approved it", "--yes"]);
    let payment = ada.settled(&[&pay[..], &["--yes"]].concat(), "pendingTxId");
    assert_eq!(bob.done(&["org", "pending"])["data"][0]["pendingTxId"], payment.as_str());
    assert_eq!(ada.done(&["org", "pending", &works])["data"][0]["remark"], "rent");
    bob.run(&["org", "approve", &payment]).ended(2, &["10.00 GX are paid to", "--yes"]);
    assert_eq!(eve.balance(), "500.00");
    bob.settled(&["org", "approve", &payment, "--yes"], "commandId");
    assert_eq!(eve.balance(), "510.00", "made when both have approved");

    let apply =
        ["loan", "apply", "100", "--days", "90", "--purpose", "A kiln", "--collateral", "It"];
    eve.run(&apply).refused("account_too_young");
    let eligible = eve.run(&["loan", "eligibility"]);
    assert!(eligible.out.contains("account_too_young"), "{eligible:?}");
    assert_eq!(eve.done(&["loan", "list"])["data"], serde_json::json!([]));
    assert_eq!(root.done(&["admin", "loan", "list"])["data"], serde_json::json!([]));
    eve.run(&["loan", "repay", "LOAN_1", "5"]).ended(2, &["--yes"]);

    let title = "Three weeks to vote";
    let propose = ["admin", "propose", "votingDays", "21", "--title", title];
    let proposal = root.settled(&propose, "proposalId");
    assert_eq!(eve.done(&["vote", "list"])["data"][0]["title"], title);
    let shown = eve.run(&["vote", "show", &proposal]);
    assert!(shown.out.contains("votingDays") && shown.out.contains("ACTIVE"), "{shown:?}");
    eve.run(&["vote", "cast", &proposal, "for"]).refused("account_too_young");
    root.run(&["admin", "draw", &proposal]).refused("voting_not_ended");
}

#[test]
fn a_key_signs_every_command() {
    let town = Town::new();
    let (ada, _) = town.resident("ada", "DE");
    let (_, bobs) = town.resident("bob", "DE");
    for file in ["first.key", "second.key"] {
        let made = ada.run(&["key", "generate", file]);
        assert_eq!(made.status, Some(0), "{made:?}");
    }
    let send = ["send", &bobs, "1", "--yes"];
    let early = [&send[..], &["--key", "first.key"]].concat();
    ada.run(&early).ended(1, &["signature_unexpected", "has no key"]);
    ada.run(&["key", "rotate", "first.key", "--yes"]).refused("key_missing");
    ada.run(&["key", "register", "first.key"]).ended(2, &["--yes"]);
    ada.settled(&["key", "register", "first.key", "--yes"], "commandId");
    let shown = ada.run(&["key", "show", "first.key"]);
    let first = shown.out.trim().to_owned();
    assert_eq!(ada.done(&["key", "current"])["publicKey"], first.as_str());
    ada.run(&["key", "new", "first.key"]).failed(&["first.key holds a key already", &first]);
    ada.run(&["key", "register", "first.key", "--yes"]).refused("key_unchanged");
    let other = ada.run(&["key", "register", "second.key", "--yes"]);
    other.ended(1, &["error: key_exists: ", &first, "gx key rotate"]);
    ada.run(&send).ended(1, &["signature_missing", "--key FILE"]);
    let signed = ada.run(&early);
    assert_eq!(signed.status, Some(0), "{signed:?}");
    assert!(signed.err.contains("signing TokenomicsContract:Transfer {"), "{signed:?}");
    let wrong = ada.run(&[&send[..], &["--key", "second.key"]].concat());
    wrong.ended(1, &["signature_wrong", "second.key holds the key", &first]);
    assert!(!wrong.err.contains("signing "), "nothing is signed with it: {wrong:?}");
    let rotate = ["key", "rotate", "second.key", "--key", "first.key", "--yes"];
    ada.settled(&rotate, "commandId");
    ada.settled(&[&send[..], &["--key", "second.key"]].concat(), "commandId");
}

/// Runs a command on a terminal: answers what comes after a prompt, and returns everything that
/// was shown.
fn on_a_terminal(
    person: &super::Person<'_>,
    line: &str,
    prompt: &str,
    answer: &str,
) -> (i32, String) {
    let like = person.command(&[]);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", line, "/dev/null"]);
    script.env_clear().current_dir(person.town.place.path()).env("PATH", "/usr/bin:/bin");
    script.envs(like.get_envs().filter_map(|(name, text)| Some((name, text?))));
    let mut process = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
    let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&shown).contains(prompt) {
        let count = output.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&buffer[..count]);
    }
    input.write_all(answer.as_bytes()).unwrap();
    output.read_to_end(&mut shown).unwrap();
    drop(input);
    let status = process.wait().unwrap().code().unwrap();
    (status, String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn a_terminal_is_asked() {
    let town = Town::new();
    let (ada, _) = town.resident("ada", "DE");
    let (_, bobs) = town.resident("bob", "DE");
    let send = format!("{GX} send '{bobs}' 10");
    let (status, shown) = on_a_terminal(&ada, &send, "Go on? [y/N] ", "n\n");
    assert_eq!(status, 1, "{shown}");
    assert!(shown.contains("Pay 10.00 GX to ") && shown.contains("nothing was done"), "{shown}");
    assert_eq!(ada.balance(), "500.00");
    let (status, shown) = on_a_terminal(&ada, &send, "Go on? [y/N] ", "y\n");
    assert_eq!(status, 0, "{shown}");
    assert_ne!(ada.balance(), "500.00");
    assert_eq!(ada.run(&["logout"]).status, Some(0));
    let login = format!("{GX} login {}", ada.email());
    let (status, shown) = on_a_terminal(&ada, &login, "password: ", &format!("{PASSWORD}\n"));
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains(PASSWORD), "there is no echo: {shown}");
    ada.run(&["whoami"]).ended(0, &[]);
}

#[test]
fn a_request_is_paid_by_its_code() {
    let town = Town::new();
    let (ada, _) = town.resident("ada", "DE");
    let (bob, _) = town.resident("bob", "DE");
    let made = ada.run(&["request", "12.50", "--for", "Two coffees"]);
    assert_eq!(made.status, Some(0), "{made:?}");
    assert!(made.out.contains('█'), "a picture for phones: {}", made.out);
    let made = ada.done(&["request", "12.50", "--for", "Two coffees"]);
    let code = made["requestCode"].as_str().unwrap();
    let asked = bob.run(&["pay", code]);
    asked.ended(2, &["Pay 12.50 GX to ada Example", "Two coffees", "--yes"]);
    bob.settled(&["pay", code, "--yes"], "commandId");
    assert_eq!(ada.balance(), "512.50");
    bob.run(&["pay", code, "--yes"]).refused("qsend_paid");
}
