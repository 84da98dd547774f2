//! `gx ops explain`: what a rule looks for, and why a pod, a node or a workload is as it is.

use anyhow::{Result, bail};
use gx_ops::questions::explain::{explain_node, explain_pod, explain_workload, render};
use gx_ops::report::explain;
use gx_ops::rules;

use super::answer::Telling;
use super::audit::look;
use super::input::Source;
use crate::{End, console};

/// What is explained.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A rule such as SCH-01, or `pod`, `node` or `workload`.
    #[arg(value_name = "RULE|KIND")]
    what: String,
    /// Of the pod, node or workload: NAME, NAMESPACE/NAME, or KIND/NAMESPACE/NAME.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let Some(name) = &args.name else {
        let Some(rule) = rules::rule(&args.what) else {
            bail!("there is no rule {}; docs/rules/README.md lists them", args.what);
        };
        console::line(explain(rule, &look(false)).trim_end());
        return Ok(End::Done);
    };
    let ask = match args.what.as_str() {
        "pod" => explain_pod,
        "node" => explain_node,
        "workload" => explain_workload,
        other => bail!("{other} is none of pod, node and workload"),
    };
    args.telling.tell(&ask(&args.source.snapshot()?, name)?, render)?;
    Ok(End::Done)
}
