//! `gx ops what-if`: what would be if.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use gx_ops::facts::{Effect, Taint};
use gx_ops::questions::what_if::{Change, Place, Verdict, render, what_if};

use super::answer::Telling;
use super::input::Source;
use crate::End;

/// What is supposed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
    /// What does not come back: node=NAME, region=NAME as declared, or zone=NAME by its label.
    #[arg(long, value_name = "KIND=NAME", value_parser = lose)]
    lose: Vec<Change>,
    /// Node whose pods are evicted, as budgets allow.
    #[arg(long, value_name = "NODE")]
    drain: Vec<String>,
    /// Pod that is evicted, as NAMESPACE/NAME.
    #[arg(long, value_name = "POD")]
    evict: Vec<String>,
    /// Node that takes no more pods.
    #[arg(long, value_name = "NODE")]
    cordon: Vec<String>,
    /// NODE:KEY=VALUE:EFFECT, or NODE:KEY- to take one away.
    #[arg(long, value_name = "TAINT", value_parser = taint)]
    taint: Vec<Change>,
    /// NODE:KEY=VALUE, or NODE:KEY- to take one away.
    #[arg(long, value_name = "LABEL", value_parser = label)]
    label: Vec<Change>,
    /// Member of etcd, by its name or its node.
    #[arg(long, value_name = "MEMBER")]
    remove_etcd: Vec<String>,
    /// Node that is installed again: it comes back empty.
    #[arg(long, value_name = "NODE")]
    reinstall: Vec<String>,
    /// WORKLOAD=N, the workload as NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME.
    #[arg(long, value_name = "WORKLOAD=N", value_parser = scale)]
    scale: Vec<Change>,
    /// Manifests that are applied.
    #[arg(long, value_name = "FILE")]
    apply: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let (snapshot, manifests) = args.source.snapshot_and(&args.apply)?;
    let mut changes: Vec<Change> =
        manifests.into_iter().map(|one| Change::Apply(Box::new(one))).collect();
    for list in [&args.label, &args.taint, &args.scale] {
        changes.extend(list.iter().cloned());
    }
    changes.extend(args.cordon.iter().cloned().map(Change::Cordon));
    changes.extend(args.drain.iter().cloned().map(Change::Drain));
    changes.extend(args.evict.iter().cloned().map(Change::Evict));
    changes.extend(args.remove_etcd.iter().cloned().map(Change::RemoveEtcd));
    changes.extend(args.reinstall.iter().cloned().map(Change::Reinstall));
    changes.extend(args.lose.iter().cloned());
    let answer = what_if(&snapshot, &changes)?;
    args.telling.tell(&answer, render)?;
    Ok(End::Audit(match answer.verdict {
        Verdict::Safe | Verdict::Degraded => 0,
        Verdict::Outage => 1,
        Verdict::DataLoss => 2,
    }))
}

fn lose(text: &str) -> Result<Change> {
    let place = match text.split_once('=') {
        Some(("node", name)) => Place::Node(name.to_owned()),
        Some(("region", name)) => Place::Region(name.to_owned()),
        Some(("zone", name)) => Place::Zone(name.to_owned()),
        _ => bail!("node=NAME, region=NAME or zone=NAME expected"),
    };
    Ok(Change::Lose(place))
}

fn scale(text: &str) -> Result<Change> {
    let (workload, replicas) =
        text.rsplit_once('=').ok_or_else(|| anyhow!("WORKLOAD=N expected"))?;
    Ok(Change::Scale { workload: workload.to_owned(), replicas: replicas.parse()? })
}

fn label(text: &str) -> Result<Change> {
    let (node, label) = text.split_once(':').ok_or_else(|| anyhow!("NODE:KEY=VALUE expected"))?;
    let (key, value) = match label.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => {
            let key =
                label.strip_suffix('-').ok_or_else(|| anyhow!("KEY=VALUE or KEY- expected"))?;
            (key, None)
        }
    };
    Ok(Change::Label { node: node.to_owned(), key: key.to_owned(), value })
}

fn taint(text: &str) -> Result<Change> {
    let form = || anyhow!("NODE:KEY=VALUE:EFFECT, NODE:KEY- or NODE:KEY:EFFECT- expected");
    let (node, taint) = text.split_once(':').ok_or_else(form)?;
    let node = node.to_owned();
    if let Some(taken) = taint.strip_suffix('-') {
        let (key, effect) = match taken.split_once(':') {
            Some((key, name)) => (key, Some(effect(name)?)),
            None => (taken, None),
        };
        return Ok(Change::Untaint { node, key: key.to_owned(), effect });
    }
    let (pair, name) = taint.rsplit_once(':').ok_or_else(form)?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let (key, value, effect) = (key.to_owned(), value.to_owned(), effect(name)?);
    Ok(Change::Taint { node, taint: Taint { key, value, effect, since: None } })
}

fn effect(name: &str) -> Result<Effect> {
    Ok(match name {
        "NoSchedule" => Effect::NoSchedule,
        "PreferNoSchedule" => Effect::PreferNoSchedule,
        "NoExecute" => Effect::NoExecute,
        _ => bail!("{name} is none of NoSchedule, PreferNoSchedule and NoExecute"),
    })
}
