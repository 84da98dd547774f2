//! `gx ops apply`: does what a plan says, one step after the other, and takes it back.

use std::fs;
use std::io::{IsTerminal as _, stdin};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use gx_ops::acts::{Answer, Facts, Go, Journal, Outcome, Point, Runner, Runs, Watcher};
use gx_ops::collect::{Redactor, Salt, connect};
use gx_ops::facts::{Snapshot, Time};
use gx_ops::plans::{Plan, render_steps};
use rand::TryRng;
use rand::rngs::SysRng;

use super::input::{Source, now};
use crate::{End, console, process};

/// What is applied, and where it is noted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File of a plan; with --continue and --rollback one more file with facts.
    #[arg(value_name = "PLAN", required_unless_present_any = ["go_on", "rollback"])]
    plan: Option<PathBuf>,
    /// Goes on with a run that was killed or stopped, by its name or the id of its plan.
    #[arg(long = "continue", value_name = "ID", conflicts_with = "rollback")]
    go_on: Option<String>,
    /// Takes back what a run that has not ended has done, the last step first.
    #[arg(long, value_name = "ID")]
    rollback: Option<String>,
    /// Name of the network that the plan touches. On a terminal it is asked for.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Folder that runs are kept in [default: ~/.local/state/gx/ops].
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// Between two looks at what has to hold.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn run(args: &Args) -> Result<End> {
    let folder = args.runs.clone().or_else(usual_folder);
    let folder = folder.ok_or_else(|| anyhow!("--runs FOLDER expected: there is no home"))?;
    let runs = Runs::open(&folder)?;
    let id = args.go_on.as_ref().or(args.rollback.as_ref());
    let journal = id.map(|id| runs.find(id)).transpose()?;
    let plan = match (&journal, &args.plan) {
        (Some(journal), _) => journal.plan().clone(),
        (None, Some(path)) => read(path)?,
        (None, None) => bail!("a plan expected, --continue or --rollback"),
    };
    let look = super::audit::look(true);
    console::line(render_steps(&plan, &look).trim_end());
    let typed = typed(args, &plan)?;
    let outcome = process::block_on(async {
        let stop = process::stop_signal()?;
        let (client, from) = connect(args.source.context()).await?;
        let more = args.plan.as_deref().filter(|_| id.is_some());
        let facts = Here { source: &args.source, more, salt: args.source.salt()? };
        let watcher = &mut Terminal;
        let facts = &facts;
        let mut runner = Runner { client, from, facts, watcher, typed, pause: PAUSE };
        let run = go(&mut runner, &runs, &plan, journal, args.rollback.is_some());
        // What is cut off here is on disk, like what is killed.
        tokio::select! {
            outcome = run => outcome,
            () = stop => Ok(Outcome::Left),
        }
    })?;
    Ok(told(&outcome, &plan, &folder))
}

async fn go(
    runner: &mut Runner<'_>,
    runs: &Runs,
    plan: &Plan,
    journal: Option<Journal>,
    is_back: bool,
) -> Result<Outcome> {
    Ok(match (journal, is_back) {
        (None, _) => runner.apply(runs, plan).await?,
        (Some(journal), false) => runner.go_on(journal).await?,
        (Some(journal), true) => runner.roll_back(journal).await?,
    })
}

fn told(outcome: &Outcome, plan: &Plan, folder: &Path) -> End {
    let id = &plan.id;
    let ways = format!("gx ops apply --continue {id}, or gx ops apply --rollback {id}");
    match outcome {
        Outcome::Ended => console::line("every step is done, and what has to hold holds"),
        Outcome::RolledBack => console::line("it was taken back"),
        Outcome::Stopped { step, why } => {
            console::line(format_args!("stopped at step {step}: {why}"));
            console::line(ways);
        }
        Outcome::Left => console::line(format_args!("cut off; {ways}")),
    }
    console::line(format_args!("journal and record are below {}", folder.display()));
    match outcome {
        Outcome::Ended | Outcome::RolledBack => End::Done,
        Outcome::Stopped { .. } | Outcome::Left => End::Findings,
    }
}

fn usual_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    let state = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        state.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    state.map(|folder| folder.join("gx/ops"))
}

fn read(path: &Path) -> Result<Plan> {
    let failed = || format!("cannot read {}", path.display());
    let text = fs::read_to_string(path).with_context(failed)?;
    Plan::parse(&text).with_context(failed)
}

/// The network's name, from the command line or from whoever sits there.
fn typed(args: &Args, plan: &Plan) -> Result<Option<String>> {
    if args.network.is_some() || plan.network.is_none() || !stdin().is_terminal() {
        return Ok(args.network.clone());
    }
    console::line("type the name of the network that this touches:");
    let mut answer = String::new();
    stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(Some(answer.trim().to_owned()))
}

/// Facts of the files that were named, read again each time.
#[derive(Debug)]
struct Here<'a> {
    source: &'a Source,
    more: Option<&'a Path>,
    salt: Salt,
}

impl Facts for Here<'_> {
    fn now(&self, folder: Option<&Path>) -> Result<Option<Snapshot>, String> {
        let facts = folder.map(|folder| folder.join("facts")).filter(|path| path.is_dir());
        let more = self.more.into_iter().chain(facts.as_deref());
        let found = self.source.files_by(&self.salt, more);
        found.map_err(|error| format!("{error:#}"))
    }

    fn time(&self) -> Time {
        now()
    }

    fn redactor(&self) -> Redactor {
        Redactor::new(self.salt.clone())
    }

    fn draw(&self) -> Result<String, String> {
        const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut drawn = String::new();
        while drawn.len() < 40 {
            let mut bytes = [0; 64];
            SysRng
                .try_fill_bytes(&mut bytes)
                .map_err(|error| format!("no random numbers to be had: {error}"))?;
            // Numbers beyond the signs are left out, so that all signs are as likely.
            let signs = bytes.iter().filter_map(|byte| SIGNS.get(usize::from(byte & 63)));
            drawn.extend(signs.map(|sign| char::from(*sign)).take(40 - drawn.len()));
        }
        Ok(drawn)
    }
}

/// Whoever sits before it.
#[derive(Debug)]
struct Terminal;

impl Watcher for Terminal {
    fn tell(&mut self, line: &str) {
        console::line(line);
    }

    fn ask(&mut self, title: &str, commands: &[String], facts: &Path) -> Answer {
        console::line(format_args!("by hand: {title}"));
        for (number, command) in commands.iter().enumerate() {
            console::line(format_args!("  {}. {command}", number + 1));
        }
        console::line(format_args!("  facts are read from {}", facts.display()));
        console::line("type done when all of it is done and looks as it should, stop if not:");
        let mut answer = String::new();
        match stdin().read_line(&mut answer) {
            Ok(_) if answer.trim() == "done" => Answer::Done,
            Ok(_) | Err(_) => Answer::Stop,
        }
    }

    fn at(&mut self, _: Point) -> Go {
        Go::On
    }
}
