//! `gx ops audit`: what is wrong, why, and what to do.

use std::collections::BTreeSet;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use gx_ops::report::{Format, Look, render};
use gx_ops::rules::{Audit, Exclusions, Options, audit};
use gx_types::Severity;

use super::input::Source;
use crate::{End, console};

/// The forms of a report.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Table,
    Markdown,
    Json,
    Html,
    Sarif,
    Junit,
    Prometheus,
}

impl From<Form> for Format {
    fn from(form: Form) -> Self {
        match form {
            Form::Table => Self::Table,
            Form::Markdown => Self::Markdown,
            Form::Json => Self::Json,
            Form::Html => Self::Html,
            Form::Sarif => Self::Sarif,
            Form::Junit => Self::Junit,
            Form::Prometheus => Self::Prometheus,
        }
    }
}

/// How bad something is, in the words of whoever is called at night.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    /// Money, keys or data are lost, or about to be.
    Outage,
    /// Something does not work, or will soon not.
    Fault,
    /// It works, with less room for the next fault.
    Risk,
    /// What is untidy.
    Style,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Outage => Self::Critical,
            Level::Fault => Self::High,
            Level::Risk => Self::Medium,
            Level::Style => Self::Low,
        }
    }
}

/// Which rules are held against it, and what of that is told.
#[derive(Debug, clap::Args)]
pub(super) struct Chosen {
    /// Leaves out what is less bad.
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: Option<Level>,
    /// Rules, or beginnings of their ids such as SCH, that are held against it.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// Rules that are left out.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    skip: Vec<String>,
    /// File in TOML of what is accepted: `[[exclusion]]` with rule, subject, reason, owner, until.
    #[arg(long, value_name = "FILE")]
    exclusions: Option<PathBuf>,
    /// Accepts one finding this time: rule and subject as it is told, such as
    /// "WRK-19 Deployment NAMESPACE/NAME:CONTAINER". May be given several times.
    #[arg(long, value_name = "FINDING")]
    accept: Vec<String>,
}

impl Chosen {
    /// The choice; the file of exclusions is read each time.
    pub(super) fn options(&self) -> Result<Options> {
        let mut exclusions = match &self.exclusions {
            None => Exclusions::default(),
            Some(path) => {
                let failed = || format!("cannot use {}", path.display());
                Exclusions::parse(&text_of(path)?).with_context(failed)?
            }
        };
        for finding in &self.accept {
            exclusions.accept(finding).with_context(|| format!("cannot accept {finding:?}"))?;
        }
        Ok(Options {
            only: self.only.clone(),
            skip: self.skip.clone(),
            at_least: self.level.map(Severity::from),
            known: BTreeSet::new(),
            exclusions,
        })
    }
}

/// What is looked at, and how it is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[arg(long, value_enum, default_value = "table")]
    format: Form,
    /// Leaves out what this audit, in the form json, has found already.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// How bad a finding is that makes the exit status 1.
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "fault")]
    fail_on: Level,
    #[command(flatten)]
    chosen: Chosen,
    /// Shows all causes on a terminal, not the ten worst.
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let options = Options {
        known: args.since.as_deref().map(known).transpose()?.unwrap_or_default(),
        ..args.chosen.options()?
    };
    let audit = audit(&args.source.snapshot()?, &options);
    let text = render(&audit, args.format.into(), &look(args.all))?;
    console::line(text.trim_end());
    Ok(End::Audit(audit.exit_status(args.fail_on.into())))
}

fn text_of(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What an earlier audit has found.
fn known(path: &Path) -> Result<BTreeSet<String>> {
    let audit: Audit = serde_json::from_str(&text_of(path)?)
        .with_context(|| format!("{} is no audit in the form json", path.display()))?;
    Ok(audit.issues().map(|issue| issue.key()).collect())
}

/// How standard output is written on.
pub(super) fn look(all: bool) -> Look {
    let is_terminal = std::io::stdout().is_terminal();
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let columns = size.map(|size| usize::from(size.ws_col));
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Look {
        width: columns.filter(|columns| *columns >= 40).unwrap_or(80),
        colour: is_terminal && !is_plain,
        top: if all || !is_terminal { usize::MAX } else { 10 },
    }
}
