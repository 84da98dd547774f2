//! What makes machines run backups by themselves: timers of systemd, jobs of Kubernetes.
//!
//! Each machine begins at a minute of its own, which follows from its name, so that they do not all
//! ask the target at once.

use std::fmt::Write as _;
use std::path::Path;

/// One thing that is done by itself: its name, its command, and when.
struct Job {
    name: &'static str,
    words: &'static [&'static str],
    at: At,
}

/// When it is done.
#[derive(Debug, Clone, Copy)]
enum At {
    /// As often as the recovery point asks for.
    Run,
    /// Hours of the day, or days, as systemd and cron write them.
    Daily(&'static str, &'static str),
    /// Every fifth minute.
    Often,
}

const fn job(words: &'static [&'static str], name: &'static str, at: At) -> Job {
    Job { name, words, at }
}

/// Backups every six hours or as often as is promised, every day and week what proves them, and all
/// the time what was settled since, where an archive of it was made.
const JOBS: [Job; 5] = [
    job(&["run"], "run", At::Run),
    job(&["verify"], "verify", At::Daily("*-*-* 03", "3 * * *")),
    job(&["drill"], "drill", At::Daily("Sun *-*-* 04", "4 * * 0")),
    job(&["prune"], "prune", At::Daily("*-*-* 05", "5 * * *")),
    job(&["ledger", "push"], "ledger-push", At::Often),
];

impl Job {
    fn on_systemd(&self, minute: u32, every: u32) -> String {
        match self.at {
            At::Run => format!("*-*-* {}:{minute:02}:00 UTC", hours(every)),
            At::Daily(days, _) => format!("{days}:{minute:02}:00 UTC"),
            At::Often => format!("*-*-* *:{:02}/5:00 UTC", minute % 5),
        }
    }

    fn on_cron(&self, minute: u32, every: u32) -> String {
        match self.at {
            At::Run => format!("{minute} {} * * *", hours(every)),
            At::Daily(_, hours) => format!("{minute} {hours}"),
            At::Often => format!("{}-59/5 * * * *", minute % 5),
        }
    }
}

/// The hours of the day at which runs begin, so many hours apart at most.
fn hours(every: u32) -> String {
    let apart = [6, 4, 3, 2].into_iter().find(|apart| *apart <= every).unwrap_or(1);
    let hours = (0..24_u32).filter(|hour| hour % apart == 0).map(|hour| format!("{hour:02}"));
    hours.collect::<Vec<_>>().join(",")
}

/// The minute of the hour at which a machine begins.
fn minute(host: &str) -> u32 {
    host.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 60
}

/// Units of systemd: for each file, its name and its text. Runs are `every` so many hours at most:
/// what is promised as the recovery point, or the promise could never be kept.
pub fn systemd(program: &Path, settings: &Path, host: &str, every: u32) -> Vec<(String, String)> {
    let minute = minute(host);
    let mut files = Vec::new();
    for job in JOBS {
        let (name, action) = (format!("gx-backup-{}", job.name), job.words.join(" "));
        let on = job.on_systemd(minute, every);
        let (program, settings) = (program.display(), settings.display());
        files.push((
            format!("{name}.service"),
            format!(
                "[Unit]\nDescription=GX Protocol: backup {action}\nAfter=network-online.target\n\
                 Wants=network-online.target\n\n[Service]\nType=oneshot\nUser=gx\n\
                 Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
                 ExecStart={program} backup {action} --plan {settings}\nNice=10\n\
                 IOSchedulingClass=idle\nUMask=0077\nNoNewPrivileges=yes\n"
            ),
        ));
        files.push((
            format!("{name}.timer"),
            format!(
                "[Unit]\nDescription=GX Protocol: when to backup {action}\n\n[Timer]\n\
                 OnCalendar={on}\nPersistent=true\n\n\
                 [Install]\nWantedBy=timers.target\n"
            ),
        ));
    }
    files
}

/// Jobs of Kubernetes as one text of YAML. The image has to hold `pg_dump`, `psql` and, for remote
/// repositories, `rclone`; settings and password come from the secret `gx-backup`.
pub fn cron_job(image: &str, host: &str, every: u32) -> String {
    let minute = minute(host);
    let mut text = String::new();
    for job in JOBS {
        let (name, action) = (job.name, job.words.join(", "));
        let on = job.on_cron(minute, every);
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "---\napiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: gx-backup-{name}\n\
             spec:\n  schedule: \"{on}\"\n  timeZone: Etc/UTC\n  \
             concurrencyPolicy: Forbid\n  \
             startingDeadlineSeconds: 3600\n  jobTemplate:\n    spec:\n      \
             backoffLimit: 0\n      template:\n        spec:\n          \
             restartPolicy: Never\n          \
             containers:\n          - name: backup\n            image: {image}\n            \
             args: [backup, {action}, --plan, /etc/gx-backup/backup.toml]\n            \
             env:\n            \
             - {{name: PATH, value: \"/usr/local/bin:/usr/bin:/bin\"}}\n            \
             volumeMounts:\n            \
             - {{name: settings, mountPath: /etc/gx-backup, readOnly: true}}\n            \
             - {{name: state, mountPath: /var/lib/gx-backup}}\n          volumes:\n          \
             - {{name: settings, secret: {{secretName: gx-backup, defaultMode: 256}}}}\n          \
             - {{name: state, persistentVolumeClaim: {{claimName: gx-backup-state}}}}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_has_a_service_and_machines_begin_apart() {
        let files = systemd(Path::new("/usr/bin/gx"), Path::new("/etc/gx/backup.toml"), "one", 6);
        assert_eq!(files.len(), 2 * JOBS.len());
        for (name, text) in &files {
            let service = name.strip_suffix(".timer").map(|name| format!("{name}.service"));
            match service {
                Some(service) => {
                    assert!(files.iter().any(|(name, _)| *name == service));
                    assert!(text.contains("Persistent=true") && text.contains("OnCalendar="));
                }
                None => {
                    assert!(text.contains("Environment=PATH=/") && text.contains("ExecStart=/"))
                }
            }
        }
        assert_ne!(minute("node-a"), minute("node-b"));
        assert_eq!(cron_job("gx:1", "one", 6).matches("kind: CronJob").count(), JOBS.len());
    }

    #[test]
    fn a_schedule_fires_as_often_as_the_recovery_point_asks() {
        for (every, expected) in [
            (24, "00,06,12,18"),
            (6, "00,06,12,18"),
            (5, "00,04,08,12,16,20"),
            (2, "00,02,04,06,08,10,12,14,16,18,20,22"),
        ] {
            let files = systemd(Path::new("/gx"), Path::new("/backup.toml"), "one", every);
            let timer = files.iter().find(|(name, _)| name == "gx-backup-run.timer").unwrap();
            assert!(timer.1.contains(&format!("OnCalendar=*-*-* {expected}:")), "{}", timer.1);
            let minute = minute("one");
            let cron = format!("schedule: \"{minute} {expected} * * *\"");
            assert!(cron_job("gx:1", "one", every).contains(&cron), "{cron}");
        }
        assert_eq!(hours(1).split(',').count(), 24);
        let push = systemd(Path::new("/gx"), Path::new("/b"), "one", 6);
        let service =
            push.iter().find(|(name, _)| name == "gx-backup-ledger-push.service").unwrap();
        assert!(service.1.contains("ExecStart=/gx backup ledger push --plan /b"), "{}", service.1);
        assert!(cron_job("gx:1", "one", 6).contains("args: [backup, ledger, push, --plan"));
    }
}
