//! A platform in a process of its own: this same binary, started as `gx up` on a folder.
//!
//! For benchmarks of the process as a whole, and for the tests that kill it. A child that is
//! dropped is killed, so that none outlives its parent's work.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a platform may take to stop.
const STOPPING: Duration = Duration::from_secs(30);

/// A running `gx up`.
#[derive(Debug)]
pub struct Child {
    process: Process,
    /// `http://address:port`
    pub url: String,
    /// The administrator's name and one-time password, if this was a first start.
    pub first: Option<(String, String)>,
    /// From the start of the process to its word that it is ready.
    pub started_in: Duration,
}

impl Child {
    /// Starts `program up` on a folder, on any free port, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before it is ready. Its own words are on standard error.
    pub fn start(
        program: impl AsRef<OsStr>,
        data: &Path,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let began = Instant::now();
        let mut process = Command::new(program)
            .args(["up", "--port", "0", "--data"])
            .arg(data)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start gx up")?;
        let output = process.stdout.take().context("gx up has no output")?;
        let (mut url, mut username, mut password) = (None, None, None);
        for line in BufReader::new(output).lines() {
            let line = line.context("the output of gx up")?;
            let after =
                |start: &str| line.trim().strip_prefix(start).map(|rest| rest.trim().to_owned());
            username = after("user name").or(username);
            password = after("one-time password").or(password);
            if let Some(rest) = after("ready on") {
                url = rest.split_whitespace().next().map(str::to_owned);
                break;
            }
        }
        let started_in = began.elapsed();
        match url {
            Some(url) => Ok(Self { process, url, first: username.zip(password), started_in }),
            None => bail!("gx up ended before it was ready: {}", process.wait()?),
        }
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks the process to stop and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time; it is killed then.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + STOPPING;
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("gx up did not stop within {} s", STOPPING.as_secs());
            }
            pause();
        }
    }

    /// Ends the process at once, as a power cut would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(id.context("the process has no number")?, signal)?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has usually ended; a process that cannot be killed is nobody's any more.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "the end of a process can only be polled")]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
