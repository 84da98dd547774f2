//! The place itself: room on its disk, and what it lets a process have.

use std::path::Path;

use super::{Part, Verdict};

/// Part of a disk that has to be free: below it whatever writes stops soon.
const FREE_PERCENT_MIN: u64 = 20;

/// Looks at the file system that a folder is on. Sizes are bytes, files are inodes; a file system
/// that does not count files has none.
pub fn disk(
    part: &mut Part,
    folder: &Path,
    (bytes, bytes_free): (u64, u64),
    (files, files_free): (u64, u64),
) {
    let percent = |all: u64, free: u64| free.saturating_mul(100).checked_div(all);
    for (step, all, free, told) in [
        ("disk", bytes, bytes_free, format!("{} MiB", bytes_free >> 20)),
        ("inodes", files, files_free, files_free.to_string()),
    ] {
        let Some(percent) = percent(all, free) else {
            if step == "disk" {
                part.add(step, Verdict::Unknown, "the file system tells no size", "");
            }
            continue;
        };
        let seen = format!("{told} free, {percent} %, of {}", folder.display());
        if percent < FREE_PERCENT_MIN {
            let remedy = "make room before writing stops: old backups, images, logs; or a larger \
                          disk";
            part.add(step, Verdict::Wrong, seen, remedy);
        } else {
            part.ok(step, seen);
        }
    }
}

/// Looks whether a process may open as many files and connections as its settings let it. `None`
/// has no limit.
pub fn limits(part: &mut Part, open_files_max: Option<u64>, needed: u64) {
    let Some(most) = open_files_max else {
        part.ok("limits", format!("open files are not limited; the settings need {needed}"));
        return;
    };
    let seen = format!("{most} open files allowed, the settings need {needed}");
    if most < needed {
        let remedy = "raise LimitNOFILE of the unit, or ulimit -n; or lower http.connections_max";
        part.add("limits", Verdict::Wrong, seen, remedy);
    } else {
        part.ok("limits", seen);
    }
}
