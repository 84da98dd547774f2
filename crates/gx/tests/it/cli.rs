//! What the command line says of itself, and how it refuses what it does not know.

use crate::place::Place;

#[test]
fn the_help_is_the_recorded_one() {
    let run = Place::new().run(&["--help"]);
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    assert_eq!(run.out, include_str!("help.txt"), "as printed now:\n{}", run.out);
}

#[test]
fn wrong_usage_is_explained_and_ends_with_two() {
    let place = Place::new();
    for (args, part) in [
        (&["up", "--prot", "1"][..], "unexpected argument '--prot'"),
        (&["up", "--port", "http"], "invalid value 'http' for '--port <PORT>'"),
        (&["upp"], "unrecognized subcommand 'upp'"),
        (&[], "Usage: gx"),
        (&["serve", "--service", "identity,payroll"], "invalid value 'payroll'"),
        (&["demo", "--url", "https://gx.example.org"], "http://127.0.0.1:3000"),
        (&["bench", "contract", "--seconds", "0"], "invalid value '0'"),
        (&["ledger", "verify", "--key", "abc"], "64 lower-case hexadecimal digits"),
    ] {
        let run = place.run(args);
        assert_eq!(run.status, Some(2), "{args:?}: {run:?}");
        assert!(run.err.contains(part), "{args:?}: {run:?}");
        assert_eq!(run.out, "", "{args:?}");
    }
}

#[test]
fn settings_are_shown_without_secrets() {
    let place = Place::new();
    let secret = [("GX_DATABASE__PASSWORD", "hunter2-hunter2"), ("GX_ADMIN_PASSWORD", "hunter2")];
    let run = place.run_with(&["config", "--data", "elsewhere"], &secret);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.out.contains("data_dir = \"elsewhere\""), "{run:?}");
    assert!(run.out.contains("password = \"********\""), "{run:?}");
    assert!(run.out.contains("# digest "), "{run:?}");
    assert!(!run.out.contains("hunter2") && run.err.is_empty(), "{run:?}");
}

#[test]
fn the_api_description_is_printed_as_json() {
    let run = Place::new().run(&["openapi"]);
    let document: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/transfers"]["post"].is_object());
}

#[test]
fn the_version_names_the_schema() {
    let run = Place::new().run(&["version"]);
    assert!(run.out.starts_with("gx 0.1.0 (") && run.out.contains("schema version"), "{run:?}");
    // A commit of 40 digits in a clone, and words in sources that are none; a time in any case.
    let commit = run.out.split("git ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "outside a repository", "{run:?}");
    assert!(run.out.contains("built 20"), "{run:?}");
}

#[test]
fn the_demo_asks_for_what_it_needs() {
    let place = Place::new();
    let run = place.run(&["demo", "--url", "http://127.0.0.1:1"]);
    run.failed(&["GX_ADMIN_PASSWORD"]);
    let password = [("GX_ADMIN_PASSWORD", "hunter2-hunter2")];
    let run = place.run_with(&["demo", "--url", "http://127.0.0.1:1"], &password);
    run.failed(&["http://127.0.0.1:1/api/v1/admin/auth/login"]);
    assert!(!run.err.contains("hunter2"), "{run:?}");
    place.run(&["demo", "--users", "10"]).failed(&["--users 10", "at least 234"]);
}
