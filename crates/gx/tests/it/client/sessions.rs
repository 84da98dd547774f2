//! Sessions: refreshed by whoever comes first, kept for their owner, over when they are over.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use data_encoding::BASE32_NOPAD;
use gx_workbench::client::{Ask, Client};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;

use super::{PASSWORD, Person, Town};
use crate::place::Run;

/// Has a session's access token be one that the platform takes no more.
fn spoil(person: &Person<'_>, field: &str) {
    let path = person.session("user");
    let mut session: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    session[field] = "expired".into();
    fs::write(&path, session.to_string()).unwrap();
}

#[test]
fn an_expired_token_is_replaced_once_for_all() {
    let town = Town::new();
    let (ada, _) = town.resident("ada", "DE");
    for _ in 0..3 {
        spoil(&ada, "accessToken");
        let start = |_| {
            let mut command = ada.command(&["balance", "--json"]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let clients: Vec<_> = (0..6).map(start).collect();
        for client in clients {
            let run: Run = client.wait_with_output().unwrap().into();
            assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{run:?}");
        }
    }
    let log = town.person("root").done(&["admin", "audit", "--action", "session.refresh"]);
    assert_eq!(log["data"].as_array().unwrap().len(), 3, "one of six refreshes: {log}");

    spoil(&ada, "accessToken");
    spoil(&ada, "refreshToken");
    ada.run(&["balance"]).ended(4, &["the session has ended", "gx login"]);
    assert!(!ada.session("user").exists(), "tokens that are good for nothing are forgotten");
    ada.run(&["balance"]).ended(4, &["nobody is logged in"]);
    ada.login();
    ada.run(&["balance"]).ended(0, &[]);
}

#[test]
fn tokens_are_for_their_owner_and_their_server() {
    let town = Town::new();
    let (ada, _) = town.registered("ada", "DE");
    ada.login();
    let path = ada.session("user");
    let mode = |mode| fs::Permissions::from_mode(mode);
    let folder = path.parent().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&path, mode(0o644)).unwrap();
    let run = ada.run(&["whoami"]);
    run.ended(1, &["others may read ", "user.json (mode 644)", "set mode 600"]);
    let kept = fs::read_to_string(&path).unwrap();
    let token = serde_json::from_str::<Value>(&kept).unwrap()["accessToken"].clone();
    assert!(!format!("{run:?}").contains(token.as_str().unwrap()));
    fs::set_permissions(&path, mode(0o600)).unwrap();
    fs::set_permissions(folder, mode(0o755)).unwrap();
    ada.run(&["whoami"]).ended(1, &["mode 755", "set mode 700"]);
    fs::set_permissions(folder, mode(0o700)).unwrap();
    ada.run(&["whoami"]).ended(0, &[]);

    let elsewhere = Person { server: Some("http://127.0.0.1:1"), ..ada };
    elsewhere.run(&["whoami"]).ended(2, &["is logged in on ", "another --profile"]);
    assert_eq!(ada.run(&["logout"]).status, Some(0));
    assert!(!path.exists());
    ada.run(&["whoami"]).ended(4, &["gx login"]);
    ada.run(&["logout"]).ended(4, &[]);
}

/// The code that a device shows now.
fn code(secret: &str) -> String {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(now / 30).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap());
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

#[tokio::test]
async fn a_second_factor_is_asked_for_when_there_is_one() {
    let town = Town::new();
    let (ada, _) = town.registered("ada", "DE");
    ada.login();
    let session = fs::read_to_string(ada.session("user")).unwrap();
    let session: Value = serde_json::from_str(&session).unwrap();
    let mut client = Client::new(town.platform.url.parse().unwrap());
    let mut post = async |body: Value| {
        let token = session["accessToken"].as_str().unwrap();
        let ask = Ask::post("/api/v1/auth/mfa", &body).token(token);
        client.send(ask).await.unwrap().json::<Value>().unwrap()
    };
    let secret = post(json!({})).await["secret"].as_str().unwrap().to_owned();
    let enabled = post(json!({ "code": code(&secret) })).await;
    let recovery = enabled["recoveryCodes"][0].as_str().unwrap();

    let email = ada.email();
    let login = ["login", &email, "--password-file", "-"];
    let run = ada.says(&login, &format!("{PASSWORD}\n"));
    run.ended(2, &["has no code of the second factor"]);
    ada.says(&login, &format!("{PASSWORD}\n000000\n")).refused("mfa_invalid");
    let run = ada.says(&login, &format!("{PASSWORD}\n{recovery}\n"));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(!format!("{run:?}").contains(recovery), "{run:?}");
    ada.run(&["whoami"]).ended(0, &[]);
}
