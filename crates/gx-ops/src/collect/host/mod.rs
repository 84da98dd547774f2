//! The host script, and what its output says.
//!
//! The output is read strictly: a line that is not of the form of its section is an error with its
//! number, so that half a transfer or an edited file is not taken for facts. It is not quoted.

mod details;
mod etcd;

use std::collections::BTreeMap;

use self::details::{details, reached};
use self::etcd::etcd;
use super::{COLLECTOR, Origin, Redactor};
use crate::facts::*;

/// POSIX sh; prints facts of the host that it runs on, and changes nothing.
pub const SCRIPT: &str = include_str!("host.sh");

/// Output that is not that of the script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("this is not the output of the host script")]
    Head,
    #[error("the output ends before its end; transfer it again")]
    Cut,
    #[error("line {line} is not of the form of its section {section}")]
    Line { section: String, line: usize },
    #[error("the section {0} is not known to this version; print the script again with it")]
    Section(String),
}

const SECTIONS: [&str; 40] = [
    "addresses",
    "antivirus",
    "archives",
    "authorized_keys",
    "careless",
    "clock",
    "configs",
    "containerd_images",
    "containers",
    "cron",
    "dnat",
    "docker",
    "docker_images",
    "enabled",
    "encryption",
    "etcd_health",
    "etcd_joined",
    "etcd_members",
    "etcd_snapshots",
    "firewall",
    "host",
    "image_removal",
    "journal",
    "kernels",
    "kubeconfigs",
    "listeners",
    "log_errors",
    "mounts",
    "names",
    "passwords",
    "programs",
    "reached",
    "registries",
    "runtime_folders",
    "server_settings",
    "ssh",
    "ssh_from",
    "sysctl",
    "units",
    "volumes",
];

/// One line of a section: its number, and its fields.
#[derive(Debug, Clone)]
struct Line<'a> {
    number: usize,
    fields: Vec<&'a str>,
}

#[derive(Debug, Default)]
struct Sections<'a> {
    lines: BTreeMap<&'a str, Vec<Line<'a>>>,
    missing: BTreeMap<&'a str, &'a str>,
}

/// Reads the script's output; the snapshot has one host, and the etcd that it has seen.
///
/// # Errors
/// When it is not the whole output of the script, or of another version of it.
pub fn parse_host(text: &str, from: &str, redactor: &Redactor) -> Result<Snapshot, HostError> {
    let sections = Sections::read(text)?;
    let host = host(&sections, redactor)?;
    let etcd = etcd(&sections, &host.name)?;
    let reached = reached(&sections, &host.name)?;
    let origin = Origin { from: from.to_owned(), at: host.at };
    let mut snapshot = Snapshot::empty(origin.at);
    let source = Source {
        from: origin.from,
        at: origin.at,
        collector: COLLECTOR.to_owned(),
        scope: Scope::Some,
    };
    let knows_etcd = [etcd.members.get().is_some(), etcd.snapshots.get().is_some()];
    if knows_etcd.contains(&true) {
        snapshot.etcd = Part::collected(source.clone(), vec![etcd]);
    }
    snapshot.reached = match reached {
        Known::Known(reached) => Part::collected(source.clone(), reached),
        Known::Missing(missing) => Part::Missing(missing),
    };
    snapshot.hosts = Part::collected(source, vec![host]);
    Ok(snapshot)
}

impl<'a> Sections<'a> {
    fn read(text: &'a str) -> Result<Self, HostError> {
        let mut lines = text.lines().enumerate().map(|(at, line)| (at.saturating_add(1), line));
        if lines.next().map(|(_, line)| line) != Some("#gx-host 1") {
            return Err(HostError::Head);
        }
        let mut read = Self::default();
        let mut open: Option<(&str, Vec<Line<'a>>)> = None;
        for (number, line) in lines {
            let wrong =
                |section: &str| HostError::Line { section: section.to_owned(), line: number };
            match (line.strip_prefix('#'), &mut open) {
                (Some("gx-host end"), None) => return Ok(read),
                (Some(mark), None) => match mark.split_once(' ') {
                    Some(("begin", name)) => open = Some((known(name)?, Vec::new())),
                    Some(("missing", rest)) => {
                        let (name, why) = rest.split_once(' ').ok_or_else(|| wrong("missing"))?;
                        read.missing.insert(known(name)?, why);
                    }
                    _ => return Err(wrong("mark")),
                },
                (Some(mark), Some((name, _))) if mark.strip_prefix("end ") == Some(*name) => {
                    if let Some((name, lines)) = open.take() {
                        read.lines.insert(name, lines);
                    }
                }
                (_, Some((_, lines))) => {
                    let fields = line.split('\t').map(|one| if one == "-" { "" } else { one });
                    lines.push(Line { number, fields: fields.collect() });
                }
                (None, None) => return Err(wrong("none")),
            }
        }
        Err(HostError::Cut)
    }

    /// What a section says, read line by line; missing when the script could not have it.
    fn list<T>(
        &self,
        section: &str,
        read: impl Fn(&[&str]) -> Option<T>,
    ) -> Result<Known<Vec<T>>, HostError> {
        let Some(lines) = self.lines.get(section) else {
            let why = self.missing.get(section).copied().unwrap_or("the script did not tell");
            return Ok(Known::missing(why));
        };
        let wrong = |number| HostError::Line { section: section.to_owned(), line: number };
        let read = |line: &Line<'_>| read(&line.fields).ok_or_else(|| wrong(line.number));
        Ok(Known::Known(lines.iter().map(read).collect::<Result<Vec<T>, HostError>>()?))
    }

    /// The first line of a section.
    fn one<T>(
        &self,
        section: &str,
        read: impl Fn(&[&str]) -> Option<T>,
    ) -> Result<Known<T>, HostError> {
        Ok(match self.list(section, read)? {
            Known::Missing(missing) => Known::Missing(missing),
            Known::Known(lines) => {
                let nothing = || Known::missing("the script found nothing of it");
                lines.into_iter().next().map_or_else(nothing, Known::Known)
            }
        })
    }
}

fn known(name: &str) -> Result<&str, HostError> {
    let is_known = SECTIONS.contains(&name);
    is_known.then_some(name).ok_or_else(|| HostError::Section(name.chars().take(40).collect()))
}

fn host(sections: &Sections<'_>, r: &Redactor) -> Result<Host, HostError> {
    let about = sections.list("host", |fields| match fields {
        [name, value] => Some(((*name).to_owned(), (*value).to_owned())),
        _ => None,
    })?;
    let about: BTreeMap<String, String> =
        about.get().cloned().unwrap_or_default().into_iter().collect();
    let told = |name: &str| about.get(name).cloned().unwrap_or_default();
    let number = |name: &str| told(name).parse::<u64>().unwrap_or(0);
    let name = told("name");
    if name.is_empty() || about.get("at").is_none_or(|at| at.parse::<i64>().is_err()) {
        return Err(HostError::Line { section: "host".to_owned(), line: 2 });
    }
    let open_files = match told("open_files").as_str() {
        "unlimited" => Ok(u64::MAX),
        limit => limit.parse(),
    };
    let addresses = sections.list("addresses", |fields| match fields {
        [one] => Some((*one).to_owned()),
        _ => None,
    })?;
    let mut host = Host {
        name,
        machine_id: told("machine_id"),
        at: Time::from_seconds(told("at").parse().unwrap_or(0)),
        os: told("os"),
        kernel: told("kernel"),
        uptime_seconds: number("uptime"),
        cores: u32::try_from(number("cores")).unwrap_or(0),
        memory_bytes: number("memory_kib").saturating_mul(1024),
        memory_available_bytes: number("available_kib").saturating_mul(1024),
        swap_bytes: number("swap_kib").saturating_mul(1024),
        addresses: addresses.get().cloned().unwrap_or_default(),
        open_files: open_files.map_or_else(|_| Known::missing("it was not told"), Known::Known),
        installed_kernel: newest(sections)?,
        ..Host::default()
    };
    runtime(sections, &mut host)?;
    rights(sections, &mut host)?;
    host.passwords = passwords(sections, r)?;
    files(sections, &mut host, r)?;
    containers(sections, &mut host)?;
    details(sections, &mut host)?;
    Ok(host)
}

fn newest(sections: &Sections<'_>) -> Result<Known<String>, HostError> {
    let kernels = sections.list("kernels", |fields| Some(fields.join(" ")))?;
    let version = |name: &String| {
        let numbers = name.split(|c: char| !c.is_ascii_digit());
        numbers.filter_map(|number| number.parse::<u64>().ok()).collect::<Vec<u64>>()
    };
    Ok(match kernels {
        Known::Missing(missing) => Known::Missing(missing),
        Known::Known(names) => names
            .into_iter()
            .max_by_key(version)
            .map_or_else(|| Known::missing("no kernel is installed"), Known::Known),
    })
}

/// What runs on it.
fn runtime(sections: &Sections<'_>, host: &mut Host) -> Result<(), HostError> {
    host.listeners = sections.list("listeners", |fields| match fields {
        [protocol, address, port, program] => Some(Listener {
            protocol: (*protocol).to_owned(),
            address: (*address).to_owned(),
            port: port.parse().ok()?,
            program: (*program).to_owned(),
        }),
        _ => None,
    })?;
    let enabled = sections.list("enabled", |fields| match fields {
        [name, state] => Some(((*name).to_owned(), (*state).to_owned())),
        _ => None,
    })?;
    let enabled: BTreeMap<String, String> =
        enabled.get().cloned().unwrap_or_default().into_iter().collect();
    host.units = sections.list("units", |fields| match fields {
        [name, active, sub] => Some(Unit {
            name: (*name).to_owned(),
            active: (*active).to_owned(),
            sub: (*sub).to_owned(),
            enabled: enabled.get(*name).cloned().unwrap_or_default(),
        }),
        _ => None,
    })?;
    host.containers = sections.list("containers", |fields| match fields {
        [runtime, name, image, state] => Some(HostContainer {
            runtime: (*runtime).to_owned(),
            name: (*name).to_owned(),
            image: (*image).to_owned(),
            state: (*state).to_owned(),
        }),
        _ => None,
    })?;
    host.docker = docker(sections)?;
    let image = |runtime: &'static str| {
        move |fields: &[&str]| match fields {
            [reference, digest, size, platforms @ ..] => Some(HostImage {
                runtime: runtime.to_owned(),
                reference: (*reference).to_owned(),
                digest: (*digest).to_owned(),
                bytes: human(size)?,
                platforms: platforms
                    .iter()
                    .flat_map(|list| list.split(','))
                    .filter(|one| one.contains('/'))
                    .map(str::to_owned)
                    .collect(),
            }),
            _ => None,
        }
    };
    let docker = sections.list("docker_images", image("docker"))?;
    let containerd = sections.list("containerd_images", image("containerd"))?;
    for (runtime, images) in [("docker", &docker), ("containerd", &containerd)] {
        let why = images.reason().map(|why| (runtime.to_owned(), why.to_owned()));
        host.images_missing.extend(why);
    }
    host.images = match (docker, containerd) {
        (Known::Known(mut some), Known::Known(more)) => {
            some.extend(more);
            Known::Known(some)
        }
        (known @ Known::Known(_), Known::Missing(_)) | (Known::Missing(_), known) => known,
    };
    Ok(())
}

fn docker(sections: &Sections<'_>) -> Result<Known<DockerUse>, HostError> {
    let rows = sections.list("docker", |fields| match fields {
        [kind, size, reclaimable] => {
            // Such as `70.5GB (92%)`.
            let reclaimable = reclaimable.split(' ').next().unwrap_or_default();
            Some(((*kind).to_owned(), human(size)?, human(reclaimable)?))
        }
        _ => None,
    })?;
    Ok(match rows {
        Known::Missing(missing) => Known::Missing(missing),
        Known::Known(rows) => {
            let mut told = DockerUse::default();
            for (kind, size, reclaimable) in rows {
                match kind.as_str() {
                    "Images" => {
                        told.images_bytes = size;
                        told.images_reclaimable_bytes = reclaimable;
                    }
                    "Build Cache" => {
                        told.build_cache_bytes = size;
                        told.build_cache_reclaimable_bytes = reclaimable;
                    }
                    "Local Volumes" => told.volumes_bytes = size,
                    _ => {}
                }
            }
            Known::Known(told)
        }
    })
}

/// Who may come, and how.
fn rights(sections: &Sections<'_>, host: &mut Host) -> Result<(), HostError> {
    let pair = |fields: &[&str]| match fields {
        [name, value] => Some(((*name).to_owned(), (*value).to_owned())),
        _ => None,
    };
    let map = |pairs: Known<Vec<(String, String)>>| match pairs {
        Known::Known(pairs) => Known::Known(pairs.into_iter().collect::<BTreeMap<_, _>>()),
        Known::Missing(missing) => Known::Missing(missing),
    };
    host.ssh = match map(sections.list("ssh", pair)?) {
        Known::Known(settings) => Known::Known(SshServer { settings }),
        Known::Missing(missing) => Known::Missing(missing),
    };
    host.sysctl = map(sections.list("sysctl", pair)?);
    host.names = sections.list("names", pair)?;
    host.authorized_keys = sections.list("authorized_keys", |fields| match fields {
        [user, keys, duplicates, malformed] => Some(AuthorizedKeys {
            user: (*user).to_owned(),
            keys: keys.parse().ok()?,
            duplicates: duplicates.parse().ok()?,
            malformed: malformed.parse().ok()?,
        }),
        _ => None,
    })?;
    host.clock = sections.one("clock", |fields| match fields {
        [synchronized, offset] => {
            Some(Clock { synchronized: *synchronized == "yes", offset_ms: offset.parse().ok() })
        }
        _ => None,
    })?;
    host.firewall = sections.one("firewall", |fields| match fields {
        [kind, active, sources] => Some(Firewall {
            kind: (*kind).to_owned(),
            active: *active == "yes",
            trusted_sources: sources.split_whitespace().map(str::to_owned).collect(),
        }),
        _ => None,
    })?;
    host.careless = sections.list("careless", |fields| match fields {
        [path, habit] => {
            Some(CarelessScript { path: (*path).to_owned(), habit: (*habit).to_owned() })
        }
        _ => None,
    })?;
    host.dnat = sections.list("dnat", |fields| match fields {
        [port, target] => Some(Dnat { port: port.parse().ok()?, target: (*target).to_owned() }),
        _ => None,
    })?;
    Ok(())
}

fn passwords(sections: &Sections<'_>, r: &Redactor) -> Result<Known<Vec<HostPassword>>, HostError> {
    sections.list("passwords", |fields| match fields {
        [user, state, sum] => Some(HostPassword {
            user: (*user).to_owned(),
            state: (*state).to_owned(),
            content: (!sum.is_empty()).then(|| Value::Hidden(r.hide(sum.as_bytes()))),
        }),
        _ => None,
    })
}

/// What lies on its disks.
fn files(sections: &Sections<'_>, host: &mut Host, r: &Redactor) -> Result<(), HostError> {
    let kib = |text: &str| text.parse::<u64>().ok().map(|kib| kib.saturating_mul(1024));
    host.mounts = sections.list("mounts", |fields| match fields {
        [device, size, used, available, path] => Some(Mounted {
            device: (*device).to_owned(),
            path: (*path).to_owned(),
            kind: String::new(),
            bytes: kib(size)?,
            used_bytes: kib(used)?,
            available_bytes: kib(available)?,
        }),
        _ => None,
    })?;
    let journal = sections.one("journal", |fields| match fields {
        [size, oldest] => Some((kib(size)?, oldest.parse().ok().map(Time::from_seconds))),
        _ => None,
    })?;
    match journal {
        Known::Missing(missing) => host.journal_bytes = Known::Missing(missing),
        Known::Known((bytes, oldest)) => {
            host.journal_bytes = Known::Known(bytes);
            host.journal_oldest = oldest;
        }
    }
    let path = |fields: &[&str]| match fields {
        [path, size, modified, mode, owner, sum] => Some(HostPath {
            path: (*path).to_owned(),
            bytes: kib(size)?,
            modified: modified.parse().ok().map(Time::from_seconds),
            mode: (*mode).to_owned(),
            owner: (*owner).to_owned(),
            content: (!sum.is_empty()).then(|| Value::Hidden(r.hide(sum.as_bytes()))),
        }),
        _ => None,
    };
    host.archives = sections.list("archives", path)?;
    host.virus_definitions = sections.list("antivirus", path)?;
    host.volumes = sections.list("volumes", path)?;
    host.configs = sections.list("configs", path)?;
    host.cron = sections.list("cron", |fields| match fields {
        [source, user, schedule, program, exists, executable, path] => Some(CronLine {
            source: (*source).to_owned(),
            user: (*user).to_owned(),
            schedule: (*schedule).to_owned(),
            program: (*program).to_owned(),
            exists: *exists == "yes",
            executable: *executable == "yes",
            path: (*path).to_owned(),
        }),
        _ => None,
    })?;
    Ok(())
}

/// How it keeps images, and what its containers say.
fn containers(sections: &Sections<'_>, host: &mut Host) -> Result<(), HostError> {
    host.registries = sections.list("registries", |fields| match fields {
        [name] => Some((*name).to_owned()),
        _ => None,
    })?;
    let thresholds = sections.list("image_removal", |fields| match fields {
        [name, percent] => {
            percent.parse::<u8>().ok().map(|_| ((*name).to_owned(), (*percent).to_owned()))
        }
        _ => None,
    })?;
    host.image_removal = match thresholds {
        Known::Known(pairs) => Known::Known(pairs.into_iter().collect()),
        Known::Missing(missing) => Known::Missing(missing),
    };
    host.runtime_folders = sections.list("runtime_folders", |fields| match fields {
        [path, kib, modified] => Some(HostPath {
            path: (*path).to_owned(),
            bytes: kib.parse::<u64>().ok()?.saturating_mul(1024),
            modified: modified.parse().ok().map(Time::from_seconds),
            ..HostPath::default()
        }),
        _ => None,
    })?;
    host.log_errors = sections.list("log_errors", |fields| match fields {
        [namespace, pod, container, signature, lines] => Some(LogErrors {
            namespace: (*namespace).to_owned(),
            pod: (*pod).to_owned(),
            container: (*container).to_owned(),
            signature: (*signature).to_owned(),
            lines: lines.parse().ok()?,
        }),
        _ => None,
    })?;
    Ok(())
}

/// A size such as `70.5GB` or `19.4MiB`, in bytes.
fn human(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(number)?.trim_end_matches('B');
    let unit = if unit == "K" { "k" } else { unit };
    let thousandths = parse_quantity(&format!("{number}{unit}")).ok()?;
    u64::try_from(thousandths.div_ceil(1000)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Salt;
    use super::*;

    const OUTPUT: &str = include_str!("../../../fixtures/collect/host.txt");

    fn parse(text: &str) -> Result<Snapshot, HostError> {
        parse_host(text, "host-a", &Redactor::new(Salt::new([1; 32])))
    }

    #[test]
    fn a_host_and_its_etcd_are_told() {
        let snapshot = parse(OUTPUT).unwrap();
        let [host] = snapshot.hosts.items() else { panic!("one host") };
        assert_eq!((host.name.as_str(), host.cores), ("host-a", 8));
        assert_eq!(host.memory_bytes, 32_000_000 * 1024);
        assert_eq!(host.installed_kernel.get().unwrap(), "6.12.0-55.el10.x86_64");
        assert_eq!(host.docker.get().unwrap().build_cache_reclaimable_bytes, 70_500_000_000);
        let cron = host.cron.get().unwrap();
        assert!(!cron[0].exists && cron[1].executable);
        assert_eq!(host.firewall.get().unwrap().trusted_sources, ["10.42.0.0/16"]);
        let password = &host.passwords.get().unwrap()[0];
        assert_eq!((password.user.as_str(), password.state.as_str()), ("root", "set"));
        assert!(matches!(password.content, Some(Value::Hidden(_))));
        assert_eq!(host.careless.get().unwrap()[0].habit, "hostKeysUnchecked");
        assert_eq!(host.clock.reason(), Some("neither chrony nor systemd tells of the clock"));
        let [etcd] = snapshot.etcd.items() else { panic!("one etcd") };
        let members = etcd.members.get().unwrap();
        assert_eq!(members[1].latency_ms, Some(1080));
        assert!(members[2].is_learner);
        assert_eq!(etcd.encrypts_secrets, Known::Known(true));
        assert_eq!(etcd.snapshots.get().unwrap()[0].bytes, 19_500_000);
        assert_eq!((etcd.own_name.as_str(), etcd.joined.is_some()), ("host-a-1", true));
    }

    #[test]
    fn what_runs_and_who_may_come_is_told() {
        let snapshot = parse(OUTPUT).unwrap();
        let [host] = snapshot.hosts.items() else { panic!("one host") };
        let programs = host.programs.get().unwrap();
        assert_eq!((programs[0].name.as_str(), programs[0].bytes), ("port-forward", 40_960_000));
        assert_eq!(host.ssh_sources, Known::Known(vec!["any".to_owned()]));
        let settings = host.server_settings.get().unwrap();
        assert_eq!(settings["disable"], "servicelb,traefik");
        assert_eq!(host.kubeconfigs.get().unwrap()[0].1, "192.0.2.12");
        assert_eq!(host.virus_definitions.get().unwrap().len(), 1);
        assert!(host.journal_oldest.is_some());
        let reached = snapshot.reached.items();
        assert_eq!((reached[1].to.as_str(), reached[1].status), ("www.example.org", Some(200)));
        assert_eq!(reached[1].addresses, ["192.0.2.11", "192.0.2.12"]);
        let strange = OUTPUT.replace("\trefused\t", "\tperhaps\t");
        assert!(matches!(parse(&strange), Err(HostError::Line { .. })));
    }

    #[test]
    fn containers_of_a_host_are_told() {
        let snapshot = parse(OUTPUT).unwrap();
        let [host] = snapshot.hosts.items() else { panic!("one host") };
        let [docker, containerd] = host.images.get().unwrap().as_slice() else { panic!() };
        assert!(docker.platforms.is_empty());
        assert_eq!(containerd.platforms, ["linux/amd64", "linux/arm64/v8"]);
        assert_eq!(host.registries.get().unwrap(), &["localhost:30500"]);
        let removal = host.image_removal.get().unwrap();
        assert_eq!(removal.get("high").map(String::as_str), Some("70"));
        assert_eq!(host.runtime_folders.get().unwrap()[0].bytes, 65_000_000 * 1024);
        let [errors] = host.log_errors.get().unwrap().as_slice() else { panic!("one") };
        assert_eq!((errors.pod.as_str(), errors.lines), ("outbox-submitter-1", 12));
        assert_eq!(errors.signature, "NOAUTH");
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse("hello").unwrap_err(), HostError::Head);
        let cut: String = OUTPUT.lines().take(40).map(|line| format!("{line}\n")).collect();
        assert_eq!(parse(&cut).unwrap_err(), HostError::Cut);
        let strange = OUTPUT.replace("#begin mounts", "#begin secrets");
        assert_eq!(parse(&strange).unwrap_err(), HostError::Section("secrets".to_owned()));
        let broken = OUTPUT.replace("tcp\t0.0.0.0\t22\tsshd", "tcp\t0.0.0.0\tmany\tsshd");
        let line = OUTPUT.lines().position(|line| line.ends_with("22\tsshd")).unwrap() + 1;
        let section = "listeners".to_owned();
        assert_eq!(parse(&broken).unwrap_err(), HostError::Line { section, line });
    }

    #[test]
    fn the_script_prints_what_is_read_here() {
        let output = std::process::Command::new("sh").arg("-c").arg(SCRIPT).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let snapshot = parse(&text).unwrap();
        assert_eq!(snapshot.hosts.items().len(), 1);
        let marks = |mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
        assert_eq!(marks("#begin ") + marks("#missing "), SECTIONS.len());
    }
}
