//! A server of PostgreSQL over a folder that was restored: nobody but this process reaches it.
//!
//! Its settings come from here alone, whatever the cluster's own files say: it sends nothing,
//! archives nothing and listens on one socket in a folder that others cannot enter.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::plan::Postgres;

/// How often is looked whether a server is ready, or has ended.
const POLL: Duration = Duration::from_millis(50);

/// The account that runs a server when this process is root's, which PostgreSQL refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The owner of the folder in which the cluster is to stand, or `postgres` when that is root;
    /// `None` when this process is not root's.
    pub(crate) fn of(folder: &Path) -> Result<Option<Self>, String> {
        if !rustix::process::getuid().is_root() {
            return Ok(None);
        }
        let metadata =
            folder.metadata().map_err(|error| format!("{}: {error}", folder.display()))?;
        let owner = Self { uid: metadata.uid(), gid: metadata.gid() };
        if owner.uid != 0 {
            return Ok(Some(owner));
        }
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = accounts.lines().find_map(|line| {
            let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
            let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            (uid != 0).then_some(Self { uid, gid })
        });
        let reason = "PostgreSQL refuses to run as root, and there is no account postgres";
        found.map(Some).ok_or_else(|| reason.to_owned())
    }

    /// Gives it a folder and everything in it.
    pub(crate) fn own(self, path: &Path) -> std::io::Result<()> {
        if path.symlink_metadata()?.is_symlink() {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid))?;
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.own(&entry?.path())?;
            }
        }
        Ok(())
    }
}

/// A program of the server, of the version that the cluster is of.
pub(crate) fn server_program(name: &str, version: &str, settings: &Postgres) -> PathBuf {
    if !settings.programs.as_os_str().is_empty() {
        return settings.programs.join(name);
    }
    // Debian keeps them out of PATH, a folder for each version.
    let debian = Path::new("/usr/lib/postgresql").join(version).join("bin").join(name);
    if debian.is_file() { debian } else { PathBuf::from(name) }
}

/// A command that runs as the account, without settings of PostgreSQL from outside.
pub(crate) fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    for (key, _) in std::env::vars_os() {
        if key.to_str().is_some_and(|key| key.starts_with("PG")) {
            command.env_remove(key);
        }
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    if let Some(Account { uid, gid }) = account {
        command.uid(uid).gid(gid);
    }
    command
}

/// How far the log is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the end of the base.
    Base,
    /// To a time, as PostgreSQL reads it.
    Time(String),
}

/// Why a server is not running.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The log ends before the time; with its last transaction, where it says.
    TooEarly(Option<String>),
    Other(String),
}

/// A server that runs; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    postmaster: Child,
    /// Socket, settings and what the server says.
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts it and waits until it has applied what it was given and takes connections.
    pub(crate) fn start(
        program: &Path,
        data: &Path,
        account: Option<Account>,
        until: &Until,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Other(format!("the server: {error}"));
        // Below the system's folder for temporary files: a socket's path has room for a hundred
        // bytes, the folder of the data may have more.
        let folder = tempfile::Builder::new().prefix("gx-backup-").tempdir().map_err(failed)?;
        let at = folder.path();
        std::fs::write(at.join("settings"), "").map_err(failed)?;
        std::fs::write(at.join("ident"), "").map_err(failed)?;
        std::fs::write(at.join("hba"), "local all all trust\n").map_err(failed)?;
        std::fs::set_permissions(at, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
        if let Some(account) = account {
            account.own(at).map_err(failed)?;
        }
        let said = File::create(at.join("said")).map_err(failed)?;
        let mut postgres = command(program, account);
        postgres.arg("-D").arg(data).current_dir(at);
        for (name, value) in settings(at, until) {
            let mut setting = OsString::from(format!("{name}="));
            setting.push(value);
            postgres.arg("-c").arg(setting);
        }
        let both = said.try_clone().map_err(failed)?;
        postgres.stdout(both).stderr(said).process_group(0);
        let postmaster = postgres.spawn().map_err(|error| {
            Failure::Other(format!("{} can't be run: {error}", program.display()))
        })?;
        let mut server = Self { postmaster, folder };
        server.wait_until_ready(data)?;
        Ok(server)
    }

    /// The folder of its socket.
    pub(crate) fn socket(&self) -> &Path {
        self.folder.path()
    }

    fn said(&self) -> String {
        let mut text = String::new();
        let opened = File::open(self.folder.path().join("said"));
        // What is no text is not worth more.
        let _ = opened.and_then(|file| file.take(64 << 20).read_to_string(&mut text));
        text
    }

    /// It may take hours, and says nothing meanwhile; it is waited for as long as it runs.
    fn wait_until_ready(&mut self, data: &Path) -> Result<(), Failure> {
        let own = self.postmaster.id().to_string();
        loop {
            let ended = self.postmaster.try_wait();
            match ended.map_err(|error| Failure::Other(error.to_string()))? {
                Some(status) => return Err(why(&self.said(), status)),
                None if is_ready(data, &own) => return Ok(()),
                None => pause(),
            }
        }
    }

    /// Ends it in order, so that the folder is that of a server which was stopped.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        signal(&self.postmaster, Signal::INT);
        let status = self.postmaster.wait().map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(());
        }
        match why(&self.said(), status) {
            Failure::Other(reason) => Err(reason),
            Failure::TooEarly(_) => Err(format!("it ended with {status}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended takes no signal, and has been waited for.
        if matches!(self.postmaster.try_wait(), Ok(None)) {
            signal(&self.postmaster, Signal::QUIT);
            let _ = self.postmaster.wait();
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // It may have ended by itself.
    let _ = pid.map(|pid| kill_process(pid, signal));
}

#[expect(clippy::disallowed_methods, reason = "a starting server can only be polled")]
fn pause() {
    std::thread::sleep(POLL);
}

/// The file's first line is the process, its eighth what it does.
fn is_ready(data: &Path, own: &str) -> bool {
    let file = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = file.lines();
    lines.next() == Some(own) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

/// What a server can be told to stop at; the cluster's own settings may name any.
const TARGETS: [&str; 5] = [
    "recovery_target",
    "recovery_target_time",
    "recovery_target_name",
    "recovery_target_lsn",
    "recovery_target_xid",
];

fn settings(at: &Path, until: &Until) -> Vec<(&'static str, OsString)> {
    let path = |name: &str| at.join(name).into_os_string();
    let (target, timeline) = match until {
        Until::Base => (("recovery_target", "immediate"), "current"),
        Until::Time(time) => (("recovery_target_time", time.as_str()), "latest"),
    };
    let mut all = vec![
        ("config_file", path("settings")),
        ("hba_file", path("hba")),
        ("ident_file", path("ident")),
        ("unix_socket_directories", at.as_os_str().to_owned()),
    ];
    let plain = [
        ("unix_socket_permissions", "0700"),
        ("listen_addresses", ""),
        ("port", "5432"),
        ("ssl", "off"),
        ("archive_mode", "off"),
        ("shared_preload_libraries", ""),
        ("session_preload_libraries", ""),
        ("local_preload_libraries", ""),
        ("primary_conninfo", ""),
        ("primary_slot_name", ""),
        ("synchronous_standby_names", ""),
        // Only with it would the limits of the primary have to be known here.
        ("hot_standby", "off"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        ("log_timezone", "UTC"),
        ("lc_messages", "C"),
        // All of the log lies where the server looks next.
        ("restore_command", "false"),
        ("recovery_target_timeline", timeline),
        ("recovery_target_action", "promote"),
    ];
    all.extend(plain.map(|(name, value)| (name, OsString::from(value))));
    // The one that is meant comes last: the server takes none beside it, not even an empty one.
    let others = TARGETS.into_iter().filter(|name| *name != target.0);
    all.extend(others.map(|name| (name, OsString::new())));
    all.push((target.0, OsString::from(target.1)));
    all
}

fn why(said: &str, status: ExitStatus) -> Failure {
    if said.contains("recovery ended before configured recovery target was reached") {
        let last = said.lines().rev().find_map(|line| {
            line.split_once("last completed transaction was at log time ").map(|(_, time)| time)
        });
        return Failure::TooEarly(last.map(|time| time.trim().to_owned()));
    }
    let fatal = said.lines().rev().find_map(|line| {
        ["FATAL:  ", "PANIC:  "].into_iter().find_map(|kind| line.split_once(kind))
    });
    let reason = fatal.map(|(_, reason)| reason.to_owned());
    let reason = reason.or_else(|| said.lines().last().map(str::to_owned)).unwrap_or_default();
    Failure::Other(format!("the server ended with {status}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_server_ended_is_told_from_what_it_said() {
        let status = ExitStatus::default();
        let said = "2026-01-01 [7] LOG:  last completed transaction was at log time 2026-01-01 \
            10:00:00.1+00\n2026-01-01 [7] FATAL:  recovery ended before configured recovery target \
            was reached\n2026-01-01 [1] LOG:  startup process (PID 7) exited with exit code 1\n";
        let early = why(said, status);
        assert!(
            matches!(&early, Failure::TooEarly(Some(at)) if at == "2026-01-01 10:00:00.1+00"),
            "{early:?}"
        );
        let other = why("x [7] FATAL:  requested timeline 2 is not a child\nx LOG:  bye\n", status);
        assert!(
            matches!(&other, Failure::Other(text)
                if text.ends_with(": requested timeline 2 is not a child")),
            "{other:?}"
        );
    }
}
