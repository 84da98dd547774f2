//! A program of this machine as a throw-away process of a test.
//!
//! It is held on a leash: a shell that waits at the end of a pipe whose other end only the test
//! holds, and kills the program with all that it has started when the test ends, however it ends.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::server::eventually;

/// The program with its arguments, until the pipe is closed.
const LEASH: &str = r#""$@" </dev/null & read -r _; kill -s KILL 0"#;

/// Where one of the programs is, if it is installed. What is missing is said, and may not be
/// missing in continuous integration.
pub(super) fn find(names: &[&str], package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root looks.
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).collect();
    let in_folders = |name: &&str| -> Option<PathBuf> {
        folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
    };
    let found = names.iter().find_map(in_folders);
    if found.is_none() {
        let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!is_ci, "Debian's package {package} is not installed");
        say(&format!("Debian's package {package} is not installed: nothing is tested with it"));
    }
    found
}

#[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// A port that nobody listens on, and that the system gives to no outgoing connection meanwhile: it
/// draws those from a range above.
pub(super) fn free_port() -> u16 {
    let mut ports = (0..200).map(|_| rand::random_range(15_000..29_000));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

/// A running program, which goes with the value.
#[derive(Debug)]
pub(super) struct Program {
    leash: Child,
    ports: Vec<u16>,
}

impl Program {
    /// Starts a program in a folder, and waits until it listens on its ports. What it prints is
    /// kept in `output` there.
    pub(super) async fn start(command: &Command, folder: &Path, ports: &[u16]) -> Self {
        let (log, name) = (folder.join("output"), command.get_program());
        let output = File::options().append(true).create(true).open(&log).unwrap();
        let mut leash = Command::new("sh");
        leash.args(["-c", LEASH, "leash"]).arg(name).args(command.get_args());
        leash.current_dir(folder).process_group(0).stdin(Stdio::piped());
        leash.stdout(output.try_clone().unwrap()).stderr(output);
        let program = Self { leash: leash.spawn().unwrap(), ports: ports.to_vec() };
        let what = format!("{name:?} listens; see {}", log.display());
        eventually(&what, async || program.answers().then_some(())).await;
        program
    }

    fn answers(&self) -> bool {
        self.ports.iter().all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok())
    }

    /// Kills it, and waits until nobody listens.
    pub(super) async fn kill(self) {
        let ports = self.ports.clone();
        drop(self);
        eventually("nobody listens", async || {
            let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
            ports.iter().all(is_free).then_some(())
        })
        .await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}
