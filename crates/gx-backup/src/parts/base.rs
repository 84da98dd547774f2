//! A base backup of PostgreSQL: every file of the cluster as `pg_basebackup` streams it, and the
//! write-ahead log that makes it whole. Nothing is laid down on the way.
//!
//! What goes by is read along: whether it is the primary's, whether every file that its own
//! manifest names is in it, whether the files of our tables are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use gx_store::{Config, PostgresConfig, Store};
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::Error;
use crate::manifest::{Kind, LogRange};
use crate::parts::database::{Captured, height, program, url_in};
use crate::parts::{Capture, output};
use crate::plan::{DATABASE, Postgres};

/// A base of a cluster that was just made is larger than this.
const BYTES_MIN: u64 = 20_000_000;

/// The largest of the files that are read along: a manifest of a million files.
const KEPT: u64 = 256 << 20;

const BLOCK: usize = 512;

/// What was seen of the stream.
#[derive(Debug, Default)]
struct Seen {
    /// Every file and its bytes.
    files: BTreeMap<String, u64>,
    label: Vec<u8>,
    manifest: Vec<u8>,
    /// The empty block that ends an archive.
    ended: bool,
    /// What is no archive.
    broken: Option<&'static str>,
    header: Vec<u8>,
    /// Bytes of the present file, and of the filling after it.
    left: u64,
    filling: u64,
    keeping: Keeping,
}

#[derive(Debug, Default, Clone, Copy)]
enum Keeping {
    #[default]
    Nothing,
    Label,
    Manifest,
}

impl Seen {
    fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.broken.is_none() {
            let left = usize::try_from(self.left.saturating_add(self.filling));
            let left = left.unwrap_or(usize::MAX);
            if left > 0 {
                let (now, rest) = bytes.split_at(left.min(bytes.len()));
                self.content(now);
                bytes = rest;
                continue;
            }
            let room = BLOCK.saturating_sub(self.header.len());
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.header.extend_from_slice(now);
            bytes = rest;
            if self.header.len() == BLOCK {
                let header = std::mem::take(&mut self.header);
                self.begin(&header);
            }
        }
    }

    fn content(&mut self, bytes: &[u8]) {
        let of_file = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (file, filling) = bytes.split_at(of_file);
        match self.keeping {
            Keeping::Nothing => {}
            Keeping::Label => self.label.extend_from_slice(file),
            Keeping::Manifest => self.manifest.extend_from_slice(file),
        }
        self.left = self.left.saturating_sub(crate::source::length(file.len()));
        self.filling = self.filling.saturating_sub(crate::source::length(filling.len()));
    }

    fn begin(&mut self, header: &[u8]) {
        if header.iter().all(|byte| *byte == 0) {
            self.ended = true;
            return;
        }
        let text = |from: usize, to: usize| {
            let field = header.get(from..to).unwrap_or_default();
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
        };
        if !text(257, 262).starts_with("ustar") {
            self.broken = Some("what pg_basebackup wrote is no archive");
            return;
        }
        let Ok(size) = u64::from_str_radix(text(124, 136).trim(), 8) else {
            self.broken = Some("the archive holds a file without a size");
            return;
        };
        let (prefix, name) = (text(345, 500), text(0, 100));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let name = name.trim_start_matches("./").to_owned();
        self.left = size;
        self.filling = size.next_multiple_of(512).saturating_sub(size);
        self.keeping = match name.as_str() {
            "backup_label" if size < KEPT => Keeping::Label,
            "backup_manifest" if size < KEPT => Keeping::Manifest,
            _ => Keeping::Nothing,
        };
        if !name.ends_with('/') {
            self.files.insert(name, size);
        }
    }

    /// What the label says of the line that begins so.
    fn labelled(&self, begins: &str) -> Option<String> {
        let label = String::from_utf8_lossy(&self.label);
        label.lines().find_map(|line| line.strip_prefix(begins)).map(|rest| rest.trim().to_owned())
    }

    /// Whether it is a base of this platform, and whole; with the log that it needs.
    fn plausible(
        &self,
        (bytes, least): (u64, u64),
        tables: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<LogRange, String> {
        if let Some(broken) = self.broken {
            return Err(broken.to_owned());
        }
        if bytes < least {
            return Err(format!("the base has {bytes} bytes, fewer than {least}"));
        }
        if !self.ended {
            return Err("the archive ends before its end mark".to_owned());
        }
        match self.labelled("BACKUP FROM:").as_deref() {
            Some("primary") => {}
            Some(other) => return Err(format!("it was taken from a {other}, not the primary")),
            None => return Err("it lacks backup_label".to_owned()),
        }
        let manifest: Listed = serde_json::from_slice(&self.manifest)
            .map_err(|error| format!("its manifest is missing or can't be read: {error}"))?;
        // A name that is no text stands there in another form, and none of ours is one.
        for ListedFile { path, size } in manifest.files.iter().filter(|file| !file.path.is_empty())
        {
            match self.files.get(path) {
                Some(found) if found == size => {}
                Some(found) => {
                    return Err(format!("{path} has {found} bytes, the manifest says {size}"));
                }
                None => return Err(format!("it lacks {path}, which its manifest names")),
            }
        }
        if tables.is_empty() {
            return Err("the database has no tables".to_owned());
        }
        for (table, paths) in tables {
            if !paths.iter().any(|path| self.files.contains_key(path)) {
                return Err(format!("it lacks the table {table}"));
            }
        }
        let start = self.labelled("START WAL LOCATION:").unwrap_or_default();
        let first = start.split_once("(file ").and_then(|(_, rest)| rest.strip_suffix(')'));
        let first = first.ok_or("its label does not name the first file of the log")?.to_owned();
        if !self.files.contains_key(&format!("pg_wal/{first}")) {
            return Err(format!("it lacks the log's file {first}, with which it begins"));
        }
        let range = manifest.ranges.last().ok_or("its manifest names no range of the log")?;
        Ok(LogRange { first, end: range.end.clone(), timeline: range.timeline })
    }
}

/// PostgreSQL's manifest of a base; what we read of it.
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "Files")]
    files: Vec<ListedFile>,
    #[serde(rename = "WAL-Ranges", default)]
    ranges: Vec<ListedRange>,
}

#[derive(Debug, Deserialize)]
struct ListedFile {
    #[serde(rename = "Path", default)]
    path: String,
    #[serde(rename = "Size")]
    size: u64,
}

#[derive(Debug, Deserialize)]
struct ListedRange {
    #[serde(rename = "Timeline")]
    timeline: u32,
    #[serde(rename = "End-LSN")]
    end: String,
}

/// Takes a base of the primary.
pub(crate) fn capture(
    to: &Capture<'_>,
    (runtime, store): (&Runtime, &Store),
    config: &PostgresConfig,
    settings: &Postgres,
) -> Result<Captured, Error> {
    let asked = |files: &mut BTreeMap<String, BTreeSet<String>>| -> Result<u64, Error> {
        let (block, found) = runtime
            .block_on(async {
                let block = height(store).await?;
                Ok((block, gx_store::backup::table_files(store).await?))
            })
            .map_err(|error: gx_store::Error| {
                Error::not_captured(DATABASE, gx_types::with_causes(&error))
            })?;
        for (table, path) in found {
            files.entry(table).or_default().insert(path);
        }
        Ok(block)
    };
    let mut files = BTreeMap::new();
    let from = asked(&mut files)?;
    let login = login(config, settings)?;
    let mut base = program("pg_basebackup", &login, settings);
    arguments(&mut base);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watching = seen.clone();
    let watch = |from| Watched { from, seen: watching };
    let mut part = output::run(to, DATABASE, Kind::Base, base, watch)?;
    // A table that was filled anew meanwhile has another file now; the log tells of it.
    let upto = asked(&mut files)?;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let least = settings.bytes_min.unwrap_or(BYTES_MIN);
    let log = seen.plausible((part.bytes, least), &files);
    part.log = Some(log.map_err(|reason| Error::not_captured(DATABASE, reason))?);
    Ok(Captured { part, from, to: upto })
}

/// Who takes the base: the platform's own role, or one that may do nothing but replicate. The
/// server is always that of the platform.
fn login(config: &PostgresConfig, settings: &Postgres) -> Result<PostgresConfig, Error> {
    const NAME: &str = "postgres.replication_url_file";
    let file = &settings.replication_url_file;
    if file.as_os_str().is_empty() {
        return Ok(config.clone());
    }
    match url_in(NAME, file)? {
        Config::Postgres(other) => {
            let PostgresConfig { user, password, .. } = other;
            Ok(PostgresConfig { user, password, ..config.clone() })
        }
        Config::Sqlite(_) => Err(Error::setting(NAME, "the URL is not one of PostgreSQL")),
    }
}

/// What a base is taken with: one stream on the standard output, the log of its time in it.
fn arguments(command: &mut Command) {
    command.args(["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast"]);
    command.args(["--no-password", "--label=gx backup", "--manifest-checksums=SHA256"]);
}

/// Sees what is read.
struct Watched<R> {
    from: R,
    seen: Arc<Mutex<Seen>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.see(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "000000010000000000000002";

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn judged(
        label: &str,
        manifest: &str,
        more: &[(&str, &[u8])],
        piece: usize,
    ) -> Result<LogRange, String> {
        let wal = format!("pg_wal/{FIRST}");
        let mut files: Vec<(&str, &[u8])> =
            vec![("backup_label", label.as_bytes()), ("PG_VERSION", b"15\n"), (&wal, b"log")];
        files.extend(more);
        files.push(("backup_manifest", manifest.as_bytes()));
        let mut seen = Seen::default();
        archive(&files).chunks(piece).for_each(|piece| seen.see(piece));
        let table = ("accounts".to_owned(), BTreeSet::from(["base/5/1".to_owned()]));
        seen.plausible((100, 50), &BTreeMap::from([table]))
    }

    const LABEL: &str = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n\
        BACKUP FROM: primary\nSTART TIMELINE: 1\n";
    const MANIFEST: &str = r#"{
        "Files":[{"Path":"PG_VERSION","Size":3},{"Path":"base/5/1","Size":2}],
        "WAL-Ranges":[{"Timeline":1,"Start-LSN":"0/2000028","End-LSN":"0/2000100"}]}"#;
    const TABLE: &[(&str, &[u8])] = &[("base/5/1", b"ab")];

    #[test]
    fn a_base_is_known_however_it_is_cut() {
        for piece in [1, 7, 511, 512, 4096] {
            let range = judged(LABEL, MANIFEST, TABLE, piece).unwrap();
            assert_eq!((range.first.as_str(), range.timeline), (FIRST, 1));
            assert_eq!(range.end, "0/2000100");
        }
    }

    #[test]
    fn a_base_of_a_replica_or_without_its_files_is_none() {
        let standby = LABEL.replace("primary", "standby");
        assert!(judged(&standby, MANIFEST, TABLE, 99).unwrap_err().contains("standby"));
        assert!(judged(LABEL, MANIFEST, &[], 99).unwrap_err().contains("lacks base/5/1"));
        let short = judged(LABEL, MANIFEST, &[("base/5/1", b"abc")], 99).unwrap_err();
        assert!(short.contains("has 3 bytes"), "{short}");
        let other = MANIFEST.replace(",{\"Path\":\"base/5/1\",\"Size\":2}", "");
        assert!(judged(LABEL, &other, &[], 99).unwrap_err().contains("the table accounts"));
        assert!(judged(LABEL, "{", TABLE, 99).unwrap_err().contains("manifest"));
        assert!(judged("", MANIFEST, TABLE, 99).unwrap_err().contains("backup_label"));
        let mut seen = Seen::default();
        seen.see(&[b'x'; 600]);
        assert!(seen.plausible((100, 50), &BTreeMap::new()).unwrap_err().contains("no archive"));
    }
}
