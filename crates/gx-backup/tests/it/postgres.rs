//! PostgreSQL: a dump of the primary, restored into an empty database with every row.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use gx_backup::Repo;

use crate::place::{Place, Running};

#[test]
fn a_dump_is_taken_and_restored_with_every_row() {
    let server = gx_pg::shared().unwrap();
    let database = server.fresh_database().unwrap();
    let mut place = Place::new();
    place.database = Some(database.url().parse().unwrap());
    let (plan, platform) = (place.plan(), place.platform("data"));
    let mut running = place.fill(4);
    Repo::init(&plan).unwrap();
    let gate = gx_backup::Gate::open(&platform.ledger.clone().unwrap().0, running.ledger.clone());
    let gate = gate.unwrap();
    let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let heights = ran.manifest.heights;
    assert_eq!((heights.database_from, heights.database_to, heights.ledger), (6, 6, 6));
    assert_eq!(ran.manifest.parts[0].rows["outbox"], 6);
    running.register(4, 2);
    drop(gate);
    running.stop();
    // Into the same database it is refused; into an empty one it goes, and the ledger beside it.
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let only = ["database".to_owned()];
    let refused = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    assert!(!refused.to_string().contains("gx:"), "{refused}");
    let empty = server.fresh_database().unwrap();
    place.database = Some(empty.url().parse().unwrap());
    let other = place.platform("other");
    let restored = gx_backup::restore(&plan, &repo, &backup, &other, &[]).unwrap();
    assert_eq!((restored.database_block, restored.ledger_block), (Some(6), Some(6)));
    let mut running = Running::start(&other);
    running.register(4, 1);
    running.stop();
}

/// A `pg_dump` that says it was successful and was not.
#[test]
fn a_dump_that_ends_early_or_is_empty_fails_the_run() {
    let server = gx_pg::shared().unwrap();
    let database = server.fresh_database().unwrap();
    let mut place = Place::new();
    place.database = Some(database.url().parse().unwrap());
    place.fill(1).stop();
    fs::create_dir_all(place.path("programs")).unwrap();
    let programs = place.path("programs");
    place.settings(&format!("[postgres]\nprograms = \"{}\"\n", programs.display()));
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    let found = server.program("pg_dump").unwrap();
    let real = found.display();
    for (script, expected) in [
        ("exit 0".to_owned(), "fewer than 50000"),
        (format!("{real} \"$@\" | head -c 60000"), "lacks the table"),
        (format!("{real} \"$@\" | grep -v 'database dump complete'"), "end mark"),
        (
            format!("{real} \"$@\" | head -c 70000; echo 'server closed' >&2; exit 1"),
            "server closed",
        ),
    ] {
        let program = programs.join("pg_dump");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let failed = gx_backup::run(&plan, &platform, &|_| ()).unwrap_err().to_string();
        assert!(failed.starts_with("database was not captured"), "{failed}");
        assert!(failed.contains(expected), "{expected}: {failed}");
    }
    assert!(Repo::open(&plan).unwrap().backup("latest").is_err());
}

/// The server goes away while it is dumped, as it does when another one takes over.
#[test]
fn a_server_that_fails_in_the_middle_of_a_dump_costs_that_run_alone() {
    let mut cluster = gx_pg::Cluster::start(gx_pg::Options::default()).unwrap();
    cluster.create_database("gx").unwrap();
    let mut place = Place::new();
    place.database = Some(cluster.url("gx").parse().unwrap());
    let platform = place.platform("data");
    place.fill(1).stop();
    Repo::init(&place.plan()).unwrap();
    let first = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap().manifest.id;
    let programs = place.path("programs");
    fs::create_dir_all(&programs).unwrap();
    let real = cluster.server().program("pg_dump").unwrap();
    let data = cluster.sql("gx", "SHOW data_directory").unwrap();
    // The view is there that the dump was to share, and then nobody who holds it.
    let script = format!(
        "#!/bin/sh\nkill -QUIT $(head -1 {}/postmaster.pid)\n\
         while kill -0 $(head -1 {}/postmaster.pid) 2>/dev/null; do :; done\nexec {} \"$@\"\n",
        data.trim(),
        data.trim(),
        real.display()
    );
    fs::write(programs.join("pg_dump"), script).unwrap();
    fs::set_permissions(programs.join("pg_dump"), fs::Permissions::from_mode(0o755)).unwrap();
    place.settings(&format!("[postgres]\nprograms = \"{}\"\n", programs.display()));
    let failed = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err().to_string();
    assert!(failed.starts_with("database was not captured"), "{failed}");
    place.settings("");
    cluster.restart().unwrap();
    let plan = place.plan();
    assert_eq!(Repo::open(&plan).unwrap().backup("latest").unwrap().manifest.id, first);
    let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    assert_eq!(gx_backup::verify(&plan, "latest").unwrap(), (ran, vec![]));
}
