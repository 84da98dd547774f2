//! What programs write: snapshots of etcd, objects of a cluster, a dump of Redis.

use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::manifest::{Kind, Part};
use crate::parts::{Capture, Ends, taken};
use crate::plan::Output;
use crate::repository::folder_of;
use crate::source::Stream;

/// Captures what a program writes to its standard output.
pub(crate) fn capture(to: &Capture<'_>, output: &Output) -> Result<Part, Error> {
    let Output { name, command, bytes_min, begins_with, ends_with } = output;
    let mut program = Command::new(command.first().map_or("", String::as_str));
    program.args(command.iter().skip(1));
    let ends = Arc::new(Mutex::new(Ends::default()));
    let kept = ends.clone();
    let part = run(to, name, Kind::Output, program, |from| Kept { from, ends: kept })?;
    let ends = std::mem::take(&mut *ends.lock().unwrap_or_else(PoisonError::into_inner));
    let wrong = if part.bytes < *bytes_min {
        Some(format!("it wrote {} bytes, fewer than {bytes_min}", part.bytes))
    } else if !ends.first.starts_with(begins_with.as_bytes()) {
        Some(format!("its output does not begin with {begins_with:?}"))
    } else if !ends.last.trim_ascii_end().ends_with(ends_with.trim_end().as_bytes()) {
        Some(format!("its output does not end with {ends_with:?}"))
    } else {
        None
    };
    wrong.map_or(Ok(part), |reason| Err(Error::not_captured(name, reason)))
}

/// Runs a program and takes in what it writes, unless it fails.
pub(crate) fn run<R: Read + Send + 'static>(
    to: &Capture<'_>,
    name: &str,
    kind: Kind,
    mut program: Command,
    watch: impl FnOnce(ChildStdout) -> R,
) -> Result<Part, Error> {
    let said = program.get_program().to_string_lossy().into_owned();
    let failed =
        |error: std::io::Error| Error::not_captured(name, format!("{said} can't be run: {error}"));
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Killed(program.spawn().map_err(failed)?);
    let (stdout, stderr) = (child.0.stdout.take(), child.0.stderr.take());
    let complaints = std::thread::spawn(move || stderr.map(last_words).unwrap_or_default());
    let Some(stdout) = stdout else {
        return Err(Error::not_captured(name, format!("{said} has no output")));
    };
    let source = Stream::new(folder_of(name), watch(stdout));
    let snapshot = to.to.part(to.backup, name, &source, false)?;
    let status = child.0.wait().map_err(failed)?;
    let complaints = complaints.join().unwrap_or_default();
    if !status.success() {
        let reason = format!("{said} ended with {status}: {}", complaints.trim());
        return Err(Error::not_captured(name, reason));
    }
    taken(name, kind, &snapshot, source.seen())
}

/// The end of what a program complains of, so that a flood of it needs no memory.
pub(crate) fn last_words(mut from: impl Read) -> String {
    let (mut ends, mut buffer) = (Ends::default(), [0; 4096]);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        ends.see(buffer.get(..count).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&ends.last).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("; ")
}

/// A program that ends with whoever needs it.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Remembers the ends of what is read.
struct Kept<R> {
    from: R,
    ends: Arc<Mutex<Ends>>,
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.see(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
