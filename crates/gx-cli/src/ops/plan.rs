//! `gx ops plan`: what would be changed, before anything is.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;
use gx_ops::plans::{Clean, Request, make, render};

use super::answer::Telling;
use super::input::{Source, now};
use crate::{End, console};

/// What every plan is made from, and where it goes.
#[derive(Debug, clap::Args)]
pub struct Common {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
    /// File that the plan is written to, to be applied from.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Finished,
    Failed,
    Replicasets,
    Crashing,
    Services,
    Volumes,
    Archives,
}

/// From when on something is not needed any more.
#[derive(Debug, clap::Args)]
pub struct Cleaning {
    /// What is cleaned; by itself pods that succeeded, superseded ReplicaSets, and workloads
    /// outside of mainnet that only crash.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_values_t = [What::Finished, What::Replicasets, What::Crashing]
    )]
    only: Vec<What>,
    /// This namespace alone; can be given more than once. None: all but the cluster's own.
    #[arg(long, value_name = "NAME")]
    namespace: Vec<String>,
    /// Age from which pods that have ended go.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    after: u64,
    /// Old ReplicaSets of each Deployment that stay, to go back to.
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,
    /// Restarts after which a workload that only crashes is parked.
    #[arg(long, value_name = "N", default_value_t = 20)]
    restarts: u32,
    /// Age from which archives below temporary folders of hosts go.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    days: u64,
}

impl Cleaning {
    fn policy(&self) -> Clean {
        let has = |what| self.only.contains(&what);
        Clean {
            namespaces: self.namespace.clone(),
            finished_hours: has(What::Finished).then_some(self.after),
            failed_hours: has(What::Failed).then_some(self.after),
            keep_revisions: has(What::Replicasets).then_some(self.keep),
            crash_restarts: has(What::Crashing).then_some(self.restarts),
            services: has(What::Services),
            volumes: has(What::Volumes),
            archive_days: has(What::Archives).then_some(self.days),
        }
    }
}

/// What is to be done.
#[derive(Debug, clap::Subcommand)]
pub enum Act {
    /// Deletes what nobody needs any more, and parks what only crashes.
    Clean {
        #[command(flatten)]
        cleaning: Cleaning,
        #[command(flatten)]
        common: Common,
    },
    /// Gives a workload another number of pods; members of a set come and go one by one.
    Scale {
        workload: String,
        replicas: u32,
        #[command(flatten)]
        common: Common,
    },
    /// Closes a node: it takes no more pods.
    Cordon {
        node: String,
        #[command(flatten)]
        common: Common,
    },
    /// Opens a node again.
    Uncordon {
        node: String,
        #[command(flatten)]
        common: Common,
    },
    /// Closes a node and evicts its pods, one after the other, as budgets allow.
    Drain {
        node: String,
        #[command(flatten)]
        common: Common,
    },
    /// Labels a node: KEY=VALUE, or KEY- to take a label away.
    Label {
        node: String,
        #[arg(value_name = "LABEL", value_parser = label)]
        label: (String, Option<String>),
        #[command(flatten)]
        common: Common,
    },
    /// Starts pods of workloads again: one first, and the others when it works.
    Restart {
        /// One or more, with commas between them.
        workloads: String,
        /// Pods that start again together; members of a set never do.
        #[arg(long, value_name = "N", default_value_t = 1)]
        at_once: usize,
        /// Seconds that the first one has to be ready before the others follow.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        settle: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Removes a member from etcd, by its name or its node. Done by hand, step by step.
    EtcdRemove {
        member: String,
        #[command(flatten)]
        common: Common,
    },
    /// Adds a member to etcd. Done by hand, step by step.
    EtcdAdd {
        node: String,
        /// Even if there is an even number of members afterwards.
        #[arg(long)]
        even: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Brings images that are never pulled to the nodes that lack them. Done by hand.
    ImagesDistribute {
        /// This image alone.
        #[arg(long, value_name = "REFERENCE")]
        image: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Gives a server and all who log in to it another password.
    SecretsRotate {
        /// Such as mainnet.
        environment: String,
        /// postgres or redis.
        service: String,
        #[command(flatten)]
        common: Common,
    },
    /// Moves a database of a StatefulSet to volumes of another class.
    StorageMigrate {
        workload: String,
        class: String,
        #[command(flatten)]
        common: Common,
    },
    /// Has another server of PostgreSQL take the writes: that of the pod NAMESPACE/NAME.
    PostgresSwitchover {
        pod: String,
        #[command(flatten)]
        common: Common,
    },
}

impl Act {
    fn request(&self) -> (Request, &Common) {
        let name = |text: &String| text.clone();
        match self {
            Self::Clean { cleaning, common } => (Request::Clean(cleaning.policy()), common),
            Self::Scale { workload, replicas, common } => {
                (Request::Scale { workload: name(workload), replicas: *replicas }, common)
            }
            Self::Cordon { node, common } => (Request::Cordon { node: name(node) }, common),
            Self::Uncordon { node, common } => (Request::Uncordon { node: name(node) }, common),
            Self::Drain { node, common } => (Request::Drain { node: name(node) }, common),
            Self::Label { node, label: (key, value), common } => {
                let (node, key, value) = (name(node), name(key), value.clone());
                (Request::Label { node, key, value }, common)
            }
            Self::Restart { workloads, at_once, settle, common } => {
                let workloads = workloads.split(',').map(str::to_owned).collect();
                let at_once = *at_once;
                (Request::Restart { workloads, at_once, settle_seconds: *settle }, common)
            }
            Self::EtcdRemove { member, common } => {
                (Request::EtcdRemove { member: name(member) }, common)
            }
            Self::EtcdAdd { node, even, common } => {
                (Request::EtcdAdd { node: name(node), even: *even }, common)
            }
            Self::ImagesDistribute { image, common } => {
                (Request::ImagesDistribute { image: image.clone() }, common)
            }
            Self::SecretsRotate { environment, service, common } => {
                let (environment, service) = (name(environment), name(service));
                (Request::SecretsRotate { environment, service }, common)
            }
            Self::StorageMigrate { workload, class, common } => {
                let (workload, class) = (name(workload), name(class));
                (Request::StorageMigrate { workload, class }, common)
            }
            Self::PostgresSwitchover { pod, common } => {
                (Request::PostgresSwitchover { to: name(pod) }, common)
            }
        }
    }
}

pub(super) fn run(act: &Act) -> Result<End> {
    let (request, common) = act.request();
    let snapshot = common.source.snapshot()?;
    let plan = make(&snapshot, &request, now())?;
    common.telling.tell(&plan, render)?;
    if let Some(path) = &common.output {
        let failed = || format!("cannot write {}", path.display());
        fs::write(path, plan.to_text()?).with_context(failed)?;
        console::line(format_args!("written to {}", path.display()));
    }
    Ok(End::Done)
}

fn label(text: &str) -> Result<(String, Option<String>)> {
    match (text.split_once('='), text.strip_suffix('-')) {
        (Some((key, value)), _) => Ok((key.to_owned(), Some(value.to_owned()))),
        (None, Some(key)) => Ok((key.to_owned(), None)),
        (None, None) => Err(anyhow!("KEY=VALUE or KEY- expected")),
    }
}
