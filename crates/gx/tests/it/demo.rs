//! The demo on a temporary platform, and on one that runs already.

use crate::place::Place;

fn figures(out: &str) -> serde_json::Value {
    serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn every_figure_agrees_on_a_temporary_platform() {
    let place = Place::new();
    let run = place.run(&["demo", "--users", "240", "--transfers", "400", "--json"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let report = figures(&run.out);
    assert_eq!(report["ok"], true, "{report}");
    let platform = serde_json::json!({
        "network": "devnet", "ledger": "embedded", "database": "sqlite",
    });
    assert_eq!(report["platform"], platform);
    assert_eq!(report["verified"]["findings"], serde_json::json!([]));
    assert!(report["verified"]["transfers"].as_u64().unwrap() > 350, "{report}");
    let left = std::fs::read_dir(place.path()).unwrap().count();
    assert_eq!(left, 0, "the temporary platform is gone");
}

#[tokio::test]
async fn it_runs_again_and_again_on_a_running_platform() {
    let place = Place::new();
    let child = place.start();
    let (_, once) = child.first.clone().unwrap();
    let demo = ["demo", "--users", "234", "--transfers", "100", "--json", "--url", &child.url];
    let password = |password: &str| place.run_with(&demo, &[("GX_ADMIN_PASSWORD", password)]);

    password(&once).failed(&["superowner still has the one-time password"]);
    let replaced = crate::repeat::replace_password(&child.url, &once).await;
    password("wrong").failed(&["login of the admin", "401"]);
    for seed in ["1", "1", "2"] {
        let mut args = demo.to_vec();
        args.extend(["--seed", seed]);
        let run = place.run_with(&args, &[("GX_ADMIN_PASSWORD", &replaced)]);
        assert_eq!(run.status, Some(0), "{run:?}");
        assert_eq!(figures(&run.out)["ok"], true);
    }
    assert!(child.stop().unwrap().success());
    let figures = place.verified();
    assert_eq!(figures["accounts"], 6 + 234 + 3 * 234);
}

#[test]
fn it_runs_on_what_is_configured_and_says_so() {
    let database = gx_pg::shared().unwrap().fresh_database().unwrap();
    let place = Place::with(vec![
        ("DATABASE_URL".to_owned(), database.url()),
        ("GX_HTTP__PORT".to_owned(), "0".to_owned()),
    ]);
    let demo = ["demo", "--users", "234", "--transfers", "50", "--configured", "--data", "data"];
    let run = place.run(&demo);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.out.contains("on devnet: ledger embedded, database postgres"), "{run:?}");
    assert_eq!(place.verified()["accounts"], 6 + 234 + 234, "what it did stays");
    place.run(&demo).failed(&["GX_ADMIN_PASSWORD"]);
    place
        .run_with(&demo, &[("GX_NETWORK", "mainnet"), ("GX_AUTH__ARGON2_MEMORY_KIB", "19456")])
        .failed(&["mainnet"]);
}
