//! A pod that runs and is not ready, by the same tree, from the facts of a snapshot alone.

use super::{Diagnosis, Part, Verdict, not_ready};
use crate::facts::{Fact, Known, Object as _, Phase, Pod, Process, Snapshot};
use crate::questions::explain::explain_pod;
use crate::questions::{NameError, find_pod};

const STEPS_AFTER: [&str; 3] = ["alive", "ready", "behind"];

/// Walks down the tree: running, alive, ready, behind the ledger; and whether its siblings are the
/// same, which tells its own fault from one that all of them share.
///
/// # Errors
/// When there is no pod of the name, or more than one.
pub fn pod(snapshot: &Snapshot, name: &str) -> Result<Diagnosis, NameError> {
    let pod = find_pod(snapshot, name)?;
    let mut part = Part::new(pod.reference().to_string());
    if running(&mut part, snapshot, pod) {
        let place = pod.reference().to_string();
        match snapshot.processes.items().iter().find(|process| process.place == place) {
            Some(process) => {
                let is_alive = alive(&mut part, process);
                ready(&mut part, pod, process);
                if is_alive {
                    behind(&mut part, process);
                } else {
                    part.not_tried(&["behind"]);
                }
            }
            None => unseen(&mut part, snapshot, pod),
        }
    } else {
        part.not_tried(&STEPS_AFTER);
    }
    siblings(&mut part, snapshot, pod);
    Ok(Diagnosis { parts: vec![part] })
}

/// Whether its containers run; when not, the reasons that `explain pod` gives.
fn running(part: &mut Part, snapshot: &Snapshot, pod: &Pod) -> bool {
    let started = || pod.statuses.iter().filter(|one| !one.is_init);
    let runs = pod.phase == Phase::Running
        && started().count() > 0
        && started().all(|one| one.running_since.is_some());
    if runs || pod.is_ready() {
        let restarts = pod.restarts();
        part.ok("running", format!("{:?} on {}, {restarts} restarts", pod.phase, pod.node));
        return true;
    }
    let explained = explain_pod(snapshot, &format!("{}/{}", pod.namespace, pod.name));
    let sections = explained.map(|answer| answer.sections).unwrap_or_default();
    let why = sections.into_iter().find(|section| section.title == "Why it is not ready");
    let mut lines = why.map(|section| section.lines).unwrap_or_default();
    if lines.is_empty() {
        lines.push(format!("{:?}, and no container says that it runs", pod.phase));
    }
    let remedy = format!("gx ops explain pod {}/{} has all of it", pod.namespace, pod.name);
    for line in lines {
        part.add("running", Verdict::Wrong, line, remedy.clone());
    }
    false
}

fn alive(part: &mut Part, process: &Process) -> bool {
    match &process.live {
        Known::Known(200) => {
            part.ok("alive", "/livez answers 200");
            true
        }
        Known::Known(status) => {
            let remedy = "it runs and is not alive: read its log, and restart this one alone";
            part.add("alive", Verdict::Wrong, format!("/livez answers {status}"), remedy);
            false
        }
        Known::Missing(why) => {
            part.add("alive", Verdict::Unknown, why.missing.clone(), Fact::Processes.how());
            true
        }
    }
}

fn ready(part: &mut Part, pod: &Pod, process: &Process) {
    let (live, status) = (process.live.get().copied(), process.ready.get().copied());
    let branches = not_ready(live, status, &process.checks);
    if live.is_some_and(|live| live != 200) {
        part.not_tried(&["ready"]);
        return;
    }
    for branch in &branches {
        let step = if branch.stops { "ready" } else { "beside" };
        part.add(step, Verdict::Wrong, branch.seen.clone(), branch.remedy.clone());
    }
    if branches.iter().any(|branch| branch.stops) {
        return;
    }
    match (status, pod.is_ready()) {
        (Some(200), true) => part.ok("ready", "/readyz answers 200, and Kubernetes knows"),
        (Some(200), false) => part.add(
            "ready",
            Verdict::Wrong,
            "/readyz answers 200, and Kubernetes has the pod as not ready",
            "the probe asks elsewhere: its path and port in the manifest; or the way from the \
             node to the pod: network policies",
        ),
        (Some(_) | None, _) => {
            let seen = process.ready.reason().unwrap_or("/readyz was not asked").to_owned();
            part.add("ready", Verdict::Unknown, seen, Fact::Processes.how());
        }
    }
}

/// Idle is not behind: what counts is blocks, never the age of the last event.
fn behind(part: &mut Part, process: &Process) {
    match process.figure("projector_lag_blocks", &[]) {
        Some(0.0) => part.ok("behind", "0 blocks; an old last event means an idle ledger"),
        Some(blocks) => part.add(
            "behind",
            Verdict::Wrong,
            format!("{blocks} blocks"),
            "read the projector's log: an event that it cannot apply, or a load that passes. Do \
             not raise the threshold",
        ),
        None => {
            let seen = "it does not tell projector_lag_blocks";
            part.add("behind", Verdict::Unknown, seen, Fact::Processes.how());
        }
    }
}

fn unseen(part: &mut Part, snapshot: &Snapshot, pod: &Pod) {
    let why = snapshot.lacks(Fact::Processes).unwrap_or("nobody has asked this one");
    let seen = match pod.is_ready() {
        true => format!("Kubernetes has it as ready; processes: {why}"),
        false => format!("Kubernetes has it as not ready; processes: {why}"),
    };
    let verdict = if pod.is_ready() { Verdict::Unknown } else { Verdict::Wrong };
    part.add("alive", Verdict::Unknown, why, Fact::Processes.how());
    part.add("ready", verdict, seen, Fact::Processes.how());
    part.add("behind", Verdict::Unknown, why, Fact::Processes.how());
}

fn siblings(part: &mut Part, snapshot: &Snapshot, pod: &Pod) {
    let Some(workload) = snapshot.workload_of(pod) else { return };
    let others = snapshot.pods_of(workload).into_iter();
    let others: Vec<&Pod> =
        others.filter(|other| other.name != pod.name && other.is_active()).collect();
    let ready = others.iter().filter(|other| other.is_ready()).count();
    let seen = format!("{ready} of the {} others are ready", others.len());
    match (others.len(), ready, pod.is_ready()) {
        (0, ..) => {}
        (_, 0, false) => part.add(
            "others",
            Verdict::Wrong,
            seen,
            "what all of them share: the database, the ledger, Redis, a setting, a policy; \
             restarting them mends nothing",
        ),
        (count, ready, _) if ready < count => {
            let remedy = "gx ops doctor pod of those that are not";
            part.add("others", Verdict::Wrong, seen, remedy);
        }
        _ => part.ok("others", seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::read;

    const HEAD: &str = "
nodes: [{name: a, conditions: [{kind: Ready, status: 'True'}]}]
workloads: [{kind: StatefulSet, namespace: m, name: db}]
";

    /// Verdicts of steps, as `step verdict`.
    fn walked(pods: &str, processes: &str) -> Vec<String> {
        let text = format!("{HEAD}{pods}{processes}");
        let answer = pod(&read(&text).unwrap().snapshot, "m/db-0").unwrap();
        let lines = answer.parts.into_iter().flat_map(|part| part.lines);
        lines.map(|line| format!("{} {}", line.step, line.verdict.word())).collect()
    }

    fn one(ready: &str) -> String {
        format!(
            "
pods:
- namespace: m
  name: db-0
  node: a
  owner: {{kind: StatefulSet, name: db}}
  conditions: [{{kind: Ready, status: '{ready}'}}]
  statuses: [{{name: main, runningSince: 2026-11-30T10:00:00Z}}]
"
        )
    }

    #[test]
    fn each_branch_of_the_tree_is_reached() {
        let process = |live: u16, ready: u16, more: &str| {
            format!(
                "processes: [{{place: Pod m/db-0, live: {live}, ready: {ready}, {more} samples: \
                 [{{name: projector_lag_blocks, value: '0'}}]}}]"
            )
        };
        let well = walked(&one("True"), &process(200, 200, ""));
        assert_eq!(well, ["running ok", "alive ok", "ready ok", "behind ok"]);
        let hangs = walked(&one("False"), &process(500, 503, ""));
        assert_eq!(hangs, ["running ok", "alive WRONG", "ready not known", "behind not known"]);
        let check = "checks: [{name: projection, ok: false, detail: lagging}],";
        let waits = walked(&one("False"), &process(200, 503, check));
        assert_eq!(waits, ["running ok", "alive ok", "ready WRONG", "behind ok"]);
        // It is ready, and the probe of the manifest asks something else.
        let elsewhere = walked(&one("False"), &process(200, 200, ""));
        assert_eq!(elsewhere, ["running ok", "alive ok", "ready WRONG", "behind ok"]);
        let lagging = "processes: [{place: Pod m/db-0, live: 200, ready: 200, samples: [{name: \
                       projector_lag_blocks, value: '7'}]}]";
        assert_eq!(walked(&one("True"), lagging)[3], "behind WRONG");
    }

    #[test]
    fn what_was_not_asked_is_not_known_and_what_does_not_run_is_not_asked() {
        let unseen = walked(&one("False"), "");
        assert_eq!(unseen, ["running ok", "alive not known", "ready WRONG", "behind not known"]);
        let crashing = "
pods:
- namespace: m
  name: db-0
  node: a
  statuses: [{name: main, waiting: CrashLoopBackOff, restarts: 9}]
";
        let walked = walked(crashing, "");
        assert_eq!(walked[0], "running WRONG");
        assert_eq!(
            walked[walked.len() - 3..],
            ["alive not known", "ready not known", "behind not known"]
        );
    }

    #[test]
    fn a_fault_that_all_share_is_told_from_one_of_its_own() {
        let second = |ready: &str| {
            format!(
                "{}- namespace: m
  name: db-1
  node: a
  owner: {{kind: StatefulSet, name: db}}
  conditions: [{{kind: Ready, status: '{ready}'}}]
",
                one("False")
            )
        };
        assert_eq!(walked(&second("True"), "").last().unwrap(), "others ok");
        assert_eq!(walked(&second("False"), "").last().unwrap(), "others WRONG");
    }
}
