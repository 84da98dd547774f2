//! A control plane of Kubernetes on loopback: etcd, API server, controllers, scheduler. No nodes
//! but those that a test registers, and no pod ever runs.
//!
//! `KUBE_HOME/bin` holds the programs of a Kubernetes release; etcd may be on the path instead.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gx_deploy::yaml;
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(180);

/// Nodes have no kubelet that would say that they are alive.
const CONTROLLERS: &str =
    "*,-node-lifecycle-controller,-cloud-node-lifecycle-controller,-node-ipam-controller";

/// Looks again and again until something is so; says what was waited for when it never is.
pub(super) fn wait(mut so: impl FnMut() -> bool, what: impl Fn() -> String) {
    let begin = Instant::now();
    while !so() {
        if begin.elapsed() > PATIENCE {
            println!("gave up waiting until {}", what());
            return;
        }
        thread::park_timeout(Duration::from_millis(250));
    }
}

#[derive(Debug)]
pub(super) struct ControlPlane {
    folder: TempDir,
    /// In the order of their start.
    processes: Vec<Child>,
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A port that nobody listens on at this moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that the kernel ends when the test is killed before it can.
fn ends_with_us(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

fn etcd(home: &Path) -> PathBuf {
    let own = home.join("bin/etcd");
    if own.exists() { own } else { PathBuf::from("etcd") }
}

impl ControlPlane {
    /// Starts one, or says on a line that there is none to start.
    pub(super) fn start(test: &str) -> Option<Self> {
        let Some(home) = std::env::var_os("KUBE_HOME").map(PathBuf::from) else {
            println!("{test}: not run, KUBE_HOME names no folder with a Kubernetes release");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut plane = Self { folder, processes: Vec::new() };
        let token = plane.secrets();
        let (api, clients, peers) = (free_port(), free_port(), free_port());
        plane.start_etcd(&home, clients, peers);
        plane.start_api(&home, api, clients);
        plane.write_kubeconfig(api, &token);
        wait(
            || plane.try_kubectl(&["get", "--raw", "/readyz"], "").is_ok_and(|out| out == "ok"),
            || format!("the API server is ready; {}", plane.log("kube-apiserver")),
        );
        let kubeconfig = format!("--kubeconfig={}", plane.path("kubeconfig").display());
        let key =
            format!("--service-account-private-key-file={}", plane.path("accounts.pem").display());
        for (name, more) in [
            ("kube-controller-manager", vec![key, format!("--controllers={CONTROLLERS}")]),
            ("kube-scheduler", vec![]),
        ] {
            let mut command = ends_with_us(&home.join("bin").join(name));
            command.arg(&kubeconfig).args(["--bind-address=127.0.0.1", "--leader-elect=false"]);
            command.arg(format!("--secure-port={}", free_port())).args(more);
            command.arg(format!("--cert-dir={}", plane.path(name).display()));
            plane.spawn(name, &mut command);
        }
        Some(plane)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default();
        text.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }

    fn spawn(&mut self, name: &str, command: &mut Command) {
        let log = File::create(self.path(&format!("{name}.log"))).unwrap();
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.push(command.spawn().unwrap_or_else(|error| panic!("{name}: {error}")));
    }

    /// Key of the service accounts, and the token of whoever may do everything.
    fn secrets(&self) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(self.path("accounts.pem"), key.serialize_pem()).unwrap();
        fs::write(self.path("accounts.pub"), key.public_key_pem()).unwrap();
        let mut bytes = [0; 16];
        File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
        let token = hex::encode(bytes);
        fs::write(self.path("tokens.csv"), format!("{token},admin,1,system:masters\n")).unwrap();
        token
    }

    fn start_etcd(&mut self, home: &Path, clients: u16, peers: u16) {
        let (clients, peers) =
            (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
        let mut command = ends_with_us(&etcd(home));
        command.arg("--data-dir").arg(self.path("etcd"));
        command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        command.args(["--initial-cluster", &format!("default={peers}"), "--unsafe-no-fsync"]);
        self.spawn("etcd", &mut command);
    }

    fn start_api(&mut self, home: &Path, port: u16, etcd: u16) {
        let mut command = ends_with_us(&home.join("bin/kube-apiserver"));
        let file = |flag: &str, name: &str| format!("--{flag}={}", self.path(name).display());
        command.args([
            file("service-account-key-file", "accounts.pub"),
            file("service-account-signing-key-file", "accounts.pem"),
            file("token-auth-file", "tokens.csv"),
            file("cert-dir", "certificates"),
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            format!("--secure-port={port}"),
        ]);
        command.args([
            "--service-account-issuer=https://kubernetes.example.org",
            "--authorization-mode=RBAC",
            "--bind-address=127.0.0.1",
            // So that it is Pod Security that refuses them.
            "--allow-privileged=true",
            "--service-cluster-ip-range=10.43.0.0/16",
            "--enable-admission-plugins=PodSecurity,ResourceQuota,LimitRanger",
        ]);
        self.spawn("kube-apiserver", &mut command);
    }

    fn write_kubeconfig(&self, port: u16, token: &str) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "admin" } }],
            "clusters": [{ "name": "test", "cluster": {
                "server": format!("https://127.0.0.1:{port}"), "insecure-skip-tls-verify": true,
            } }],
            "users": [{ "name": "admin", "user": { "token": token } }],
        });
        fs::write(self.path("kubeconfig"), yaml::text(&config)).unwrap();
    }

    pub(super) fn try_kubectl(&self, args: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(self.path("kubeconfig")).arg("--cache-dir");
        command.arg(self.path("cache")).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writing = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let run = child.wait_with_output().unwrap();
        writing.join().unwrap();
        match run.status.success() {
            true => Ok(String::from_utf8(run.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
        }
    }

    pub(super) fn kubectl(&self, args: &[&str]) -> String {
        self.kubectl_with(args, "")
    }

    pub(super) fn kubectl_with(&self, args: &[&str], input: &str) -> String {
        self.try_kubectl(args, input).unwrap_or_else(|error| panic!("kubectl {args:?}: {error}"))
    }

    pub(super) fn get(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = ["get", "-o", "json"].iter().chain(args).copied().collect();
        serde_json::from_str(&self.kubectl(&args)).unwrap()
    }

    /// The objects of these names, as they are in the cluster.
    pub(super) fn get_all(&self, objects: &[Value]) -> Value {
        let args = ["get", "-o", "json", "-f", "-"];
        serde_json::from_str(&self.kubectl_with(&args, &yaml::documents(objects))).unwrap()
    }

    /// Applies objects as the owner of their fields; twice where kinds must be known first.
    pub(super) fn apply(&self, objects: &[Value]) {
        let args = ["apply", "--server-side", "-f", "-"];
        let mut last = String::new();
        wait(
            || match self.try_kubectl(&args, &yaml::documents(objects)) {
                Ok(_) => {
                    last.clear();
                    true
                }
                // A kind is served a moment after it was made.
                Err(error) => {
                    let early =
                        error.contains("no matches for kind") || error.contains("not found");
                    last = error;
                    !early
                }
            },
            || "objects are applied".to_owned(),
        );
        assert_eq!(last, "");
    }

    /// What is said of objects that must not be taken.
    pub(super) fn refused(&self, objects: &[Value]) -> String {
        let args = ["apply", "--server-side", "-f", "-"];
        self.try_kubectl(&args, &yaml::documents(objects)).expect_err("it was taken")
    }
}
