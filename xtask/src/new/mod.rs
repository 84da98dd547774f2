//! `cargo xtask new`: the skeletons of a command, a route, or a migration.
//!
//! What it writes compiles and does nothing yet; the tests of what is missing fail until it is
//! filled. Nothing is written unless all places were found.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use gx_contract::{Command as Known, Event};

use crate::process;

/// What to begin.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// A command of the contract with its event, their projection, and the route to give it by.
    Command(CommandArgs),
    /// A route of a service.
    Route(RouteArgs),
    /// A step of the schema.
    Migration {
        /// A word or some, with underscores: `account_notes`.
        what: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct CommandArgs {
    /// `Contract:Function`, of a contract that there is: `GovernanceContract:CloseProposal`.
    name: String,
    /// What has happened then, in the past tense: `ProposalClosed`.
    event: String,
    /// The file of `gx-server` that has the route: `admin/system`.
    #[arg(long)]
    file: String,
    /// The path of the route: `/api/v1/admin/proposals/{proposalId}/close`.
    #[arg(long)]
    path: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RouteArgs {
    /// The file of `gx-server` that has it: `tokenomics/supply`.
    #[arg(long)]
    file: String,
    /// The path: `/api/v1/supply/burned`.
    #[arg(long)]
    path: String,
    /// The handler's name: `burned`.
    handler: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let root = process::root();
    let mut plan = Plan::new(&root);
    let next = match args {
        Args::Command(args) => plan.command(args)?,
        Args::Route(args) => plan.route(args)?,
        Args::Migration { what } => plan.migration(what)?,
    };
    plan.write()?;
    process::run(&mut process::cargo(&["fmt", "--all"]))?;
    println!("{next}");
    Ok(())
}

/// Files as they will be.
#[derive(Debug)]
struct Plan<'r> {
    root: &'r Path,
    files: Vec<(String, String)>,
}

impl<'r> Plan<'r> {
    fn new(root: &'r Path) -> Self {
        Self { root, files: Vec::new() }
    }

    fn command(&mut self, args: &CommandArgs) -> Result<String> {
        let CommandArgs { name, event, file, path } = args;
        let (contract, function) = name.split_once(':').context("a name is Contract:Function")?;
        for word in [function, event] {
            let is_plain = word.chars().all(|letter| letter.is_ascii_alphanumeric());
            if !is_plain || !word.starts_with(|letter: char| letter.is_ascii_uppercase()) {
                bail!("{word:?} is not a name in the form of the others");
            }
        }
        if Known::NAMES.contains(&name.as_str()) || Event::NAMES.contains(&event.as_str()) {
            bail!("{name} or {event} is there already");
        }
        let prefix = format!("{contract}:");
        if !Known::NAMES.iter().any(|known| known.starts_with(&prefix)) {
            bail!("there is no {contract}; a new one begins with a module of gx-contract");
        }
        let module = contract.strip_suffix("Contract").map(snake).unwrap_or_default();
        let (handler, told) = (snake(function), snake(event));
        let fill = |template: &str| {
            let marks = [
                ("$Function", function),
                ("$Event", event.as_str()),
                ("$event", told.as_str()),
                ("$module", module.as_str()),
                ("$handler", handler.as_str()),
                ("$path", path.as_str()),
            ];
            marks.iter().fold(template.to_owned(), |text, (mark, word)| text.replace(mark, word))
        };

        let single = format!("crates/gx-contract/src/{module}.rs");
        let folder = format!("crates/gx-contract/src/{module}/mod.rs");
        let rules = if self.root.join(&single).exists() { single } else { folder };
        self.append(&rules, &fill(include_str!("templates/rule.txt")))?;

        let surface = "crates/gx-contract/src/surface.rs";
        let line = format!("        {function} = {name:?} in {module},\n");
        self.insert(surface, "    }\n    events {\n        System", &line)?;
        let line = format!("        {event} in {module},\n");
        self.insert(surface, "    }\n    queries {\n        Get", &line)?;

        let arm = fill("        Event::$Event(event) => $module::$event(projection, at, event),\n");
        self.insert_last("crates/gx-store/src/projection/fold.rs", "    }\n}\n", &arm)?;
        let projection = format!("crates/gx-store/src/projection/{module}.rs");
        self.append(&projection, &fill(include_str!("templates/projection.txt")))?;

        let row = fill(include_str!("templates/post_row.txt"));
        self.row(file, &row, &fill(include_str!("templates/post.txt")))?;
        Ok(format!(
            "{name} is begun in {rules}. Fill it, and what these tests name:\n  cargo xtask test \
             --workspace -E 'package(gx-contract) + package(gx-store) + package(gx-workbench) + \
             package(gx-server)'"
        ))
    }

    fn route(&mut self, args: &RouteArgs) -> Result<String> {
        let RouteArgs { file, path, handler } = args;
        let fill = |template: &str| {
            let reply = format!("{}Reply", pascal(handler));
            let filled = template.replace("$Reply", &reply);
            filled.replace("$handler", handler).replace("$path", path)
        };
        let row = fill(include_str!("templates/get_row.txt"));
        self.row(file, &row, &fill(include_str!("templates/get.txt")))?;
        Ok(format!(
            "GET {path} is begun in crates/gx-server/src/{file}.rs, for users. Write its query in \
             gx-store and its test in gx-server/tests/it; then: cargo xtask gen"
        ))
    }

    /// A row in a file's table of routes, and its handler at the file's end.
    fn row(&mut self, file: &str, row: &str, endpoint: &str) -> Result<()> {
        let path = format!("crates/gx-server/src/{file}.rs");
        let text = self.text(&path)?;
        let count = text.split_once("-> [Route; ").and_then(|(_, rest)| rest.split_once(']'));
        let count: usize = count
            .and_then(|(count, _)| count.parse().ok())
            .with_context(|| format!("{path} has no table of routes"))?;
        let more = count.saturating_add(1);
        let text = text.replacen(&format!("[Route; {count}]"), &format!("[Route; {more}]"), 1);
        self.set(&path, text);
        self.insert(&path, "    ]\n}\n", row)?;
        self.append(&path, endpoint)
    }

    fn migration(&mut self, what: &str) -> Result<String> {
        if what.is_empty() || what.contains(|c: char| !c.is_ascii_lowercase() && c != '_') {
            bail!("{what:?} is not some words in small letters with underscores");
        }
        let path = "crates/gx-store/src/migrate/mod.rs";
        let text = self.text(path)?;
        let version = text.split_once("SCHEMA_VERSION: i64 = ").and_then(|(_, rest)| {
            rest.split_once(';').and_then(|(version, _)| version.parse::<u32>().ok())
        });
        let last = version.with_context(|| format!("{path} says no version"))?;
        let version = last.saturating_add(1);
        let bump = |number| format!("SCHEMA_VERSION: i64 = {number};");
        self.set(path, text.replacen(&bump(last), &bump(version), 1));
        let file = format!("{version:04}_{what}.sql");
        let line = format!(
            "    Migration {{ version: {version}, name: {what:?}, both: \
             include_str!(\"sql/{file}\"), postgres: \"\" }},\n"
        );
        self.insert(path, "];\n\n/// The schema version", &line)?;
        let sql = format!("crates/gx-store/src/migrate/sql/{file}");
        self.set(&sql, format!("-- {what}: say what it is for, and who writes it.\n"));
        Ok(format!(
            "{sql} is begun; its tables and columns go into crates/gx-store/tests/it/migrations.rs"
        ))
    }

    fn text(&self, path: &str) -> Result<String> {
        let planned = self.files.iter().find(|(name, _)| name == path);
        planned.map(|(_, text)| text.clone()).map_or_else(
            || {
                let file = self.root.join(path);
                fs::read_to_string(file).with_context(|| format!("there is no {path}"))
            },
            Ok,
        )
    }

    fn set(&mut self, path: &str, text: String) {
        match self.files.iter_mut().find(|(name, _)| name == path) {
            Some((_, planned)) => *planned = text,
            None => self.files.push((path.to_owned(), text)),
        }
    }

    fn append(&mut self, path: &str, more: &str) -> Result<()> {
        let text = self.text(path)?;
        // Tests stay at the end.
        let at = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let (before, tests) = text.split_at(at);
        let gap = if tests.is_empty() { "" } else { "\n" };
        self.set(path, format!("{}\n{more}{gap}{tests}", before.trim_end()));
        Ok(())
    }

    fn insert(&mut self, path: &str, before: &str, more: &str) -> Result<()> {
        let text = self.text(path)?;
        let at = text.find(before).with_context(|| format!("{path} has no {before:?}"))?;
        let (head, tail) = text.split_at(at);
        self.set(path, format!("{head}{more}{tail}"));
        Ok(())
    }

    fn insert_last(&mut self, path: &str, before: &str, more: &str) -> Result<()> {
        let text = self.text(path)?;
        let at = text.rfind(before).with_context(|| format!("{path} has no {before:?}"))?;
        let (head, tail) = text.split_at(at);
        self.set(path, format!("{head}{more}{tail}"));
        Ok(())
    }

    fn write(&self) -> Result<()> {
        for (path, text) in &self.files {
            fs::write(self.root.join(path), text)
                .with_context(|| format!("could not write {path}"))?;
            println!("{path}");
        }
        Ok(())
    }
}

/// `CloseProposal` as `close_proposal`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// `close_proposal` as `CloseProposal`.
fn pascal(name: &str) -> String {
    let words = name.split('_').filter_map(|word| word.split_at_checked(1));
    words.map(|(first, rest)| first.to_ascii_uppercase() + rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(name: &str, event: &str) -> CommandArgs {
        CommandArgs {
            name: name.to_owned(),
            event: event.to_owned(),
            file: "admin/system".to_owned(),
            path: "/api/v1/admin/system/review".to_owned(),
        }
    }

    fn parses(path: &str, text: &str) -> bool {
        !path.ends_with(".rs") || text.parse::<proc_macro2::TokenStream>().is_ok()
    }

    #[test]
    fn skeletons_find_their_places_and_parse() {
        let root = process::root();
        let mut plan = Plan::new(&root);
        plan.command(&command("GovernanceContract:NoteThought", "ThoughtNoted")).unwrap();
        plan.command(&command("IdentityContract:NoteVisit", "VisitNoted")).unwrap();
        let file = "tokenomics/supply".to_owned();
        let (path, handler) = ("/api/v1/supply/burned".to_owned(), "burned".to_owned());
        plan.route(&RouteArgs { file, path, handler }).unwrap();
        plan.migration("account_notes").unwrap();
        for (path, text) in &plan.files {
            assert!(parses(path, text), "{path}\n{text}");
            let marks = ["$Function", "$Event", "$Reply", "$handler", "$path"];
            assert!(!marks.iter().any(|mark| text.contains(mark)), "{path}\n{text}");
        }
        let text = |path: &str| plan.text(path).unwrap();
        let surface = text("crates/gx-contract/src/surface.rs");
        assert!(
            surface.contains("NoteThought = \"GovernanceContract:NoteThought\" in governance,")
        );
        let fold = text("crates/gx-store/src/projection/fold.rs");
        assert!(fold.contains("Event::VisitNoted(event) => identity::visit_noted("));
        assert!(text("crates/gx-server/src/tokenomics/supply.rs").contains("BurnedReply"));
        assert!(text("crates/gx-store/src/migrate/mod.rs").contains("_account_notes.sql"));
        // Nothing is written by planning.
        assert!(
            !fs::read_to_string(root.join("crates/gx-contract/src/surface.rs"))
                .unwrap()
                .contains("NoteThought")
        );
    }

    #[test]
    fn what_cannot_be_begun_is_said_before_anything_is_written() {
        let root = process::root();
        let mut plan = Plan::new(&root);
        for (name, event, part) in [
            ("Transfer", "Sent", "a name is Contract:Function"),
            ("TokenomicsContract:Transfer", "Sent", "is there already"),
            ("TokenomicsContract:send", "Sent", "not a name in the form of the others"),
            ("WeatherContract:Rain", "Rained", "there is no WeatherContract"),
        ] {
            let error = plan.command(&command(name, event)).unwrap_err().to_string();
            assert!(error.contains(part), "{name}: {error}");
        }
        assert!(plan.migration("Account Notes").is_err());
        let file = "tokenomics/nothing".to_owned();
        let (path, handler) = ("/x".to_owned(), "x".to_owned());
        assert!(plan.route(&RouteArgs { file, path, handler }).is_err());
        assert!(plan.files.is_empty());
    }

    /// The files that CONTRIBUTING.md names are there.
    #[test]
    fn the_lists_for_contributors_name_files_that_exist() {
        let root = process::root();
        let page = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
        let named = page.split('`').filter(|word| {
            word.starts_with("crates/") && !word.contains(['<', ' ']) && !word.contains("NNNN")
        });
        let missing: Vec<&str> = named.filter(|path| !root.join(path).exists()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
