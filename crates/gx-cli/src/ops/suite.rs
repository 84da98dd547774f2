//! `gx ops suite`: one of the seven suites of tests, held against facts.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;
use gx_ops::questions::checks::{State, render_suite, suite};

use super::answer::Telling;
use super::input::Source;
use crate::End;

/// The suites.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// Whether hosts, servers, pods and public names are reached.
    Net,
    /// Whether nodes, workloads, Services, claims and etcd are well.
    K8s,
    /// Whether orderers, peers, chaincode and authorities work together.
    Fabric,
    /// Whether processes and public addresses answer as they should.
    App,
    /// Whether databases and Redis replicate and have room.
    Db,
    /// Whether commands come through; --before shows that the ledger grows.
    E2e,
    /// Whether everything works on without any one node; nothing is switched off.
    Ha,
}

impl Name {
    const fn word(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::K8s => "k8s",
            Self::Fabric => "fabric",
            Self::App => "app",
            Self::Db => "db",
            Self::E2e => "e2e",
            Self::Ha => "ha",
        }
    }
}

/// Which suite, and what it is held against.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_enum)]
    suite: Name,
    #[command(flatten)]
    source: Source,
    /// An earlier snapshot, or a folder of what one is made from: what has to have moved meanwhile
    /// is compared with it.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let (now, before) = args.source.snapshot_and(args.before.as_slice())?;
    let Some(answer) = suite(args.suite.word(), &now, before.as_ref()) else {
        bail!("there is no suite {}", args.suite.word());
    };
    args.telling.tell(&answer, render_suite)?;
    Ok(if answer.state == State::Passed { End::Done } else { End::Findings })
}
