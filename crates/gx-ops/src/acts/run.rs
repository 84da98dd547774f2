//! A run: one step after the other, each looked at before it, checked after it, and noted.

use std::path::Path;
use std::time::Duration;

use kube::Client;

use super::doing;
use super::journal::{Event, Journal, JournalError, Runs};
use super::record::record;
use crate::collect::{LiveError, Redactor, collect_live};
use crate::facts::{Snapshot, Time};
use crate::plans::{Action, Check, Plan, PlanError, Progress, Step, judge, make, parts_of};
use crate::questions::what_if::what_if;

/// Where a run is. What is killed right there is continued or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The step was looked at, and nothing is noted of it.
    Before(usize),
    /// It is noted that the step is about to be done.
    Noted(usize),
    /// It was done, and not yet checked.
    Acted(usize),
    /// It was checked, and that is noted.
    Done(usize),
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    On,
    /// It ends at once, without another word on disk.
    End,
}

/// What somebody says who was asked to give commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// It was not done, or does not look as it should.
    Stop,
}

/// Whoever looks on: a terminal, or a test.
pub trait Watcher {
    /// A line for people.
    fn tell(&mut self, line: &str);
    /// Asks somebody to give commands, whose facts go into a folder.
    fn ask(&mut self, title: &str, commands: &[String], facts: &Path) -> Answer;
    fn at(&mut self, point: Point) -> Go;
}

/// Facts that do not come from the API server, as they are now; the folder is that of a run, once
/// there is one.
pub trait Facts {
    /// # Errors
    /// In words, when a file cannot be read.
    fn now(&self, folder: Option<&Path>) -> Result<Option<Snapshot>, String>;
    /// The present.
    fn time(&self) -> Time;
    /// What hides values; the same for the whole run.
    fn redactor(&self) -> Redactor;
    /// A credential that nobody has: letters and digits.
    ///
    /// # Errors
    /// In words, when there is no chance to be had.
    fn draw(&self) -> Result<String, String>;
}

/// Why a plan was not applied, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error("{0}")]
    Facts(String),
    #[error("the plan cannot be made any more, and nothing was changed")]
    Plan(#[source] PlanError),
    #[error(
        "the facts have changed since the plan was made, and nothing was changed: {}",
        .0.join("; ")
    )]
    Changed(Vec<String>),
    #[error("the plan is of the cluster {plan}, and this is {here}")]
    OtherCluster { plan: String, here: String },
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Ended,
    RolledBack,
    /// At the first surprise; the run waits to be continued or taken back.
    Stopped {
        step: usize,
        why: String,
    },
    /// As the watcher wanted.
    Left,
}

/// Applies plans to a cluster.
pub struct Runner<'a> {
    pub client: Client,
    /// Address of the cluster.
    pub from: String,
    pub facts: &'a dyn Facts,
    pub watcher: &'a mut dyn Watcher,
    /// The network's name, as it was typed.
    pub typed: Option<String>,
    /// Between two looks at what has to hold.
    pub pause: Duration,
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Why a step went no further.
#[derive(Debug)]
pub(super) enum Halt {
    Why(String),
    Left,
    Error(ActError),
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        Self::Error(error.into())
    }
}

impl Runner<'_> {
    /// The facts as they are now.
    pub(super) async fn look(&self, folder: Option<&Path>) -> Result<Snapshot, ActError> {
        let (client, redactor) = (self.client.clone(), self.facts.redactor());
        let live = collect_live(client, &self.from, self.facts.time(), redactor).await?;
        match self.facts.now(folder).map_err(ActError::Facts)? {
            None => Ok(live),
            Some(more) => live.merge(more).map_err(|error| ActError::Facts(error.to_string())),
        }
    }

    /// Applies a plan from its first step on.
    ///
    /// # Errors
    /// When nothing was changed, because the facts are others, or something refuses it.
    pub async fn apply(&mut self, runs: &Runs, plan: &Plan) -> Result<Outcome, ActError> {
        let snapshot = self.look(None).await?;
        let here = snapshot.cluster.get().cloned();
        if here != plan.cluster {
            let told = |cluster: &Option<String>| cluster.clone().unwrap_or("unknown".to_owned());
            return Err(ActError::OtherCluster { plan: told(&plan.cluster), here: told(&here) });
        }
        let now = self.facts.time();
        let again = make(&snapshot, &plan.request, now).map_err(ActError::Plan)?;
        if again.id != plan.id {
            return Err(ActError::Changed(plan.differences(&again)));
        }
        if let Some(first) = plan.steps.first() {
            let named = (plan.network.as_deref(), self.typed.as_deref());
            judge(&snapshot, &first.action, &plan.needs, now, named).map_err(ActError::Plan)?;
        }
        let mut journal = runs.begin(plan, now)?;
        if let Ok(text) = snapshot.to_text() {
            journal.write("before.json", &text)?;
        }
        self.steps(&mut journal).await
    }

    /// Goes on with a run that was killed or stopped.
    ///
    /// # Errors
    /// When the journal cannot be kept, or the facts cannot be had.
    pub async fn go_on(&mut self, mut journal: Journal) -> Result<Outcome, ActError> {
        if journal.is_going_back() {
            return self.roll_back(journal).await;
        }
        journal.note(self.facts.time(), Event::Continued)?;
        self.steps(&mut journal).await
    }

    async fn steps(&mut self, journal: &mut Journal) -> Result<Outcome, ActError> {
        for step in journal.plan().steps.clone() {
            if journal.is_done(step.number) {
                continue;
            }
            if let Err(halt) = self.step(journal, &step).await {
                return self.halted(journal, step.number, halt).await;
            }
        }
        journal.note(self.facts.time(), Event::Ended)?;
        self.write_record(journal).await?;
        Ok(Outcome::Ended)
    }

    async fn halted(
        &mut self,
        journal: &mut Journal,
        step: usize,
        halt: Halt,
    ) -> Result<Outcome, ActError> {
        match halt {
            Halt::Left => Ok(Outcome::Left),
            Halt::Error(error) => Err(error),
            Halt::Why(why) => {
                journal.note(self.facts.time(), Event::Stopped { step, why: why.clone() })?;
                self.write_record(journal).await?;
                Ok(Outcome::Stopped { step, why })
            }
        }
    }

    /// One step.
    async fn step(&mut self, journal: &mut Journal, step: &Step) -> Result<(), Halt> {
        let folder = journal.folder().to_owned();
        let snapshot = self.look(Some(&folder)).await.map_err(Halt::Error)?;
        let was_begun = journal.is_begun(step.number);
        let began = journal.begun(step.number).unwrap_or_else(|| self.facts.time());
        let is_asked = matches!(step.action, Action::Ask { .. });
        let is_told = is_asked && !matches!(step.check, Check::Said { .. });
        let progress = match step.action.progress(&snapshot) {
            // What was asked for before the run was killed, and was done, is not asked for again.
            Progress::Before if was_begun && is_told => {
                match step.check.holds(&step.action, &snapshot, began) {
                    Ok(()) => Progress::After,
                    Err(_) => Progress::Before,
                }
            }
            progress => progress,
        };
        let left = step.action.left(&snapshot);
        match (&progress, was_begun) {
            (Progress::Before, _) => self.allowed(journal, &snapshot, &left)?,
            // It was killed after it was done, and before that was noted.
            (Progress::After, true) => {}
            (Progress::After, false) => {
                return Err(Halt::Why("somebody else has done it already".to_owned()));
            }
            (Progress::Other(why), _) => return Err(Halt::Why(why.clone())),
        }
        self.point(Point::Before(step.number))?;
        self.watcher.tell(&format!("{}. {}", step.number, step.title));
        journal.note(self.facts.time(), Event::Starting { step: step.number })?;
        self.point(Point::Noted(step.number))?;
        if progress == Progress::Before {
            doing::act(self, journal, step, &left).await?;
        }
        self.point(Point::Acted(step.number))?;
        let after = self.wait(&folder, &step.check, &step.action, step.within, began).await?;
        still_holds(&snapshot, &after)?;
        journal.note(self.facts.time(), Event::Done { step: step.number })?;
        self.watcher.tell(&format!("   {}", step.check.told()));
        self.point(Point::Done(step.number))
    }

    /// Refuses what is forbidden as things are now.
    fn allowed(&self, journal: &Journal, state: &Snapshot, action: &Action) -> Result<(), Halt> {
        let plan = journal.plan();
        let needs = parts_of(state, &plan.needs, std::iter::once(action));
        let named = (plan.network.as_deref(), self.typed.as_deref());
        let judged = judge(state, action, &needs, self.facts.time(), named);
        judged.map(drop).map_err(|error| Halt::Why(error.to_string()))
    }

    fn point(&mut self, point: Point) -> Result<(), Halt> {
        match self.watcher.at(point) {
            Go::On => Ok(()),
            Go::End => Err(Halt::Left),
        }
    }

    /// Waits until what has to hold holds.
    pub(super) async fn wait(
        &self,
        folder: &Path,
        check: &Check,
        action: &Action,
        within: u64,
        began: Time,
    ) -> Result<Snapshot, Halt> {
        let start = tokio::time::Instant::now();
        let bound = Duration::from_secs(within);
        loop {
            let snapshot = self.look(Some(folder)).await.map_err(Halt::Error)?;
            let why = match check.holds(action, &snapshot, began) {
                Ok(()) => return Ok(snapshot),
                Err(why) => why,
            };
            if let Progress::Other(why) = action.progress(&snapshot) {
                return Err(Halt::Why(why));
            }
            // Facts that somebody brings do not change by being waited for.
            let is_asked = matches!(action, Action::Ask { .. });
            if is_asked || start.elapsed() >= bound {
                let told = check.told();
                let after = if is_asked { String::new() } else { format!("after {within} s ") };
                return Err(Halt::Why(format!("{after}this does not hold: {told}: {why}")));
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Takes a run back, the last step first.
    ///
    /// # Errors
    /// When the journal cannot be kept, or the facts cannot be had.
    pub async fn roll_back(&mut self, mut journal: Journal) -> Result<Outcome, ActError> {
        if !journal.is_going_back() {
            journal.note(self.facts.time(), Event::RollingBack)?;
        }
        let mut steps = journal.plan().steps.clone();
        steps.retain(|step| journal.is_begun(step.number));
        for step in steps.iter().rev() {
            let is_undone = journal.entries().iter().any(|entry| {
                matches!(entry.event, Event::Undone { step: number, .. } if number == step.number)
            });
            if is_undone {
                continue;
            }
            self.watcher.tell(&format!("back: {}. {}", step.number, step.title));
            match doing::undo(self, &journal, step).await {
                Ok(how) => {
                    self.watcher.tell(&format!("   {how}"));
                    journal.note(self.facts.time(), Event::Undone { step: step.number, how })?;
                    if let Err(halt) = self.point(Point::Done(step.number)) {
                        return self.halted(&mut journal, step.number, halt).await;
                    }
                }
                Err(halt) => return self.halted(&mut journal, step.number, halt).await,
            }
        }
        journal.note(self.facts.time(), Event::RolledBack)?;
        self.write_record(&journal).await?;
        Ok(Outcome::RolledBack)
    }

    /// Writes what was done, for people.
    async fn write_record(&self, journal: &Journal) -> Result<(), ActError> {
        let after = self.look(Some(journal.folder())).await?;
        let before = std::fs::read_to_string(journal.folder().join("before.json"));
        let before = before.ok().and_then(|text| Snapshot::parse(&text).ok());
        if let Ok(text) = after.to_text() {
            journal.write("after.json", &text)?;
        }
        journal.write("record.md", &record(journal, before.as_ref(), &after))?;
        Ok(())
    }
}

/// What held before a step and does not after it is a surprise: no plan does that.
fn still_holds(before: &Snapshot, after: &Snapshot) -> Result<(), Halt> {
    let asked = |snapshot| what_if(snapshot, &[]).map_err(|error| Halt::Why(error.to_string()));
    let (was, is) = (asked(before)?, asked(after)?);
    for set in was.sets.iter().filter(|set| set.holds_now) {
        if let Some(now) = is.sets.iter().find(|one| one.name == set.name && !one.holds_now) {
            return Err(Halt::Why(format!(
                "{}: {} of {} work, it takes {}",
                now.name, now.working.now, now.members, now.rule
            )));
        }
    }
    let down = after.nodes.items().iter().find(|node| {
        let was_ready = before.node(&node.name).is_some_and(crate::facts::Node::is_ready);
        was_ready && !node.is_ready()
    });
    match down {
        Some(node) => Err(Halt::Why(format!("{} is not ready any more", node.name))),
        None => Ok(()),
    }
}
