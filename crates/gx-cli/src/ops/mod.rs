//! `gx ops`: what operators ask of clusters, hosts and stores.
//!
//! It reads files and asks API servers; what is made of that stands in `gx-ops`. Nothing here
//! changes anything.

mod audit;
mod collect;
mod input;

use anyhow::{Result, bail};
use gx_ops::collect::{ASK_SCRIPT, POSTGRES_SCRIPT, SCRIPT};
use gx_ops::report::explain;
use gx_ops::rules;

use crate::{End, console};

/// What can be asked.
#[derive(Debug, clap::Subcommand)]
pub enum Ops {
    /// Collects facts into a snapshot, without secrets, that can be kept, sent and compared.
    Collect(collect::Args),
    /// Holds every rule against a snapshot, or against the cluster itself. Exits with 2 when
    /// something is critical, with 1 when something else is as bad as --fail-on, with 0 if not.
    Audit(Box<audit::Args>),
    /// Tells what a rule looks for, why, and what to do.
    Explain {
        /// Such as SCH-01.
        #[arg(value_name = "RULE")]
        rule: String,
    },
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
pub fn run(ops: &Ops) -> Result<End> {
    match ops {
        Ops::Collect(args) => collect::run(args),
        Ops::Audit(args) => audit::run(args),
        Ops::Explain { rule } => {
            let Some(rule) = rules::rule(rule) else {
                bail!("there is no rule {rule}; docs/rules/README.md lists them");
            };
            console::line(explain(rule, &audit::look(false)).trim_end());
            Ok(End::Done)
        }
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
