//! `cargo xtask bench --vs-pgbench`: the pipeline beside PostgreSQL's own benchmark.
//!
//! Both run on the same durable cluster in turn, so that the ratio says what the platform adds to
//! or saves over a plain database on this machine. It has no bar: machines differ.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use gx_pg::{Cluster, Options};
use serde_json::json;

use crate::bench::{Figure, measure};
use crate::process;

/// The server that `gx bench … --engine postgres` measures on.
const SERVER_URL: &str = "GX_BENCH_DATABASE_URL";

pub(crate) fn run(gx: &Path, time: Option<u32>, scale: u32) -> Result<Vec<Figure>> {
    let cluster = Cluster::start(Options::durable())?;
    let seconds = time.unwrap_or(30);
    let tpc_b = tpc_b(&cluster, seconds, scale)?;
    let setting = format!("postgres, TPC-B, prepared, 8 clients, scale {scale}, {seconds} s");
    print("pgbench", &setting, "transactions", tpc_b, "1/s");

    cluster.create_database("pipeline")?;
    let mut command = Command::new(gx);
    command.args(["bench", "pipeline", "--engine", "postgres", "--json"]);
    let figures = measure(command.env(SERVER_URL, cluster.url("pipeline")), time)?;
    let rate = figures.iter().find(|figure| figure.unit == "1/s");
    let rate = rate.context("gx bench pipeline printed no rate")?;
    print("pipeline-vs-pgbench", &rate.setting, "ratio", rate.value / tpc_b, "");
    Ok(figures)
}

/// PostgreSQL's TPC-B-like transactions per second.
fn tpc_b(cluster: &Cluster, seconds: u32, scale: u32) -> Result<f64> {
    if cluster.server().program("pgbench").is_none() {
        bail!("pgbench is missing; on Debian and Ubuntu: apt-get install postgresql");
    }
    cluster.create_database("pgbench")?;
    let pgbench =
        |args: &[&str]| process::output(cluster.server().client("pgbench", "pgbench").args(args));
    pgbench(&["-i", "-q", "-s", &scale.to_string()])?;
    let seconds = seconds.to_string();
    let report = pgbench(&["-M", "prepared", "-c", "8", "-j", "2", "-T", &seconds])?;
    transactions_per_second(&report).with_context(|| format!("pgbench printed no rate:\n{report}"))
}

fn transactions_per_second(report: &str) -> Option<f64> {
    let mut rates = report.lines().filter_map(|line| line.strip_prefix("tps = "));
    // The older versions print a second rate, which leaves the connecting out, as the newer do.
    rates.next_back()?.split_whitespace().next()?.parse().ok()
}

fn print(bench: &str, setting: &str, metric: &str, value: f64, unit: &str) {
    let (bar, ok) = (json!(null), json!(true));
    let line = json!({
        "bench": bench, "setting": setting, "metric": metric, "value": value, "unit": unit,
        "bar": bar, "ok": ok,
    });
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::transactions_per_second;

    #[test]
    fn the_rate_is_read_from_reports_of_all_versions() {
        let new = "scaling factor: 10\ntps = 2345.67 (without initial connection time)\n";
        let old = "tps = 1.5 (including connections establishing)\n\
                   tps = 1.6 (excluding connections establishing)\n";
        assert_eq!(transactions_per_second(new), Some(2345.67));
        assert_eq!(transactions_per_second(old), Some(1.6));
        assert_eq!(transactions_per_second("nothing"), None);
    }
}
