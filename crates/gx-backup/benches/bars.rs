//! What a backup achieves on this machine, one JSON line a figure:
//! `cargo bench -p gx-backup --bench bars -- MEGABYTES [FOLDER]`.
//!
//! PostgreSQL with so many megabytes of rows and an embedded ledger are captured, changed by a
//! hundredth, captured again, verified and restored, while people register.

#![expect(clippy::print_stdout, reason = "figures are its result")]
#![allow(dead_code, reason = "the place is shared with the tests, which use all of it")]

#[path = "../tests/it/place.rs"]
mod place;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gx_backup::{Gate, Repo};
use gx_pg::{Cluster, Options};

use place::{Place, Running};

fn figure(name: &str, value: f64, unit: &str, bar: &str) {
    println!(r#"{{"figure":"{name}","value":{value:.2},"unit":"{unit}","bar":"{bar}"}}"#);
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.metadata().unwrap() {
            found if found.is_dir() => size_of(&entry.path()),
            found => found.len(),
        })
        .sum()
}

/// Most memory that this process ever held, in megabytes.
fn memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
}

/// Rows of half a kilobyte that compress to half of that, as hashes in hexadecimal do.
fn fill(cluster: &Cluster, from: u64, count: u64) {
    let hashes: Vec<String> = (0..16).map(|at| format!("md5((g * 16 + {at})::text)")).collect();
    let hashes = hashes.join(" || ");
    let to = from + count;
    let text = format!(
        "CREATE TABLE IF NOT EXISTS payload (id BIGINT PRIMARY KEY, hashes TEXT NOT NULL);
        INSERT INTO payload SELECT g, {hashes} FROM generate_series({from}, {to} - 1) g"
    );
    cluster.sql("gx", &text).unwrap();
}

/// Registers people one after another; the time of each.
fn register(running: &mut Running, next: &mut u32, until: &dyn Fn(usize) -> bool) -> Vec<Duration> {
    let mut times = Vec::new();
    while !until(times.len()) {
        let began = Instant::now();
        running.register(*next, 1);
        times.push(began.elapsed());
        *next += 1;
    }
    times.sort();
    times
}

fn p99(times: &[Duration]) -> f64 {
    times[times.len() * 99 / 100].as_secs_f64() * 1e3
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let megabytes: u64 = arguments.first().map_or(200, |text| text.parse().unwrap());
    let within = arguments.get(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let rows = megabytes * 1_000_000 / 525;
    let cluster = Cluster::start(Options::default()).unwrap();
    cluster.create_database("gx").unwrap();
    let mut place = Place::within(tempfile::tempdir_in(within).unwrap());
    place.database = Some(cluster.url("gx").parse().unwrap());
    let (plan, platform) = (place.plan(), place.platform("data"));
    let mut running = place.fill(2_000);
    fill(&cluster, 0, rows);
    cluster.sql("gx", "CHECKPOINT").unwrap();
    Repo::init(&plan).unwrap();
    let file = platform.ledger.clone().unwrap().0;
    let gate = Gate::open(&file, running.ledger.clone()).unwrap();

    let mut next = 2_000;
    let quiet = p99(&register(&mut running, &mut next, &|count| count == 2_000));
    let busy = AtomicBool::new(true);
    let (first, loaded, running) = std::thread::scope(|scope| {
        let registering = scope.spawn(|| {
            let mut running = running;
            let until = |count: usize| !busy.load(Ordering::Relaxed) && count >= 100;
            let times = register(&mut running, &mut next, &until);
            (p99(&times), running)
        });
        let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
        busy.store(false, Ordering::Relaxed);
        let (loaded, running) = registering.join().unwrap();
        (ran, loaded, running)
    });
    let bytes = first.manifest.bytes() as f64;
    figure("bytes of database and ledger", bytes / 1e6, "MB", "-");
    let took = first.took_ms.max(1) as f64;
    figure("first run", bytes / 1e3 / took, "MB/s", ">= 100");
    figure("p99 of a registration without a run", quiet, "ms", "-");
    figure("p99 during a run, times that without", loaded / quiet, "", "<= 1.5");

    let before = size_of(&place.path("repository"));
    fill(&cluster, rows, rows / 100);
    let second = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let grown = size_of(&place.path("repository")) - before;
    let time = second.took_ms as f64 * 100. / took;
    figure("second run, of the time of the first", time, "%", "< 10");
    let grown = grown as f64 * 100. / before as f64;
    figure("second run, of the bytes of the first", grown, "%", "< 3");
    figure("memory of the runs", memory(), "MB", "< 300");

    let began = Instant::now();
    assert_eq!(gx_backup::verify(&plan, "latest").unwrap().1, Vec::<String>::new());
    let bytes = second.manifest.bytes() as f64 / 1e6;
    figure("verification", bytes / began.elapsed().as_secs_f64(), "MB/s", "-");
    drop(gate);
    running.stop();
    cluster.create_database("there").unwrap();
    place.database = Some(cluster.url("there").parse().unwrap());
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let there = place.platform("there");
    let began = Instant::now();
    gx_backup::restore(&plan, &repo, &backup, &there, &[]).unwrap();
    figure("restore", bytes / began.elapsed().as_secs_f64(), "MB/s", ">= 100");
    let extracted = Instant::now();
    gx_backup::extract(&repo, &backup, "database", &place.path("dump")).unwrap();
    figure("database read out", bytes / extracted.elapsed().as_secs_f64(), "MB/s", "-");
    figure("memory of all", memory(), "MB", "< 300");
}
