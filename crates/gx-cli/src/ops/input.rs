//! Where snapshots come from: files, folders, standard input, or the cluster itself.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use gx_ops::collect::{Input, Redactor, Salt, collect_live, connect, gather};
use gx_ops::facts::{Snapshot, Time};
use gx_server::calendar::now_ms;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::process;

/// What is looked at.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// Snapshots, output of `kubectl get -o json|yaml` and of the scripts that gx ops prints, of
    /// gx backup status, gx fabric check, gx ledger info and gx admin deployments list with --json,
    /// of rclone lsjson, inventories in TOML, or folders of them; `-` is standard input. None: the
    /// cluster of the kubeconfig.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Asks the cluster as well when files are given.
    #[arg(long)]
    live: bool,
    /// Context of the kubeconfig; the current one when it is left out.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// File with 64 hexadecimal digits that secrets are hashed with. Snapshots made with the same
    /// ones can tell whether their secrets are equal; without it new ones are drawn.
    #[arg(long, value_name = "FILE")]
    salt: Option<PathBuf>,
}

impl Source {
    pub(super) fn snapshot(&self) -> Result<Snapshot> {
        self.snapshot_by(self.salt()?)
    }

    /// The same, with what other files hold apart: both are hashed alike, and can be compared.
    pub(super) fn snapshot_and(&self, files: &[PathBuf]) -> Result<(Snapshot, Option<Snapshot>)> {
        let salt = self.salt()?;
        let mut inputs = Vec::new();
        for path in files {
            read(path, &mut inputs)?;
        }
        let more = match inputs.is_empty() {
            true => None,
            false => Some(gather(inputs, Redactor::new(salt.clone()))?),
        };
        Ok((self.snapshot_by(salt)?, more))
    }

    fn snapshot_by(&self, salt: Salt) -> Result<Snapshot> {
        if self.is_of_files_alone() {
            return Ok(gather(self.inputs()?, Redactor::new(salt))?);
        }
        process::block_on(self.collected_by(salt))
    }

    /// The snapshot, where a runtime is at work already.
    pub(super) async fn collected(&self) -> Result<Snapshot> {
        self.collected_by(self.salt()?).await
    }

    async fn collected_by(&self, salt: Salt) -> Result<Snapshot> {
        let inputs = self.inputs()?;
        if self.is_of_files_alone() {
            return Ok(gather(inputs, Redactor::new(salt))?);
        }
        let redactor = Redactor::new(salt.clone());
        let (client, from) = connect(self.context.clone()).await?;
        let live = collect_live(client, &from, now(), redactor).await?;
        if inputs.is_empty() {
            return Ok(live);
        }
        Ok(live.merge(gather(inputs, Redactor::new(salt))?)?)
    }

    /// What the files say now, and further ones; the cluster is not asked.
    pub(super) fn files_by<'a>(
        &'a self,
        salt: &Salt,
        more: impl Iterator<Item = &'a Path>,
    ) -> Result<Option<Snapshot>> {
        let mut inputs = Vec::new();
        for path in self.files.iter().map(PathBuf::as_path).chain(more) {
            read(path, &mut inputs)?;
        }
        match inputs.is_empty() {
            true => Ok(None),
            false => Ok(Some(gather(inputs, Redactor::new(salt.clone()))?)),
        }
    }

    pub(super) fn context(&self) -> Option<String> {
        self.context.clone()
    }

    fn inputs(&self) -> Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for path in &self.files {
            read(path, &mut inputs)?;
        }
        Ok(inputs)
    }

    fn is_of_files_alone(&self) -> bool {
        !self.live && !self.files.is_empty()
    }

    /// Whether it can be looked at more than once; standard input cannot.
    pub(super) fn is_lasting(&self) -> bool {
        !self.files.iter().any(|path| path == Path::new("-"))
    }

    pub(super) fn salt(&self) -> Result<Salt> {
        let mut bytes = [0; 32];
        match &self.salt {
            None => return new_salt(),
            Some(path) => {
                let failed = || format!("cannot use {} as salt", path.display());
                let text = fs::read_to_string(path).with_context(failed)?;
                let digits = text.trim();
                if digits.len() != 64 {
                    bail!("{}: it has not 64 hexadecimal digits", failed());
                }
                for (at, byte) in bytes.iter_mut().enumerate() {
                    let pair = digits.get(2 * at..2 * at + 2).unwrap_or_default();
                    *byte = u8::from_str_radix(pair, 16).with_context(failed)?;
                }
            }
        }
        Ok(Salt::new(bytes))
    }
}

/// A salt that nothing was hashed with before.
pub(super) fn new_salt() -> Result<Salt> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| anyhow!("no random numbers to be had: {error}"))?;
    Ok(Salt::new(bytes))
}

/// The snapshot that a file or a folder is, or that is made of it.
pub(super) fn snapshot_of(path: &Path, salt: &Salt) -> Result<Snapshot> {
    let mut inputs = Vec::new();
    read(path, &mut inputs)?;
    Ok(gather(inputs, Redactor::new(salt.clone()))?)
}

/// The present, for what is asked now.
pub(super) fn now() -> Time {
    Time::from_seconds(now_ms().div_euclid(1000))
}

/// Reads a file, or the files of a folder and those below it, in the order of their names.
fn read(path: &Path, inputs: &mut Vec<Input>) -> Result<()> {
    let failed = || format!("cannot read {}", path.display());
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        inputs.push(Input { name: "standard input".to_owned(), text, at: now() });
        return Ok(());
    }
    let about = fs::metadata(path).with_context(failed)?;
    if !about.is_dir() {
        let text = fs::read_to_string(path).with_context(failed)?;
        let written = about.modified().with_context(failed)?;
        let age = written.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let at = Time::from_seconds(i64::try_from(age).unwrap_or(i64::MAX));
        inputs.push(Input { name: path.display().to_string(), text, at });
        return Ok(());
    }
    let mut below = Vec::new();
    for entry in fs::read_dir(path).with_context(failed)? {
        below.push(entry.with_context(failed)?.path());
    }
    below.sort();
    let known = ["json", "yaml", "yml", "toml", "txt"];
    for path in below {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() || extension.is_some_and(|extension| known.contains(&extension)) {
            read(&path, inputs)?;
        }
    }
    Ok(())
}
