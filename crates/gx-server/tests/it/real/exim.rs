//! An Exim of a test's own: STARTTLS on one port, TLS from the first byte on at the other, a
//! password before anything else, and a queue that leads nowhere.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::program::{Program, find, free_port};
use super::tls;

pub(super) const USERNAME: &str = "gx";
pub(super) const PASSWORD: &str = "made-up";

/// Whom it refuses.
pub(super) const UNKNOWN: &str = "nobody@example.org";

const SETTINGS: &str = r#"
primary_hostname = localhost
keep_environment =
add_environment = PATH=/usr/bin:/bin
host_lookup =
smtp_accept_max = 0
queue_only
tls_advertise_hosts = *
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = recipient
acl_smtp_data = message

begin acl
recipient:
  deny !authenticated = *
  deny message = there is nobody of that name
       local_parts = nobody
  accept
message:
  accept

begin routers
nowhere:
  driver = accept
  transport = nothing

begin transports
nothing:
  driver = appendfile
  file = /dev/null

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{USERNAME}}{eq{$auth3}{PASSWORD}}}}
  server_set_id = $auth2
"#;

/// A mail that was accepted.
#[derive(Debug)]
pub(super) struct Queued {
    /// From whom, to whom, on which terms, and the headers.
    pub(super) envelope: String,
    pub(super) body: String,
}

/// A server and its folder; it goes with the value.
#[derive(Debug)]
pub(super) struct Exim {
    pub(super) folder: TempDir,
    pub(super) starttls: u16,
    pub(super) implicit: u16,
    command: Command,
    running: Option<Program>,
}

impl Exim {
    /// One that does not run yet; `None` where the program is not installed.
    pub(super) fn new() -> Option<Self> {
        let program = find(&["exim4", "exim"], "exim4-daemon-light")?;
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("exim.conf");
        let mut command = Command::new(program);
        command.arg("-C").arg(settings).arg("-bdf");
        fs::create_dir(folder.path().join("spool")).unwrap();
        tls::issue(folder.path(), "authority");
        let (starttls, implicit) = (free_port(), free_port());
        Some(Self { folder, starttls, implicit, command, running: None })
    }

    /// Starts it, with this password for whoever sends mail.
    pub(super) async fn start(&mut self, password: &str) {
        let path = self.folder.path();
        let (home, owner) = (path.display(), path.metadata().unwrap());
        let (starttls, implicit) = (self.starttls, self.implicit);
        let mut settings = format!(
            "local_interfaces = <; [127.0.0.1]:{starttls} ; [127.0.0.1]:{implicit}\n\
             tls_on_connect_ports = {implicit}\ntls_certificate = {home}/cert.pem\n\
             tls_privatekey = {home}/key.pem\nspool_directory = {home}/spool\n\
             log_file_path = {home}/%slog\npid_file_path = {home}/exim.pid\n"
        );
        // It runs as whoever runs the tests, who may be root.
        write!(settings, "exim_user = {}\nexim_group = {}\n", owner.uid(), owner.gid()).unwrap();
        settings += &SETTINGS.replace("USERNAME", USERNAME).replace("PASSWORD", password);
        fs::write(path.join("exim.conf"), settings).unwrap();
        let ports = [starttls, implicit];
        self.running = Some(Program::start(&self.command, path, &ports).await);
    }

    pub(super) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill().await;
        }
    }

    /// What it has accepted, oldest first. Exim writes a mail's envelope when it has the rest.
    pub(super) fn queued(&self) -> Vec<Queued> {
        let input = self.folder.path().join("spool/input");
        let mut names: Vec<String> = fs::read_dir(&input)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix("-H").map(str::to_owned))
            .collect();
        names.sort_unstable();
        names.iter().map(|name| queued(&input, name)).collect()
    }
}

fn queued(input: &Path, name: &str) -> Queued {
    let read = |part: &str| fs::read_to_string(input.join(format!("{name}-{part}"))).unwrap();
    // The first line is the file's own name.
    let body = read("D").lines().skip(1).collect::<Vec<_>>().join("\n");
    Queued { envelope: read("H"), body }
}
