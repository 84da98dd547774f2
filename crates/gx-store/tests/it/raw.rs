//! SQL on the bare database file, past the store: what a stranger or an accident could do.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

/// Runs statements and returns the first column of all rows, a line each.
pub(crate) fn sqlite(file: &Path, text: &str) -> String {
    column(file, [text.to_owned()], 0).concat()
}

/// How SQLite goes about each statement, a step a line.
pub(crate) fn plans(file: &Path, texts: &[&str]) -> Vec<String> {
    column(file, texts.iter().map(|text| format!("EXPLAIN QUERY PLAN {text}")), 3)
}

/// Runs texts, and returns of each a column of all rows, a line each.
fn column(
    file: &Path,
    texts: impl IntoIterator<Item = String> + Send,
    place: usize,
) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(file);
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                let mut columns = Vec::new();
                for text in texts {
                    let script = sqlx::raw_sql(AssertSqlSafe(text));
                    let rows = connection.fetch_all(script).await.unwrap();
                    let lines: Vec<String> = rows.iter().map(|row| row.get(place)).collect();
                    columns.push(lines.join("\n"));
                }
                connection.close().await.unwrap();
                columns
            })
        };
        scope.spawn(run).join().unwrap()
    })
}
