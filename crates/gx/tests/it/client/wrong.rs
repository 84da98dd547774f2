//! What the client refuses before it asks anybody, and what it says when nobody answers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::place::{Place, Run};

const ACCOUNT: &str = "SYSTEM_CHARITABLE_POOL";

fn run(place: &Place, args: &[&str]) -> Run {
    let home = place.path().join("home");
    place.run_with(args, &[("GX_HOME", home.to_str().unwrap())])
}

#[test]
fn wrong_usage_ends_with_two() {
    let place = Place::new();
    for (args, part) in [
        (&["send", ACCOUNT][..], "<AMOUNT>"),
        (&["send", "nobody", "1"], "invalid value 'nobody'"),
        (&["send", ACCOUNT, "1.0000001"], "invalid value '1.0000001'"),
        (&["send", ACCOUNT, "-5"], "unexpected argument"),
        (&["login", "ada@example.org", "--password", "x"], "unexpected argument '--password'"),
        (&["login", "ada@example.org"], "no terminal to ask for the password"),
        (&["balance", "--profile", "../ada"], "invalid value '../ada'"),
        (&["balance", "--server", "ftp://gx.example.org"], "https://gx.example.org expected"),
        (&["balance", "--server", "http://gx.example.org"], "--allow-http"),
        (&["request", "5", "--valid", "59"], "invalid value '59'"),
        (&["vote", "cast", "PROP_1", "perhaps"], "invalid value 'perhaps'"),
        (&["loan", "apply", "5", "--days", "9", "--purpose", "x"], "--collateral <TEXT>"),
        (&["admin", "freeze", "u", "--reason", "none"], "invalid value 'none'"),
        (&["send", ACCOUNT, "1", "--idempotency-key", "short"], "invalid value 'short'"),
        (&["completions", "tcsh"], "invalid value 'tcsh'"),
    ] {
        let run = run(&place, args);
        assert_eq!((run.status, run.out.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        assert!(run.err.contains(part), "{args:?}: {run:?}");
    }
    assert!(!place.path().join("home").exists(), "nothing is left behind");
}

#[test]
fn scripts_read_wrong_usage_as_json() {
    let place = Place::new();
    for (args, code, part) in [
        (&["send", ACCOUNT, "--json"][..], "arguments_invalid", "<AMOUNT>"),
        (&["send", "nobody", "1", "--json"], "arguments_invalid", "invalid value 'nobody'"),
        (&["org", "--json"], "arguments_invalid", "--json"),
        (&["login", "ada@example.org", "--json"], "usage", "--password-file"),
    ] {
        let run = run(&place, args);
        assert_eq!((run.status, run.out.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        let told: serde_json::Value = serde_json::from_str(&run.err).unwrap();
        let error = &told["error"];
        assert_eq!(
            (error["code"].as_str(), &error["exitStatus"]),
            (Some(code), &serde_json::json!(2))
        );
        assert!(error["message"].as_str().unwrap().contains(part), "{args:?}: {told}");
    }
    let help = run(&place, &["loan", "apply", "--help", "--json"]);
    assert_eq!((help.status, help.err.as_str()), (Some(0), ""), "{help:?}");
    for part in ["A loan needs collateral", "<--collateral <TEXT>|--collateral-hash <HASH>>"] {
        assert!(help.out.contains(part), "{part}: {}", help.out);
    }
}

#[test]
fn who_is_not_logged_in_is_told_so() {
    let place = Place::new();
    for args in [&["balance"][..], &["org", "list"], &["key", "current"], &["logout"]] {
        run(&place, args).ended(4, &["nobody is logged in", "gx login"]);
    }
    run(&place, &["admin", "users"]).ended(4, &["gx admin login"]);
    let told = run(&place, &["balance", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.err).unwrap();
    assert_eq!(told["error"]["code"], "not_logged_in");
    assert_eq!(told["error"]["exitStatus"], 4);
}

#[test]
fn a_server_that_is_away_is_named() {
    let place = Place::new();
    let password = place.path().join("password");
    fs::write(&password, "Sunny-day-7\n").unwrap();
    let login = ["login", "ada@example.org", "--password-file", "password"];
    let login = [&login[..], &["--server", "http://127.0.0.1:1"]].concat();
    run(&place, &login).ended(1, &["others may read password", "set mode 600"]);
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let away = run(&place, &login);
    away.ended(3, &["http://127.0.0.1:1 cannot be reached", "Connection refused"]);
    assert!(!away.err.contains("Sunny-day-7"), "{away:?}");
    fs::write(&password, "").unwrap();
    run(&place, &login).ended(2, &["has no password"]);
}

#[test]
fn shells_and_manuals_know_all_commands() {
    let place = Place::new();
    for (shell, part) in
        [("bash", "complete -F _gx"), ("zsh", "#compdef gx"), ("fish", "complete -c gx")]
    {
        let run = run(&place, &["completions", shell]);
        assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{shell}");
        assert!(run.out.contains(part) && run.out.contains("whoami"), "{shell}: {}", run.out);
    }
    let page = run(&place, &["man"]);
    assert!(page.out.contains(".TH gx 1") && page.out.contains("whoami"), "{}", page.out);
    let pages = run(&place, &["man", "pages"]);
    assert_eq!(pages.status, Some(0), "{pages:?}");
    for name in ["gx.1", "gx-send.1", "gx-org-pay.1", "gx-admin-approve.1"] {
        assert!(place.path().join("pages").join(name).exists(), "{name}: {pages:?}");
    }
    let failed = run(&place, &["man", "pages/gx.1/deeper"]);
    failed.failed(&["cannot write manual pages to pages/gx.1/deeper"]);
}
