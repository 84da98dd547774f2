//! Rules for `Cargo.toml` files: sorted dependencies, and the workspace's lints in every crate.
//!
//! They read lines, not values: order is a matter of the text.

use super::tree::File;
use super::{Finding, Rule};

const SORTED: Rule = Rule {
    name: "sorted-dependencies",
    remedy: "put our own crates first, then all others, each by name",
};
const LINTS: Rule = Rule { name: "workspace-lints", remedy: "add [lints] with workspace = true" };

pub(super) fn check(file: &File) -> Vec<Finding> {
    if file.path != "Cargo.toml" && !file.path.ends_with("/Cargo.toml") {
        return Vec::new();
    }
    let mut findings = sorted_dependencies(file);
    findings.extend(workspace_lints(file));
    findings
}

fn sorted_dependencies(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_table = false;
    let mut before: Option<(bool, &str)> = None;
    for (n, line) in file.lines() {
        if let Some(header) = line.strip_prefix('[') {
            in_table = header.trim_end_matches(']').ends_with("dependencies");
            before = None;
        } else if let Some(name) = key(line).filter(|_| in_table) {
            let place = (!name.starts_with("gx-"), name);
            if before.is_some_and(|before| before > place) {
                let text = format!("{name} stands after a name that follows it");
                findings.push(SORTED.finding(&file.path, n, text));
            }
            before = Some(place);
        }
    }
    findings
}

/// The name before `=` or `.`; none on comments and on further lines of a long value.
fn key(line: &str) -> Option<&str> {
    let end = line.find(['=', '.', ' '])?;
    let name = line.get(..end)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

fn workspace_lints(file: &File) -> Option<Finding> {
    let is_crate = file.lines().any(|(_, line)| line == "[package]");
    let mut lines = file.lines().skip_while(|(_, line)| *line != "[lints]").map(|(_, line)| line);
    let inherits = lines.nth(1) == Some("workspace = true");
    (is_crate && !inherits).then(|| LINTS.finding(&file.path, 1, "this crate makes its own rules"))
}

#[cfg(test)]
mod tests {
    use super::super::tree::File;
    use super::check;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn broken(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let file = File::new(path, text);
        crate::tidy::places(check(&file))
    }

    #[test]
    fn our_crates_come_first_and_names_rise() {
        let good = "[workspace.dependencies]\ngx-b = { path = \"b\" }\n\na = \"1\"\n# zebra = 1\n\
                    b = { version = \"1\", features = [\n  \"a\",\n] }\nc.workspace = true\n";
        assert_eq!(broken("Cargo.toml", good), []);
        let bad = "[dependencies]\nb = \"1\"\na = \"1\"\n\n[dev-dependencies]\na = \"1\"\n\
                   gx-a.workspace = true\n";
        let expected = [("sorted-dependencies", 3), ("sorted-dependencies", 7)];
        assert_eq!(broken("Cargo.toml", bad), expected);
        assert_eq!(broken("other.toml", bad), []);
    }

    #[test]
    fn every_crate_inherits_the_lints() {
        let package = "[package]\nname = \"a\"\n\n";
        assert_eq!(broken("a/Cargo.toml", &format!("{package}{LINTS}")), []);
        assert_eq!(broken("a/Cargo.toml", package), [("workspace-lints", 1)]);
        let own = format!("{package}[lints]\nrust.unsafe_code = \"allow\"\n");
        assert_eq!(broken("a/Cargo.toml", &own), [("workspace-lints", 1)]);
    }
}
