//! `cargo xtask bench`: every benchmark of the binary, one after the other, in release mode.
//!
//! Standard output carries JSON lines only, so that it can be kept and compared; this command
//! fails when a figure misses its bar.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{pgbench, process};

const ALL: [&str; 7] = ["contract", "ledger", "outbox", "pipeline", "http", "replay", "up"];

/// Those besides that run when they are named: they fill disks and take an hour.
const NAMED: [&str; 8] =
    ["contract", "ledger", "outbox", "pipeline", "http", "replay", "up", "load"];

/// All benchmarks but `load`, or the named ones.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = NAMED)]
    names: Vec<String>,
    /// Compares the PostgreSQL pipeline with pgbench's TPC-B on the same cluster instead.
    #[arg(long, conflicts_with = "names")]
    vs_pgbench: bool,
    /// How long each rate is measured; each benchmark has its own default.
    #[arg(long)]
    seconds: Option<u32>,
    /// The size of pgbench's tables, in units of 100,000 accounts.
    #[arg(long, default_value_t = 10, requires = "vs_pgbench")]
    scale: u32,
}

/// One figure of `gx bench <name> --json`, as far as this command looks into it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Figure {
    pub(crate) bench: String,
    #[serde(default)]
    pub(crate) setting: String,
    pub(crate) metric: String,
    pub(crate) value: f64,
    #[serde(default)]
    pub(crate) unit: String,
    /// Absent or null for a figure without a bar.
    pub(crate) ok: Option<bool>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let gx = build()?;
    let figures = if args.vs_pgbench {
        pgbench::run(&gx, args.seconds, args.scale)?
    } else {
        let chosen = args.names.iter().map(String::as_str);
        let names: Vec<&str> = if args.names.is_empty() { ALL.to_vec() } else { chosen.collect() };
        let mut figures = Vec::new();
        for name in names {
            let mut command = Command::new(&gx);
            command.args(["bench", name, "--json"]);
            figures.extend(measure(&mut command, args.seconds)?);
        }
        figures
    };
    judge(&figures)
}

/// Builds the binary as it is shipped and returns its path.
fn build() -> Result<PathBuf> {
    process::run(&mut process::cargo(&["build", "--release", "--package", "gx"]))?;
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata: Metadata = serde_json::from_str(&process::output(&mut process::cargo(&args))?)?;
    Ok(metadata.target_directory.join("release/gx"))
}

/// Runs one benchmark, passes its lines on as they come, and returns the figures. A benchmark
/// that missed a bar may end with a failure; one that printed no figure is an error.
pub(crate) fn measure(command: &mut Command, seconds: Option<u32>) -> Result<Vec<Figure>> {
    command.args(seconds.map(|seconds| format!("--seconds={seconds}")));
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let name = words.join(" ");
    eprintln!("$ gx {name}");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut figures = Vec::new();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line?;
        println!("{line}");
        let figure = serde_json::from_str(&line).with_context(|| format!("gx {name}: {line}"))?;
        figures.push(figure);
    }
    let status = child.wait()?;
    let missed = figures.iter().any(|figure: &Figure| figure.ok == Some(false));
    if figures.is_empty() || (!status.success() && !missed) {
        bail!("gx {name}: {status} after {} figures", figures.len());
    }
    Ok(figures)
}

fn judge(figures: &[Figure]) -> Result<()> {
    let missed = figures.iter().filter(|figure| figure.ok == Some(false)).map(|figure| {
        let Figure { bench, setting, metric, value, unit, .. } = figure;
        format!("{bench} ({setting}) {metric} = {value} {unit}")
    });
    let missed: Vec<String> = missed.collect();
    if !missed.is_empty() {
        bail!("these figures miss their bars:\n  {}", missed.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Figure, judge};

    fn figure(line: &str) -> Figure {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_missed_bar_is_an_error_and_a_figure_without_a_bar_is_not() {
        let good = figure(
            r#"{"bench":"a","setting":"s","metric":"m","value":2,"unit":"/s","bar":1,"ok":true}"#,
        );
        let bare = figure(r#"{"bench":"a","metric":"rss","value":1.5,"unit":"MiB","bar":null}"#);
        let bad = figure(
            r#"{"bench":"b","setting":"s","metric":"m","value":1,"unit":"/s","bar":2,"ok":false}"#,
        );
        assert!(judge(&[good.clone(), bare]).is_ok());
        let text = judge(&[good, bad]).unwrap_err().to_string();
        assert!(text.ends_with("bars:\n  b (s) m = 1 /s"), "{text}");
    }
}
