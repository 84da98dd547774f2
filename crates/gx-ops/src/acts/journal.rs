//! What a run has done, on disk before the next thing is done: a folder for each run, with the
//! plan, one line for each event, and the objects as they were before they were deleted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::facts::Time;
use crate::plans::{Plan, PlanReadError};

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    Begun,
    /// It is about to be done, or was when nothing follows.
    Starting {
        step: usize,
    },
    /// It was done, and what had to hold holds.
    Done {
        step: usize,
    },
    /// Something was not as expected.
    Stopped {
        step: usize,
        why: String,
    },
    Continued,
    /// All steps are done.
    Ended,
    RollingBack,
    /// A step was taken back, or why not.
    Undone {
        step: usize,
        how: String,
    },
    RolledBack,
}

/// An event with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Time,
    #[serde(flatten)]
    pub event: Event,
}

/// A journal that cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{what} {}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the plan of the run {} cannot be read", path.display())]
    Plan {
        path: PathBuf,
        #[source]
        source: PlanReadError,
    },
    #[error("the journal {} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("another gx ops apply is at work in {}", .0.display())]
    Locked(PathBuf),
    #[error("the run {0} has not ended: --continue {0} or --rollback {0}")]
    Unfinished(String),
    #[error("no run of {0} has begun and not ended")]
    NoRun(String),
    #[error("{0} may be each of the runs {1}")]
    SeveralRuns(String, String),
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::File { what, path, source }
}

/// The folder of all runs, for one process at a time.
#[derive(Debug)]
pub struct Runs {
    folder: PathBuf,
    _lock: File,
}

impl Runs {
    /// Opens it, and makes it when there is none.
    ///
    /// # Errors
    /// When it cannot be made, or another process has it.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(failed("cannot make the folder", folder))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(failed("cannot open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(JournalError::Locked(folder.to_owned())),
            Err(fs::TryLockError::Error(source)) => Err(failed("cannot lock", &path)(source)),
        }
    }

    /// Names of the runs that have begun and not ended, the oldest first.
    fn unfinished(&self) -> Result<Vec<String>, JournalError> {
        let mut names = Vec::new();
        let listed = fs::read_dir(&self.folder).map_err(failed("cannot list", &self.folder))?;
        for entry in listed {
            let path = entry.map_err(failed("cannot list", &self.folder))?.path();
            let entries = path.join(JOURNAL);
            if !entries.is_file() || read_entries(&entries)?.0.iter().any(|one| one.is_last()) {
                continue;
            }
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        names.sort();
        Ok(names)
    }

    /// Begins a run of a plan.
    ///
    /// # Errors
    /// When another run has not ended, or nothing can be written.
    pub fn begin(&self, plan: &Plan, at: Time) -> Result<Journal, JournalError> {
        if let Some(name) = self.unfinished()?.into_iter().next() {
            return Err(JournalError::Unfinished(name));
        }
        let stamp: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        let folder = self.folder.join(format!("{stamp}-{}", plan.id));
        fs::create_dir_all(folder.join(OBJECTS))
            .map_err(failed("cannot make the folder", &folder))?;
        let plan_path = folder.join(PLAN);
        let text = plan.to_text();
        let text = text.map_err(|source| JournalError::Plan { path: plan_path.clone(), source })?;
        write_whole(&plan_path, text.as_bytes())?;
        let mut journal = Journal::open(&folder)?;
        sync_folder(&self.folder)?;
        journal.note(at, Event::Begun)?;
        Ok(journal)
    }

    /// The run that has not ended, by its name or by the id of its plan.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, id: &str) -> Result<Journal, JournalError> {
        let mut found = self.unfinished()?;
        found.retain(|name| !id.is_empty() && name.contains(id));
        match found.as_slice() {
            [] => Err(JournalError::NoRun(id.to_owned())),
            [name] => Journal::open(&self.folder.join(name)),
            several => Err(JournalError::SeveralRuns(id.to_owned(), several.join(", "))),
        }
    }
}

const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.jsonl";
const OBJECTS: &str = "objects";

/// One run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    plan: Plan,
    entries: Vec<Entry>,
}

impl Entry {
    fn is_last(&self) -> bool {
        matches!(self.event, Event::Ended | Event::RolledBack)
    }
}

/// The entries of a file, and the bytes that they take: a line that was cut off when the process
/// was killed has not happened.
fn read_entries(path: &Path) -> Result<(Vec<Entry>, u64), JournalError> {
    let text = fs::read_to_string(path).map_err(failed("cannot read", path))?;
    let whole = text.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let lines = text.get(..whole).unwrap_or_default().lines();
    let entries = lines.map(|line| {
        serde_json::from_str(line)
            .map_err(|source| JournalError::Damaged { path: path.to_owned(), source })
    });
    Ok((entries.collect::<Result<_, _>>()?, u64::try_from(whole).unwrap_or(u64::MAX)))
}

fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    let opened = File::open(folder).map_err(failed("cannot open", folder))?;
    opened.sync_all().map_err(failed("cannot write", folder))
}

/// Writes a file so that it is there whole, or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let new = path.with_extension("new");
    let mut file = File::create(&new).map_err(failed("cannot make", &new))?;
    file.write_all(bytes).map_err(failed("cannot write", &new))?;
    file.sync_all().map_err(failed("cannot write", &new))?;
    fs::rename(&new, path).map_err(failed("cannot write", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

impl Journal {
    fn open(folder: &Path) -> Result<Self, JournalError> {
        let path = folder.join(PLAN);
        let text = fs::read_to_string(&path).map_err(failed("cannot read", &path))?;
        let plan = Plan::parse(&text);
        let plan = plan.map_err(|source| JournalError::Plan { path, source })?;
        let path = folder.join(JOURNAL);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(failed("cannot open", &path))?;
        let (entries, whole) = read_entries(&path)?;
        file.set_len(whole).map_err(failed("cannot write", &path))?;
        sync_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), file, plan, entries })
    }

    /// Notes an event; when this returns it is on disk.
    pub(super) fn note(&mut self, at: Time, event: Event) -> Result<(), JournalError> {
        let path = self.folder.join(JOURNAL);
        let entry = Entry { at, event };
        let mut line = serde_json::to_vec(&entry)
            .map_err(|source| JournalError::Damaged { path: path.clone(), source })?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed("cannot write", &path))?;
        self.file.sync_data().map_err(failed("cannot write", &path))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Keeps an object as it is before it is deleted.
    pub(super) fn keep(&self, name: &str, text: &str) -> Result<(), JournalError> {
        write_whole(&self.folder.join(OBJECTS).join(name), text.as_bytes())
    }

    /// An object that was kept.
    pub(super) fn kept(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(OBJECTS).join(name)).ok()
    }

    /// Writes a file for people beside the journal.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), JournalError> {
        write_whole(&self.folder.join(name), text.as_bytes())
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a step was done, and not taken back since.
    pub(super) fn is_done(&self, number: usize) -> bool {
        let last = self.entries.iter().rev().find_map(|entry| match entry.event {
            Event::Done { step } if step == number => Some(true),
            Event::Undone { step, .. } if step == number => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// Whether a step was begun, whatever came of it.
    pub(super) fn is_begun(&self, number: usize) -> bool {
        let begun = |entry: &Entry| entry.event == Event::Starting { step: number };
        self.entries.iter().any(begun)
    }

    /// Whether it was begun to take it back.
    pub(super) fn is_going_back(&self) -> bool {
        self.entries.iter().any(|entry| entry.event == Event::RollingBack)
    }

    /// When a step was begun first.
    pub(super) fn begun(&self, number: usize) -> Option<Time> {
        let mut all = self.entries.iter();
        all.find(|entry| entry.event == Event::Starting { step: number }).map(|entry| entry.at)
    }
}
