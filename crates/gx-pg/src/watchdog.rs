//! Stops the server and deletes its folder when the owning process is gone, however it went.
//!
//! A shell waits at the end of a pipe whose other end only this process holds, so that the kernel
//! tells it about the death even after `kill -9`. It is also what deletes the folder in the
//! ordinary case, because it has the rights to: the files belong to PostgreSQL's account.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Error;
use crate::folder::Folder;

/// `pid 123`: this server is running. `pid`: none is. `keep`: do not delete the folder.
const SCRIPT: &str = r#"
pid=
keep=
while IFS=' ' read -r word value; do
    case $word in
        pid) pid=$value ;;
        keep) keep=yes ;;
    esac
done
if [ -n "$pid" ]; then
    kill -s QUIT "$pid"
    tries=0
    while kill -0 "$pid" && [ "$tries" -lt 50 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    kill -s KILL "$pid"
fi
[ -n "$keep" ] || rm -rf -- "$1"
"#;

#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    pub(crate) fn start(folder: &Folder) -> Result<Self, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "gx-pg-watchdog"]).arg(folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own, so that Ctrl-C in a terminal does not end the watchdog first.
        command.current_dir("/").process_group(0);
        if let Some(account) = folder.account() {
            account.apply(&mut command);
        }
        let shell = command.spawn().map_err(Error::io("start the watchdog (sh)"))?;
        Ok(Self { shell })
    }

    /// Tells which server is to be stopped, if any.
    pub(crate) fn watch(&mut self, pid: Option<u32>) -> Result<(), Error> {
        let line = pid.map_or_else(|| "pid\n".to_owned(), |pid| format!("pid {pid}\n"));
        self.say(&line)
    }

    /// Leaves the folder in place for whoever looks into a failure.
    pub(crate) fn keep(&mut self) -> Result<(), Error> {
        self.say("keep\n")
    }

    fn say(&mut self, line: &str) -> Result<(), Error> {
        let Some(pipe) = self.shell.stdin.as_mut() else { return Ok(()) };
        pipe.write_all(line.as_bytes()).map_err(Error::io("write to the watchdog"))
    }
}

impl Drop for Watchdog {
    /// Lets the watchdog do its work now and waits until the folder is gone.
    fn drop(&mut self) {
        // `wait` closes the pipe first. There is nobody to report a failure to.
        let _ = self.shell.wait();
    }
}

/// Sends a signal. Without a library for it, the shell's own `kill` does.
pub(crate) fn signal(pid: u32, name: &str, folder: &Path) -> Result<(), Error> {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "gx-pg-kill", name, &pid.to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(Error::io("run sh"))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Program { name: "kill", status, output: format!("signal {name} to {pid}") })
}
