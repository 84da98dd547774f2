//! A folder that a test keeps a platform in, and the binary run on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gx_workbench::child::Child;
use gx_workbench::client::Base;
use gx_workbench::demo::crowd::{Admin, Payer, gather};
use tempfile::TempDir;

/// Hashing the passwords of people who do not exist well would only take time.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("GX_AUTH__ARGON2_MEMORY_KIB", "64"),
    ("GX_AUTH__ARGON2_ITERATIONS", "1"),
    ("LOG_LEVEL", "error"),
];

pub(crate) const GX: &str = env!("CARGO_BIN_EXE_gx");

/// What a run of the binary has left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Asserts that it failed with one clear message that has all `parts`.
    pub(crate) fn failed(&self, parts: &[&str]) {
        assert_eq!(self.status, Some(1), "{self:?}");
        let message = self.err.lines().last().unwrap_or_default();
        assert!(message.starts_with("error: "), "{self:?}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
        for trace in ["panicked", "RUST_BACKTRACE", "stack backtrace", "   0:"] {
            assert!(!self.err.contains(trace), "{self:?}");
        }
    }
}

#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Vec::new())
    }

    /// One whose processes find more in their environment.
    pub(crate) fn with(environment: Vec<(String, String)>) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { folder, environment }
    }

    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        let more = self.environment.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        ENVIRONMENT.into_iter().chain(more).collect()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The binary, with this folder to work in and nothing else in its environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(GX);
        command.args(args).current_dir(self.path()).env_clear().envs(self.environment());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[])
    }

    /// Runs a command that ends by itself.
    pub(crate) fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.command(args);
        command.envs(environment.iter().copied()).output().unwrap().into()
    }

    /// Starts the platform in the folder `data`.
    pub(crate) fn start(&self) -> Child {
        Child::start(GX, &self.data(), &self.environment()).unwrap()
    }

    /// Starts a new platform with people who can pay.
    pub(crate) async fn start_with(&self, people: usize) -> (Child, Vec<Payer>) {
        let child = self.start();
        let (username, password) = child.first.clone().unwrap();
        let base: Base = child.url.parse().unwrap();
        let payers = gather(base, Admin { username, password }, people).await.unwrap();
        (child, payers)
    }

    /// Asserts that `gx verify` finds everything in order, and returns its figures.
    pub(crate) fn verified(&self) -> serde_json::Value {
        let run = self.run(&["verify", "--data", "data", "--json"]);
        assert_eq!(run.status, Some(0), "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    }
}
