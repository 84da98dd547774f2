//! The gate over lists: each is paged, totally ordered, and read in that order from an index.
//!
//! The store says in its log which statement runs. What the tests have run, of the statements that
//! order or limit, is shown to the planner of its engine when a test is over; so no list can be
//! forgotten, and a list that no test reads is no list yet. The databases are nearly empty, so
//! PostgreSQL is told to prefer indexes at any price: what it sorts or scans all the same has no
//! index that would do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, Once};

use gx_store::Engine;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::backend::{Backend, for_each_backend};
use crate::raw;

/// Tables whose rows grow neither with users nor with time: reading all of one is cheap for ever.
const FEW: &[&str] = &[
    "admins",
    "attesters",
    "audit_head",
    "countries",
    "heartbeat",
    "lanes",
    "leases",
    "ledger_admins",
    "network",
    "parameters",
    "projection",
    "schema_migrations",
    "submission",
    "system",
    "tax_periods",
    "treasuries",
    "webhooks",
];

/// Parts of lists that are read whole and may be sorted: something else bounds them.
const BOUNDED: &[&str] = &[
    // The ledger's rules: an account has so many guardians, and so many resets in a year; an
    // organization has so many open payments.
    "FROM guardians WHERE user_id",
    "FROM key_resets WHERE user_id",
    "WHERE p.org_id = $1 AND p.settled_tx IS NULL",
    // Countries are few, and so are changes of parameters: a week passes between two of one.
    "FROM countries c ",
    "FROM parameter_changes ORDER BY change_no",
    // The submitter: a lane has a few batches on their way.
    "FROM lanes l CROSS JOIN batches b",
    // The columns of a table.
    "FROM pragma_table_info",
    // What people hand in, of one person: a number that several have, the documents of an
    // application, the keys of a partner; and sums, of which each status has one.
    "FROM kyc_applications WHERE number_hash = $1",
    "ORDER BY d.uploaded_at_ms, d.document_id",
    "FROM partner_keys k WHERE k.partner_id = $1",
    "GROUP BY r.status ORDER BY r.status",
    // Endpoints and administrators are few.
    "FROM webhooks w WHERE w.enabled = 1",
    "FROM admins a JOIN credentials c",
];

/// Columns that no two rows of one list share, beside those that end a key: a command makes one row
/// of a list, places are numbered, and sessions are grouped by their device.
const DISTINCT: &[&str] = &["created_tx", "device", "place"];

/// A statement that has run.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    engine: String,
    text: String,
    /// The types of its values, with commas between them.
    types: String,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "engine" => value.clone_into(&mut self.engine),
            "types" => value.clone_into(&mut self.types),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.text = format!("{value:?}");
        }
    }
}

static SEEN: Mutex<BTreeSet<Seen>> = Mutex::new(BTreeSet::new());

/// Takes down what the store says that it runs.
struct Watch;

impl Subscriber for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "gx_store::sql"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        if orders(&seen.text) || limits(&seen.text) {
            SEEN.lock().unwrap().insert(seen);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Begins to take down what runs in this process.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Watch).unwrap());
}

/// Looks at the plans of what has run on the backend's engine so far.
pub(crate) fn check(backend: &Backend) {
    let engine = backend.engine();
    let mut seen = SEEN.lock().unwrap();
    let (mine, rest) = std::mem::take(&mut *seen)
        .into_iter()
        .partition(|statement| statement.engine == engine.as_str());
    *seen = rest;
    drop(seen);
    let faults = faults(backend, &mine);
    assert!(faults.is_empty(), "lists that grow dearer with their length:\n{}", faults.join("\n"));
}

fn faults(backend: &Backend, seen: &BTreeSet<Seen>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut add = |statement: &Seen, found: Vec<String>| {
        faults.extend(found.iter().map(|fault| format!("{fault}: {}", statement.text)));
    };
    match backend.engine() {
        Engine::Sqlite => {
            let keys = keys(backend);
            let texts: Vec<&str> = seen.iter().map(|one| one.text.as_str()).collect();
            for (statement, plan) in seen.iter().zip(raw::plans(&backend.file(), &texts)) {
                add(statement, of_text(&statement.text, &keys));
                add(statement, of_sqlite(&statement.text, &plan));
            }
        }
        Engine::Postgres => {
            for (statement, plan) in seen.iter().zip(postgres_plans(backend, seen)) {
                let mut found = Vec::new();
                if !is_bounded_by_rule(&statement.text) {
                    of_postgres(&plan, false, &mut found);
                }
                add(statement, found);
            }
        }
    }
    faults
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "(),".contains(c)).filter(|word| !word.is_empty())
}

fn orders(text: &str) -> bool {
    text.contains("ORDER BY")
}

fn limits(text: &str) -> bool {
    words(text).any(|word| word == "LIMIT")
}

/// The tables of a statement by the names that it uses for them.
fn tables(text: &str) -> BTreeMap<&str, &str> {
    const NO_NAMES: &[&str] = &[
        "AS", "CROSS", "GROUP", "HAVING", "JOIN", "LEFT", "LIMIT", "ON", "ORDER", "SET", "UNION",
        "WHERE",
    ];
    let all: Vec<&str> = words(text).collect();
    let mut tables = BTreeMap::new();
    for pair in all.windows(3) {
        if let ["FROM" | "JOIN", table, name] = pair {
            let name = if NO_NAMES.contains(name) { table } else { name };
            tables.insert(*name, *table);
        }
    }
    if let [.., "FROM", table] = all[..] {
        tables.insert(table, table);
    }
    tables
}

/// Whether every table of the statement has few rows.
fn is_small(text: &str) -> bool {
    tables(text).values().all(|table| FEW.contains(table))
}

/// The columns that end a primary key or another unique one.
fn keys(backend: &Backend) -> BTreeSet<String> {
    let found = raw::sqlite(
        &backend.file(),
        "SELECT c.name FROM sqlite_schema m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND c.pk > 0
            AND c.pk = (SELECT MAX(x.pk) FROM pragma_table_info(m.name) x)
        UNION
        SELECT i.name FROM sqlite_schema m, pragma_index_list(m.name) l, pragma_index_info(l.name) i
        WHERE m.type = 'table' AND l.\"unique\" = 1
            AND i.seqno = (SELECT MAX(x.seqno) FROM pragma_index_info(l.name) x)",
    );
    let distinct = DISTINCT.iter().map(|column| (*column).to_owned());
    found.lines().map(str::to_owned).chain(distinct).collect()
}

/// What is wrong with a list by its text: it has no end, or its order leaves ties.
fn of_text(text: &str, keys: &BTreeSet<String>) -> Vec<String> {
    let is_list = is_query(text) && !is_bounded_by_rule(text);
    let Some((_, order)) = text.rsplit_once("ORDER BY ").filter(|_| is_list) else {
        return Vec::new();
    };
    // An order within parentheses is that of a part of the statement.
    let depth = order.bytes().fold(0, |depth, byte| match byte {
        b'(' => depth + 1,
        b')' => depth - 1,
        _ => depth,
    });
    if depth < 0 {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if !limits(order) && !is_small(text) {
        faults.push("not paged".to_owned());
    }
    let terms = order.split("LIMIT").next().unwrap_or_default();
    let last = terms.rsplit(',').next().unwrap_or_default();
    let column = words(last).next().unwrap_or_default();
    let column = column.rsplit('.').next().unwrap_or_default();
    let only_first = order.trim_end().ends_with("LIMIT 1");
    if !only_first && !keys.contains(column) {
        faults.push(format!("its order may end in ties of {column}"));
    }
    faults
}

fn is_query(text: &str) -> bool {
    matches!(words(text).next(), Some("SELECT" | "WITH"))
}

fn is_bounded_by_rule(text: &str) -> bool {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    BOUNDED.iter().any(|part| line.contains(*part))
}

/// What is wrong with a statement by SQLite's plan.
fn of_sqlite(text: &str, plan: &str) -> Vec<String> {
    let tables = tables(text);
    // A walk along a list of rows is bounded by its steps.
    let mut sorts_freely =
        is_small(text) || is_bounded_by_rule(text) || text.contains("WITH RECURSIVE");
    let sorts_anything = sorts_freely;
    let mut faults = Vec::new();
    for step in plan.lines() {
        let sorts = step.starts_with("USE TEMP B-TREE") && !step.ends_with("DISTINCT");
        // An index over the steps of a walk is as small as the walk.
        let indexes = step.contains(" AUTOMATIC ") && !step.starts_with("SEARCH w ");
        if (sorts && !sorts_freely) || indexes {
            faults.push(step.to_owned());
        }
        let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else {
            continue;
        };
        let table = tables.get(name).filter(|table| is_table(table) && !FEW.contains(table));
        // What goes through a part of the statement that has a limit of its own may be sorted.
        sorts_freely = sorts_anything || (!tables.contains_key(name) && limits(text));
        if table.is_some() && !limits(text) && !is_bounded_by_rule(text) {
            faults.push(step.to_owned());
        }
    }
    faults
}

/// Names of a WITH clause are no tables.
fn is_table(name: &str) -> bool {
    !["input", "walk", "oldest", "numbered", "fresh"].contains(&name)
}

/// How PostgreSQL would go about each statement for any values.
fn postgres_plans(backend: &Backend, seen: &BTreeSet<Seen>) -> Vec<Value> {
    const PREFERENCES: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
        SET enable_sort = off; SET enable_incremental_sort = off; SET enable_hashjoin = off;
        SET enable_mergejoin = off; SET enable_bitmapscan = off; SET enable_material = off;
        SET enable_memoize = off; SET jit = off;";
    let asked = |statement: &Seen, number: usize| {
        let Seen { text, types, .. } = statement;
        let (types, nothing) = match types.split(',').filter(|kind| !kind.is_empty()).count() {
            0 => (String::new(), parameters(text)),
            count => (format!("({types})"), count),
        };
        let nothing = match nothing {
            0 => String::new(),
            count => format!("({})", vec!["NULL"; count].join(",")),
        };
        format!(
            "PREPARE q{number} {types} AS {text};
            EXPLAIN (FORMAT JSON) EXECUTE q{number} {nothing}; SELECT '--';"
        )
    };
    let told = |statements: &[&Seen]| {
        let asked: String = statements.iter().enumerate().map(|(at, one)| asked(one, at)).collect();
        backend.database().sql(&format!("{PREFERENCES}{asked}"))
    };
    let mut plans = Vec::new();
    // An argument of a program has a bounded length.
    for some in seen.iter().collect::<Vec<_>>().chunks(32) {
        let told = told(some).unwrap_or_else(|error| {
            // One by one, to name the statement that cannot be asked about.
            let wrong = some.iter().find(|statement| told(&[**statement]).is_err());
            panic!("{wrong:?}: {error:?}")
        });
        let found = told.split("--").map(str::trim).filter(|plan| !plan.is_empty());
        plans.extend(found.map(|plan| {
            let plan: Value = serde_json::from_str(plan).unwrap();
            plan[0]["Plan"].clone()
        }));
    }
    assert_eq!(plans.len(), seen.len(), "a statement without a plan");
    plans
}

/// The largest number of a parameter in a text.
fn parameters(text: &str) -> usize {
    let digits = |part: &str| part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
    let numbers = text.split('$').skip(1).filter_map(|part| part[..digits(part)].parse().ok());
    numbers.max().unwrap_or(0)
}

fn below(plan: &Value) -> &[Value] {
    plan["Plans"].as_array().map_or(&[], Vec::as_slice)
}

fn relation(plan: &Value) -> &str {
    plan["Parent Relationship"].as_str().unwrap_or_default()
}

/// Collects what is wrong with a plan. `limited`: whoever takes its rows stops after a page.
fn of_postgres(plan: &Value, limited: bool, faults: &mut Vec<String>) {
    let kind = plan["Node Type"].as_str().unwrap_or_default();
    let table = plan["Relation Name"].as_str().unwrap_or_default();
    let looks_up = !plan["Index Cond"].is_null();
    let mut passes_on = limited;
    match kind {
        "Limit" => passes_on = true,
        "Sort" | "Incremental Sort" => {
            passes_on = false;
            if !below(plan).iter().all(is_bounded) {
                faults.push(format!("{kind} by {}", plan["Sort Key"]));
            }
        }
        "Aggregate" => passes_on = limited && plan["Strategy"] == "Sorted",
        "Hash" | "Materialize" => passes_on = false,
        "Seq Scan" | "Index Scan" | "Index Only Scan"
            if !looks_up && !limited && !FEW.contains(&table) =>
        {
            faults.push(format!("{kind} of all of {table}"));
        }
        _ => {}
    }
    for child in below(plan) {
        let is_main = matches!(relation(child), "Outer" | "Member" | "Subquery");
        of_postgres(child, passes_on && is_main, faults);
    }
}

/// Whether a part of a plan gives a bounded number of rows.
fn is_bounded(plan: &Value) -> bool {
    let table = plan["Relation Name"].as_str().unwrap_or_default();
    match plan["Node Type"].as_str().unwrap_or_default() {
        "Limit" | "Recursive Union" | "WorkTable Scan" | "CTE Scan" | "ProjectSet" | "Result"
        | "Function Scan" | "Values Scan" => true,
        "Seq Scan" | "Index Scan" | "Index Only Scan" => FEW.contains(&table),
        // Each row of the outer side is looked up in the inner one.
        "Nested Loop" => below(plan).iter().all(|side| {
            let looks_up = relation(side) == "Inner" && !side["Index Cond"].is_null();
            looks_up || is_bounded(side)
        }),
        _ => {
            let mut parts = below(plan).iter().peekable();
            parts.peek().is_some() && parts.all(is_bounded)
        }
    }
}

#[test]
fn lists_without_page_order_or_index_are_found() {
    for_each_backend(|backend| async move {
        let found = |text: &str, types: &str| {
            let (text, types) = (text.to_owned(), types.to_owned());
            let engine = backend.engine().as_str().to_owned();
            faults(&backend, &BTreeSet::from([Seen { engine, text, types }]))
        };
        let is_text = backend.engine() == Engine::Sqlite;
        let no_page = "SELECT number FROM blocks ORDER BY number";
        assert!(!found(no_page, "").is_empty());
        let no_order = "SELECT number FROM blocks ORDER BY at_ms LIMIT $1";
        assert!(!found(no_order, "bigint").is_empty());
        let ties = "SELECT subject_id FROM relationships WHERE subject_id = $1 ORDER BY subject_id
            LIMIT $2";
        assert_eq!(found(ties, "text,bigint").len(), usize::from(is_text));
        let no_index = "SELECT loan_id FROM loans WHERE purpose = $1 AND applied_at_ms > $2
            ORDER BY applied_at_ms, loan_id LIMIT $3";
        assert!(!found(no_index, "text,bigint,bigint").is_empty());
        for good in [
            "SELECT number FROM blocks WHERE number < $1 ORDER BY number DESC LIMIT $2",
            "SELECT loan_id FROM loans WHERE state = '' AND created_tx > $1 ORDER BY created_tx
            LIMIT $2",
            "SELECT code FROM countries WHERE $1 + $2 > 0 ORDER BY code",
        ] {
            assert_eq!(found(good, "bigint,bigint"), Vec::<String>::new());
        }
    });
}
