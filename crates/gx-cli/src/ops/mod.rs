//! `gx ops`: what operators ask of clusters, hosts and stores.
//!
//! It reads files and asks API servers; what is made of that stands in `gx-ops`. Nothing here
//! changes anything but `apply`.

mod answer;
mod apply;
mod audit;
mod certs;
mod collect;
mod compare;
mod doctor;
mod explain;
mod images;
mod input;
mod phase;
mod plan;
mod record;
mod score;
mod secrets;
mod suite;
mod watch;
mod what_if;

use anyhow::Result;
use gx_ops::collect::{ASK_SCRIPT, POSTGRES_SCRIPT, SCRIPT};

use crate::settings::Settings;
use crate::{End, console};

/// What can be asked.
#[derive(Debug, clap::Subcommand)]
pub enum Ops {
    /// Collects facts into a snapshot, without secrets, that can be kept, sent and compared.
    Collect(collect::Args),
    /// Holds every rule against a snapshot, or against the cluster itself. Exits with 2 when
    /// something is critical, with 1 when something else is as bad as --fail-on, with 0 if not.
    Audit(Box<audit::Args>),
    /// Tells what a rule looks for, why, and what to do: explain SCH-01. Or why a thing is as it
    /// is, what it needs and what needs it: explain pod|node|workload NAME.
    Explain(Box<explain::Args>),
    /// Tells what would be if nodes were lost or drained, workloads scaled, manifests applied.
    /// Exits with 2 when data would be lost, with 1 when something would not work, else with 0.
    WhatIf(Box<what_if::Args>),
    /// Tells how well pods are spread and how many nodes can be lost, with every deduction.
    Score(Box<score::Args>),
    /// Lists certificates by the day they end, with what stops working then and who renews them.
    Certs(Box<certs::Args>),
    /// Tells on which nodes images are missing, which may go, and how to bring them there.
    Images(Box<images::Args>),
    /// Looks at credentials, of which nothing but hashes is known.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Tells what is different between two snapshots, environments or ledgers.
    Compare(Box<compare::Args>),
    /// Makes a plan: what would be changed, object by object, why, and how it is taken back.
    /// Changes nothing.
    #[command(subcommand)]
    Plan(Box<plan::Act>),
    /// Applies a plan step by step, if the facts are still those that it was made from; continues
    /// or takes back a run that has not ended. Exits with 3 when it was stopped.
    Apply(Box<apply::Args>),
    /// Audits again and again, and serves what it finds as metrics until it is stopped; prints one
    /// line when something has changed.
    Watch(Box<watch::Args>),
    /// Tells what keeps a process with these settings, started here, from what it needs: names,
    /// ways, TLS, log-ins, schema, ledger, clocks, room. Or why a pod is not ready: doctor pod
    /// NAME. Exits with 3 when something is wrong or not known.
    Doctor(Box<doctor::Args>),
    /// Holds one of the seven suites of tests against facts; nothing is sent or switched off. Exits
    /// with 3 unless every check has looked and passed.
    Suite(Box<suite::Args>),
    /// Tells what one of the phases 0 to 7 of the plan does, which of its criteria hold, and who
    /// has signed it off. Exits with 3 unless it is done.
    Phase(Box<phase::Args>),
    /// Writes a dated record of work from a snapshot before and one after it, in Markdown.
    Record(Box<record::Args>),
    /// Prints a shell script that tells facts of the host it runs on, and changes nothing:
    /// gx ops host-script | ssh HOST 'sudo sh -s' > HOST.txt
    HostScript,
    /// Prints a shell script that asks processes, ledgers, Redis, Prometheus and logs of backups,
    /// and changes nothing: gx ops ask-script | sh -s -- process URL... > PROCESSES.txt
    AskScript,
    /// Prints a script for psql that tells facts of a server, and changes nothing:
    /// gx ops postgres-script | psql -X -v place='Pod NAMESPACE/POD' URL > POD.json
    PostgresScript,
}

/// Answers.
pub fn run(settings: &Settings, ops: &Ops) -> Result<End> {
    match ops {
        Ops::Collect(args) => collect::run(args),
        Ops::Audit(args) => audit::run(args),
        Ops::Explain(args) => explain::run(args),
        Ops::WhatIf(args) => what_if::run(args),
        Ops::Score(args) => score::run(args),
        Ops::Certs(args) => certs::run(args),
        Ops::Images(args) => images::run(args),
        Ops::Secrets(secrets) => secrets::run(secrets),
        Ops::Compare(args) => compare::run(args),
        Ops::Plan(act) => plan::run(act),
        Ops::Apply(args) => apply::run(args),
        Ops::Watch(args) => watch::run(args),
        Ops::Doctor(args) => doctor::run(settings, args),
        Ops::Suite(args) => suite::run(args),
        Ops::Phase(args) => phase::run(args),
        Ops::Record(args) => record::run(args),
        Ops::HostScript => {
            console::line(SCRIPT.trim_end());
            Ok(End::Done)
        }
        Ops::AskScript => {
            console::line(ASK_SCRIPT.trim_end());
            Ok(End::Done)
        }
        Ops::PostgresScript => {
            console::line(POSTGRES_SCRIPT.trim_end());
            Ok(End::Done)
        }
    }
}
