//! The schema comes to the same end on both engines, however it gets there.

use std::collections::BTreeMap;

use gx_store::{Class, Config, Engine, Error, SCHEMA_VERSION, Store};
use gx_types::NetworkId;

use crate::backend::{Backend, NETWORK, for_each_backend, run};

/// Tables that are made from blocks.
pub(crate) const READ_MODELS: &[&str] = &[
    "blocks",
    "transactions",
    "outcomes",
    "accounts",
    "balances",
    "entries",
    "entry_marks",
    "countries",
    "system",
    "projection",
    "relationships",
    "guardians",
    "recoveries",
    "recovery_guardians",
    "organizations",
    "organization_stakeholders",
    "pending_transactions",
    "pending_transaction_approvers",
    "loans",
    "loan_repayments",
    "proposals",
    "votes",
    "parameter_changes",
    "parameters",
    "tax_assessments",
    "tax_skips",
    "tax_periods",
    "treasuries",
    "disbursements",
    "ledger_admins",
    "pending_actions",
    "order_transfers",
    "parameter_schedules",
    "key_resets",
    "attesters",
];

/// Every table with its columns.
async fn tables(backend: &Backend) -> BTreeMap<String, Vec<String>> {
    let text = match backend.engine() {
        Engine::Sqlite => sqlite(
            backend,
            "SELECT m.name || '|' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid",
        ),
        Engine::Postgres => backend
            .database()
            .sql(
                "SELECT c.table_name, c.column_name FROM information_schema.columns c
                JOIN information_schema.tables t ON t.table_schema = c.table_schema
                    AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
                WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position",
            )
            .unwrap(),
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let (table, column) = line.split_once('|').unwrap();
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    tables
}

/// Runs SQL on the file with the driver alone, as a stranger would.
fn sqlite(backend: &Backend, text: &str) -> String {
    crate::raw::sqlite(&backend.file(), text)
}

#[test]
fn both_engines_have_the_same_tables_and_columns() {
    run(async {
        let sqlite = tables(&Backend::migrated(Engine::Sqlite).await).await;
        let postgres = tables(&Backend::migrated(Engine::Postgres).await).await;
        assert!(sqlite.contains_key("outbox") && sqlite.len() > 20, "{sqlite:?}");
        assert_eq!(sqlite, postgres);
    });
}

#[test]
fn migrating_again_changes_nothing() {
    for_each_backend(|backend| async move {
        let before = tables(&backend).await;
        let again = backend.store.migrate(NETWORK).await.unwrap();
        assert_eq!((again.ran.as_slice(), again.version), ([].as_slice(), SCHEMA_VERSION));
        assert_eq!(tables(&backend).await, before);
        backend.store.check(NETWORK).await.unwrap();
    });
}

#[test]
fn an_interrupted_migration_is_taken_up_again() {
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let whole = tables(&Backend::migrated(engine).await).await;
            // A migration that stops in the middle leaves nothing of itself: what a kill leaves is
            // the state after one of them, or before the first.
            for version in 0..SCHEMA_VERSION {
                let backend = Backend::migrated(engine).await;
                forget_from(&backend, version);
                let error = backend.store.check(NETWORK).await.unwrap_err();
                assert!(matches!(error, Error::SchemaVersion { found, expected }
                    if found == version && expected == SCHEMA_VERSION));
                let expected = usize::try_from(SCHEMA_VERSION - version).unwrap();
                let migrated = backend.store.migrate(NETWORK).await.unwrap();
                assert_eq!(migrated.ran.len(), expected);
                assert_eq!(tables(&backend).await, whole);
                backend.store.check(NETWORK).await.unwrap();
            }
        }
    });
}

/// Tables, by the migration that makes them.
const TABLES: [&[&str]; 27] = [
    &["outbox", "submission", "batches", "batch_ranges", "dead_commands", "leases"],
    &[
        "projection",
        "heartbeat",
        "blocks",
        "transactions",
        "outcomes",
        "accounts",
        "balances",
        "entries",
        "entry_marks",
        "countries",
        "system",
    ],
    &["users", "admins", "sessions", "refresh_tokens", "audit_log", "audit_head", "idempotency"],
    &[
        "relationships",
        "guardians",
        "recoveries",
        "recovery_guardians",
        "organizations",
        "organization_stakeholders",
        "pending_transactions",
        "pending_transaction_approvers",
        "loans",
        "loan_repayments",
        "proposals",
        "votes",
        "parameter_changes",
        "parameters",
        "tax_assessments",
        "tax_skips",
        "treasuries",
        "disbursements",
        "ledger_admins",
        "pending_actions",
    ],
    &[],
    &["credentials"],
    &[],
    &["lanes", "deferred_commands"],
    &["order_transfers"],
    &["parameter_schedules"],
    &[],
    &["escrows", "spending_limits"],
    &["key_resets"],
    &["tax_periods"],
    &["attesters"],
    &["second_factors", "recovery_codes", "login_challenges", "password_resets", "mailbox"],
    &["beneficiaries", "approvals", "dead_decisions", "rebuilds"],
    &["registrations", "user_details"],
    &["documents", "loose_objects", "kyc_applications"],
    &["qsend_requests", "passkeys", "passkey_challenges"],
    &[
        "notification_head",
        "notifications",
        "notification_preferences",
        "webhooks",
        "webhook_deliveries",
    ],
    &["admin_permissions", "partners", "partner_keys", "partner_consents", "partner_payments"],
    &[],
    &["deployments", "deployment_logs"],
    &["user_tallies"],
    &[],
    &[],
];

/// Columns of tables that an earlier migration made: which, and which has added them.
const COLUMNS: [(i64, i64, &str, &str); 36] = [
    (2, 25, "projection", "organization_count"),
    (21, 26, "webhooks", "partner_id"),
    (3, 23, "users", "awaits_account"),
    (1, 4, "outbox", "signature"),
    (2, 4, "accounts", "status"),
    (2, 4, "accounts", "trust_score"),
    (2, 4, "accounts", "public_key"),
    (2, 4, "accounts", "key_since_ms"),
    (2, 4, "accounts", "tax_exempt"),
    (2, 4, "balances", "taxable_since_ms"),
    (3, 5, "refresh_tokens", "replaced_at_ms"),
    (3, 5, "refresh_tokens", "successor_salt"),
    (4, 9, "pending_actions", "closed_by"),
    (4, 9, "pending_actions", "closed_at_ms"),
    (4, 9, "loan_repayments", "paid_by"),
    (4, 9, "ledger_admins", "public_key"),
    (4, 9, "ledger_admins", "key_since_ms"),
    (4, 12, "loans", "lapses_at_ms"),
    (2, 12, "balances", "escrowed_qirat"),
    (2, 14, "balances", "taxable_for_ms"),
    (2, 14, "system", "paused_ms"),
    (2, 14, "accounts", "custodian"),
    (2, 14, "accounts", "custody_offered_to"),
    (4, 11, "treasuries", "payable_from_ms"),
    (4, 11, "treasuries", "order_hash"),
    (4, 11, "organizations", "stakeholder_change"),
    (4, 11, "organizations", "change_expires_at_ms"),
    (4, 10, "pending_actions", "alone_from_ms"),
    (3, 19, "sessions", "second_factor_at_ms"),
    (3, 18, "users", "email_verified_at_ms"),
    (3, 18, "users", "phone_verified_at_ms"),
    (16, 18, "mailbox", "channel"),
    (16, 18, "mailbox", "state"),
    (16, 18, "mailbox", "attempts"),
    (16, 18, "mailbox", "next_attempt_at_ms"),
    (16, 18, "mailbox", "failure"),
];

/// Columns that a migration has taken away from tables of an earlier one: when they were made, and
/// when they went.
const TAKEN: [(i64, i64, &str, &str); 12] = [
    (1, 8, "submission", "answered_batch_no BIGINT NOT NULL DEFAULT 0"),
    (3, 6, "users", "password_hash TEXT NOT NULL DEFAULT ''"),
    (3, 6, "users", "failed_logins BIGINT NOT NULL DEFAULT 0"),
    (3, 6, "users", "locked_until_ms BIGINT"),
    (3, 6, "users", "last_login_at_ms BIGINT"),
    (3, 6, "users", "password_changed_at_ms BIGINT NOT NULL DEFAULT 0"),
    (3, 6, "admins", "password_hash TEXT NOT NULL DEFAULT ''"),
    (3, 6, "admins", "must_change_password BIGINT NOT NULL DEFAULT 0"),
    (3, 6, "admins", "failed_logins BIGINT NOT NULL DEFAULT 0"),
    (3, 6, "admins", "locked_until_ms BIGINT"),
    (3, 6, "admins", "last_login_at_ms BIGINT"),
    (3, 6, "admins", "password_changed_at_ms BIGINT NOT NULL DEFAULT 0"),
];

/// Takes the migrations after a version back, as if they had not run yet.
pub(crate) fn forget_from(backend: &Backend, version: i64) {
    let gone = TABLES.iter().skip(usize::try_from(version).unwrap()).copied().flatten();
    let cascade = if backend.engine() == Engine::Postgres { " CASCADE" } else { "" };
    let mut text: String = gone.map(|table| format!("DROP TABLE {table}{cascade};")).collect();
    if (4..11).contains(&version) {
        text.push_str("DROP INDEX IF EXISTS pending_transactions_paid_idx;");
    }
    if version < 4 {
        text.push_str("DROP INDEX IF EXISTS balances_taxable_idx;");
    }
    text.push_str("DROP INDEX IF EXISTS balances_taxable_for_idx;");
    text.push_str("DROP INDEX IF EXISTS balances_resting_idx;");
    text.push_str("DROP INDEX IF EXISTS refresh_tokens_expires_idx;");
    text.push_str("DROP INDEX IF EXISTS outbox_confirmations_idx;");
    text.push_str("DROP INDEX IF EXISTS audit_log_actor_idx;");
    text.push_str("DROP INDEX IF EXISTS audit_log_target_idx;");
    text.push_str("DROP INDEX IF EXISTS sessions_opened_idx;");
    text.push_str("DROP INDEX IF EXISTS users_identity_idx;");
    text.push_str("DROP INDEX IF EXISTS mailbox_waiting_idx;");
    text.push_str("DROP INDEX IF EXISTS users_awaiting_idx;");
    text.push_str("DROP INDEX IF EXISTS pending_transactions_open_idx;");
    text.push_str("DROP INDEX IF EXISTS pending_transaction_approvers_open_idx;");
    let stays = |(made, added, ..): &&(i64, i64, &str, &str)| *made <= version && version < *added;
    for (.., table, column) in COLUMNS.iter().filter(stays) {
        text.push_str(&format!("ALTER TABLE {table} DROP COLUMN {column}{cascade};"));
    }
    let was_there = |(made, gone, ..): &&(i64, i64, &str, &str)| (*made..*gone).contains(&version);
    for (.., table, column) in TAKEN.iter().filter(was_there) {
        text.push_str(&format!("ALTER TABLE {table} ADD COLUMN {column};"));
    }
    text.push_str(&format!("DELETE FROM schema_migrations WHERE version > {version};"));
    backend.alter(&text);
}

#[test]
fn processes_that_migrate_at_once_take_turns() {
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let backend = Backend::empty(engine).await;
            let others = [backend.another().await, backend.another().await];
            let (one, two, three) = tokio::join!(
                backend.store.migrate(NETWORK),
                others[0].migrate(NETWORK),
                others[1].migrate(NETWORK)
            );
            let ran: usize =
                [one, two, three].into_iter().map(|done| done.unwrap().ran.len()).sum();
            assert_eq!(ran, usize::try_from(SCHEMA_VERSION).unwrap());
            backend.store.check(NETWORK).await.unwrap();
        }
    });
}

#[test]
fn an_empty_database_has_version_zero() {
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let backend = Backend::empty(engine).await;
            let error = backend.store.check(NETWORK).await.unwrap_err();
            assert_eq!(error.class(), Class::Schema);
            assert_eq!(
                error.to_string(),
                format!("the database has schema version 0, this build needs {SCHEMA_VERSION}")
            );
        }
    });
}

/// What a build of the next version has made of the database, with the oldest version that it
/// keeps.
fn made_newer(backend: &Backend, keeps: i64) {
    let newer = SCHEMA_VERSION + 1;
    backend.alter(&format!(
        "INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES ({newer}, 'next', 0)"
    ));
    backend.alter(&format!("UPDATE schema_keeps SET version = {keeps}"));
}

#[test]
fn a_newer_schema_is_worked_with_where_it_keeps_this_version() {
    for_each_backend(|backend| async move {
        made_newer(&backend, SCHEMA_VERSION);
        backend.store.check(NETWORK).await.unwrap();
        let before = tables(&backend).await;
        let migrated = backend.store.migrate(NETWORK).await.unwrap();
        assert_eq!((migrated.ran.len(), migrated.version), (0, SCHEMA_VERSION + 1));
        assert_eq!(tables(&backend).await, before);
        backend.store.check(NETWORK).await.unwrap();
    });
}

#[test]
fn a_newer_schema_that_does_not_keep_this_version_is_refused() {
    for_each_backend(|backend| async move {
        made_newer(&backend, SCHEMA_VERSION + 1);
        for error in [
            backend.store.check(NETWORK).await.unwrap_err(),
            backend.store.migrate(NETWORK).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::SchemaVersion { found, expected }
                if found == SCHEMA_VERSION + 1 && expected == SCHEMA_VERSION));
        }
    });
}

#[test]
fn another_network_is_refused() {
    for_each_backend(|backend| async move {
        for error in [
            backend.store.check(NetworkId::Mainnet).await.unwrap_err(),
            backend.store.migrate(NetworkId::Mainnet).await.unwrap_err(),
        ] {
            assert_eq!(error.class(), Class::Network);
            assert_eq!(
                error.to_string(),
                "the database belongs to devnet, this process to mainnet"
            );
        }
    });
}

#[test]
fn postgres_shows_people_times_and_amounts() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let database = backend.database();
        let views = database
            .sql("SELECT table_name FROM information_schema.views WHERE table_schema = 'public'")
            .unwrap();
        assert!(views.lines().count() >= 10, "{views}");
        for view in views.lines() {
            database.sql(&format!("SELECT * FROM {view}")).unwrap();
        }
        let types = database
            .sql(
                "SELECT data_type FROM information_schema.columns
                WHERE table_name = 'entries_readable' AND column_name IN ('at', 'change_gx')
                ORDER BY column_name",
            )
            .unwrap();
        assert_eq!(types, "timestamp with time zone\nnumeric");
    });
}

#[test]
fn a_store_is_opened_by_url_too() {
    run(async {
        let backend = Backend::migrated(Engine::Sqlite).await;
        let url = backend.config().to_url();
        let config: Config = url.reveal().parse().unwrap();
        Store::connect(&config).await.unwrap().check(NETWORK).await.unwrap();
    });
}
