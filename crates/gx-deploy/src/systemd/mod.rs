//! Units of systemd for hosts without Kubernetes, with the users and folders that they need.
//!
//! One table says which roles there are and how they differ. What they have in common, foremost
//! what they may not do, stands once.

mod secrets;
#[cfg(test)]
mod tests;
mod units;

use units::{Role, Start};

/// Where units find the settings. Secrets never stand in it.
const SETTINGS: &str = "/etc/gx/gx.toml";

/// Where root keeps one file for each secret.
const CREDENTIALS: &str = "/etc/gx/credentials";

/// Where everything is that a host keeps.
const DATA: &str = "/var/lib/gx";

/// The user of every unit. It is a fixed one: several units share a folder of data and keys, and
/// operators run tools as it.
const USER: &str = "gx";

/// The roles, each a unit.
const ROLES: &[Role] = &[
    Role {
        unit: "gx-up.service",
        about: "GX Protocol, the whole platform in one process",
        command: "up",
        start: Start::Serves,
        environment_file: None,
        // It would submit and project beside them, on the same ports for operators.
        conflicts: &["gx-submitter.service", "gx-projector.service"],
    },
    Role {
        unit: "gx-svc@.service",
        about: "GX Protocol, service %i",
        command: "serve --service %i",
        start: Start::Serves,
        environment_file: None,
        conflicts: &[],
    },
    Role {
        unit: "gx-submitter.service",
        about: "GX Protocol, sends accepted commands to the ledger",
        command: "submitter",
        start: Start::Serves,
        environment_file: None,
        conflicts: &["gx-up.service"],
    },
    Role {
        unit: "gx-projector.service",
        about: "GX Protocol, fills the read models from the ledger",
        command: "projector",
        start: Start::Serves,
        environment_file: None,
        conflicts: &["gx-up.service"],
    },
    Role {
        unit: "gx-chaincode.service",
        about: "GX Protocol, the contract as chaincode for the peers of Hyperledger Fabric",
        command: "chaincode",
        start: Start::Serves,
        environment_file: Some("/etc/gx/chaincode.env"),
        conflicts: &[],
    },
    Role {
        unit: "gx-migrate.service",
        about: "GX Protocol, brings the database's schema up to date",
        command: "migrate",
        start: Start::Ends,
        environment_file: None,
        conflicts: &[],
    },
];

/// A file that is made: its path in the repository, and its text.
pub type File = (String, String);

/// Everything below `deploy/systemd`.
pub fn files() -> Vec<File> {
    let at = |name: &str| format!("deploy/systemd/{name}");
    let mut files: Vec<File> =
        ROLES.iter().map(|role| (at(role.unit), units::service(role))).collect();
    files.push((at("gx.target"), units::target()));
    files.push((at("gx.sysusers"), sysusers()));
    files.push((at("gx.tmpfiles"), tmpfiles()));
    files
}

fn sysusers() -> String {
    format!("{GENERATED}u {USER} - \"GX Protocol\" {DATA}\n")
}

fn tmpfiles() -> String {
    format!(
        "{GENERATED}d {DATA} 0750 {USER} {USER} -\n\
         d /etc/gx 0755 root root -\n\
         d {CREDENTIALS} 0700 root root -\n"
    )
}

/// The first line of each file.
const GENERATED: &str = "# Made by cargo xtask gen from crates/gx-deploy/src/systemd.\n";
