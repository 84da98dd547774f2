//! What makes machines run backups by themselves: timers of systemd, jobs of Kubernetes.
//!
//! Each machine begins at a minute of its own, which follows from its name, so that they do not all
//! ask the target at once.

use std::fmt::Write as _;
use std::path::Path;

/// One thing that is done by itself: its command, and when.
struct Job {
    action: &'static str,
    /// Hours of the day, or days, as systemd and cron write them.
    systemd: &'static str,
    cron: &'static str,
}

/// Backups every six hours, and every day and week what proves them.
const JOBS: [Job; 4] = [
    Job { action: "run", systemd: "*-*-* 00,06,12,18", cron: "0,6,12,18 * * *" },
    Job { action: "verify", systemd: "*-*-* 03", cron: "3 * * *" },
    Job { action: "drill", systemd: "Sun *-*-* 04", cron: "4 * * 0" },
    Job { action: "prune", systemd: "*-*-* 05", cron: "5 * * *" },
];

/// The minute of the hour at which a machine begins.
fn minute(host: &str) -> u32 {
    host.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 60
}

/// Units of systemd: for each file, its name and its text.
pub fn systemd(program: &Path, settings: &Path, host: &str) -> Vec<(String, String)> {
    let minute = minute(host);
    let mut files = Vec::new();
    for Job { action, systemd, .. } in JOBS {
        let name = format!("gx-backup-{action}");
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
                 OnCalendar={systemd}:{minute:02}:00 UTC\nPersistent=true\n\n\
                 [Install]\nWantedBy=timers.target\n"
            ),
        ));
    }
    files
}

/// Jobs of Kubernetes as one text of YAML. The image has to hold `pg_dump`, `psql` and, for remote
/// repositories, `rclone`; settings and password come from the secret `gx-backup`.
pub fn cron_job(image: &str, host: &str) -> String {
    let minute = minute(host);
    let mut text = String::new();
    for Job { action, cron, .. } in JOBS {
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "---\napiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: gx-backup-{action}\n\
             spec:\n  schedule: \"{minute} {cron}\"\n  timeZone: Etc/UTC\n  \
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
        let files = systemd(Path::new("/usr/bin/gx"), Path::new("/etc/gx/backup.toml"), "one");
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
        assert_eq!(cron_job("gx:1", "one").matches("kind: CronJob").count(), JOBS.len());
    }
}
