//! `gx fabric invoke` and `gx fabric query`: one call of the contract, by a person.
//!
//! A refused command is committed like any other; that it was refused is a finding.

use anyhow::{Context, Result, bail};
use gx_fabric::{Error, Validation};
use gx_types::Role;

use super::Connection;
use crate::{End, console};

#[derive(Debug, clap::Args)]
pub(crate) struct InvokeArgs {
    #[command(flatten)]
    network: Connection,
    /// Role to submit under; the wallet needs an identity that has it.
    #[arg(long, value_name = "ROLE", default_value = "gx_super_admin")]
    role: Role,
    /// Contract:Function
    function: String,
    /// One JSON object, or the text of every field in field order; then perhaps the actor.
    args: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    network: Connection,
    /// Contract:Function
    function: String,
    /// One JSON object, or the text of every field in field order.
    args: Vec<String>,
}

fn bytes(function: &str, args: &[String]) -> Vec<Vec<u8>> {
    let args = args.iter().map(|arg| arg.as_bytes().to_vec());
    std::iter::once(function.as_bytes().to_vec()).chain(args).collect()
}

pub(crate) async fn invoke(args: &InvokeArgs) -> Result<End> {
    let options = args.network.options()?;
    let engine = args.network.engine()?;
    let (identity, gateway) = (engine.identity(args.role)?, engine.gateway());
    let organizations = &options.endorsing_organizations;
    let call = bytes(&args.function, &args.args);
    let prepared =
        gateway.endorse(&identity, args.network.chaincode(), call, organizations).await?;
    gateway.submit(&prepared).await?;
    let status =
        gateway.commit_status(&identity, &prepared.tx_id, options.deadlines.commit).await?;
    if status.code != Validation::Valid {
        bail!("transaction {} is invalid: {}", prepared.tx_id, status.code);
    }
    let answer = String::from_utf8(prepared.answer).context("the answer is not text")?;
    console::line(&answer);
    Ok(if answer.contains("\"refused\"") { End::Findings } else { End::Done })
}

pub(crate) async fn query(args: &QueryArgs) -> Result<End> {
    let engine = args.network.engine()?;
    let wallet = args.network.wallet()?;
    let identity = wallet.identities().first().context("the wallet is empty")?;
    let call = bytes(&args.function, &args.args);
    match engine.gateway().evaluate(identity, args.network.chaincode(), call).await {
        Ok(answer) => {
            console::line(String::from_utf8_lossy(&answer));
            Ok(End::Done)
        }
        Err(Error::Refused(refused)) => {
            console::line(refused);
            Ok(End::Findings)
        }
        Err(error) => Err(error.into()),
    }
}
