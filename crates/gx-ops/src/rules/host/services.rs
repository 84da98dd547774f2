//! What runs on a machine, and what it is set to.

use gx_types::Severity;

use super::super::shared::{
    WEB_SERVERS, environments_of_host, host_reference, is_cluster_host, told_by,
};
use super::super::{Findings, Problem};
use super::DAY;
use crate::facts::{CronLine, Fact, Host, Known, Snapshot, Unit};

/// HST-07
pub(super) fn idle_web_server(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        if is_cluster_host(snapshot, host) == Some(false) {
            continue;
        }
        let Some(units) = told_by(&mut findings, host, "its services", &host.units) else {
            continue;
        };
        let is_web = |unit: &&Unit| {
            let name = unit.name.trim_end_matches(".service");
            WEB_SERVERS.contains(&name) && unit.active == "active"
        };
        let running: Vec<&str> =
            units.iter().filter(is_web).map(|unit| unit.name.as_str()).collect();
        if running.is_empty() {
            findings.looked();
            continue;
        }
        let subject = host_reference(&host.name);
        if let Some(why) = snapshot.lacks(Fact::Inventory) {
            let what = format!("whether names lead to {}: {why}", running.join(", "));
            findings.unknown_but(subject, what, Fact::Inventory.how());
            continue;
        }
        findings.looked();
        let declared = snapshot.declared().and_then(|inventory| inventory.host(&host.name));
        if declared.is_none_or(|declared| declared.origin_of.is_empty()) {
            let evidence =
                format!("{} runs, and no name is declared to lead here", running.join(", "));
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// HST-08
pub(super) fn failed_units(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let units = told_by(&mut findings, host, "its services", &host.units);
        let installed = told_by(&mut findings, host, "its kernels", &host.installed_kernel);
        if units.is_some() || installed.is_some() {
            findings.looked();
        }
        let mut wrong = Vec::new();
        let units = units.into_iter().flatten();
        let failed: Vec<&str> =
            units.filter(|unit| unit.active == "failed").map(|unit| unit.name.as_str()).collect();
        if !failed.is_empty() {
            wrong.push(format!("failed: {}", failed.join(", ")));
        }
        if let Some(installed) = installed.filter(|installed| **installed != host.kernel) {
            wrong.push(format!("{} runs, {installed} is installed", host.kernel));
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(host_reference(&host.name), wrong.join("; ")));
        }
    }
    findings
}

/// Tools of developers, as the host script calls them.
const TOOLS: [&str; 10] = [
    "clangd",
    "code-server",
    "cursor-server",
    "dev-server",
    "gopls",
    "jetbrains",
    "pyright",
    "rust-analyzer",
    "tsserver",
    "vscode-server",
];

/// HST-09
pub(super) fn developers_tools(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let environments = environments_of_host(snapshot, host);
        let is_other = |all: &Vec<String>| !all.iter().any(|one| one == "mainnet");
        if environments.as_ref().is_some_and(is_other) {
            continue;
        }
        let Some(programs) = told_by(&mut findings, host, "what runs", &host.programs) else {
            continue;
        };
        let is_tool = |name: &str| TOOLS.contains(&name) || name.starts_with("jupyter");
        let tools: Vec<String> = programs
            .iter()
            .filter(|program| is_tool(&program.name))
            .map(|one| format!("{} ({} processes, {} MB)", one.name, one.count, one.bytes >> 20))
            .collect();
        let subject = host_reference(&host.name);
        if tools.is_empty() {
            findings.looked();
        } else if environments.is_none() {
            let what = format!("whether a host that runs {} is for mainnet", tools.join(", "));
            findings.unknown_but(subject, what, Fact::Inventory.how());
        } else {
            findings.looked();
            findings.add(Problem::new(subject, tools.join(", ")));
        }
    }
    findings
}

/// Where programs of the operating system lie.
const SYSTEM: [&str; 8] = [
    "/bin/",
    "/etc/cron.",
    "/sbin/",
    "/usr/bin/",
    "/usr/lib/",
    "/usr/libexec/",
    "/usr/sbin/",
    "/usr/share/",
];

/// Programs that run or fetch whatever they are given, so that their name says nothing.
const WILD: [&str; 20] = [
    "base64", "bash", "busybox", "curl", "dash", "env", "eval", "ksh", "nc", "ncat", "node",
    "nohup", "perl", "php", "python", "ruby", "setsid", "sh", "socat", "wget",
];

/// Where everybody may write.
const OPEN_PLACES: [&str; 4] = ["/dev/shm/", "/run/user/", "/tmp/", "/var/tmp/"];

fn is_of_system(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let lies_there =
        !program.contains('/') || SYSTEM.iter().any(|place| program.starts_with(place));
    lies_there && !WILD.contains(&name)
}

/// HST-10
pub(super) fn unknown_schedule(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let allowed = snapshot.declared().map(|inventory| inventory.cron_allowed.as_slice());
    let allowed = allowed.unwrap_or_default();
    let is_allowed = |program: &str| {
        allowed.iter().any(|one| match one.strip_suffix('*') {
            Some(beginning) => program.starts_with(beginning),
            None => program == one,
        })
    };
    for host in snapshot.hosts.items() {
        let Some(lines) = told_by(&mut findings, host, "its crontabs", &host.cron) else {
            continue;
        };
        findings.looked();
        let mut wrong = Vec::new();
        let mut unlisted = Vec::new();
        for line in lines.iter().filter(|line| !is_allowed(&line.program)) {
            let told =
                |why: &str| format!("{} of {} in {} {why}", line.program, line.user, line.source);
            match suspicion(line) {
                Some(why) => wrong.push(told(why)),
                None if is_of_system(&line.program) => {}
                None if allowed.is_empty() => unlisted.push(line.program.as_str()),
                None => wrong.push(told("is not on the list")),
            }
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(host_reference(&host.name), wrong.join("; ")));
        } else if !unlisted.is_empty() {
            let what = format!("whether {} may be started is not declared", unlisted.join(", "));
            let how = "list it as cronAllowed in inventory.toml";
            findings.unknown_but(host_reference(&host.name), what, how);
        }
    }
    findings
}

/// What is strange about a line whatever is allowed elsewhere.
fn suspicion(line: &CronLine) -> Option<&'static str> {
    if OPEN_PLACES.iter().any(|place| line.program.starts_with(place)) {
        Some("lies where everybody may write")
    } else if line.program.contains("/.") {
        Some("is hidden")
    } else if !line.exists {
        Some("does not exist")
    } else {
        None
    }
}

/// HST-11
pub(super) fn unprotected(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let mut wrong = Vec::new();
        let definitions = &host.virus_definitions;
        let definitions = told_by(&mut findings, host, "its virus scanner", definitions);
        let newest = definitions.into_iter().flatten().filter_map(|file| file.modified).max();
        let days = newest.map(|newest| snapshot.age(newest) / DAY);
        if let Some(days) = days.filter(|days| *days > 7) {
            wrong.push(format!("the virus definitions are {days} days old"));
        }
        wrong.extend(no_guard(&mut findings, host));
        wrong.extend(no_path_filter(&mut findings, host));
        findings.looked();
        if !wrong.is_empty() {
            findings.add(Problem::new(host_reference(&host.name), wrong.join("; ")));
        }
    }
    findings
}

/// Units that lock out who guesses passwords.
const GUARDS: [&str; 3] = ["crowdsec.service", "fail2ban.service", "sshguard.service"];

fn no_guard(findings: &mut Findings, host: &Host) -> Option<String> {
    let units = told_by(findings, host, "its services", &host.units)?;
    let mut guards = units.iter().filter(|unit| GUARDS.contains(&unit.name.as_str()));
    let first = guards.clone().next();
    if guards.any(|unit| unit.active == "active") {
        return None;
    }
    if let Some(off) = first {
        return Some(format!("{} is {}", off.name, off.active));
    }
    // Where passwords are not accepted there is nothing to guess.
    let ssh = told_by(findings, host, "how SSH is set", &host.ssh)?;
    let refuses = ssh.settings.get("passwordauthentication").is_some_and(|value| value == "no");
    (!refuses).then(|| "SSH accepts passwords, and nothing locks out who guesses them".to_owned())
}

fn no_path_filter(findings: &mut Findings, host: &Host) -> Option<String> {
    let sysctl = told_by(findings, host, "its kernel's settings", &host.sysctl)?;
    let of = |which: &str| sysctl.get(&format!("net.ipv4.conf.{which}.rp_filter"));
    match (of("all").map(String::as_str), of("default").map(String::as_str)) {
        // The larger of both holds for an interface.
        (Some("0"), Some("0")) => Some("rp_filter is 0".to_owned()),
        (Some("1" | "2"), _) | (_, Some("1" | "2")) => None,
        _ => {
            findings.unknown(host_reference(&host.name), "rp_filter is not told");
            None
        }
    }
}

/// HST-12
pub(super) fn no_firewall(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().into_iter().flat_map(|inventory| &inventory.hosts);
    for declared in declared.filter(|host| host.is_standalone) {
        let Some(host) = snapshot.hosts.items().iter().find(|host| host.name == declared.name)
        else {
            findings.unknown(host_reference(&declared.name), "its facts were not collected");
            continue;
        };
        let Some(firewall) = told_by(&mut findings, host, "its firewall", &host.firewall) else {
            continue;
        };
        findings.looked();
        if !firewall.active {
            let evidence = match firewall.kind.as_str() {
                "" => "there is none".to_owned(),
                kind => format!("{kind} is not active"),
            };
            findings.add(Problem::new(host_reference(&host.name), evidence));
        }
    }
    findings
}

/// HST-13
pub(super) fn memory_used(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let subject = host_reference(&host.name);
        let used = host.memory_bytes.saturating_sub(host.memory_available_bytes);
        let Some(percent) = used.saturating_mul(100).checked_div(host.memory_bytes) else {
            findings.unknown(subject, "how much memory it has");
            continue;
        };
        findings.looked();
        if percent > 65 {
            let severity = if percent > 80 { Severity::Critical } else { Severity::Medium };
            let evidence = format!(
                "{percent} % are used, {} MB of {} MB are available",
                host.memory_available_bytes >> 20,
                host.memory_bytes >> 20
            );
            findings.add(Problem::new(subject, evidence).severity(severity));
        }
    }
    findings
}

const OPEN_FILES: u64 = 65_536;
const SKEW_MS: u32 = 500;

/// HST-14
pub(super) fn limits_and_clock(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let subject = host_reference(&host.name);
        let mut wrong = Vec::new();
        if host.swap_bytes > 0 {
            match is_cluster_host(snapshot, host) {
                Some(true) => wrong.push(format!("it swaps to {} MB", host.swap_bytes >> 20)),
                Some(false) => {}
                None => {
                    findings.unknown(subject.clone(), "whether it is a node, which may not swap")
                }
            }
        }
        if let Some(files) = told_by(&mut findings, host, "its limit of files", &host.open_files)
            && *files < OPEN_FILES
        {
            wrong.push(format!("a process may have {files} open files"));
        }
        if let Some(clock) = told_by(&mut findings, host, "its clock", &host.clock) {
            match clock.offset_ms {
                Some(offset) if offset > SKEW_MS => {
                    wrong.push(format!("its clock is {offset} ms off"))
                }
                _ if !clock.synchronized => wrong.push("its clock follows no other".to_owned()),
                _ => {}
            }
        }
        if matches!(host.clock, Known::Known(_)) || matches!(host.open_files, Known::Known(_)) {
            findings.looked();
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(subject, wrong.join("; ")));
        }
    }
    findings
}
