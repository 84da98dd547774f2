//! What a step does to the cluster, and how it is taken back.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{self, Fault};
use super::journal::Journal;
use super::run::{Answer, Halt, Runner};
use super::secrets;
use crate::plans::{Action, Check, Exact, Progress, REPLICAS_BEFORE, Step, judge};

pub(super) fn halt(fault: Fault) -> Halt {
    Halt::Why(match fault {
        Fault::Gone => "the object is gone".to_owned(),
        Fault::Surprise(why) | Fault::Later(why) | Fault::Refused(why) => why,
    })
}

/// Kinds of objects that are kept before they are deleted, because they can be made again. Others
/// cannot, or may hold secrets.
const KEPT: [&str; 3] = ["Service", "PersistentVolumeClaim", "PersistentVolume"];

fn kept_as(object: &Exact) -> String {
    format!("{}.{}.{}.json", object.kind, object.namespace, object.name)
}

/// Does a step.
pub(super) async fn act(
    runner: &mut Runner<'_>,
    journal: &Journal,
    step: &Step,
    left: &Action,
) -> Result<(), Halt> {
    match left {
        Action::Scale { object, from, to, remember } => {
            scale(runner, object, *from, *to, remember.then_some(Some(*from))).await
        }
        Action::Close { object, closed } => close(runner, object, *closed).await,
        Action::Label { object, key, from, to } => label(runner, object, key, from, to).await,
        Action::Delete { object } => delete(runner, journal, object).await,
        Action::Evict { pods } => {
            for pod in pods {
                evict(runner, pod, step.within).await?;
            }
            Ok(())
        }
        Action::Rotate { holders, stage } => {
            secrets::to(runner, holders, *stage).await.map_err(halt)
        }
        Action::Ask { run, .. } => ask(runner, journal, &step.title, run),
    }
}

fn ask(
    runner: &mut Runner<'_>,
    journal: &Journal,
    title: &str,
    commands: &[String],
) -> Result<(), Halt> {
    let facts = journal.folder().join("facts");
    if let Err(error) = std::fs::create_dir_all(&facts) {
        return Err(Halt::Why(format!("{} cannot be made: {error}", facts.display())));
    }
    let path = facts.display().to_string();
    let commands: Vec<String> =
        commands.iter().map(|command| command.replace("FACTS/", &format!("{path}/"))).collect();
    match runner.watcher.ask(title, &commands, &facts) {
        Answer::Done => Ok(()),
        Answer::Stop => Err(Halt::Why("whoever was asked did not do it".to_owned())),
    }
}

/// `remember`: none leaves what is noted alone, a number is noted, none within it is taken away.
async fn scale(
    runner: &Runner<'_>,
    object: &Exact,
    from: u32,
    to: u32,
    remember: Option<Option<u32>>,
) -> Result<(), Halt> {
    let number = |found: &Value| found.pointer("/spec/replicas").and_then(Value::as_u64);
    let patch = |found: &Value| match number(found).unwrap_or(1) {
        now if now == u64::from(to) => Ok(None),
        now if now == u64::from(from) => {
            let patch = match remember {
                None => json!({"spec": {"replicas": to}}),
                Some(noted) => {
                    let noted = noted.map(|number| number.to_string());
                    let annotations = json!({REPLICAS_BEFORE: noted});
                    json!({"spec": {"replicas": to}, "metadata": {"annotations": annotations}})
                }
            };
            Ok(Some(patch))
        }
        now => Err(Fault::Surprise(format!(
            "{} has {now} replicas, neither {from} nor {to}",
            object.reference()
        ))),
    };
    api::change(&runner.client, object, patch).await.map_err(halt)
}

async fn close(runner: &Runner<'_>, object: &Exact, closed: bool) -> Result<(), Halt> {
    let patch = |found: &Value| {
        let is_closed = found.pointer("/spec/unschedulable").and_then(Value::as_bool);
        let is_closed = is_closed.unwrap_or(false);
        let wanted = json!({"spec": {"unschedulable": closed.then_some(true)}});
        Ok((is_closed != closed).then_some(wanted))
    };
    api::change(&runner.client, object, patch).await.map_err(halt)
}

async fn label(
    runner: &Runner<'_>,
    object: &Exact,
    key: &str,
    from: &Option<String>,
    to: &Option<String>,
) -> Result<(), Halt> {
    let patch = |found: &Value| {
        let labels = found.pointer("/metadata/labels").and_then(Value::as_object);
        let now = labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        match now {
            now if now == to.as_deref() => Ok(None),
            now if now == from.as_deref() => Ok(Some(json!({"metadata": {"labels": {key: to}}}))),
            _ => Err(Fault::Surprise(format!("{} has another value of {key}", object.reference()))),
        }
    };
    api::change(&runner.client, object, patch).await.map_err(halt)
}

async fn delete(runner: &Runner<'_>, journal: &Journal, object: &Exact) -> Result<(), Halt> {
    let found = api::get(&runner.client, object).await.map_err(halt)?;
    if KEPT.contains(&object.kind.as_str()) {
        let text = api::bare(found).to_string();
        journal.keep(&kept_as(object), &text)?;
    }
    api::delete(&runner.client, object).await.map_err(halt)
}

/// Evicts a pod when its budget allows, within the time that the step has.
async fn evict(runner: &Runner<'_>, pod: &Exact, within: u64) -> Result<(), Halt> {
    let start = tokio::time::Instant::now();
    loop {
        match api::evict(&runner.client, pod).await {
            // One of several that was evicted before the run was killed.
            Ok(()) | Err(Fault::Gone) => return Ok(()),
            Err(Fault::Later(why)) if start.elapsed() >= Duration::from_secs(within) => {
                return Err(Halt::Why(format!("after {within} s: {why}")));
            }
            Err(Fault::Later(_)) => tokio::time::sleep(runner.pause).await,
            Err(other) => return Err(halt(other)),
        }
    }
}

/// Takes a step back, and says how.
pub(super) async fn undo(
    runner: &mut Runner<'_>,
    journal: &Journal,
    step: &Step,
) -> Result<String, Halt> {
    let folder = journal.folder().to_owned();
    let snapshot = runner.look(Some(&folder)).await.map_err(Halt::Error)?;
    let is_asked = matches!(step.action, Action::Ask { .. });
    match step.action.progress(&snapshot) {
        Progress::Before if !is_asked => {
            // An evicted pod is not `before`, and a rotation may be half done.
            if !matches!(step.action, Action::Rotate { .. }) {
                return Ok("it was not done; nothing is to be taken back".to_owned());
            }
        }
        Progress::Other(why) => return Err(Halt::Why(why)),
        Progress::Before | Progress::After => {}
    }
    match &step.action {
        Action::Scale { object, from, to, remember } => {
            let back =
                Action::Scale { object: object.clone(), from: *to, to: *from, remember: false };
            allowed(runner, journal, &snapshot, &back)?;
            scale(runner, object, *to, *from, remember.then_some(None)).await?;
            // What was parked because it crashes will not be ready.
            let check = match remember {
                true => Check::Done,
                false => back_up(object, *from),
            };
            runner.wait(&folder, &check, &back, step.within, runner.facts.time()).await?;
            Ok(format!("{} has {from} replicas again", object.reference()))
        }
        Action::Close { object, closed } => {
            close(runner, object, !closed).await?;
            let is = if *closed { "open" } else { "closed" };
            Ok(format!("{} is {is} again", object.reference()))
        }
        Action::Label { object, key, from, to } => {
            let back = Action::Label {
                object: object.clone(),
                key: key.clone(),
                from: to.clone(),
                to: from.clone(),
            };
            allowed(runner, journal, &snapshot, &back)?;
            label(runner, object, key, to, from).await?;
            Ok(format!("{} has its label {key} as before", object.reference()))
        }
        Action::Delete { object } => again(runner, journal, object).await,
        Action::Evict { .. } => Ok("its workload has made it again by itself".to_owned()),
        Action::Rotate { holders, stage } => {
            secrets::back(runner, holders, *stage).await.map_err(halt)
        }
        Action::Ask { .. } => {
            let title = format!("take back: {}", step.title);
            ask(runner, journal, &title, &step.rollback)?;
            Ok("whoever was asked says that it was taken back".to_owned())
        }
    }
}

fn back_up(object: &Exact, replicas: u32) -> Check {
    let ready = usize::try_from(replicas).unwrap_or(usize::MAX);
    Check::Ready { workload: object.reference(), ready, seconds: 0 }
}

/// The way back is refused what the way there is.
fn allowed(
    runner: &Runner<'_>,
    journal: &Journal,
    snapshot: &crate::facts::Snapshot,
    back: &Action,
) -> Result<(), Halt> {
    let plan = journal.plan();
    let named = (plan.network.as_deref(), runner.typed.as_deref());
    let judged = judge(snapshot, back, &plan.needs, runner.facts.time(), named);
    judged.map(drop).map_err(|error| Halt::Why(error.to_string()))
}

/// Makes an object that was deleted again.
async fn again(runner: &Runner<'_>, journal: &Journal, object: &Exact) -> Result<String, Halt> {
    let Some(kept) = journal.kept(&kept_as(object)) else {
        return Ok(format!("{} cannot be made again", object.reference()));
    };
    // No object has an empty UID: one of the name is told from none.
    let any = Exact { uid: String::new(), ..object.clone() };
    let is_there = api::get(&runner.client, &any).await;
    match is_there {
        Err(Fault::Gone) => {
            api::create(&runner.client, object, &kept).await.map_err(halt)?;
            Ok(format!("{} was made again", object.reference()))
        }
        // There is one of the name: made again before the run was killed, or by somebody else.
        Ok(_) | Err(Fault::Surprise(_)) => Ok(format!("{} is there again", object.reference())),
        Err(other) => Err(halt(other)),
    }
}
