//! A repository on any remote of rclone: SFTP, S3 and what else it reaches.
//!
//! Each request is one call of the program, which holds the credentials; this process sees none.
//! A remote's own copy commands are never used, and nothing is deleted but by name.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

/// A folder of a remote, as rclone names it: `offsite:gx/mainnet`.
#[derive(Debug, Clone)]
pub(crate) struct Rclone {
    root: String,
}

/// What `rclone` ends with when a file or folder does not exist.
const NOT_FOUND: [i32; 2] = [3, 4];

impl Rclone {
    pub(crate) fn new(root: &str) -> Self {
        Self { root: root.trim_end_matches('/').to_owned() }
    }

    fn folder(&self, tpe: FileType) -> String {
        let separator = if self.root.ends_with(':') { "" } else { "/" };
        match tpe {
            FileType::Config => self.root.clone(),
            _ => format!("{}{separator}{}", self.root, tpe.dirname()),
        }
    }

    fn file(&self, tpe: FileType, id: &Id) -> String {
        let hex = id.to_hex();
        let hex: &str = &hex;
        let folder = self.folder(tpe);
        let separator = if folder.ends_with(':') { "" } else { "/" };
        match tpe {
            FileType::Config => format!("{folder}{separator}config"),
            FileType::Pack => format!("{folder}/{}/{hex}", hex.get(..2).unwrap_or_default()),
            _ => format!("{folder}/{hex}"),
        }
    }

    fn call(&self, arguments: &[&str], input: Option<BytesList>) -> RusticResult<Output> {
        let run = || -> std::io::Result<Output> {
            let mut child = Command::new("rclone")
                .args(["--log-level", "ERROR", "--retries", "3"])
                .args(arguments)
                .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let stdin = child.stdin.take();
            std::thread::scope(|scope| {
                let writing = scope.spawn(move || match (stdin, input) {
                    (Some(mut stdin), Some(input)) => {
                        input.slice().iter().try_for_each(|bytes| stdin.write_all(bytes))
                    }
                    _ => Ok(()),
                });
                let output = child.wait_with_output()?;
                // Why it stopped reading stands in its own words.
                let written = writing.join().unwrap_or(Ok(()));
                if output.status.success() { written.map(|()| output) } else { Ok(output) }
            })
        };
        run().map_err(|error| {
            RusticError::with_source(ErrorKind::Backend, "rclone can't be run", error)
        })
    }

    fn done(&self, arguments: &[&str], input: Option<BytesList>) -> RusticResult<Vec<u8>> {
        let output = self.call(arguments, input)?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(&output)) }
    }
}

fn failed(output: &Output) -> Box<RusticError> {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().last().unwrap_or_default().trim().to_owned();
    RusticError::new(ErrorKind::Backend, format!("rclone ended with {}: {said}", output.status))
}

impl ReadBackend for Rclone {
    fn location(&self) -> String {
        format!("rclone:{}", self.root)
    }

    fn list_with_size(&self, tpe: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let folder = self.folder(tpe);
        let depth = if tpe == FileType::Config { "1" } else { "2" };
        let arguments =
            ["lsf", "--files-only", "--recursive", "--max-depth", depth, "--format", "sp", &folder];
        let output = self.call(&arguments, None)?;
        if output.status.code().is_some_and(|code| NOT_FOUND.contains(&code)) {
            return Ok(Vec::new());
        }
        if !output.status.success() {
            return Err(failed(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let files = text.lines().filter_map(|line| {
            let (size, path) = line.split_once(';')?;
            let name = path.rsplit('/').next().unwrap_or(path);
            let size = size.parse().ok()?;
            match tpe {
                FileType::Config => (name == "config").then(|| (Id::default(), size)),
                _ => Id::parse_some(name, tpe).map(|id| (id, size)),
            }
        });
        Ok(files.collect())
    }

    fn read_full(&self, tpe: FileType, id: &Id) -> RusticResult<bytes::Bytes> {
        Ok(self.done(&["cat", &self.file(tpe, id)], None)?.into())
    }

    fn read_partial(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<bytes::Bytes> {
        let (from, count) = (offset.to_string(), length.to_string());
        let file = self.file(tpe, id);
        let arguments = ["cat", "--offset", &from, "--count", &count, &file];
        let bytes = self.done(&arguments, None)?;
        if u32::try_from(bytes.len()).ok() != Some(length) {
            return Err(RusticError::new(
                ErrorKind::Backend,
                format!("{file} is shorter than its index says"),
            ));
        }
        Ok(bytes.into())
    }

    fn warmup_path(&self, tpe: FileType, id: &Id) -> String {
        self.file(tpe, id)
    }
}

impl WriteBackend for Rclone {
    fn create(&self) -> RusticResult<()> {
        self.done(&["mkdir", &self.root], None).map(drop)
    }

    fn write_bytes(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        let (size, file) = (content.size(), self.file(tpe, id));
        self.done(&["rcat", "--size", &size.to_string(), &file], Some(content))?;
        // A remote that cut the connection may have kept a part under the name.
        let listed = self.done(&["lsf", "--format", "s", &file], None)?;
        let kept = String::from_utf8_lossy(&listed);
        if kept.trim().parse::<usize>().ok() == Some(size) {
            return Ok(());
        }
        Err(RusticError::new(
            ErrorKind::Backend,
            format!("{file} has {} bytes on the remote instead of {size}", kept.trim()),
        ))
    }

    fn remove(&self, tpe: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        self.done(&["deletefile", &self.file(tpe, id)], None).map(drop)
    }
}

/// Whether the program is installed.
pub(crate) fn is_installed() -> bool {
    let found = Command::new("rclone").arg("version").stdin(Stdio::null()).output();
    found.is_ok_and(|output| output.status.success())
}
