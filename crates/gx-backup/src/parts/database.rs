//! The database: a dump of PostgreSQL's primary, or the file of SQLite as it is.
//!
//! Both while it is written to. The dump sees one moment, and the block that the read models stood
//! at in it is known. SQLite's file and write-ahead log are read as they lie while a reader holds
//! its view: from then on no page that the view needs is overwritten in the log, and what a
//! checkpoint moves into the file stands in the log as well. So the pair opens at that view or a
//! later commit, whatever was written meanwhile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use gx_store::{Config, PostgresConfig, Store, projection};
use tokio::runtime::Runtime;

use crate::manifest::{Kind, Part};
use crate::parts::dump::{Counted, Tally};
use crate::parts::folder::{clear, unfinished};
use crate::parts::output::{Killed, last_words};
use crate::parts::{Capture, base, output, taken};
use crate::plan::{DATABASE, Method, Postgres};
use crate::repository::{Reading, folder_of};
use crate::source::Files;
use crate::{Backup, Error, Plan, Platform};

/// A dump of an empty schema is longer than this.
const BYTES_MIN: u64 = 50_000;

/// The names of SQLite's files in a backup.
const FILE: &str = "gx.db";
const LOG: &str = "gx.db-wal";

/// A captured database, and between which blocks it stands.
pub(crate) struct Captured {
    pub(crate) part: Part,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

fn refused(reason: impl Into<String>) -> Error {
    Error::not_captured(DATABASE, reason)
}

fn unread(error: &gx_store::Error) -> Error {
    refused(gx_types::with_causes(error))
}

/// A runtime for the driver of the database; everything else here waits where it stands.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|source| Error::Io { what: "start a runtime".to_owned(), source })
}

pub(crate) fn capture(
    to: &Capture<'_>,
    platform: &Platform,
    settings: &Postgres,
) -> Result<Captured, Error> {
    let runtime = runtime()?;
    let store = runtime.block_on(async {
        let store = Store::open(&platform.database).await?;
        store.check(platform.network).await?;
        if gx_store::backup::is_replica(&store).await? {
            return Ok(Err(refused("the server is a replica; name the primary in the settings")));
        }
        Ok::<_, gx_store::Error>(Ok(store))
    });
    let store = store.map_err(|error| unread(&error))??;
    let captured = match &platform.database {
        Config::Postgres(config) => match settings.method {
            Method::Dump => postgres(to, &runtime, &store, config, settings),
            Method::Base => base::capture(to, (&runtime, &store), config, settings),
        },
        Config::Sqlite(config) => sqlite(to, &runtime, &store, &config.path),
    };
    runtime.block_on(store.close());
    captured
}

/// The block that the read models stand at.
pub(crate) async fn height(
    source: impl Into<gx_store::Source<'_>>,
) -> Result<u64, gx_store::Error> {
    let position = projection::position(source).await?;
    Ok(position.checkpoint.map_or(0, |checkpoint| checkpoint.block))
}

fn sqlite(
    to: &Capture<'_>,
    runtime: &Runtime,
    store: &Store,
    path: &Path,
) -> Result<Captured, Error> {
    let held = runtime.block_on(async {
        let mut snapshot = store.snapshot().await?;
        let from = height(&mut snapshot).await?;
        Ok::<_, gx_store::Error>((snapshot, from))
    });
    let (snapshot, from) = held.map_err(|error| unread(&error))?;
    let folder = folder_of(DATABASE);
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let files = [(folder.join(FILE), path.to_owned()), (folder.join(LOG), PathBuf::from(log))];
    let source = Files::named(&BTreeMap::from(files));
    let written = to.to.part(to.backup, DATABASE, &source, false);
    let height = runtime.block_on(async {
        drop(snapshot);
        height(store).await
    });
    let part = taken(DATABASE, Kind::Sqlite, &written?, source.seen())?;
    Ok(Captured { part, from, to: height.map_err(|error| unread(&error))? })
}

/// A program of PostgreSQL, connected as the settings say. The password is in its environment,
/// which only this user can read.
pub(crate) fn program(name: &str, config: &PostgresConfig, settings: &Postgres) -> Command {
    let path = if settings.programs.as_os_str().is_empty() {
        PathBuf::from(name)
    } else {
        settings.programs.join(name)
    };
    let mut command = Command::new(path);
    for (key, _) in std::env::vars_os() {
        if key.to_str().is_some_and(|key| key.starts_with("PG")) {
            command.env_remove(key);
        }
    }
    command
        .env("LC_ALL", "C")
        .env("PGHOST", &config.host)
        .env("PGPORT", config.port.to_string())
        .env("PGUSER", &config.user)
        .env("PGDATABASE", &config.database)
        .env("PGSSLMODE", config.ssl_mode.as_str());
    let files = [
        ("PGSSLROOTCERT", &config.ssl_root_cert),
        ("PGSSLCERT", &config.ssl_cert),
        ("PGSSLKEY", &config.ssl_key),
    ];
    for (key, file) in files {
        if let Some(file) = file {
            command.env(key, file);
        }
    }
    if let Some(password) = &config.password {
        command.env("PGPASSWORD", password.reveal());
    }
    command
}

fn postgres(
    to: &Capture<'_>,
    runtime: &Runtime,
    store: &Store,
    config: &PostgresConfig,
    settings: &Postgres,
) -> Result<Captured, Error> {
    let shared = runtime.block_on(async {
        let mut snapshot = store.snapshot().await?;
        let block = height(&mut snapshot).await?;
        let tables = gx_store::backup::tables(&mut snapshot).await?;
        let name = gx_store::backup::share(&mut snapshot).await?;
        Ok::<_, gx_store::Error>((snapshot, name.unwrap_or_default(), tables, block))
    });
    let (snapshot, name, tables, block) = shared.map_err(|error| unread(&error))?;
    let mut dump = program("pg_dump", config, settings);
    dump.args(["--format=plain", "--no-owner", "--no-privileges", "--no-password"]);
    dump.arg(format!("--snapshot={name}"));
    let tally = Arc::new(Mutex::new(Tally::default()));
    let counted = tally.clone();
    let watch = |from| Counted { from, tally: counted };
    let part = output::run(to, DATABASE, Kind::Postgres, dump, watch);
    // The server ends it by itself when it was idle for a while; the dump had its view by then.
    runtime.block_on(async { drop(snapshot) });
    let mut part = part?;
    let tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    let least = settings.bytes_min.unwrap_or(BYTES_MIN);
    plausible(part.bytes, least, &tally, &tables).map_err(refused)?;
    part.rows = tally.rows;
    Ok(Captured { part, from: block, to: block })
}

/// Whether a dump is one of this platform, and whole.
fn plausible(bytes: u64, least: u64, tally: &Tally, tables: &[String]) -> Result<(), String> {
    if bytes < least {
        return Err(format!("the dump has {bytes} bytes, fewer than {least}"));
    }
    if let Some(missing) = tables.iter().find(|table| !tally.rows.contains_key(*table)) {
        return Err(format!("the dump lacks the table {missing}"));
    }
    if tables.is_empty() {
        return Err("the database has no tables".to_owned());
    }
    if !tally.ended {
        return Err("the dump ends before its end mark".to_owned());
    }
    Ok(())
}

/// Brings the database back into the place that the settings name, which must be empty. Returns
/// the block that it stands at.
pub(crate) fn restore(
    from: &Reading,
    backup: &Backup,
    platform: &Platform,
    settings: &Postgres,
) -> Result<u64, Error> {
    let Some(part) = backup.manifest.part(DATABASE) else {
        return Err(Error::not_restored(DATABASE, "the backup does not hold it"));
    };
    match (&platform.database, part.kind) {
        (Config::Postgres(config), Kind::Postgres) => {
            restore_postgres(from, backup, part, platform, (config, settings))
        }
        (Config::Sqlite(config), Kind::Sqlite) => {
            restore_sqlite(from, backup, platform, &config.path)
        }
        (_, Kind::Base) => {
            Err(Error::not_restored(DATABASE, "a base of a cluster goes into a folder"))
        }
        (Config::Postgres(_), _) => {
            Err(Error::not_restored(DATABASE, "it is of SQLite, the settings name PostgreSQL"))
        }
        (Config::Sqlite(_), _) => {
            Err(Error::not_restored(DATABASE, "it is of PostgreSQL, the settings name SQLite"))
        }
    }
}

fn sql_failed(error: gx_store::Error) -> Error {
    Error::not_restored(DATABASE, gx_types::with_causes(&error))
}

fn restore_postgres(
    from: &Reading,
    backup: &Backup,
    part: &Part,
    platform: &Platform,
    (config, settings): (&PostgresConfig, &Postgres),
) -> Result<u64, Error> {
    let failed = |reason: String| Error::not_restored(DATABASE, reason);
    let runtime = runtime()?;
    let rows = || {
        runtime.block_on(async {
            let store = Store::connect(&platform.database).await?;
            let rows = gx_store::backup::rows(&store).await;
            store.close().await;
            rows
        })
    };
    if let Some(table) = rows().map_err(sql_failed)?.keys().next() {
        let at = platform.database.describe();
        return Err(failed(format!("{at} is not empty, it has the table {table}")));
    }
    let mut psql = program("psql", config, settings);
    psql.args(["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", "-"]);
    psql.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let unrun = |error: std::io::Error| failed(format!("psql can't be run: {error}"));
    let mut psql = Killed(psql.spawn().map_err(unrun)?);
    let (stdin, stderr) = (psql.0.stdin.take(), psql.0.stderr.take());
    let complaints = std::thread::spawn(move || stderr.map(last_words).unwrap_or_default());
    let Some(mut stdin) = stdin else { return Err(failed("psql takes no input".to_owned())) };
    let written = from.part(backup, DATABASE, &mut stdin);
    if written.is_err() {
        // Before its input ends: half a dump must not be committed.
        let _ = psql.0.kill();
    }
    drop(stdin);
    let status = psql.0.wait().map_err(unrun)?;
    let complaints = complaints.join().unwrap_or_default();
    if !complaints.is_empty() && !status.success() {
        return Err(failed(format!("psql ended with {status}: {complaints}")));
    }
    written?;
    if !status.success() {
        return Err(failed(format!("psql ended with {status}")));
    }
    let found = rows().map_err(sql_failed)?;
    for (table, expected) in &part.rows {
        let rows = found.get(table).copied().unwrap_or(0);
        if rows != *expected {
            return Err(failed(format!("{table} has {rows} rows, the dump had {expected}")));
        }
    }
    runtime.block_on(opened(platform)).map_err(sql_failed)
}

/// Brings the schema to this build's version and says which block the read models stand at.
pub(crate) async fn opened(platform: &Platform) -> Result<u64, gx_store::Error> {
    let store = Store::connect(&platform.database).await?;
    let block = async {
        store.migrate(platform.network).await?;
        height(&store).await
    };
    let block = block.await;
    store.close().await;
    block
}

fn restore_sqlite(
    from: &Reading,
    backup: &Backup,
    platform: &Platform,
    path: &Path,
) -> Result<u64, Error> {
    let failed = |reason: String| Error::not_restored(DATABASE, reason);
    let io = |error: std::io::Error| failed(error.to_string());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if let Some(there) = [path, Path::new(&log)].into_iter().find(|path| path.exists()) {
        return Err(failed(format!("{} exists; move it away first", there.display())));
    }
    let folder = unfinished(path);
    clear(&folder).map_err(io)?;
    std::fs::create_dir_all(&folder).map_err(io)?;
    from.files(backup, DATABASE, &folder)?;
    let file = folder.join(FILE);
    let aside = Platform { database: Config::sqlite(&file), ..platform.clone() };
    let runtime = runtime()?;
    let checked = runtime.block_on(async {
        let store = Store::connect(&aside.database).await?;
        let damage = gx_store::backup::damage(&store).await;
        store.close().await;
        damage
    });
    if let Some(damage) = checked.map_err(sql_failed)? {
        return Err(failed(format!("the file is damaged: {damage}")));
    }
    let block = runtime.block_on(opened(&aside)).map_err(sql_failed)?;
    let heights = backup.manifest.heights;
    if block < heights.database_from || block > heights.database_to {
        let (least, most) = (heights.database_from, heights.database_to);
        return Err(failed(format!("it stands at block {block}, not between {least} and {most}")));
    }
    let opened = std::fs::File::open(&file).and_then(|file| file.sync_all());
    opened.and_then(|()| std::fs::rename(&file, path)).map_err(io)?;
    clear(&folder).map_err(io)?;
    Ok(block)
}

/// The URL in the first line of a file that a setting names.
pub(crate) fn url_in(setting: &str, file: &Path) -> Result<Config, Error> {
    let text = std::fs::read_to_string(file).map_err(Error::io("read", file))?;
    let url = text.lines().next().unwrap_or_default().trim();
    url.parse().map_err(|error: gx_store::ConfigError| Error::setting(setting, error.to_string()))
}

/// A database that a drill restores into, beside production; gone when it is dropped.
#[derive(Debug)]
pub struct ThrowAway {
    /// The server's own database, from which others are made and dropped.
    from: PostgresConfig,
    settings: Postgres,
    name: String,
}

impl ThrowAway {
    /// Makes an empty database on the server that the settings name for drills; `None` when the
    /// backup holds a file of SQLite, which needs no server.
    ///
    /// # Errors
    /// [`Error::Setting`] when no server is named, or it cannot be used.
    pub fn make(plan: &Plan, backup: &Backup) -> Result<Option<Self>, Error> {
        const NAME: &str = "postgres.drill_url_file";
        if backup.manifest.part(DATABASE).is_none_or(|part| part.kind != Kind::Postgres) {
            return Ok(None);
        }
        let file = &plan.postgres.drill_url_file;
        if file.as_os_str().is_empty() {
            let reason = "names the file with the URL of a server on which drills make databases";
            return Err(Error::setting(NAME, reason));
        }
        let Config::Postgres(from) = url_in(NAME, file)? else {
            return Err(Error::setting(NAME, "the URL is not one of PostgreSQL"));
        };
        let digits: String = backup.manifest.id.chars().rev().take(8).collect();
        let name = format!("gx_drill_{}_{digits}", std::process::id());
        let made = Self { from, settings: plan.postgres.clone(), name };
        made.ask(&format!("CREATE DATABASE {}", made.name))
            .map_err(|reason| Error::setting(NAME, reason))?;
        Ok(Some(made))
    }

    /// The database's URL, with the password.
    pub fn url(&self) -> String {
        let database = self.name.clone();
        let config = PostgresConfig { database, ..self.from.clone() };
        Config::Postgres(config).to_url().reveal().to_owned()
    }

    fn ask(&self, statement: &str) -> Result<(), String> {
        let mut psql = program("psql", &self.from, &self.settings);
        psql.args(["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        let output = psql.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("psql can't be run: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(last_words(output.stderr.as_slice()))
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // What stays is named after a drill, and in nobody's way.
        let _ = self.ask(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_that_is_short_lacks_a_table_or_ends_early_is_none() {
        let tables = ["accounts".to_owned(), "outbox".to_owned()];
        let mut tally = Tally::default();
        tally.ended = true;
        tally.rows = tables.iter().map(|table| (table.clone(), 1)).collect();
        assert_eq!(plausible(60_000, 50_000, &tally, &tables), Ok(()));
        let short = plausible(20, 50_000, &tally, &tables).unwrap_err();
        assert_eq!(short, "the dump has 20 bytes, fewer than 50000");
        assert!(plausible(60_000, 50_000, &tally, &[]).is_err());
        tally.ended = false;
        assert!(plausible(60_000, 50_000, &tally, &tables).unwrap_err().contains("end mark"));
        tally.rows.remove("outbox");
        let lacking = plausible(60_000, 50_000, &tally, &tables).unwrap_err();
        assert_eq!(lacking, "the dump lacks the table outbox");
    }
}
