//! SQL on the bare database file, past the store: what a stranger or an accident could do.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

/// Runs statements and returns the first column of all rows, a line each.
pub(crate) fn sqlite(file: &Path, text: &str) -> String {
    let options = SqliteConnectOptions::new().filename(file);
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                let script = sqlx::raw_sql(AssertSqlSafe(text));
                let rows = connection.fetch_all(script).await.unwrap();
                connection.close().await.unwrap();
                let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                lines.join("\n")
            })
        };
        scope.spawn(run).join().unwrap()
    })
}
