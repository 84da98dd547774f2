//! Processes of the network: started in the background, found again by their mark, stopped.
//!
//! A process counts as ours only while it carries the network's mark in its environment: a process
//! id alone may have been given to somebody else.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process;

const MARK: &str = "DEVELOPMENT_NODE";

/// How long a node may take to start, to stop, or to agree with others.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long the ports of a node may be taken before somebody else must have them.
const PORTS_FREE_WITHIN: Duration = Duration::from_secs(5);

/// Runs a program, quietly unless it fails.
pub(super) fn run(command: &mut Command) -> Result<()> {
    process::output(command).map(drop)
}

/// Waits until something is so.
pub(super) fn wait(what: &str, mut so: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !so()? {
        ensure!(start.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    Ok(())
}

fn mark(folder: &Path, name: &str) -> String {
    format!("{}/{name}", folder.display())
}

/// The process of a node, if it runs.
pub(super) fn process_of(folder: &Path, name: &str) -> Option<u32> {
    let text = fs::read_to_string(folder.join("run").join(name)).ok()?;
    let process = text.trim().parse().ok()?;
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    let mark = format!("{MARK}={}", mark(folder, name));
    environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes()).then_some(process)
}

/// Names of all nodes that were started since the network was taken down, running or not.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("run")) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Starts a node unless it runs, and waits for its ports.
pub(super) fn start(folder: &Path, name: &str, command: &mut Command, ports: &[u16]) -> Result<()> {
    if process_of(folder, name).is_some() {
        return Ok(());
    }
    // A process that has just ended leaves its ports a moment later.
    let asked = Instant::now();
    while let Some(taken) = ports.iter().find(|port| is_open(**port)) {
        let patient = asked.elapsed() < PORTS_FREE_WITHIN;
        ensure!(patient, "{name} needs port {taken}, which another process uses");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    for part in ["run", "logs"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let log_path = folder.join("logs").join(format!("{name}.log"));
    let log = File::options().create(true).append(true).open(&log_path)?;
    let mut child = command
        .env(MARK, mark(folder, name))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C here must not end it.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    fs::write(folder.join("run").join(name), child.id().to_string())?;
    wait(&format!("{name} opens its ports; see {}", log_path.display()), || {
        ensure!(child.try_wait()?.is_none(), "{name} ended; see {}", log_path.display());
        Ok(ports.iter().all(|port| is_open(*port)))
    })
}

/// Stops nodes, all at once. They are still known, as stopped.
pub(super) fn stop(folder: &Path, names: &[String]) -> Result<()> {
    let signal = |signal: &str| {
        for process in names.iter().filter_map(|name| process_of(folder, name)) {
            let _ = Command::new("kill").args([signal, &process.to_string()]).status();
        }
    };
    signal("-TERM");
    let gone = || Ok(names.iter().all(|name| process_of(folder, name).is_none()));
    if wait("the nodes stop", gone).is_err() {
        signal("-KILL");
        wait("the nodes are killed", gone)?;
    }
    Ok(())
}

/// Nodes that are stopped belong to the network no more.
pub(super) fn forget(folder: &Path, names: &[String]) {
    for name in names {
        let _ = fs::remove_file(folder.join("run").join(name));
    }
}

fn is_open(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_node_is_known_until_it_is_forgotten() {
        let folder = std::env::temp_dir().join(format!("gx-node-{}", std::process::id()));
        let name = ["peer0".to_owned()];
        start(&folder, "peer0", Command::new("sleep").arg("1000"), &[]).unwrap();
        wait("the node carries its mark", || Ok(process_of(&folder, "peer0").is_some())).unwrap();
        stop(&folder, &name).unwrap();
        assert_eq!((names(&folder), process_of(&folder, "peer0")), (name.to_vec(), None));
        forget(&folder, &name);
        assert!(names(&folder).is_empty());
        fs::remove_dir_all(&folder).unwrap();
    }
}
