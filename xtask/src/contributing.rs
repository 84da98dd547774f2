//! `cargo xtask contributing`: whether the list of CONTRIBUTING.md that adds a command is true.
//!
//! In a copy of the tree it does what the list says with a command that means nothing, and runs the
//! tests there. What the list forgets fails them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

const NEW: [&str; 9] = [
    "xtask",
    "new",
    "command",
    "GovernanceContract:NoteReview",
    "ReviewNoted",
    "--file",
    "admin/system",
    "--path",
    "/api/v1/admin/system/review",
];

/// What somebody writes who fills in what the tests name: file, the text before which it goes, and
/// the text.
const FILLED: [(&str, &str, &str); 10] = [
    (
        "crates/gx-contract/src/tests/notation.rs",
        "        \"SetVelocityTaxExempt\" => {",
        "        \"NoteReview\" => crate::governance::NoteReview {}.into(),\n",
    ),
    (
        "crates/gx-contract/src/tests/refusals.rs",
        "    Table {\n        line: \"{actor} PauseSystem {reason}\"",
        "    Table {
        line: \"{actor} NoteReview\",
        good: \"actor=admin:clerk\",
        applied: \"ReviewNoted\",
        faults: \"
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=user:alice.IN\",
    },\n",
    ),
    (
        "crates/gx-contract/src/tests/governance.rs",
        "#[test]\n",
        "#[test]
fn a_review_is_noted() {
    check(\"world IN=100000000\\nadmin:root NoteReview => ReviewNoted\");
}\n\n",
    ),
    (
        "crates/gx-contract/src/tests/histories.rs",
        "        1 => (any_account(), any::<bool>()).prop_map(|(account_id, exempt)| {",
        "        1 => Just(crate::governance::NoteReview {}.into()),\n",
    ),
    (
        "crates/gx-contract/src/tests/golden/governed.rs",
        "    add(\"plain\", SetVelocityTaxExempt {",
        "    add(\"plain\", crate::governance::NoteReview {}.into());\n",
    ),
    (
        "crates/gx-contract/src/tests/golden/samples.rs",
        "    add(\"plain\", SystemResumed {",
        "    add(\"plain\", crate::governance::ReviewNoted {}.into());\n",
    ),
    (
        "crates/gx-store/tests/it/story.rs",
        "        self.root(SetVelocityTaxExempt { account_id: self.people[7]",
        "        self.root(gx_contract::governance::NoteReview {});\n",
    ),
    (
        "crates/gx-fabric/tests/it/script.rs",
        "        self.step(root(), SetVelocityTaxExempt {",
        "        self.step(root(), gx_contract::governance::NoteReview {});\n",
    ),
    (
        "crates/gx-workbench/src/bench/contract/cases.rs",
        "    \"AdminContract:ApproveAction\": Never",
        "    \"GovernanceContract:NoteReview\": Never, admins::note_review,
        [\"ReviewNoted\"], \"means nothing\";\n",
    ),
    (
        "crates/gx-workbench/src/bench/contract/admins.rs",
        "pub(super) fn approve_action(",
        "pub(super) fn note_review(town: &mut Town) -> Result<Trial> {
    let order = (By::First, gx_contract::governance::NoteReview {}.into());
    let orders = std::iter::repeat_n(order, town.count()).collect();
    Ok(town.trial(Role::Admin, orders))
}\n\n",
    ),
];

/// The packages whose tests the list speaks of.
const TESTS: &str = "package(gx-contract) + package(gx-store) + package(gx-workbench) \
                     + (package(gx-server) & test(/coverage/)) + package(xtask)";

pub(crate) fn run() -> Result<()> {
    let root = process::root();
    let copy = root.join("target/contributing");
    copy_tree(&root, &copy)?;
    let cargo = |args: &[&str]| {
        let mut command = process::cargo(args);
        // Not the folder of this tree: programs of the same name would take each other's place.
        command.current_dir(&copy).env("CARGO_TARGET_DIR", copy.join("target"));
        command
    };
    process::run(&mut cargo(&NEW))?;
    for (file, before, text) in FILLED {
        fill(&copy.join(file), before, text).with_context(|| format!("filling {file}"))?;
    }
    let golden = ["test", "--quiet", "--package", "gx-contract", "--lib", "golden"];
    process::run(cargo(&golden).env("GX_UPDATE_GOLDEN", "1"))?;
    process::run(&mut cargo(&["xtask", "gen"]))?;
    process::run(&mut cargo(&["xtask", "test", "--workspace", "--filterset", TESTS]))?;
    eprintln!("the list is true");
    Ok(())
}

/// What git knows and what it would: not what is built.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    // What was built there before stays, so that the next time is shorter.
    for entry in fs::read_dir(to).into_iter().flatten() {
        let path = entry?.path();
        match path.is_dir() {
            true if path.ends_with("target") => {}
            true => fs::remove_dir_all(path)?,
            false => fs::remove_file(path)?,
        }
    }
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    for file in process::output(&mut process::command("git", &args))?.lines() {
        let (source, target) = (from.join(file), to.join(file));
        if source.is_file() {
            fs::create_dir_all(target.parent().unwrap_or(to))?;
            fs::copy(&source, &target)?;
        }
    }
    // Tidy asks git for the files.
    let git = |args: &[&str]| process::run(Command::new("git").args(args).current_dir(to));
    git(&["init", "--quiet"])?;
    git(&["add", "--all"])
}

fn fill(path: &Path, before: &str, more: &str) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let Some(at) = text.find(before) else { bail!("there is no {before:?}") };
    let (head, tail) = text.split_at(at);
    fs::write(path, format!("{head}{more}{tail}"))?;
    Ok(())
}
