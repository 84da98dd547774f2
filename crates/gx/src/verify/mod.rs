//! `gx verify`: whether ledger, read models and commands of a stopped platform agree.
//!
//! Three independent computations are compared: the contract executed again over all blocks, the
//! postings added up, and what the read models say. It changes nothing.

mod auditor;
mod read_models;

use std::path::Path;

use anyhow::{Context, Result};
use gx_ledger::{BlockLimit, Expected, Ledger, NodeKey, Options};
use gx_server::calendar::now_ms;
use gx_server::config::Config;
use gx_store::projection::{self, Position};
use gx_store::{Store, admin::audit};
use gx_types::{AccountId, TimeMs};
use serde::Serialize;

use crate::settings::Settings;
use crate::{End, console, process};
use auditor::Auditor;

/// How `gx verify` is set.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was looked at, and what is not as it should be.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Findings {
    blocks: u64,
    commands: u64,
    accounts: u64,
    transfers: u64,
    fees_qirat: String,
    total_qirat: String,
    /// The last block that the read models hold.
    projected_block: u64,
    /// Commands of the ledger whose outcome stands in the read models.
    outcomes: u64,
    audit_rows: u64,
    pub(crate) findings: Vec<String>,
}

/// Verifies the platform that the settings name and prints the result.
pub(crate) fn run(settings: &Settings, args: &Args) -> Result<End> {
    let config = settings.load(&[])?;
    let found = process::block_on(verify(&config))?;
    if args.json {
        console::line(serde_json::to_string(&found)?);
    } else {
        found.print();
    }
    Ok(if found.findings.is_empty() { End::Done } else { End::Findings })
}

/// Verifies a platform that no process is running.
pub(crate) async fn verify(config: &Config) -> Result<Findings> {
    let store = Store::connect(&config.store().map_err(gx_store::Error::from)?).await?;
    store.check(config.network).await?;
    let mut found = Findings::default();
    let position = projection::position(&store).await?;
    found.projected_block = position.checkpoint.map_or(0, |checkpoint| checkpoint.block);
    if found.check_ledger(config, &position)? {
        let ledger = open(config)?;
        found.check_books(&ledger, &store, &position).await?;
    }
    let contradictions = projection::contradictions(&store).await?;
    if contradictions.histories > 0 {
        let count = contradictions.histories;
        found.add(format!("the histories of {count} accounts do not lead to their balances"));
    }
    if contradictions.unsettled > 0 && found.projected_block >= found.blocks {
        let count = contradictions.unsettled;
        found.add(format!("{count} accepted commands were sent to a ledger that lacks them"));
    }
    let audit = audit::verify(&store).await?;
    found.audit_rows = audit.rows;
    if let Some((row, what)) = audit.broken {
        found.add(format!("row {row} of the audit log: {what}"));
    }
    store.close().await;
    Ok(found)
}

/// What the ledger of these settings has to be, as far as this machine knows.
pub(crate) fn expected(config: &Config) -> Result<Expected> {
    let path = node_key_path(config);
    let node = path.exists().then(|| NodeKey::load(&path)).transpose()?;
    let node = node.map(|key| key.public());
    Ok(Expected { network: Some(config.network), node, block: None })
}

/// The file of the key that signs the blocks of these settings.
pub(crate) fn node_key_path(config: &Config) -> std::path::PathBuf {
    config.keys_dir().join("node.pem")
}

fn open(config: &Config) -> Result<Ledger> {
    let key = NodeKey::load(&node_key_path(config))?;
    let options = Options::new(config.ledger_path(), config.network, TimeMs(now_ms()));
    Ok(Ledger::create_or_open(options, &key)?)
}

impl Findings {
    fn add(&mut self, finding: String) {
        self.findings.push(finding);
    }

    /// Hash chain, signatures, and every block executed again. Whether the ledger is good.
    fn check_ledger(&mut self, config: &Config, position: &Position) -> Result<bool> {
        let path = config.ledger_path();
        let block = position.checkpoint.map(|at| (at.block, gx_ledger::Hash::from_bytes(at.hash)));
        let expected = Expected { block, ..expected(config)? };
        let report = verify_file(&path, &expected)?;
        (self.blocks, self.commands) = (report.tip.number, report.commands);
        match report.problem {
            None => Ok(true),
            Some(problem) => {
                self.add(format!("ledger, {problem}"));
                Ok(false)
            }
        }
    }

    /// The postings of all blocks, against the read models at their block and the ledger's state
    /// at its end.
    async fn check_books(
        &mut self,
        ledger: &Ledger,
        store: &Store,
        position: &Position,
    ) -> Result<()> {
        let mut auditor = Auditor::default();
        if position.checkpoint.is_none() {
            self.check_read_models(store, &auditor).await?;
        }
        let bar = console::progress("adding postings up", self.blocks);
        let mut next = 1;
        loop {
            let blocks = ledger.blocks(next, BlockLimit::default())?;
            let Some(last) = blocks.last() else { break };
            next = last.number() + 1;
            for block in blocks {
                let record = block.record().with_context(|| format!("block {}", block.number()))?;
                if let Err(fault) = auditor.block(&record) {
                    self.add(format!("block {}: {fault}", block.number()));
                    return Ok(());
                }
                if block.number() <= self.projected_block {
                    self.check_outcomes(store, block.number(), &record).await?;
                }
                if block.number() == self.projected_block {
                    self.check_read_models(store, &auditor).await?;
                }
            }
            bar.set_position(next - 1);
        }
        bar.finish_and_clear();
        self.check_state(ledger, &auditor)?;
        self.accounts = auditor.accounts().len() as u64;
        self.transfers = auditor.transfers;
        self.fees_qirat = auditor.fees.to_string();
        self.total_qirat = auditor.total().to_string();
        Ok(())
    }

    /// The ledger's own state against the books, both ways.
    fn check_state(&mut self, ledger: &Ledger, auditor: &Auditor) -> Result<()> {
        let snapshot = ledger.snapshot()?;
        let mut seen = 0;
        for account in snapshot.accounts()? {
            let (id, account) = account?;
            let (balance, frozen) = (account.balance.qirat(), account.frozen.is_some());
            seen += 1;
            self.compare("the ledger's state", auditor, id, (balance, frozen));
        }
        if seen < auditor.accounts().len() {
            let missing = auditor.accounts().len() - seen;
            self.add(format!("the ledger's state lacks {missing} accounts"));
        }
        Ok(())
    }

    fn compare(
        &mut self,
        what: &str,
        auditor: &Auditor,
        id: AccountId,
        (balance, frozen): (u64, bool),
    ) {
        let fault = match auditor.accounts().get(&id) {
            None => "is in no block".to_owned(),
            Some(holding) if holding.balance != balance => {
                format!("has {balance} Q, its postings sum to {} Q", holding.balance)
            }
            Some(holding) if holding.frozen != frozen => {
                format!("is {}frozen, blocks say otherwise", if frozen { "" } else { "not " })
            }
            Some(_) => return,
        };
        self.add(format!("{what}: {id} {fault}"));
    }

    pub(crate) fn print(&self) {
        let number = |count: u64| console::thousands(count);
        console::table(&[
            ["checked".to_owned(), "count".to_owned()],
            ["blocks executed again".to_owned(), number(self.blocks)],
            ["commands".to_owned(), number(self.commands)],
            ["outcomes compared".to_owned(), number(self.outcomes)],
            ["accounts compared".to_owned(), number(self.accounts)],
            ["transfers".to_owned(), number(self.transfers)],
            ["rows of the audit log".to_owned(), number(self.audit_rows)],
        ]);
        if self.projected_block < self.blocks {
            let (done, of) = (self.projected_block, self.blocks);
            console::line(format_args!(
                "The read models stand at block {done} of {of}; the next start catches up."
            ));
        }
        for finding in &self.findings {
            console::line(format_args!("WRONG: {finding}"));
        }
        if self.findings.is_empty() {
            console::line("Ledger, postings and read models agree; no coin was made or lost.");
        }
    }
}

/// Verifies a ledger file, with progress.
pub(crate) fn verify_file(path: &Path, expected: &Expected) -> Result<gx_ledger::Report> {
    let bar = console::progress("executing blocks again", 0);
    let report = gx_ledger::verify(path, expected, &mut |progress| {
        bar.set_length(progress.of);
        bar.set_position(progress.blocks);
    });
    bar.finish_and_clear();
    report.map_err(|error| match error {
        gx_ledger::Error::InUse { .. } => {
            anyhow::Error::new(error).context("stop the platform first, then verify its files")
        }
        error => error.into(),
    })
}
