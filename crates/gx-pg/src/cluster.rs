//! One PostgreSQL server of our own, from `initdb` to the deletion of its folder.
//!
//! It can be stopped, killed and started again on the same port, which is what tests of faults
//! need. It listens on 127.0.0.1 only and asks for a random password.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::server::USER;
use crate::watchdog::{Watchdog, signal};
use crate::{Database, Error, Options, Programs, Server, port, random};

const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// A running or stopped throw-away cluster. Dropping it stops it and deletes its folder; while a
/// thread is panicking the folder is kept and its path printed.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    folder: Folder,
    postmaster: Option<Child>,
    watchdog: Watchdog,
}

/// Why a server that was started is not running.
enum Failure {
    /// Another process has the port, or the killed server's last children still hold its memory.
    Taken,
    Other(Error),
}

impl Cluster {
    /// Creates a cluster and waits until it takes connections. Takes about a second.
    pub fn start(options: Options) -> Result<Self, Error> {
        let programs = Programs::find()?;
        let folder = Folder::create(options.parent.as_deref())?;
        let watchdog = Watchdog::start(&folder)?;
        let (user, host) = (USER.to_owned(), "127.0.0.1".to_owned());
        let password = random::hex::<16>()?;
        let server = Server { programs, user, password, host, port: port::free()? };
        let mut cluster = Self { server, folder, postmaster: None, watchdog };
        cluster.create(&options)?;
        const PORTS: u32 = 20;
        for _ in 1..PORTS {
            match cluster.launch() {
                Ok(()) => return Ok(cluster),
                Err(Failure::Taken) => cluster.server.port = port::free()?,
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        let reason = format!("found {PORTS} ports taken one after the other");
        Err(Error::NotReady { reason, log: cluster.folder.log_tail() })
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// `postgres://gx:password@127.0.0.1:port/db`; the same after a restart.
    pub fn url(&self, db: &str) -> String {
        self.server.url(db)
    }

    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        self.server.create_database(name)
    }

    /// A new empty database, dropped with the value.
    pub fn fresh_database(&self) -> Result<Database, Error> {
        self.server.fresh_database()
    }

    /// Runs one statement with psql, as [`Server::sql`] does.
    pub fn sql(&self, db: &str, text: &str) -> Result<String, Error> {
        self.server.sql(db, text)
    }

    /// Stops in order, disconnecting everybody (PostgreSQL's "fast" mode).
    pub fn stop(&mut self) -> Result<(), Error> {
        self.end("INT")
    }

    /// `kill -9` of the postmaster: what was not on disk is lost, the next start recovers. When it
    /// returns, the postmaster's children, which notice its end by themselves, are gone too.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.end("KILL")?;
        let (data, deadline) = (self.folder.data(), Instant::now() + STOP_DEADLINE);
        while has_processes(&data) {
            if Instant::now() >= deadline {
                return Err(Error::NotStopped { folder: self.folder.path().to_path_buf() });
            }
            pause();
        }
        Ok(())
    }

    /// Starts again on the same port, after a stop in order if it is still running.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop()?;
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            match self.launch() {
                Ok(()) => return Ok(()),
                Err(Failure::Taken) if Instant::now() < deadline => pause(),
                Err(Failure::Taken) => {
                    let reason = format!("found port {} or its memory taken", self.port());
                    return Err(Error::NotReady { reason, log: self.folder.log_tail() });
                }
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.postmaster.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn create(&self, options: &Options) -> Result<(), Error> {
        let secret = self.folder.path().join("password");
        write_new(&self.folder, &secret, &self.server.password)?;
        let mut initdb = self.server.programs.command("initdb");
        initdb.arg("-D").arg(self.folder.data()).arg("--pwfile").arg(&secret);
        initdb.args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]);
        initdb.args(["--no-instructions", "--no-sync"]).current_dir(self.folder.path());
        if let Some(account) = self.folder.account() {
            account.apply(&mut initdb);
        }
        let output = initdb.output().map_err(Error::io("run initdb"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::Program { name: "initdb", status: output.status, output: text });
        }
        OpenOptions::new()
            .append(true)
            .open(self.folder.data().join("postgresql.conf"))
            .and_then(|mut file| file.write_all(options.conf().as_bytes()))
            .map_err(Error::io("write postgresql.conf"))
    }

    fn launch(&mut self) -> Result<(), Failure> {
        let log = File::create(self.folder.log()).map_err(Error::io("create the server's log"))?;
        let copy = log.try_clone().map_err(Error::io("open the server's log twice"))?;
        let mut postgres = self.server.programs.command("postgres");
        postgres.arg("-D").arg(self.folder.data()).arg("-p").arg(self.port().to_string());
        postgres.current_dir(self.folder.path()).process_group(0).stdout(copy).stderr(log);
        postgres.stdin(Stdio::null());
        if let Some(account) = self.folder.account() {
            account.apply(&mut postgres);
        }
        let child = postgres.spawn().map_err(Error::io("start postgres"))?;
        let pid = child.id();
        self.postmaster = Some(child);
        self.watchdog.watch(Some(pid))?;
        self.wait_until_ready(pid)
    }

    fn wait_until_ready(&mut self, pid: u32) -> Result<(), Failure> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if !self.is_running() {
                self.postmaster = None;
                self.watchdog.watch(None)?;
                return Err(self.ended_early());
            }
            if self.says_ready(pid) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let reason = format!("was not ready after {} s", START_DEADLINE.as_secs());
                let log = self.folder.log_tail();
                return Err(Failure::Other(Error::NotReady { reason, log }));
            }
            pause();
        }
    }

    /// PostgreSQL writes its process id into the first line of this file and its state into the
    /// eighth; the file of a killed server carries another process id.
    fn says_ready(&self, pid: u32) -> bool {
        let file = fs::read_to_string(self.folder.data().join("postmaster.pid"));
        let file = file.unwrap_or_default();
        let mut lines = file.lines();
        lines.next() == Some(pid.to_string().as_str())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn ended_early(&self) -> Failure {
        let log = self.folder.log_tail();
        if ["Address already in use", "is still in use"].iter().any(|text| log.contains(text)) {
            return Failure::Taken;
        }
        let reason = "ended before it was ready".to_owned();
        Failure::Other(Error::NotReady { reason, log })
    }

    fn end(&mut self, how: &str) -> Result<(), Error> {
        let Some(mut child) = self.postmaster.take() else { return Ok(()) };
        let ended = end_child(&mut child, how, &self.folder);
        self.watchdog.watch(None)?;
        ended
    }
}

/// Ends a server and waits for it. A server that does not stop in order in time is killed.
fn end_child(child: &mut Child, how: &str, folder: &Folder) -> Result<(), Error> {
    if how != "KILL" {
        // If the signal cannot be sent, the deadline passes at once and the kill below ends it.
        let sent = signal(child.id(), how, folder.path());
        let deadline = Instant::now() + if sent.is_ok() { STOP_DEADLINE } else { Duration::ZERO };
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                child.kill().and_then(|()| child.wait()).map_err(Error::io("kill postgres"))?;
                return Err(Error::NotStopped { folder: folder.path().to_path_buf() });
            }
            pause();
        }
        return Ok(());
    }
    child.kill().and_then(|()| child.wait()).map(drop).map_err(Error::io("kill postgres"))
}

/// Whether a process works in this folder, as every process of a server does in its data folder.
/// Where the system does not tell, there is none.
fn has_processes(folder: &std::path::Path) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let in_folder = |process: fs::DirEntry| {
        fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == folder)
    };
    processes.flatten().any(in_folder)
}

/// Writes a file that only PostgreSQL's account and root can read; its folder is closed to others.
fn write_new(folder: &Folder, path: &std::path::Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::io(format!("write {}", path.display())))?;
    folder.account().map_or(Ok(()), |account| account.own(path))
}

#[expect(clippy::disallowed_methods, reason = "a starting server can only be polled")]
fn pause() {
    std::thread::sleep(POLL);
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
        // What fails here is done by the watchdog, which is dropped next.
        let _ = self.end("QUIT");
    }
}

impl Cluster {
    #[expect(clippy::print_stderr, reason = "whoever looks into a failed test needs the path")]
    pub(crate) fn keep(&mut self) {
        if self.watchdog.keep().is_ok() {
            eprintln!("The PostgreSQL cluster is kept in {}", self.folder.path().display());
        }
    }
}
