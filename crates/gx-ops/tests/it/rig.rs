//! A Kubernetes control plane on loopback, without kubelets: etcd, API server, controller manager,
//! scheduler, of the folder that `KUBE_HOME` names. Everything is gone when it is dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kube::Client;
use kube::api::{DeleteParams, GetParams, ListParams, PostParams};
use kube::core::Request;
use serde_json::Value;
use tempfile::TempDir;

const STEP: Duration = Duration::from_millis(20);

/// The folder of the programs; none when these tests have none.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::var_os("KUBE_HOME").map(PathBuf::from)
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already cannot be killed; that is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running control plane.
pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) kubeconfig: PathBuf,
    // The scheduler ends first, etcd last, and then the folder goes.
    _processes: Vec<Process>,
    _folder: TempDir,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(program: PathBuf, folder: &Path, arguments: &[String]) -> Process {
    let name = program.file_name().unwrap().to_string_lossy().into_owned();
    let log = std::fs::File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Process(command.spawn().unwrap())
}

fn start_etcd(bin: &Path, folder: &Path, url: &str, peer: u16) -> Process {
    let own = bin.join("etcd");
    let program = if own.exists() { own } else { PathBuf::from("etcd") };
    let peer_url = format!("http://127.0.0.1:{peer}");
    let arguments = [
        "--data-dir",
        &folder.join("etcd").display().to_string(),
        "--unsafe-no-fsync",
        "--listen-client-urls",
        url,
        "--advertise-client-urls",
        url,
        "--listen-peer-urls",
        &peer_url,
        "--initial-advertise-peer-urls",
        &peer_url,
        "--initial-cluster",
        &format!("default={peer_url}"),
    ];
    start(program, folder, &text(&arguments))
}

fn text(text: &[&str]) -> Vec<String> {
    text.iter().map(|one| (*one).to_owned()).collect()
}

impl Rig {
    pub(crate) async fn start(home: &Path) -> Self {
        Self::start_with(home, &[]).await
    }

    /// The same, with more controllers than the one that binds claims.
    pub(crate) async fn start_with(home: &Path, controllers_too: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let bin = home.join("bin");
        let (etcd, peer, api) = (free_port(), free_port(), free_port());
        let (controllers, scheduler) = (free_port(), free_port());
        let token = format!("{:032x}", u128::from(etcd) << 64 | u128::from(api));
        std::fs::write(at("tokens.csv"), format!("{token},admin,1,system:masters\n")).unwrap();
        let key = rig_key(folder.path());
        let etcd_url = format!("http://127.0.0.1:{etcd}");
        let mut processes = vec![start_etcd(&bin, folder.path(), &etcd_url, peer)];
        processes.push(start(
            bin.join("kube-apiserver"),
            folder.path(),
            &text(&[
                &format!("--etcd-servers={etcd_url}"),
                &format!("--service-account-key-file={key}"),
                &format!("--service-account-signing-key-file={key}"),
                "--service-account-issuer=https://kube.local",
                &format!("--token-auth-file={}", at("tokens.csv")),
                "--authorization-mode=RBAC",
                "--bind-address=127.0.0.1",
                &format!("--secure-port={api}"),
                &format!("--cert-dir={}", at("pki")),
                "--service-cluster-ip-range=10.43.0.0/16",
                // Nobody makes accounts, heals nodes or lets volumes go here.
                "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection,\
                 TaintNodesByCondition",
            ]),
        ));
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_text(api, &token)).unwrap();
        let client = client(&kubeconfig).await;
        until("the API server is ready", async || {
            let asked = Request::new("/readyz").list(&ListParams::default()).unwrap();
            client.request_text(asked).await.is_ok()
        })
        .await;
        let config = format!("--kubeconfig={}", kubeconfig.display());
        let common = |port: u16| {
            text(&[
                &config,
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                &format!("--secure-port={port}"),
            ])
        };
        let mut manager = common(controllers);
        let mut names = vec!["persistentvolume-binder-controller"];
        names.extend(controllers_too);
        manager.push(format!("--controllers={}", names.join(",")));
        processes.push(start(bin.join("kube-controller-manager"), folder.path(), &manager));
        processes.push(start(bin.join("kube-scheduler"), folder.path(), &common(scheduler)));
        processes.reverse();
        Self { client, kubeconfig, _processes: processes, _folder: folder }
    }

    /// Creates an object and returns what the server has made of it.
    pub(crate) async fn create(&self, object: &Value) -> Value {
        let body = serde_json::to_vec(object).unwrap();
        let request = Request::new(path(object)).create(&PostParams::default(), body).unwrap();
        let made = self.client.request::<Value>(request).await;
        made.unwrap_or_else(|error| panic!("{error}: {object}"))
    }

    pub(crate) async fn get(&self, object: &Value) -> Value {
        let name = object["metadata"]["name"].as_str().unwrap();
        let request = Request::new(path(object)).get(name, &GetParams::default()).unwrap();
        self.client.request(request).await.unwrap()
    }

    /// Deletes an object, without waiting for a kubelet that is not there.
    pub(crate) async fn delete(&self, object: &Value) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let now = DeleteParams::default().grace_period(0);
        let request = Request::new(path(object)).delete(name, &now).unwrap();
        self.client.request::<Value>(request).await.unwrap();
    }
}

/// Where objects of this kind are made.
fn path(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let group = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    let plural = match object["kind"].as_str().unwrap() {
        "StorageClass" => "storageclasses".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{group}/namespaces/{namespace}/{plural}"),
        None => format!("{group}/{plural}"),
    }
}

async fn client(kubeconfig: &Path) -> Client {
    let config = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options).await.unwrap();
    Client::try_from(config).unwrap()
}

fn kubeconfig_text(port: u16, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: rig\n\
         contexts: [{{name: rig, context: {{cluster: rig, user: admin}}}}]\n\
         clusters: [{{name: rig, cluster: {{server: \"https://127.0.0.1:{port}\", \
         insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: admin, user: {{token: \"{token}\"}}}}]\n"
    )
}

/// A key that signs nothing of worth.
fn rig_key(folder: &Path) -> String {
    let path = folder.join("sa.key").display().to_string();
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &path])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    path
}

/// Waits until something holds; gives up after a minute.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        tokio::time::sleep(STEP).await;
    }
}
