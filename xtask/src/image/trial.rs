//! `cargo xtask image --try`: the platform runs from the image's files and nothing else.
//!
//! Other tools (skopeo, umoci) unpack the archive. The process has the image's user, no
//! capabilities, and a root that it can't write to; only the data folder is another. Where `crun`
//! is installed it is started as a cluster would start it, under the seccomp profile of container
//! engines, and elsewhere by `chroot`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::archive::{DATA, USER};
use crate::process;

/// How soon a start has to be over, in milliseconds, on data that is there.
const START_MAX: u128 = 300;

/// How often it is started again; the fastest counts, as others use the machine as well.
const STARTS: usize = 5;

/// How long a start may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The seccomp profile of container engines, in Debian's package golang-github-containers-common.
const SECCOMP: &str = "/usr/share/containers/seccomp.json";

/// Runs the platform from an archive.
pub(super) fn run(archive: &Path, version: &str) -> Result<()> {
    ensure!(is_root(), "another root file system is for root: run this as root");
    let place = tempfile::tempdir().context("cannot make a folder")?;
    let bundle = unpack(archive, version, place.path())?;
    let data = place.path().join("data");
    fs::create_dir(&data)?;
    chown(&data, Some(USER), Some(USER))?;
    let with_crun = has("crun", "--version") && Path::new(SECCOMP).exists();
    if !with_crun {
        eprintln!("SKIPPED: no seccomp profile without the packages crun and {}", CONTAINERS);
    }
    let container = Container { bundle, data, with_crun };
    container.cannot_write()?;
    let first = container.start()?;
    let mut again = Vec::new();
    for _ in 0..STARTS {
        again.push(container.start()?);
    }
    let fastest = again.iter().min().copied().unwrap_or_default();
    let line = json!({
        "runs": if with_crun { "crun, seccomp" } else { "chroot" },
        "firstStartMs": first,
        "startMs": fastest,
        "startMsMax": START_MAX,
        "startsMs": again,
    });
    println!("{line}");
    ensure!(fastest < START_MAX, "a start took {fastest} ms, not less than {START_MAX}");
    Ok(())
}

const CONTAINERS: &str = "golang-github-containers-common";

fn is_root() -> bool {
    process::output(&mut process::command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

/// Whether a program is here.
pub(super) fn has(program: &str, args: &str) -> bool {
    Command::new(program).arg(args).output().is_ok_and(|output| output.status.success())
}

/// Has skopeo and umoci unpack the archive; returns the folder with `rootfs` and `config.json`.
/// Debian's umoci is older than layers in Zstandard, so skopeo takes that off.
pub(super) fn unpack(archive: &Path, version: &str, place: &Path) -> Result<PathBuf> {
    let (plain, bundle) = (place.join("plain"), place.join("bundle"));
    let layout = format!("{}:{version}", place.join("layout").display());
    let skopeo = |args: &[&str]| {
        let args = [&["--insecure-policy", "copy", "--quiet"], args].concat();
        process::output(&mut process::command("skopeo", &args))
            .context("the package skopeo reads the image")
    };
    let (from, plain) =
        (format!("oci-archive:{}", archive.display()), format!("dir:{}", plain.display()));
    skopeo(&["--dest-decompress", &from, &plain])?;
    skopeo(&[&plain, &format!("oci:{layout}")])?;
    let args = ["unpack", "--image", &layout, &bundle.to_string_lossy()];
    process::output(&mut process::command("umoci", &args))
        .context("the package umoci unpacks the image")?;
    Ok(bundle)
}

struct Container {
    bundle: PathBuf,
    data: PathBuf,
    with_crun: bool,
}

impl Container {
    /// A process of the image in namespaces of its own, with the network of this machine.
    fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-euc"]);
        let (bundle, data) = (self.bundle.display(), self.data.display());
        if self.with_crun {
            self.configure(args)?;
            let name = format!("gx-trial-{}", std::process::id());
            // crun wants one kind of control groups, where machines may have both.
            command.arg(format!(
                "mount -t cgroup2 none /sys/fs/cgroup; \
                 exec crun --cgroup-manager=disabled run --bundle '{bundle}' {name}"
            ));
        } else {
            let root = format!("{bundle}/rootfs");
            command.arg(format!(
                "mount --bind '{root}' '{root}'; mount --bind '{data}' '{root}{DATA}'; \
                 mount -o remount,bind,ro '{root}'; \
                 exec setpriv --no-new-privs chroot --userspec={USER}:{USER} --groups= '{root}' \
                 /usr/bin/gx \"$@\""
            ));
            command.arg("gx").args(args);
            command.env_clear().env("GX_DATA_DIR", DATA).env("PATH", "/usr/sbin:/usr/bin");
        }
        command.stdin(Stdio::null());
        Ok(command)
    }

    /// What umoci made of the image's own configuration, made as narrow as a cluster makes it.
    fn configure(&self, args: &[&str]) -> Result<()> {
        let path = self.bundle.join("config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let user = &config["process"]["user"]["uid"];
        ensure!(*user == USER, "the image's user is {user}");
        let words: Vec<&str> = ["/usr/bin/gx"].iter().chain(args).copied().collect();
        config["process"]["args"] = json!(words);
        config["process"]["terminal"] = json!(false);
        config["process"]["capabilities"] = json!({});
        config["process"]["noNewPrivileges"] = json!(true);
        config["root"]["readonly"] = json!(true);
        config["mounts"] = json!([
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
              "options": ["nosuid", "mode=755", "size=65536k"] },
            { "destination": DATA, "type": "bind", "source": self.data, "options": ["bind", "rw"] },
        ]);
        let namespaces = ["pid", "ipc", "uts", "mount"].map(|kind| json!({ "type": kind }));
        config["linux"] = json!({ "namespaces": namespaces, "seccomp": seccomp()? });
        fs::write(&path, serde_json::to_vec(&config)?)?;
        Ok(())
    }

    /// A folder that is none of the image's data folder can't be used.
    fn cannot_write(&self) -> Result<()> {
        let output = self.command(&["up", "--port", "0", "--data", "/usr/gx-data"])?.output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "the platform wrote to the image's own files");
        ensure!(told.contains("Read-only file system"), "expected a read-only root: {told}");
        Ok(())
    }

    /// Starts the platform, waits until it serves, and stops it; milliseconds of the start.
    fn start(&self) -> Result<u128> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let port_text = port.to_string();
        let began = Instant::now();
        let mut command = self.command(&["up", "--port", &port_text])?;
        let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
        running.wait_until_ready()?;
        let took = began.elapsed().as_millis();
        let answer = get(port, "/readyz")?;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "not ready: {answer}");
        running.stop()?;
        Ok(took)
    }
}

/// Ends with this value, whatever happens.
struct Running(Child);

impl Running {
    /// The first line that says so; the one-time password of a first start is not shown.
    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let out = self.0.stdout.take().context("the output of the platform")?;
        for line in BufReader::new(out).lines() {
            if line?.starts_with("ready on ") {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the platform is not ready after {PATIENCE:?}");
        }
        let mut told = String::new();
        if let Some(mut log) = self.0.stderr.take() {
            log.read_to_string(&mut told)?;
        }
        bail!("the platform ended: {told}")
    }

    /// As a cluster ends it.
    fn stop(mut self) -> Result<()> {
        let id = self.0.id().to_string();
        process::output(&mut process::command("kill", &["-TERM", &id]))?;
        let status = self.0.wait()?;
        ensure!(status.success(), "the platform ended with {status}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone, as a rule.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The profile of engines for a process without capabilities, in the form of the runtime
/// specification.
fn seccomp() -> Result<Value> {
    let text = fs::read(SECCOMP).with_context(|| format!("cannot read {SECCOMP}"))?;
    narrow(&serde_json::from_slice(&text)?)
}

/// Rules that hold for this processor and no capability.
fn narrow(profile: &Value) -> Result<Value> {
    let arch = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let rules = profile["syscalls"].as_array().context("the seccomp profile has no rules")?;
    let names = |rule: &Value, which: &str, what: &str| -> Vec<String> {
        let found = rule[which][what].as_array().cloned().unwrap_or_default();
        found.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let holds = |rule: &&Value| {
        let arches = names(rule, "includes", "arches");
        let is_here = arches.is_empty() || arches.iter().any(|one| one == arch);
        let is_excluded = names(rule, "excludes", "arches").iter().any(|one| one == arch);
        is_here && !is_excluded && names(rule, "includes", "caps").is_empty()
    };
    let kept = rules.iter().filter(holds).map(|rule| {
        let mut kept = json!({ "names": rule["names"], "action": rule["action"] });
        for field in ["args", "errnoRet"] {
            if rule[field].as_array().is_some_and(|all| !all.is_empty()) || rule[field].is_number()
            {
                kept[field] = rule[field].clone();
            }
        }
        kept
    });
    let mut narrow = json!({
        "defaultAction": profile["defaultAction"],
        "syscalls": kept.collect::<Vec<_>>(),
    });
    if profile["defaultErrnoRet"].is_number() {
        narrow["defaultErrnoRet"] = profile["defaultErrnoRet"].clone();
    }
    Ok(narrow)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::narrow;

    #[test]
    fn rules_for_capabilities_and_other_processors_are_left_out() {
        let rule = |names: &str, includes, excludes| {
            json!({ "names": [names], "action": "SCMP_ACT_ALLOW", "args": [],
                    "includes": includes, "excludes": excludes })
        };
        let none = || json!({});
        let profile = json!({
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 38,
            "syscalls": [
                rule("read", none(), none()),
                rule("mount", json!({ "caps": ["CAP_SYS_ADMIN"] }), none()),
                rule("s390_pci", json!({ "arches": ["s390x"] }), none()),
                rule("bpf", none(), json!({ "caps": ["CAP_SYS_ADMIN"] })),
            ],
        });
        let narrow = narrow(&profile).unwrap();
        let names: Vec<&str> = narrow["syscalls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["names"][0].as_str().unwrap())
            .collect();
        assert_eq!(names, ["read", "bpf"]);
        assert_eq!(narrow["defaultErrnoRet"], 38);
    }
}
