//! `gx verify`: whether ledger, read models and commands of a stopped platform agree.
//!
//! Independent computations are compared: the contract executed again over all blocks, the postings
//! added up, read models filled a second time, and what the platform's own rows say. It changes
//! nothing of the platform's.

mod auditor;
mod read_models;
mod receipt;
mod rules;
mod second;

use std::path::Path;

use anyhow::{Result, bail};
use gx_engine::{Chain, ChainError};
use gx_ledger::{Expected, Ledger, NodeKey, Options};
use gx_server::calendar::now_ms;
use gx_server::config::{Config, LedgerEngine};
use gx_server::open_fabric;
use gx_store::projection::{self, Checkpoint, Contradictions};
use gx_store::{Class, Store, admin::audit, submission};
use gx_types::{AccountId, Finding, Rule, TimeMs, with_causes};
use serde::Serialize;

use crate::settings::Settings;
use crate::{End, console, process};
use auditor::Auditor;
use second::Second;

/// Bytes of blocks that are read at once.
const BYTES: usize = 4 << 20;

/// How `gx verify` is set.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// The result as one JSON object.
    #[arg(long)]
    json: bool,
    /// What to verify instead of the platform.
    #[command(subcommand)]
    what: Option<What>,
}

/// What can be verified without a platform.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Checks a receipt of a command, asking no server.
    Receipt(receipt::Args),
}

/// What was looked at, and what is not as it should be.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    network: String,
    /// `embedded` or `fabric`.
    engine: &'static str,
    /// `sqlite` or `postgres`.
    database: &'static str,
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
    pub findings: Vec<Finding>,
    /// Whether the database says how far it is.
    #[serde(skip)]
    positioned: bool,
}

/// Verifies the platform that the settings name and prints the result.
pub fn run(settings: &Settings, args: &Args) -> Result<End> {
    if let Some(What::Receipt(args)) = &args.what {
        return receipt::run(args);
    }
    let config = settings.load(&[])?;
    let found = process::block_on(async {
        let signal = process::stop_signal()?;
        // What is left unfinished takes its folder along.
        tokio::select! {
            found = verify(&config) => found,
            () = signal => bail!("interrupted; nothing was changed"),
        }
    })?;
    if args.json {
        console::line(serde_json::to_string(&found)?);
    } else {
        found.print();
    }
    Ok(if found.findings.is_empty() { End::Done } else { End::Findings })
}

/// Verifies a platform that no process is running.
pub async fn verify(config: &Config) -> Result<Findings> {
    let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
    store.check(config.network).await?;
    let mut found = Findings {
        network: config.network.to_string(),
        engine: config.ledger.engine.as_str(),
        database: store.engine().as_str(),
        ..Findings::default()
    };
    let position = found.read("the projector's position", projection::position(&store).await)?;
    found.positioned = position.is_some();
    let checkpoint = position.as_ref().and_then(|position| position.checkpoint);
    found.projected_block = checkpoint.map_or(0, |checkpoint| checkpoint.block);
    match config.ledger.engine {
        LedgerEngine::Embedded => {
            let good = found.check_ledger(config, checkpoint)?;
            // Without a position nobody can say what the read models should hold.
            if good && position.is_some() {
                let ledger = open(config)?;
                let chain = Chain::embedded(ledger.clone());
                if let Some(auditor) = found.check_books(config, &chain, &store).await? {
                    found.check_state(&ledger, &auditor)?;
                }
            }
        }
        // The peers keep blocks and state; what they tell is compared with the read models.
        LedgerEngine::Fabric => {
            let chain = open_fabric(config)?;
            found.blocks = chain.tip().await?.map_or(0, |tip| tip.number);
            if position.is_some() {
                found.check_books(config, &chain, &store).await?;
            }
        }
    }
    let embedded = config.ledger.engine == LedgerEngine::Embedded;
    if embedded && found.projected_block > 0 && found.commands > 0 && found.outcomes == 0 {
        let count = found.commands;
        let evidence = format!("the ledger has {count} commands, the database accepted none");
        found.add(&rules::FOREIGN, "ledger", evidence);
    }
    // What the submitter reads when it starts.
    found.read("the submitter's cursor", submission::next_run(&store, &[], 1, 1).await)?;
    found.read("unanswered batches", submission::unanswered(&store).await)?;
    found.read("what waits", submission::waiting(&store).await)?;
    let contradictions = projection::contradictions(&store).await;
    if let Some(contradictions) = found.read("outbox and outcomes", contradictions)? {
        found.tell(&contradictions);
    }
    // On Fabric a batch that is too large is sent in parts, under ids of their own.
    if embedded && found.projected_block >= found.blocks {
        let without = projection::batches_without_block(&store).await;
        if let Some(count @ 1..) = found.read("batches", without)? {
            let evidence = format!("{count} batches that were answered are in no block");
            found.add(&rules::UNSETTLED, "batches", evidence);
        }
    }
    if let Some(audit) = found.read("the audit log", audit::verify(&store).await)? {
        found.audit_rows = audit.rows;
        if let Some((row, what)) = audit.broken {
            found.add(&rules::AUDIT_LOG, format!("row {row} of the audit log"), what);
        }
    }
    store.close().await;
    Ok(found)
}

/// What the ledger of these settings has to be, as far as this machine knows.
pub fn expected(config: &Config) -> Result<Expected> {
    let path = node_key_path(config);
    let node = path.exists().then(|| NodeKey::load(&path)).transpose()?;
    let node = node.map(|key| key.public());
    Ok(Expected { network: Some(config.network), node, block: None })
}

/// The file of the key that signs the blocks of these settings.
pub fn node_key_path(config: &Config) -> std::path::PathBuf {
    config.keys_dir().join("node.pem")
}

fn open(config: &Config) -> Result<Ledger> {
    let key = NodeKey::load(&node_key_path(config))?;
    let options = Options::new(config.ledger_path(), config.network, TimeMs(now_ms()));
    Ok(Ledger::create_or_open(options, &key)?)
}

impl Findings {
    fn add(&mut self, rule: &Rule, subject: impl Into<String>, evidence: impl Into<String>) {
        self.findings.push(rule.broken(subject, evidence));
    }

    /// What the database has answered. Rows that are missing or that no build has written are a
    /// finding; a database that does not answer is an error.
    fn read<T>(&mut self, what: &str, read: Result<T, gx_store::Error>) -> Result<Option<T>> {
        match read {
            Err(error) if matches!(error.class(), Class::Corrupt | Class::Sql) => {
                let evidence = format!("{what} can't be read: {}", with_causes(&error));
                self.add(&rules::READABLE, "database", evidence);
                Ok(None)
            }
            read => Ok(Some(read?)),
        }
    }

    fn tell(&mut self, contradictions: &Contradictions) {
        let Contradictions { mistaken, lost, batches, cursor_misplaced, unsettled } =
            *contradictions;
        if batches > 0 {
            let evidence =
                format!("{batches} batches are others than their commands and blocks say");
            self.add(&rules::OUTBOX, "batches", evidence);
        }
        if mistaken > 0 {
            let evidence = format!("{mistaken} outcomes are of another command than the outbox's");
            self.add(&rules::OUTCOME, "outcomes", evidence);
        }
        if lost > 0 {
            let evidence = format!("{lost} commands that were sent are missing from the outbox");
            self.add(&rules::OUTBOX, "outbox", evidence);
        }
        if cursor_misplaced {
            let evidence = "is not between what was sent and accepted";
            self.add(&rules::OUTBOX, "the submitter's cursor", evidence);
        }
        if unsettled > 0 && self.projected_block >= self.blocks {
            let evidence =
                format!("{unsettled} accepted commands were sent to a ledger that lacks them");
            self.add(&rules::UNSETTLED, "outbox", evidence);
        }
    }

    /// Hash chain, signatures, and every block executed again. Whether the ledger is good.
    fn check_ledger(&mut self, config: &Config, checkpoint: Option<Checkpoint>) -> Result<bool> {
        let path = config.ledger_path();
        let block = checkpoint.map(|at| (at.block, gx_ledger::Hash::from_bytes(at.hash)));
        let expected = Expected { block, ..expected(config)? };
        let report = verify_file(&path, &expected)?;
        (self.blocks, self.commands) = (report.tip.number, report.commands);
        match report.problem {
            None => Ok(true),
            Some(problem) => {
                self.add(&rules::LEDGER, "ledger", problem.to_string());
                Ok(false)
            }
        }
    }

    /// The postings of all blocks, and read models filled from them a second time, against the
    /// platform's at their block. Nothing when a block can't be booked.
    async fn check_books(
        &mut self,
        config: &Config,
        chain: &Chain,
        store: &Store,
    ) -> Result<Option<Auditor>> {
        let (mut auditor, mut second) = (Auditor::default(), Second::start(config).await?);
        let bar = console::progress("adding postings up, filling read models", self.blocks);
        let (mut next, projected) = (chain.first(), self.projected_block);
        let mut outcomes_readable = true;
        if projected == 0 {
            self.check_read_models(store, &auditor).await?;
        }
        while next <= self.blocks {
            let blocks = match chain.blocks(next, BYTES).await {
                Err(fault @ (ChainError::Damaged { .. } | ChainError::Unreadable { .. })) => {
                    self.add(&rules::LEDGER, "ledger", with_causes(&fault));
                    return Ok(None);
                }
                blocks => blocks?,
            };
            let Some(last) = blocks.last() else { break };
            next = last.number.saturating_add(1);
            for block in &blocks {
                if config.ledger.engine == LedgerEngine::Fabric {
                    self.commands += block.commands.len() as u64;
                }
                if let Err(fault) = auditor.block(&block.record) {
                    self.add(&rules::BOOKS, format!("block {}", block.number), fault);
                    return Ok(None);
                }
                if block.number <= projected && outcomes_readable {
                    let checked = self.check_outcomes(store, block).await;
                    outcomes_readable = self.read("outcomes", checked)?.is_some();
                }
                if block.number == projected {
                    self.check_read_models(store, &auditor).await?;
                }
            }
            let to_apply = blocks.partition_point(|block| block.number <= projected);
            if to_apply > 0 {
                second.apply(blocks.get(..to_apply).unwrap_or_default()).await?;
            }
            bar.set_position(next.saturating_sub(1));
        }
        bar.finish_and_clear();
        second.compare(store, self).await?;
        self.accounts = auditor.accounts().len() as u64;
        self.transfers = auditor.transfers;
        self.fees_qirat = auditor.fees.to_string();
        self.total_qirat = auditor.total().to_string();
        Ok(Some(auditor))
    }

    /// The ledger's own state against the books, both ways.
    fn check_state(&mut self, ledger: &Ledger, auditor: &Auditor) -> Result<()> {
        let snapshot = ledger.snapshot()?;
        let mut seen = 0;
        for account in snapshot.accounts()? {
            let (id, account) = account?;
            let (balance, frozen) = (account.balance.qirat(), !account.frozen.is_empty());
            seen += 1;
            self.compare(&rules::STATE, auditor, id, (balance, frozen));
        }
        if seen < auditor.accounts().len() {
            let missing = auditor.accounts().len() - seen;
            self.add(&rules::STATE, "the ledger's state", format!("lacks {missing} accounts"));
        }
        Ok(())
    }

    fn compare(
        &mut self,
        rule: &Rule,
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
        self.add(rule, id.as_str(), fault);
    }

    pub fn print(&self) {
        let number = |count: u64| console::thousands(count);
        // Peers execute blocks; what they tell is read.
        let blocks = if self.engine == "fabric" { "blocks read" } else { "blocks executed again" };
        let Self { network, engine, database, .. } = self;
        console::line(format_args!("{network}: ledger {engine}, database {database}"));
        console::table(&[
            ["checked".to_owned(), "count".to_owned()],
            [blocks.to_owned(), number(self.blocks)],
            ["commands".to_owned(), number(self.commands)],
            ["outcomes compared".to_owned(), number(self.outcomes)],
            ["accounts compared".to_owned(), number(self.accounts)],
            ["transfers".to_owned(), number(self.transfers)],
            ["rows of the audit log".to_owned(), number(self.audit_rows)],
        ]);
        if self.positioned && self.projected_block < self.blocks {
            let (done, of) = (self.projected_block, self.blocks);
            console::line(format_args!(
                "The read models stand at block {done} of {of}; the next start catches up."
            ));
        }
        for finding in &self.findings {
            console::line(finding);
        }
        if self.findings.is_empty() {
            console::line("Ledger, postings and read models agree; no coin was made or lost.");
        }
    }
}

/// Verifies a ledger file, with progress.
pub fn verify_file(path: &Path, expected: &Expected) -> Result<gx_ledger::Report> {
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
