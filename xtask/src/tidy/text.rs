//! Rules for every text file: white space, headings, secrets, and paths of somebody's machine.
//!
//! The patterns are put together from pieces, so that this file does not match itself.

use super::tree::File;
use super::{Finding, Rule};

const TRAILING_SPACE: Rule = Rule { name: "trailing-space", remedy: "delete it" };
const ONE_TITLE: Rule =
    Rule { name: "one-title", remedy: "keep exactly one heading of the first level" };
const SECRET: Rule = Rule {
    name: "secret",
    remedy: "remove it, make a new one, and generate test keys at run time",
};
const MACHINE_PATH: Rule = Rule {
    name: "machine-path",
    remedy: "write it relative to the repository or make it a setting",
};

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = trailing_space(file);
    findings.extend(one_title(file));
    findings.extend(containing(file, SECRET, &SECRETS));
    findings.extend(containing(file, MACHINE_PATH, &MACHINE_PATHS));
    findings
}

/// Tables of data are left as they came; CSV ends its lines with CR and LF.
fn trailing_space(file: &File) -> Vec<Finding> {
    if file.has_extension("csv") {
        return Vec::new();
    }
    let lines = file.lines().filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
    lines.map(|(n, _)| TRAILING_SPACE.finding(&file.path, n, "white space ends the line")).collect()
}

/// Markdown files have one title. Lines of code blocks that begin with `#` are comments.
fn one_title(file: &File) -> Vec<Finding> {
    if !file.has_extension("md") {
        return Vec::new();
    }
    let mut in_code = false;
    let mut titles = Vec::new();
    for (n, line) in file.lines() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            in_code = !in_code;
        } else if !in_code && line.starts_with("# ") {
            titles.push(n);
        }
    }
    match titles.as_slice() {
        [_] => Vec::new(),
        [] => vec![ONE_TITLE.finding(&file.path, 1, "this page has no title")],
        [_, more @ ..] => {
            let text = "another title on the same page";
            more.iter().map(|n| ONE_TITLE.finding(&file.path, *n, text)).collect()
        }
    }
}

/// The beginnings of keys and tokens as their issuers write them.
const SECRETS: [&str; 7] = [
    concat!("BEGIN ", "PRIVATE KEY"),
    concat!("BEGIN EC ", "PRIVATE KEY"),
    concat!("BEGIN RSA ", "PRIVATE KEY"),
    concat!("BEGIN OPENSSH ", "PRIVATE KEY"),
    concat!("BEGIN ENCRYPTED ", "PRIVATE KEY"),
    concat!("gh", "p_"),
    concat!("AK", "IA"),
];

/// Folders that exist on one machine only.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Use", "rs/"), concat!("/tmp/", "gx/")];

fn containing(file: &File, rule: Rule, patterns: &[&str]) -> Vec<Finding> {
    let found = file.lines().filter_map(|(n, line)| {
        let pattern = patterns.iter().find(|pattern| line.contains(**pattern))?;
        Some(rule.finding(&file.path, n, format!("'{pattern}' stands here")))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::File;
    use super::check;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        crate::tidy::places(check(&File::new(path, text)))
    }

    #[test]
    fn lines_end_with_their_last_letter() {
        assert_eq!(rules("a.toml", "a = 1\n\nb = 2\n"), []);
        assert_eq!(rules("a.csv", "a,b\r\n"), []);
        let bad = rules("a.toml", "a = 1 \nb = 2\nc = 3\t\nd = 4\r\n");
        assert_eq!(bad, [("trailing-space", 1), ("trailing-space", 3), ("trailing-space", 4)]);
    }

    #[test]
    fn a_page_has_one_title() {
        assert_eq!(rules("a.md", "# A\n## B\n```sh\n# a comment\n```\n"), []);
        assert_eq!(rules("a.md", "## B\n"), [("one-title", 1)]);
        assert_eq!(rules("a.md", "# A\ntext\n# B\n"), [("one-title", 3)]);
        assert_eq!(rules("a.sh", "no page\n"), []);
    }

    #[test]
    fn keys_and_tokens_stay_out() {
        assert_eq!(rules("a.pem", "-----BEGIN CERTIFICATE-----\n"), []);
        let key = concat!("-----BEGIN EC ", "PRIVATE KEY-----\n");
        assert_eq!(rules("a.pem", key), [("secret", 1)]);
        let token = concat!("token = gh", "p_0123456789\n");
        assert_eq!(rules("a.toml", token), [("secret", 1)]);
    }

    #[test]
    fn paths_of_one_machine_stay_out() {
        assert_eq!(rules("a.md", "# A\n/var/lib/gx/ledger\n"), []);
        let path = concat!("# A\ncd /wo", "rk/main\n");
        assert_eq!(rules("a.md", path), [("machine-path", 2)]);
    }
}
