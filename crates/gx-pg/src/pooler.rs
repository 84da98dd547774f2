//! A PgBouncer in front of a throw-away server, as operators of clusters put one.
//!
//! It has a folder, a port and an end of its own, like a [`Cluster`](crate::Cluster). Its settings
//! are those that tests need; what it is not told, it does as Debian's package does.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::watchdog::Watchdog;
use crate::{Error, Server, port};

const START_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// For how long a client has a session of the server to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    Session,
    Transaction,
    /// The same, and settings that a client asks for at the start are passed over in silence.
    TransactionSilent,
}

/// A running pooler. Dropping it ends it and deletes its folder.
#[derive(Debug)]
pub struct Pooler {
    server: Server,
    child: Child,
    _watchdog: Watchdog,
}

impl Pooler {
    /// Whether the program is on this machine.
    pub fn is_installed() -> bool {
        program().is_some()
    }

    /// Starts a pooler of a server.
    ///
    /// # Errors
    /// When the program is missing or does not answer in time; the text holds its log.
    pub fn start(server: &Server, pooling: Pooling) -> Result<Self, Error> {
        let program = program().ok_or(Error::NoPooler)?;
        let folder = Folder::create(None)?;
        let mut watchdog = Watchdog::start(&folder)?;
        let server = Server { port: port::free()?, host: "127.0.0.1".to_owned(), ..server.clone() }
            .in_front_of(server, &folder, pooling)?;
        let log = File::create(folder.log()).map_err(Error::io("create the pooler's log"))?;
        let mut command = Command::new(program);
        command.arg(folder.path().join("pgbouncer.ini")).current_dir(folder.path());
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let Some(account) = folder.account() {
            account.apply(&mut command);
        }
        let mut child = command.spawn().map_err(Error::io("start pgbouncer"))?;
        watchdog.watch(Some(child.id()))?;
        let deadline = Instant::now() + START_DEADLINE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).is_err() {
            let ended = child.try_wait().map_err(Error::io("look after pgbouncer"))?;
            if let Some(status) = ended {
                return Err(Error::Program {
                    name: "pgbouncer",
                    status,
                    output: folder.log_tail(),
                });
            }
            if Instant::now() > deadline {
                let reason = "does not answer through its pooler".to_owned();
                return Err(Error::NotReady { reason, log: folder.log_tail() });
            }
            pause();
        }
        Ok(Self { server, child, _watchdog: watchdog })
    }

    /// The URL of a database through the pooler, password included.
    pub fn url(&self, db: &str) -> String {
        self.server.url(db)
    }
}

impl Server {
    /// Writes the settings of a pooler on this address that leads to `server`.
    fn in_front_of(self, server: &Self, folder: &Folder, pooling: Pooling) -> Result<Self, Error> {
        // A client keeps a session as long as it is connected: there must be one for each.
        let (mode, sessions, passed_over) = match pooling {
            Pooling::Session => ("session", 32, ""),
            Pooling::Transaction => ("transaction", 8, ""),
            Pooling::TransactionSilent => {
                ("transaction", 8, "ignore_startup_parameters = options\n")
            }
        };
        let settings = format!(
            "[databases]\n* = host={} port={}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {}\nunix_socket_dir =\nauth_type = scram-sha-256\n\
             auth_file = users.txt\npool_mode = {mode}\ndefault_pool_size = {sessions}\n\
             max_client_conn = 500\n{passed_over}",
            server.host, server.port, self.port,
        );
        let users = format!("\"{}\" \"{}\"\n", server.user, server.password);
        for (name, text) in [("pgbouncer.ini", settings), ("users.txt", users)] {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
            folder.account().map_or(Ok(()), |account| account.own(&path))?;
        }
        Ok(self)
    }
}

/// Debian keeps it where only root looks.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}

#[expect(clippy::disallowed_methods, reason = "a starting server can only be polled")]
fn pause() {
    std::thread::sleep(POLL);
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // The watchdog, dropped next, takes care of what is left.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
