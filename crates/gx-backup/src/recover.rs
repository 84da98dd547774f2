//! A cluster made again from its base, and from the write-ahead log up to a moment.
//!
//! The base is unpacked beside its place, the log laid where the server finds it, and a server of
//! our own applies it. The cluster has its name when everything about it was found good.

use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gx_store::{Config, PostgresConfig, SslMode};
use jiff::Timestamp;

use crate::cluster::{Account, Failure, Server, Until, command, server_program};
use crate::manifest::{Kind, LogRange};
use crate::parts::folder::{clear, is_in_use, unfinished};
use crate::parts::output::last_words;
use crate::parts::{database, joined};
use crate::plan::DATABASE;
use crate::repository::Reading;
use crate::wal::{Archive, Position, Segment};
use crate::{Backup, Error, Plan, Platform};

/// The setting that says where a cluster goes.
const PLACE: &str = "postgres.data_dir";

/// A segment may have been written so long after its records: clocks, and a server that waits.
const SLACK_MS: i64 = 10 * 60 * 1000;

fn failed(reason: impl Into<String>) -> Error {
    Error::not_restored(DATABASE, reason)
}

fn io(error: std::io::Error) -> Error {
    failed(error.to_string())
}

/// A cluster that was made again. Its server runs, for this process alone, until [`Self::finish`].
#[derive(Debug)]
pub struct Recovered {
    server: Server,
    database: PostgresConfig,
    unfinished: PathBuf,
    place: PathBuf,
    /// The block that its read models stand at.
    pub block: u64,
}

impl Recovered {
    /// The platform's database in it.
    pub fn database(&self) -> Config {
        Config::Postgres(self.database.clone())
    }

    /// Ends the server and gives the cluster its name.
    ///
    /// # Errors
    /// [`Error::NotRestored`].
    pub fn finish(self) -> Result<PathBuf, Error> {
        let Self { server, unfinished, place, .. } = self;
        server.stop().map_err(failed)?;
        if place.exists() {
            std::fs::remove_dir(&place).map_err(io)?;
        }
        std::fs::rename(&unfinished, &place).map_err(io)?;
        let folder = place.parent().unwrap_or(Path::new("/"));
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        Ok(place)
    }
}

/// Makes the cluster of a base again, as it was at a time, or at the end of the base.
pub(crate) fn recover(
    plan: &Plan,
    from: &Reading,
    backup: &Backup,
    at_ms: Option<i64>,
    platform: &Platform,
) -> Result<Recovered, Error> {
    let range = backup.manifest.part(DATABASE).filter(|part| part.kind == Kind::Base);
    let range = range.and_then(|part| part.log.clone()).ok_or_else(|| {
        failed("the backup holds no base; postgres.method = \"base\" makes runs take one")
    })?;
    let Config::Postgres(config) = &platform.database else {
        return Err(failed("it is of PostgreSQL, the settings name SQLite"));
    };
    let place = plan.postgres.data_dir.clone();
    let Some(above) = place.parent().filter(|_| !place.as_os_str().is_empty()) else {
        let reason = "names the empty folder that the cluster is made in, such as \
                      /var/lib/postgresql/17/main";
        return Err(Error::setting(PLACE, reason));
    };
    if is_in_use(&place) {
        return Err(failed(format!("{} is not empty; move it away first", place.display())));
    }
    std::fs::create_dir_all(above).map_err(Error::io("make", above))?;
    let account = Account::of(above).map_err(|reason| Error::setting(PLACE, reason))?;
    let data = unfinished(&place);
    unpack(from, backup, &data).inspect_err(|_| drop(clear(&data)))?;
    let version = std::fs::read_to_string(data.join("PG_VERSION")).map_err(io)?;
    let program = |name: &str| server_program(name, version.trim(), &plan.postgres);
    own(account, &data)?;
    let mut check = command(&program("pg_verifybackup"), account);
    let checked = check.arg("--no-parse-wal").arg("--quiet").arg(&data).output();
    let checked =
        checked.map_err(|error| failed(format!("pg_verifybackup can't be run: {error}")))?;
    if !checked.status.success() {
        let said = last_words(checked.stderr.as_slice());
        return Err(failed(format!("the base is damaged: {said}")));
    }
    std::fs::write(data.join("recovery.signal"), "").map_err(io)?;
    own(account, &data.join("recovery.signal"))?;
    let start = |until: &Until| Server::start(&program("postgres"), &data, account, until);
    let server = match at_ms {
        None => start(&Until::Base).map_err(|failure| ended(failure, "the base", None))?,
        Some(at_ms) => to_time(plan, &range, at_ms, (&data, account), &start)?,
    };
    let database = PostgresConfig {
        host: server.socket().display().to_string(),
        port: 5432,
        password: None,
        ssl_mode: SslMode::Disable,
        ssl_root_cert: None,
        ssl_cert: None,
        ssl_key: None,
        ..config.clone()
    };
    let aside = Platform { database: Config::Postgres(database.clone()), ..platform.clone() };
    let block = database::runtime()?.block_on(database::opened(&aside));
    let block = block.map_err(|error| failed(gx_types::with_causes(&error)))?;
    let heights = backup.manifest.heights;
    if at_ms.is_none() && !(heights.database_from..=heights.database_to).contains(&block) {
        let (least, most) = (heights.database_from, heights.database_to);
        return Err(failed(format!("it stands at block {block}, not between {least} and {most}")));
    }
    Ok(Recovered { server, database, unfinished: data, place, block })
}

fn own(account: Option<Account>, path: &Path) -> Result<(), Error> {
    account.map_or(Ok(()), |account| account.own(path)).map_err(io)
}

/// Unpacks the archive as it comes out of the repository.
fn unpack(from: &Reading, backup: &Backup, to: &Path) -> Result<(), Error> {
    clear(to).map_err(io)?;
    std::fs::create_dir_all(to).map_err(io)?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).map_err(io)?;
    let (reader, writer) = std::io::pipe().map_err(io)?;
    std::thread::scope(|scope| {
        let giving = scope.spawn(move || {
            let mut writer = BufWriter::with_capacity(1 << 20, writer);
            from.part(backup, DATABASE, &mut writer)?;
            writer.flush().map_err(io)
        });
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, reader));
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(false);
        let mut unpacked = archive.unpack(to);
        // What follows the end mark is read as well, or the giving side would not end.
        if unpacked.is_ok() {
            unpacked = std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map(drop);
        } else {
            drop(archive);
        }
        let given = joined(giving).map_err(failed)?;
        match (unpacked, given) {
            (Ok(()), given) => given,
            // What the repository could not give is why the archive was torn.
            (Err(error), Ok(())) => Err(failed(format!("it can't be unpacked: {error}"))),
            (Err(_), Err(error)) => Err(error),
        }
    })
}

/// The files of the log that lead on from a base.
#[derive(Debug, Default, PartialEq, Eq)]
struct Way {
    /// In the order in which they are applied.
    names: Vec<String>,
    /// The first that is missing, and the next that is there, when there is one.
    gap: Option<(String, String)>,
}

/// Where timelines begin, from the one of the base on: the segment of each, oldest first.
type Timelines = Vec<(u32, u64)>;

/// Walks through the archive from the base's first segment to its end.
/// What the base holds itself, `own`, need not have been archived.
fn way(
    held: &BTreeMap<String, Segment>,
    own: std::ops::RangeInclusive<u64>,
    size: u64,
    lines: &Timelines,
) -> Way {
    let number_of = |name: &String| Position::read(name, size).map(|at| at.number);
    let last = held.keys().filter_map(number_of).max().unwrap_or(0);
    let at = |number: u64| {
        let begun = lines.iter().rev().filter(|(_, begins)| *begins <= number);
        let names = begun.map(|(timeline, _)| Position { timeline: *timeline, number }.name(size));
        let mut newest = None;
        for name in names {
            if held.contains_key(&name) {
                return Ok(name);
            }
            newest.get_or_insert(name);
        }
        Err(newest.unwrap_or_default())
    };
    let mut way = Way::default();
    let mut number = *own.start();
    while number <= last {
        match at(number) {
            Ok(name) => way.names.push(name),
            Err(_) if own.contains(&number) => {}
            Err(missing) => {
                let later = (number.saturating_add(1)..=last).find_map(|number| at(number).ok());
                way.gap = later.map(|later| (missing, later));
                break;
            }
        }
        number = number.saturating_add(1);
    }
    way
}

/// The number of the segment with a place of the log, which is written as `0/5000100`.
fn segment_of(place: &str, size: u64) -> Option<u64> {
    let (high, low) = place.split_once('/')?;
    let high = u64::from(u32::from_str_radix(high, 16).ok()?);
    let low = u64::from(u32::from_str_radix(low, 16).ok()?);
    ((high << 32) | low).checked_div(size)
}

/// Reads a history of timelines: each line is one that was left, and where.
fn timelines(history: &str, newest: u32, from: u32, first: u64, size: u64) -> Option<Timelines> {
    let mut lines: Timelines = Vec::new();
    let mut begins = 0;
    for line in history.lines() {
        let mut fields = line.split_whitespace();
        let (Some(timeline), Some(place)) = (fields.next(), fields.next()) else { continue };
        let Ok(timeline) = timeline.parse::<u32>() else { continue };
        lines.push((timeline, begins));
        begins = segment_of(place, size)?;
    }
    lines.push((newest, begins));
    // What came before the base's own is no way from it.
    let own = lines.iter().position(|(timeline, _)| *timeline == from)?;
    let mut lines = lines.split_off(own);
    lines.first_mut()?.1 = first.min(lines.first()?.1);
    Some(lines)
}

/// Lays the log where the server looks and has it applied up to a time.
fn to_time(
    plan: &Plan,
    range: &LogRange,
    at_ms: i64,
    (data, account): (&Path, Option<Account>),
    start: &dyn Fn(&Until) -> Result<Server, Failure>,
) -> Result<Server, Error> {
    let log = data.join("pg_wal");
    let size = log.join(&range.first).metadata().map_err(io)?.len();
    let first = Position::read(&range.first, size)
        .ok_or_else(|| failed(format!("{} is no segment of a log", range.first)))?;
    let archive = Archive::open(plan)?;
    let held = archive.segments()?;
    let place = |name: &str| log.join(name);
    let histories = held.keys().filter(|name| name.ends_with(".history")).cloned();
    let histories: Vec<String> = histories.collect();
    archive.fetch_all(&histories, &place)?;
    let newest = histories.last().and_then(|name| u32::from_str_radix(name.get(..8)?, 16).ok());
    let newest = newest.filter(|newest| *newest > range.timeline);
    let lines = match newest {
        None => Some(vec![(range.timeline, first.number)]),
        Some(newest) => {
            let text = std::fs::read_to_string(place(&format!("{newest:08X}.history")));
            timelines(&text.map_err(io)?, newest, range.timeline, first.number, size)
        }
    };
    let lines = lines.ok_or_else(|| {
        failed(format!(
            "no history leads from its timeline {} on; name a newer base",
            range.timeline
        ))
    })?;
    let end = segment_of(&range.end, size).unwrap_or(first.number);
    let Way { names, gap } = way(&held, first.number..=end, size, &lines);
    let until = Until::Time(time(at_ms));
    let ended_late = |name: &String| {
        let ended = held.get(name).map_or(0, |segment| segment.ended_at_ms);
        ended > at_ms.saturating_add(SLACK_MS)
    };
    let enough = names.iter().position(ended_late).map_or(names.len(), |at| at.saturating_add(1));
    let (now, later) = names.split_at(enough);
    for (round, names) in [now, later].into_iter().enumerate() {
        archive.fetch_all(names, &place)?;
        own(account, &log)?;
        match start(&until) {
            Ok(server) => return Ok(server),
            // Times of files are those of disks: where more is there, all of it decides.
            Err(Failure::TooEarly(_)) if round == 0 && !later.is_empty() => {}
            Err(failure) => {
                let last = names.last().or(now.last()).map_or(range.first.as_str(), String::as_str);
                return Err(ended(failure, last, gap));
            }
        }
    }
    Err(failed("the log ends before that time"))
}

/// Why a server did not come to the moment that was asked for.
fn ended(failure: Failure, last: &str, gap: Option<(String, String)>) -> Error {
    let at = match failure {
        Failure::Other(reason) => return failed(reason),
        Failure::TooEarly(at) => at.unwrap_or_else(|| "an unknown time".to_owned()),
    };
    failed(match gap {
        Some((missing, later)) => format!(
            "the archive of the write-ahead log lacks {missing}: from this base it leads to {at} \
             and not on; it goes on with {later}, so that a base taken after that leads further"
        ),
        None => format!(
            "the write-ahead log that was archived ends with {last}, its last transaction was at \
             {at}; name a time before that"
        ),
    })
}

/// A time as PostgreSQL reads it.
fn time(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S%.3f+00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 16 << 20;

    fn held(names: &[&str]) -> BTreeMap<String, Segment> {
        let segment = |name: &str| Segment {
            name: name.to_owned(),
            sha256: String::new(),
            bytes: SIZE,
            ended_at_ms: 0,
            system: None,
        };
        names.iter().map(|name| ((*name).to_owned(), segment(name))).collect()
    }

    fn name(timeline: u32, number: u64) -> String {
        Position { timeline, number }.name(SIZE)
    }

    #[test]
    fn a_gap_is_named_and_what_comes_before_it_is_the_way() {
        let names = [name(1, 2), name(1, 3), name(1, 5)];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = way(&held(&names), 2..=2, SIZE, &vec![(1, 2)]);
        assert_eq!(found.names, [name(1, 2), name(1, 3)]);
        assert_eq!(found.gap, Some((name(1, 4), name(1, 5))));
        // The base's own first one need not be archived; an end is no gap.
        let found = way(&held(&[&name(1, 3)]), 2..=2, SIZE, &vec![(1, 2)]);
        assert_eq!((found.names, found.gap), (vec![name(1, 3)], None));
    }

    #[test]
    fn the_way_changes_to_the_timeline_that_was_taken() {
        let history = "1\t0/5000100\tbefore 2026-01-01\n";
        let lines = timelines(history, 2, 1, 2, SIZE).unwrap();
        assert_eq!(lines, [(1, 0), (2, 5)]);
        let names = [name(1, 2), name(1, 3), name(1, 4), name(1, 5), name(2, 5), name(2, 6)];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = way(&held(&names), 2..=2, SIZE, &lines);
        let expected = [name(1, 2), name(1, 3), name(1, 4), name(2, 5), name(2, 6)];
        assert_eq!((found.names, found.gap), (expected.to_vec(), None));
        assert_eq!(timelines(history, 2, 7, 2, SIZE), None);
    }

    #[test]
    fn a_time_is_written_as_the_server_reads_it() {
        assert_eq!(time(1_767_268_800_123), "2026-01-01 12:00:00.123+00");
    }
}
