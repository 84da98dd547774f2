//! A repository on any remote of rclone: SFTP, S3 and what else it reaches.
//!
//! Each request is one call of the program, which holds the credentials; this process sees none.
//! A remote's own copy commands are never used, and nothing is deleted but by name.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

use crate::Space;

/// A folder of a remote, as rclone names it: `offsite:gx/mainnet`.
#[derive(Debug, Clone)]
pub(crate) struct Rclone {
    root: String,
    /// Its configuration; empty for that of the account.
    config: PathBuf,
}

/// What `rclone` ends with when a file or folder does not exist.
const NOT_FOUND: [i32; 2] = [3, 4];

impl Rclone {
    pub(crate) fn new(root: &str, config: &Path) -> Self {
        Self { root: root.trim_end_matches('/').to_owned(), config: config.to_owned() }
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

    /// Room at the remote; many kinds of remotes cannot say.
    pub(crate) fn space(&self) -> Option<Space> {
        #[derive(serde::Deserialize)]
        struct About {
            total: u64,
            free: u64,
        }
        let told = self.done(&["about", "--json", &self.root], None).ok()?;
        let About { total, free } = serde_json::from_slice(&told).ok()?;
        Some(Space { available: free, size: total })
    }

    /// The bucket that the path begins with, where the remote has buckets. A store may make one
    /// that is missing without being asked, and it was misspelt.
    fn bucket(&self) -> Option<String> {
        let (remote, path) = self.root.rsplit_once(':')?;
        let told = self.done(&["backend", "features", &format!("{remote}:")], None).ok()?;
        let told: serde_json::Value = serde_json::from_slice(&told).ok()?;
        let has_buckets = told.pointer("/Features/BucketBased")?.as_bool()?;
        let bucket = path.trim_start_matches('/').split('/').next()?;
        has_buckets.then(|| format!("{remote}:{bucket}"))
    }

    fn call(&self, arguments: &[&str], input: Option<BytesList>) -> RusticResult<Output> {
        let run = || -> std::io::Result<Output> {
            let mut rclone = Command::new("rclone");
            // Meant for other programs; with it rclone reaches no store of S3 at all. It has an
            // option of its own for authorities.
            rclone.env_remove("AWS_CA_BUNDLE");
            if !self.config.as_os_str().is_empty() {
                rclone.arg("--config").arg(&self.config);
            }
            let mut child = rclone
                .args(["--log-level", "ERROR", "--retries", "3"])
                // A bucket that is missing was misspelt; it is not for us to make one.
                .arg("--s3-no-check-bucket")
                // Names are hashes here, and what is read is compared with them: a shell on the
                // other side that computes others would only cost time.
                .args(["--sftp-disable-hashcheck", "--sftp-shell-type", "none"])
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

const NO_BUCKET: &str = "there is no bucket of that name: make it, or mend repository.location, \
    which names the bucket first";

fn is_not_found(output: &Output) -> bool {
    output.status.code().is_some_and(|code| NOT_FOUND.contains(&code))
}

/// What rclone complains of, by words of its own, and what is to be done about it.
const COMPLAINTS: [(&[&str], &str); 8] = [
    (
        &["knownhosts: key mismatch", "knownhosts: key is unknown", "host key mismatch"],
        "the server's host key is not the one that is known: if the server was replaced, put its \
         new key into the file that known_hosts_file of the remote names; if not, somebody stands \
         between you and it",
    ),
    (
        &["unable to authenticate"],
        "the server does not accept this machine's key: put its public half into authorized_keys \
         of the account there, or have key_file and user of the remote name the right ones",
    ),
    (&["NoSuchBucket"], NO_BUCKET),
    (
        &["SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied", "Forbidden"],
        "the store does not accept the remote's credentials: mend them in rclone's configuration, \
         or let them read and write in this bucket",
    ),
    (
        &["didn't find section in config file"],
        "rclone knows no remote of that name; rclone listremotes lists those of this account",
    ),
    (
        &["connection refused", "no such host", "i/o timeout", "no route to host"],
        "the server is not reached: look whether it runs, and whether host, port or endpoint of \
         the remote are right",
    ),
    (
        &["no space left", "quota exceeded", "Quota exceeded", "EntityTooLarge"],
        "the target is full: make it larger, or run gx backup prune",
    ),
    (&["permission denied", "Permission denied"], "this account may not write there"),
];

fn failed(output: &Output) -> Box<RusticError> {
    let said = String::from_utf8_lossy(&output.stderr);
    let known = COMPLAINTS.iter().find(|(words, _)| words.iter().any(|word| said.contains(word)));
    let last = said.lines().last().unwrap_or_default().trim();
    let told = known.map_or_else(
        || format!("rclone ended with {}: {last}", output.status),
        |(_, advice)| format!("{advice} (rclone: {last})"),
    );
    RusticError::new(ErrorKind::Backend, told)
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
        if is_not_found(&output) {
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
        if let Some(bucket) = self.bucket() {
            let listed = self.call(&["lsf", "--max-depth", "1", &bucket], None)?;
            if is_not_found(&listed) {
                return Err(RusticError::new(ErrorKind::Backend, NO_BUCKET));
            }
        }
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
