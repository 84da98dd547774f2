//! `gx ops compare`: two snapshots, two environments of one or of two, two ledgers.

use std::path::PathBuf;

use anyhow::{Result, bail};
use gx_ops::questions::compare;

use super::answer::Telling;
use super::input::snapshot_of;
use crate::End;

/// What is compared.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A snapshot, or a folder of what one is made from.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The later, or the other one; the same when it is left out.
    #[arg(value_name = "B")]
    second: Option<PathBuf>,
    /// Two environments that are to be alike, such as testnet,mainnet.
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1..=2)]
    environments: Vec<String>,
    /// Two ledgers by their names: which of them is the one that counts.
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1..=2,
        conflicts_with = "environments")]
    ledgers: Vec<String>,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let salt = super::input::new_salt()?;
    let first = snapshot_of(&args.first, &salt)?;
    let second = args.second.as_deref().map(|path| snapshot_of(path, &salt)).transpose()?;
    let other = second.as_ref().unwrap_or(&first);
    match (args.environments.as_slice(), args.ledgers.as_slice()) {
        ([a, b], _) => {
            let answer = compare::environments((&first, a), (other, b));
            args.telling.tell(&answer, compare::render_environments)?;
        }
        (_, [a, b]) => {
            let answer = compare::ledgers((&first, a), (other, b))?;
            args.telling.tell(&answer, compare::render_ledgers)?;
        }
        ([], []) => {
            let Some(second) = &second else {
                bail!("a second snapshot is missing, or --environments, or --ledgers");
            };
            args.telling.tell(&compare::snapshots(&first, second), compare::render_snapshots)?;
        }
        _ => bail!("two are compared, such as --environments testnet,mainnet"),
    }
    Ok(End::Done)
}
