//! Repositories on servers of this machine that speak SFTP and S3, as rclone reaches them; and what
//! is said when host, key or bucket are not the right ones.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gx_backup::{Platform, Repo};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

use crate::place::{Place, only_us};

fn has_rclone() -> bool {
    let found = Command::new("rclone").arg("version").output().is_ok();
    if !found {
        eprintln!("rclone is not installed: remote repositories were not tested");
    }
    found
}

/// Settings whose repository is that remote.
fn settings(place: &Place, remote: &str) {
    place.settings("[retention]\ndays = 0\ndaily = 0\nweekly = 1\nmonthly = 0\nfloor = 1\n");
    let text = fs::read_to_string(place.path("backup.toml")).unwrap();
    let folder = format!("\"{}\"", place.path("repository").display());
    fs::write(place.path("backup.toml"), text.replace(&folder, &format!("'rclone:{remote}'")))
        .unwrap();
}

/// Everything that is done with a repository, on that one. Each request is a call of a program, so
/// it holds two parts, the least that is of more than one kind; whole platforms are put elsewhere.
fn whole_way(place: &Place) {
    place.fill(1).stop();
    let only_two = |data: &str| {
        let platform = place.platform(data);
        let documents = platform.folders.into_iter().filter(|folder| folder.name == "documents");
        Platform { ledger: None, folders: documents.collect(), ..place.platform(data) }
    };
    let (plan, platform) = (place.plan(), only_two("data"));
    Repo::init(&plan).unwrap();
    assert!(Repo::init(&plan).unwrap_err().to_string().contains("already"));
    let ids: Vec<String> = (0..2_u8)
        .map(|round| {
            fs::write(place.path("data/documents/new"), vec![round; 50_000]).unwrap();
            gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id
        })
        .collect();
    assert_eq!(gx_backup::verify(&plan, "latest").unwrap(), (ids[1].clone(), vec![]));
    gx_backup::prune(&plan, &platform, false).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let left = repo.backups().unwrap();
    assert_eq!(left.len(), 1);
    let there = only_two("there");
    let restored = gx_backup::restore(&plan, &repo, &left[0], &there, &[]).unwrap();
    assert_eq!((restored.backup, restored.database_block), (ids[1].clone(), Some(3)));
    assert_eq!(fs::read(place.path("there/documents/new")).unwrap(), vec![1; 50_000]);
}

/// A server of SSH for this account alone; gone when it is dropped.
struct Ssh {
    server: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .output()
        .unwrap();
    assert!(made.status.success());
}

impl Ssh {
    fn start() -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"];
        let Some(program) = program.into_iter().find(|path| Path::new(path).exists()) else {
            eprintln!("sshd is not installed: repositories on SFTP were not tested");
            return None;
        };
        // Where root's privileges are given up; Debian makes it when the service starts.
        let _ = fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for name in ["host", "user", "stranger"] {
            key(&at.join(name));
        }
        fs::copy(at.join("user.pub"), at.join("authorized_keys")).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let here = at.display();
        fs::write(
            at.join("config"),
            format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {here}/host\nPidFile none\n\
                 AuthorizedKeysFile {here}/authorized_keys\nStrictModes no\nUsePAM no\n\
                 PasswordAuthentication no\nPermitRootLogin prohibit-password\n\
                 MaxStartups 100\nSubsystem sftp internal-sftp\n"
            ),
        )
        .unwrap();
        let server = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(at.join("config"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(at.join("log")).unwrap())
            .spawn()
            .unwrap();
        let ssh = Self { server, folder, port };
        for (name, key) in [("known", "host"), ("other", "stranger")] {
            let public = fs::read_to_string(ssh.path(&format!("{key}.pub"))).unwrap();
            fs::write(ssh.path(name), format!("[127.0.0.1]:{port} {public}")).unwrap();
        }
        let began = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while !answers(address) {
            let log = fs::read_to_string(ssh.path("log")).unwrap();
            assert!(began.elapsed() < Duration::from_secs(30), "sshd does not answer: {log}");
        }
        Some(ssh)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn remote(&self, key: &str, known: &str) -> String {
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        format!(
            ":sftp,host=127.0.0.1,port={},user={user},key_file={},known_hosts_file={}:{}",
            self.port,
            self.path(key).display(),
            self.path(known).display(),
            self.path("repository").display(),
        )
    }
}

/// Whether the server says who it is.
fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut begin = [0; 4];
    stream.read_exact(&mut begin).is_ok() && &begin == b"SSH-"
}

#[test]
fn a_repository_on_a_server_of_sftp() {
    let Some(ssh) = has_rclone().then(Ssh::start).flatten() else { return };
    let place = Place::new();
    for (key, known, expected) in [
        ("user", "other", "the server's host key is not the one that is known"),
        ("stranger", "known", "does not accept this machine's key"),
    ] {
        settings(&place, &ssh.remote(key, known));
        let refused = Repo::init(&place.plan()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    assert!(!ssh.path("repository").exists());
    settings(&place, &ssh.remote("user", "known"));
    whole_way(&place);
}

/// A store that believes no unsigned request, in this process, with a folder as its buckets.
struct S3 {
    folder: tempfile::TempDir,
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

const SECRET: &str = "made-up-secret-of-the-store";

impl S3 {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("store/backups")).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut service =
            S3ServiceBuilder::new(FileSystem::new(folder.path().join("store")).unwrap());
        service.set_auth(SimpleAuth::from_single("gx-key", SECRET));
        let (service, buckets) = (service.build(), folder.path().join("store"));
        let address = (Ipv4Addr::LOCALHOST, 0);
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (service, buckets) = (service.clone(), buckets.clone());
                let answering = service_fn(move |request: Request<Incoming>| {
                    let asked = buckets.join(request.uri().path().trim_start_matches('/'));
                    // A folder is no object; the store would fail instead of saying so.
                    let is_folder = *request.method() == Method::HEAD && asked.is_dir();
                    let answered = (!is_folder).then(|| Service::call(&service, request));
                    async move {
                        match answered {
                            Some(answered) => answered.await,
                            None => {
                                let mut none = Response::new(s3s::Body::empty());
                                *none.status_mut() = StatusCode::NOT_FOUND;
                                Ok(none)
                            }
                        }
                    }
                });
                tokio::spawn(async move {
                    // A client that goes away is no fault of the store's.
                    let _ = Builder::new().serve_connection(TokioIo::new(stream), answering).await;
                });
            }
        });
        Self { folder, port, _runtime: runtime }
    }

    /// What the store is asked with stands in rclone's configuration, and on no command line.
    fn settings(&self, place: &Place, bucket: &str, secret: &str) {
        settings(place, &format!("store:{bucket}/gx"));
        let config = place.path("rclone.conf");
        fs::write(
            &config,
            format!(
                "[store]\ntype = s3\nprovider = Other\naccess_key_id = gx-key\n\
                 secret_access_key = {secret}\nregion = us-east-1\nforce_path_style = true\n\
                 endpoint = http://127.0.0.1:{}\n",
                self.port
            ),
        )
        .unwrap();
        only_us(&config);
        let text = fs::read_to_string(place.path("backup.toml")).unwrap();
        let named = "[repository]\nrclone_config = \"rclone.conf\"";
        fs::write(place.path("backup.toml"), text.replace("[repository]", named)).unwrap();
    }
}

#[test]
fn a_repository_in_a_store_of_s3() {
    if !has_rclone() {
        return;
    }
    let (store, place) = (S3::start(), Place::new());
    for (bucket, credentials, expected) in [
        ("missing", SECRET, "there is no bucket of that name"),
        ("backups", "another-secret-of-the-store", "does not accept the remote's credentials"),
    ] {
        store.settings(&place, bucket, credentials);
        let refused = Repo::init(&place.plan()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert!(!refused.contains("another-secret"), "{refused}");
    }
    assert!(!store.folder.path().join("store/missing").exists());
    store.settings(&place, "backups", SECRET);
    whole_way(&place);
}

#[test]
fn a_server_that_is_not_there_and_a_remote_without_a_name_are_told() {
    if !has_rclone() {
        return;
    }
    let place = Place::new();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    for (remote, expected) in [
        (format!(":webdav,url=\"http://127.0.0.1:{free}\":gx"), "not reached"),
        ("nobody-has-named-it:gx".to_owned(), "rclone knows no remote of that name"),
    ] {
        settings(&place, &remote);
        let refused = Repo::open(&place.plan()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    settings(&place, ":s3,secret_access_key=x:bucket/gx");
    let refused = gx_backup::Plan::load(&place.path("backup.toml")).unwrap_err().to_string();
    assert!(refused.contains("holds no secrets"), "{refused}");
}
