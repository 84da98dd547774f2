//! Machines, as the host script tells of them.

use std::collections::BTreeMap;

use super::{Keyed, Known, Time, Value};

facts! {
    pub struct Mounted {
        pub device: String,
        pub path: String,
        pub kind: String,
        pub bytes: u64,
        pub used_bytes: u64,
        pub available_bytes: u64,
    }

    /// Something that listens.
    pub struct Listener {
        /// `tcp` or `udp`.
        pub protocol: String,
        pub address: String,
        pub port: u16,
        /// Name of the program; empty when the script was not run by root.
        pub program: String,
    }

    pub struct Unit {
        pub name: String,
        /// `active`, `failed`, …
        pub active: String,
        pub sub: String,
        /// `enabled`, `disabled`, …
        pub enabled: String,
    }

    /// A container that runs beside Kubernetes.
    pub struct HostContainer {
        pub runtime: String,
        pub name: String,
        pub image: String,
        pub state: String,
    }

    pub struct HostImage {
        /// `docker` or `containerd`.
        pub runtime: String,
        pub reference: String,
        /// `sha256:…`
        pub digest: String,
        pub bytes: u64,
        /// Such as `linux/amd64`; docker does not tell.
        pub platforms: Vec<String>,
    }

    /// What docker could free.
    pub struct DockerUse {
        pub images_bytes: u64,
        pub images_reclaimable_bytes: u64,
        pub build_cache_bytes: u64,
        pub build_cache_reclaimable_bytes: u64,
        pub volumes_bytes: u64,
    }

    /// A line of a crontab.
    pub struct CronLine {
        pub source: String,
        pub user: String,
        pub schedule: String,
        /// The program, or the script that an interpreter is given by its path; without arguments,
        /// which may hold secrets.
        pub program: String,
        pub exists: bool,
        pub executable: bool,
        /// Value of `PATH` in the crontab; empty when it has none.
        pub path: String,
    }

    /// Effective settings of the SSH daemon.
    pub struct SshServer {
        pub settings: BTreeMap<String, String>,
    }

    pub struct AuthorizedKeys {
        pub user: String,
        pub keys: u32,
        pub duplicates: u32,
        pub malformed: u32,
    }

    pub struct Clock {
        pub synchronized: bool,
        /// How far it is from its sources, without sign.
        pub offset_ms: Option<u32>,
    }

    pub struct Firewall {
        /// `firewalld`, `ufw`, `nftables`, `iptables`; empty: there is none.
        pub kind: String,
        pub active: bool,
        pub trusted_sources: Vec<String>,
    }

    /// A DNAT of the host's own tables.
    pub struct Dnat {
        pub port: u16,
        pub target: String,
    }

    /// A file or folder whose size or age matters.
    pub struct HostPath {
        pub path: String,
        pub bytes: u64,
        pub modified: Option<Time>,
        /// Octal, such as `600`.
        pub mode: String,
        pub owner: String,
        /// Salted hash of its content, for configurations that must be equal.
        pub content: Option<Value>,
    }

    /// Lines with one known error in the newest log of a container; the lines themselves are not
    /// kept.
    pub struct LogErrors {
        pub namespace: String,
        pub pod: String,
        pub container: String,
        /// What was looked for.
        pub signature: String,
        pub lines: u32,
    }

    /// Programs of one kind that run: tools of developers, forwarded ports.
    pub struct HostProgram {
        /// Such as `vscode-server`, `port-forward`, `socat`; never its arguments.
        pub name: String,
        pub count: u32,
        pub bytes: u64,
        /// How long the oldest of them runs.
        pub oldest_seconds: u64,
    }

    /// A password of a host's user.
    pub struct HostPassword {
        pub user: String,
        /// `set`, or `empty`: nothing is asked for.
        pub state: String,
        /// Salted hash of what is kept of it; equal on hosts that were made from one image.
        pub content: Option<Value>,
    }

    /// Something that a script of a host's crontabs does carelessly.
    pub struct CarelessScript {
        pub path: String,
        /// `hostKeysUnchecked` or `passwordOnCommandLine`.
        pub habit: String,
    }

    /// A machine.
    pub struct Host {
        pub name: String,
        pub machine_id: String,
        pub at: Time,
        pub os: String,
        pub kernel: String,
        /// Newest installed; a reboot is due when it differs.
        pub installed_kernel: Known<String>,
        pub uptime_seconds: u64,
        pub cores: u32,
        pub memory_bytes: u64,
        pub memory_available_bytes: u64,
        pub swap_bytes: u64,
        pub addresses: Vec<String>,
        pub mounts: Known<Vec<Mounted>>,
        pub listeners: Known<Vec<Listener>>,
        pub units: Known<Vec<Unit>>,
        pub containers: Known<Vec<HostContainer>>,
        pub images: Known<Vec<HostImage>>,
        pub docker: Known<DockerUse>,
        pub cron: Known<Vec<CronLine>>,
        pub ssh: Known<SshServer>,
        pub authorized_keys: Known<Vec<AuthorizedKeys>>,
        pub clock: Known<Clock>,
        pub firewall: Known<Firewall>,
        pub dnat: Known<Vec<Dnat>>,
        pub sysctl: Known<BTreeMap<String, String>>,
        pub journal_bytes: Known<u64>,
        /// Archives below temporary folders.
        pub archives: Known<Vec<HostPath>>,
        /// Folders of volumes that provisioners have made.
        pub volumes: Known<Vec<HostPath>>,
        /// Configurations of K3s, kubelet, registries and etcd's encryption.
        pub configs: Known<Vec<HostPath>>,
        /// Names of `/etc/hosts` by address.
        pub names: Known<Vec<(String, String)>>,
        /// Open files that a process may have: K3s or the container runtime, where one runs.
        pub open_files: Known<u64>,
        /// Registries for which containerd has mirrors or settings, by host; `*` is all.
        pub registries: Known<Vec<String>>,
        /// Thresholds of kubelet's removal of images that are set, in percent.
        pub image_removal: Known<BTreeMap<String, String>>,
        /// Folders in which container runtimes keep what they have.
        pub runtime_folders: Known<Vec<HostPath>>,
        /// Errors that no retry mends, in the logs of its pods.
        pub log_errors: Known<Vec<LogErrors>>,
        /// When the oldest file of the journal was last written.
        pub journal_oldest: Option<Time>,
        /// Runtimes whose images could not be listed, with the reason.
        pub images_missing: BTreeMap<String, String>,
        pub programs: Known<Vec<HostProgram>>,
        /// Files of the virus scanner's definitions; none when no scanner is installed.
        pub virus_definitions: Known<Vec<HostPath>>,
        /// Whom the firewall lets reach SSH, as networks; `any` is everybody.
        pub ssh_sources: Known<Vec<String>>,
        /// Settings of a K3s server that must be the same on all servers.
        pub server_settings: Known<BTreeMap<String, String>>,
        /// Files by which people and programs reach an API server, with its host.
        pub kubeconfigs: Known<Vec<(String, String)>>,
        /// Of users that have one.
        pub passwords: Known<Vec<HostPassword>>,
        pub careless: Known<Vec<CarelessScript>>,
    }
}

impl Keyed for Host {
    fn key(&self) -> String {
        self.name.clone()
    }
}
