//! What backups ask of a database, on both engines.

use gx_store::{Engine, backup};

use crate::backend::{Backend, run};

#[test]
fn a_database_tells_its_tables_and_rows_and_that_it_is_the_primary() {
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let empty = Backend::empty(engine).await;
            assert_eq!(backup::tables(&empty.store).await.unwrap(), Vec::<String>::new());
            let backend = Backend::migrated(engine).await;
            let rows = backup::rows(&backend.store).await.unwrap();
            assert_eq!((rows["network"], rows["outbox"]), (1, 0), "{engine:?}");
            assert!(rows["schema_migrations"] > 10);
            let mut tables = backup::tables(&backend.store).await.unwrap();
            tables.sort();
            assert_eq!(tables, rows.into_keys().collect::<Vec<_>>());
            assert!(!backup::is_replica(&backend.store).await.unwrap());
            assert_eq!(backup::damage(&backend.store).await.unwrap(), None);
        }
    });
}

#[test]
fn a_view_of_postgres_has_a_name_and_one_of_sqlite_has_none() {
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let backend = Backend::migrated(engine).await;
            let mut snapshot = backend.store.snapshot().await.unwrap();
            let name = backup::share(&mut snapshot).await.unwrap();
            assert_eq!(name.is_some(), engine == Engine::Postgres);
        }
    });
}
