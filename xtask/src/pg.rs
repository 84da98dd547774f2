//! `cargo xtask pg`: a throw-away PostgreSQL server to try things on.
//!
//! It ends with this command, and its data with it.

use anyhow::Result;
use gx_pg::{Cluster, Options, SHARED_URL};

/// A throw-away PostgreSQL cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Waits for the disk at each commit, with memory sized for measuring.
    #[arg(long)]
    durable: bool,
    /// The database to create.
    #[arg(long, default_value = "gx")]
    database: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let options = if args.durable { Options::durable() } else { Options::default() };
    let cluster = Cluster::start(options)?;
    cluster.create_database(&args.database)?;
    println!("DATABASE_URL={}", cluster.url(&args.database));
    println!("{SHARED_URL}={}", cluster.server().base_url());
    eprintln!("PostgreSQL is running; Ctrl-C stops it and deletes its data.");
    loop {
        // Ctrl-C ends this process, and with it the cluster.
        std::thread::park();
    }
}
