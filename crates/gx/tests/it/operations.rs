//! The pages of `docs/operations`: what they say to type exists, and what can be run here does what
//! they show.
//!
//! A block that is marked `sh` has commands; `run` after it means that it is run here, with the
//! platform `running` or `stopped`. A block `text` after such a one is what is seen, in order; `…`
//! stands for anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gx_workbench::child::Child;

use crate::place::{GX, Place};

/// The text between two fences, and what stands behind the first.
#[derive(Debug)]
struct Block {
    mark: String,
    text: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations")
}

/// The pages by name.
fn pages() -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let page = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let pages: BTreeMap<String, String> = entries.map(page).collect();
    assert!(pages.len() > 10, "{:?}", pages.keys());
    pages
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    // The block that is open, and how far its lines are indented.
    let mut open: Option<(Block, usize)> = None;
    for line in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (open.take(), fence) {
            (None, Some(mark)) => {
                let indent = line.len() - line.trim_start().len();
                let block = Block { mark: mark.trim().to_owned(), text: String::new() };
                open = Some((block, indent));
            }
            (Some((block, _)), Some(_)) => found.push(block),
            (Some((mut block, indent)), None) => {
                block.text.push_str(line.get(indent..).unwrap_or_default());
                block.text.push('\n');
                open = Some((block, indent));
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// The arguments of the calls of `gx` in a line: at its start, behind `sudo -u gx`, or behind the
/// `--` of another program.
fn calls(line: &str) -> Vec<Vec<String>> {
    const ENDS: [&str; 6] = ["|", ">", "&&", ";", "&", "<"];
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| **word == "gx") {
        let before = &words[..at];
        let begins = before.is_empty()
            || before == ["sudo", "-u", *word]
            || before.last().is_some_and(|last| *last == "--" || ENDS.contains(last));
        if begins {
            let args = words[at + 1..].iter().take_while(|word| !ENDS.contains(word));
            found.push(args.map(|word| word.trim_matches('\'').to_owned()).collect());
        }
    }
    found
}

/// Asked for help in the end, the command line is read up to there and nothing is done.
#[test]
fn every_command_of_the_pages_exists() {
    let place = Place::new();
    let mut seen = BTreeSet::new();
    for (name, page) in pages() {
        for block in blocks(&page).iter().filter(|block| block.mark.starts_with("sh")) {
            for args in block.text.lines().flat_map(calls) {
                let mut words: Vec<&str> = args.iter().map(String::as_str).collect();
                words.push("--help");
                let run = place.run(&words);
                assert_eq!(run.status, Some(0), "{name}: gx {}: {}", args.join(" "), run.err);
                seen.insert(args.join(" "));
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn calls_are_found_wherever_they_stand() {
    let found = |line| calls(line).iter().map(|args| args.join(" ")).collect::<Vec<_>>();
    assert_eq!(found("gx ledger info | head"), ["ledger info"]);
    assert_eq!(found("sudo -u gx gx --config a.toml config"), ["--config a.toml config"]);
    assert_eq!(found("kubectl exec svc -- gx version"), ["version"]);
    assert_eq!(found("sudo -u postgres createdb --owner gx gx"), [""; 0]);
}

#[test]
fn every_unit_of_the_pages_exists() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd");
    for (name, page) in pages() {
        let words = page.split(|c: char| !c.is_ascii_alphanumeric() && !"-@.*".contains(c));
        for word in words.filter(|word| word.starts_with("gx-") && word.ends_with(".service")) {
            let file = match word.split_once('@') {
                Some((template, _)) => format!("{template}@.service"),
                None => word.to_owned(),
            };
            // A pattern names several.
            let exists = file.contains('*') || units.join(&file).exists();
            assert!(exists, "{name}: {word}");
        }
    }
}

#[test]
fn the_first_page_leads_to_all_others() {
    let pages = pages();
    for (name, page) in &pages {
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let is_here = path.is_empty() || path.contains("://") || folder().join(path).exists();
            assert!(is_here, "{name}: {link}");
        }
        let is_linked = name == "README.md" || pages["README.md"].contains(&format!("({name})"));
        assert!(is_linked, "README.md does not lead to {name}");
    }
}

/// A platform as the pages suppose it: settings in a file, commands given in the data's folder.
struct Host {
    place: Place,
    programs: PathBuf,
    running: Option<Child>,
}

impl Host {
    fn new() -> Self {
        let place = Place::new();
        let programs = place.path().join("bin");
        fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(GX, programs.join("gx")).unwrap();
        let settings = format!("network = \"devnet\"\ndata_dir = {:?}\n", place.data());
        fs::write(place.path().join("gx.toml"), settings).unwrap();
        // The first start makes what there is.
        assert!(place.start().stop().unwrap().success());
        Self { place, programs, running: None }
    }

    fn be(&mut self, mark: &str) {
        if mark.ends_with(" running") {
            self.running.get_or_insert_with(|| self.place.start());
        } else if let Some(running) = self.running.take() {
            assert!(running.stop().unwrap().success());
        }
    }

    fn run(&self, script: &str) -> (bool, String, String) {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-euc", script])
            .current_dir(self.place.data())
            .env_clear()
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env("GX_CONFIG", self.place.path().join("gx.toml"))
            .env("GX_AUTH__ARGON2_MEMORY_KIB", "64")
            .env("LOG_LEVEL", "error")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }
}

/// Whether a line is as a page shows it.
fn is_like(shown: &str, line: &str) -> bool {
    let mut parts = shown.trim_end().split('…');
    let Some(mut rest) = line.trim_end().strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn lines_are_compared_but_for_what_differs() {
    assert!(is_like("key from block …  …", "key from block 3  59be"));
    assert!(is_like("…", "") && is_like("a", "a"));
    assert!(!is_like("a", "ab") && !is_like("a … c", "a b") && !is_like("… b", "a"));
}

#[test]
fn what_the_pages_do_is_what_they_show() {
    let mut count = 0;
    for (name, page) in pages() {
        let blocks = blocks(&page);
        if !blocks.iter().any(|block| block.mark.starts_with("sh run")) {
            continue;
        }
        let mut host = Host::new();
        for (at, block) in blocks.iter().enumerate() {
            if !block.mark.starts_with("sh run") {
                continue;
            }
            host.be(&block.mark);
            let (done, out, err) = host.run(&block.text);
            assert!(done, "{name}: {}\n{out}{err}", block.text);
            let mut lines = out.lines();
            let shown = blocks.get(at + 1).filter(|next| next.mark == "text");
            for line in shown.iter().flat_map(|shown| shown.text.lines()) {
                let is_seen = lines.any(|seen| is_like(line, seen));
                assert!(is_seen, "{name}: {line:?} is not seen in\n{out}");
            }
            count += 1;
        }
        host.be("sh run stopped");
    }
    assert!(count > 10, "{count} blocks were run");
}
