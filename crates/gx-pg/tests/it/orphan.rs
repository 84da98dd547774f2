//! The server and its folder go away with a process that is killed without warning.
//!
//! The test starts itself a second time as the process to be killed.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gx_pg::{Cluster, Options};

const VICTIM: &str = "GX_PG_TEST_VICTIM";

#[test]
fn the_server_dies_with_a_killed_process() {
    if env::var_os(VICTIM).is_some() {
        hold_a_cluster_until_killed();
    }
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "orphan::the_server_dies_with_a_killed_process", "--nocapture"])
        .env(VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let data = lines
        .map(Result::unwrap)
        .find_map(|line| line.split_once("data_directory=").map(|(_, path)| path.to_owned()));
    let data = data.expect("the second process says where its cluster is");
    let pid = std::fs::read_to_string(Path::new(&data).join("postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().to_owned();
    victim.kill().unwrap();
    victim.wait().unwrap();

    let folder = Path::new(&data).parent().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while folder.exists() || is_alive(&pid) {
        assert!(Instant::now() < deadline, "{} or process {pid} is left", folder.display());
        std::thread::yield_now();
    }
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie that nobody has collected is dead.
    stat.rsplit_once(')').is_some_and(|(_, state)| !state.trim_start().starts_with('Z'))
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn hold_a_cluster_until_killed() -> ! {
    let cluster = Cluster::start(Options::default()).unwrap();
    println!("data_directory={}", cluster.sql("postgres", "SHOW data_directory").unwrap());
    // Never returns: the parent keeps the pipe open until it has killed this process.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    panic!("the parent closed the pipe instead of killing this process");
}
