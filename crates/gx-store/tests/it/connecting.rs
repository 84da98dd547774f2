//! Connections: any password, and errors that say what is wrong without saying a secret.

use std::time::Duration;

use gx_store::{Class, Config, Engine, PostgresConfig, Secret, Store, lease};

use crate::backend::{Backend, NETWORK, TTL, eventually, run};

fn postgres(backend: &Backend) -> PostgresConfig {
    match backend.config() {
        Config::Postgres(config) => config.clone(),
        Config::Sqlite(_) => panic!("not PostgreSQL"),
    }
}

#[test]
fn any_printable_password_logs_in() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let printable: String = (' '..='~').collect();
        let role = format!("role_{}", backend.database().name());
        for password in [printable.as_str(), "p@ss:w/rd?#[1]", "100%41", "'\"\\", "pässwörd €"]
        {
            let quoted = password.replace('\'', "''");
            let database = backend.database().name();
            for text in [
                format!("DROP OWNED BY {role}"),
                format!("DROP ROLE {role}"),
                format!("CREATE ROLE {role} LOGIN PASSWORD '{quoted}'"),
                format!("GRANT ALL ON DATABASE {database} TO {role}"),
            ] {
                let done = backend.database().sql(&text);
                assert!(done.is_ok() || text.starts_with("DROP"), "{done:?}");
            }
            let parts = PostgresConfig {
                user: role.clone(),
                password: Some(Secret::new(password)),
                ..postgres(&backend)
            };
            let parts = Config::Postgres(parts);
            let url: Config = parts.to_url().reveal().parse().unwrap();
            for config in [&parts, &url] {
                Store::connect(config).await.unwrap().ping().await.unwrap();
            }
        }
        backend.database().sql(&format!("DROP OWNED BY {role}")).unwrap();
        backend.database().sql(&format!("DROP ROLE {role}")).unwrap();
    });
}

#[test]
fn what_is_wrong_is_classified() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let good = postgres(&backend);
        let wrong_password =
            PostgresConfig { password: Some(Secret::new("not the password")), ..good.clone() };
        let no_database = PostgresConfig { database: "nowhere".to_owned(), ..good.clone() };
        let no_server = PostgresConfig { port: 1, ..good.clone() };
        for (config, class) in [
            (wrong_password, Class::Auth),
            (no_database, Class::Schema),
            (no_server, Class::Unavailable),
        ] {
            let config = Config::Postgres(config);
            let error = Store::connect(&config).await.unwrap_err();
            assert_eq!(error.class(), class, "{error:?}");
            assert!(!format!("{error} {error:?}").contains("not the password"));
        }
        let missing = Config::sqlite("/nonexistent/folder/gx.sqlite");
        let error = Store::connect(&missing).await.unwrap_err();
        assert_eq!(error.class(), Class::Unavailable);
        assert_eq!(
            error.to_string(),
            "database: connecting to sqlite:/nonexistent/folder/gx.sqlite"
        );
    });
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    run(async {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("gx.sqlite");
        std::fs::write(&file, vec![b'x'; 8192]).unwrap();
        let error = Store::connect(&Config::sqlite(&file)).await.unwrap_err();
        assert_eq!(error.class(), Class::Corrupt, "{error:?}");
    });
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    run(async {
        let mut cluster = gx_pg::Cluster::start(gx_pg::Options::default()).unwrap();
        cluster.create_database("gx").unwrap();
        let mut config: PostgresConfig = match cluster.url("gx").parse().unwrap() {
            Config::Postgres(config) => config,
            Config::Sqlite(_) => unreachable!(),
        };
        config.acquire_timeout = Duration::from_millis(500);
        let store = Store::connect(&Config::Postgres(config)).await.unwrap();
        store.migrate(NETWORK).await.unwrap();
        cluster.kill().unwrap();
        let error = store.ping().await.unwrap_err();
        assert_eq!(error.class(), Class::Unavailable, "{error:?}");
        assert!(store.begin().await.unwrap_err().is_unavailable());
        cluster.restart().unwrap();
        eventually("an answer", || async { store.ping().await.is_ok() }).await;
        store.check(NETWORK).await.unwrap();
    });
}

#[test]
fn waiting_for_the_writer_ends_in_time() {
    run(async {
        let backend = Backend::migrated(Engine::Sqlite).await;
        let mut config = match backend.config() {
            Config::Sqlite(config) => config.clone(),
            Config::Postgres(_) => unreachable!(),
        };
        config.acquire_timeout = Duration::from_millis(100);
        let other = Store::connect(&Config::Sqlite(config)).await.unwrap();
        let held = backend.store.begin().await.unwrap();
        let error = other.begin().await.unwrap_err();
        assert_eq!(error.class(), Class::Unavailable, "{error:?}");
        held.rollback().await.unwrap();
        other.begin().await.unwrap().commit().await.unwrap();
    });
}

/// A request that is given up while its transaction begins leaves no connection inside one.
#[test]
fn a_caller_that_goes_away_leaves_no_transaction_open() {
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let backend = Backend::migrated(engine).await;
            for after_us in (0..2_000).step_by(20) {
                let moment = Duration::from_micros(after_us);
                let _ = tokio::time::timeout(moment, backend.store.snapshot()).await;
                let _ = tokio::time::timeout(moment, backend.store.begin()).await;
            }
            for _ in 0..50 {
                let taken = lease::acquire(&backend.store, "x", "me", TTL).await;
                assert!(taken.is_ok(), "{engine:?}: {taken:?}");
            }
        }
    });
}
