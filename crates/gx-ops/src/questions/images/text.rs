//! Images for a terminal.

use super::super::Page;
use super::{Ahead, Images, Wanted};
use crate::report::{Look, plural};

/// The text of an answer.
pub fn render(answer: &Images, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let stopped: Vec<&Wanted> =
        answer.wanted.iter().filter(|one| one.ahead != Ahead::Yes).collect();
    page.head(&format!(
        "{}: {} keep rollouts or moves from going ahead",
        plural(answer.wanted.len(), "image"),
        stopped.len()
    ));
    for one in stopped.iter().take(look.top) {
        let word = if one.ahead == Ahead::No { "NO" } else { "not known" };
        page.line(&format!("{}: {word}", one.image));
        let workloads: Vec<String> = one.workloads.iter().map(ToString::to_string).collect();
        page.deeper(&format!("of {}", workloads.join(", ")));
        for (what, nodes) in
            [("on", &one.present), ("not on", &one.missing), ("not known of", &one.unknown)]
        {
            if !nodes.is_empty() {
                page.deeper(&format!("{what} {}", nodes.join(", ")));
            }
        }
    }
    if !answer.drifted.is_empty() {
        page.head("Tags that are not the same everywhere");
        for one in answer.drifted.iter().take(look.top) {
            page.line(&one.image);
            for (digest, nodes) in &one.digests {
                page.deeper(&format!("{digest} on {}", nodes.join(", ")));
            }
        }
    }
    for one in &answer.transfers {
        page.head(&format!("{} from {} to {}", one.image, one.from, one.to.join(", ")));
        // Commands are to be copied, and are not broken.
        one.commands.iter().for_each(|command| page.text.push_str(&format!("  {command}\n")));
    }
    if !answer.deletable.is_empty() {
        page.head("Nothing uses, beyond the versions that are kept");
        for one in &answer.deletable {
            let size = one.bytes / (1 << 20);
            let count = plural(one.images.len(), "image");
            page.line(&format!("{}: {count}, {size} MiB: {}", one.node, one.images.join(", ")));
        }
    }
    if !answer.notes.is_empty() {
        page.head("Not known");
        answer.notes.iter().for_each(|one| page.line(&format!("- {one}")));
    }
    page.text
}
