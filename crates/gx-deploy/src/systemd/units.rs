//! How a unit is written.

use std::fmt::Write as _;

use super::{DATA, GENERATED, SETTINGS, USER, secrets};

/// A role as a unit.
pub(super) struct Role {
    pub(super) unit: &'static str,
    /// What `systemctl status` calls it.
    pub(super) about: &'static str,
    /// What follows `gx` and the settings.
    pub(super) command: &'static str,
    pub(super) start: Start,
    /// A file of variables that the role must have.
    pub(super) environment_file: Option<&'static str>,
    /// Units that can't run beside it.
    pub(super) conflicts: &'static [&'static str],
}

/// How a unit is known to be started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// It tells so, gives signs of life, and goes on.
    Serves,
    /// It ends.
    Ends,
}

/// The unit of a role.
pub(super) fn service(role: &Role) -> String {
    let mut text = GENERATED.to_owned();
    let _ = writeln!(text, "[Unit]\nDescription={}", role.about);
    text.push_str(
        "Documentation=man:gx(1)\n\
         Wants=network-online.target\n\
         After=network-online.target postgresql.service redis-server.service\n",
    );
    if role.start == Start::Serves {
        text.push_str("PartOf=gx.target\n");
    }
    if !role.conflicts.is_empty() {
        let _ = writeln!(text, "Conflicts={}", role.conflicts.join(" "));
    }
    text.push_str("\n[Service]\n");
    text.push_str(match role.start {
        Start::Serves => SERVES,
        Start::Ends => ENDS,
    });
    if let Some(file) = role.environment_file {
        // Its settings are variables, and of those of the platform it needs the log's alone.
        let _ = writeln!(text, "EnvironmentFile={file}");
        let _ = writeln!(text, "ExecStart=/usr/bin/gx {}", role.command);
        text.push_str(&secrets::of_chaincode());
    } else {
        let _ = writeln!(text, "Environment=GX_CONFIG={SETTINGS} GX_DATA_DIR={DATA}");
        let _ = writeln!(text, "ExecStart=/usr/bin/gx {}", role.command);
        text.push_str(&secrets::of_settings());
    }
    let _ = writeln!(text, "User={USER}\nGroup={USER}");
    let _ = writeln!(text, "StateDirectory=gx\nStateDirectoryMode=0750\nWorkingDirectory={DATA}");
    text.push_str(CONFINED);
    if role.start == Start::Serves {
        text.push_str("\n[Install]\nWantedBy=gx.target\n");
    }
    text
}

/// The unit that stands for all that are enabled.
pub(super) fn target() -> String {
    format!(
        "{GENERATED}[Unit]\nDescription=GX Protocol, every role that is enabled on this host\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}

/// A process that is told to be started once its ports are open. Standard output is for people at
/// a terminal: at the first start it shows the one-time password of the first administrator, which
/// no journal may keep; `gx admin reset-password` makes another. The log is on standard error.
/// A stop takes longer than running requests may (http.shutdown_grace_ms).
const SERVES: &str = "\
Type=notify
NotifyAccess=main
WatchdogSec=30s
Restart=always
RestartSec=1s
TimeoutStopSec=40s
LimitNOFILE=65536
StandardOutput=null
StandardError=journal
";

const ENDS: &str = "\
Type=oneshot
StandardOutput=journal
StandardError=journal
";

/// What no role may do, although none tries.
const CONFINED: &str = "\
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
DevicePolicy=closed
PrivateTmp=yes
PrivateUsers=yes
RemoveIPC=yes
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
TasksMax=512
";
