//! Rules for Rust files: size, module documentation, unfinished work, sleeping tests, and what the
//! pure crates must not contain.
//!
//! The length of functions and the printing to standard output are clippy's.

use super::source::{Kind, Token, tokens};
use super::tree::File;
use super::{Finding, Rule};

const MAX_LINES: usize = 800;
const MAX_COLUMNS: usize = 100;

const PARSE: Rule = Rule { name: "parse", remedy: "make it compile" };
const MODULE_DOCS: Rule = Rule {
    name: "module-docs",
    remedy: "begin the file with two to five lines of //!: what it is, why, what it must not do",
};
const FILE_LENGTH: Rule = Rule { name: "file-length", remedy: "divide it by subject" };
const LINE_LENGTH: Rule = Rule { name: "line-length", remedy: "break the line" };
const UNFINISHED: Rule =
    Rule { name: "unfinished", remedy: "finish it or take it out; what is not built is not there" };
const SKIPPED_TEST: Rule =
    Rule { name: "skipped-test", remedy: "let it run; assert the error instead of the panic" };
const SLEEPING_TEST: Rule = Rule {
    name: "sleeping-test",
    remedy: "wait for a condition, in a function that gives up at a `deadline`",
};
const FLOAT: Rule = Rule { name: "float", remedy: "count in whole units (Qirat, basis points)" };
const DETERMINISM: Rule = Rule {
    name: "determinism",
    remedy: "take the time from the context and keep things in BTreeMap, BTreeSet or Vec",
};

pub(super) fn check(file: &File) -> Vec<Finding> {
    if !file.has_extension("rs") {
        return Vec::new();
    }
    let mut findings = Vec::from_iter(module_docs(file));
    findings.extend(file_length(file));
    findings.extend(line_length(file));
    match tokens(&file.path, &file.text) {
        Err(line) => findings.push(PARSE.finding(&file.path, line, "this is not Rust")),
        Ok(tokens) => {
            findings.extend(unfinished(file, &tokens));
            findings.extend(skipped_test(file, &tokens));
            findings.extend(sleeping_test(file, &tokens));
            findings.extend(float(file, &tokens));
            findings.extend(determinism(file, &tokens));
        }
    }
    findings
}

fn module_docs(file: &File) -> Option<Finding> {
    let documented = file.text.starts_with("//! ");
    (!documented).then(|| MODULE_DOCS.finding(&file.path, 1, "the file does not say what it is"))
}

fn file_length(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let text = format!("{lines} lines are more than {MAX_LINES}");
    (lines > MAX_LINES).then(|| FILE_LENGTH.finding(&file.path, lines, text))
}

fn line_length(file: &File) -> Vec<Finding> {
    let columns = file.lines().map(|(n, line)| (n, line.chars().count()));
    let long = columns.filter(|(_, columns)| *columns > MAX_COLUMNS);
    let text = |columns| format!("{columns} columns are more than {MAX_COLUMNS}");
    long.map(|(n, columns)| LINE_LENGTH.finding(&file.path, n, text(columns))).collect()
}

fn unfinished(file: &File, tokens: &[Token]) -> Vec<Finding> {
    let marks = ["todo", "unimplemented", "dbg"];
    let found = tokens.windows(2).filter_map(|pair| {
        let [word, sign] = pair else { return None };
        let called = marks.iter().any(|mark| word.is(mark)) && sign.is("!");
        called.then(|| UNFINISHED.finding(&file.path, word.line, format!("{}! is left", word.text)))
    });
    found.collect()
}

fn skipped_test(file: &File, tokens: &[Token]) -> Vec<Finding> {
    let found = tokens
        .iter()
        .filter(|token| token.place.attribute && (token.is("ignore") || token.is("should_panic")));
    let text = |token: &Token| format!("a test with the attribute {}", token.text);
    found.map(|token| SKIPPED_TEST.finding(&file.path, token.line, text(token))).collect()
}

/// Test code sleeps only between two looks at a condition, and only up to a deadline.
fn sleeping_test(file: &File, tokens: &[Token]) -> Vec<Finding> {
    const CALLS: [&str; 3] = ["sleep", "sleep_ms", "sleep_until"];
    let text = "a test that sleeps is slow on good days and wrong on bad ones";
    let found = tokens.windows(2).filter_map(|pair| {
        let [word, sign] = pair else { return None };
        let called = sign.is("(") && CALLS.iter().any(|name| word.is(name));
        let wrong = called && word.place.test && !word.place.deadline;
        wrong.then(|| SLEEPING_TEST.finding(&file.path, word.line, text))
    });
    found.collect()
}

/// Money and everything that nodes must agree on is counted in integers. Tests may weigh by chance.
fn float(file: &File, tokens: &[Token]) -> Vec<Finding> {
    if !is_pure(file) {
        return Vec::new();
    }
    let product = tokens.iter().filter(|token| !token.place.test);
    let found = product.filter(|token| match token.kind {
        Kind::Word => token.is("f32") || token.is("f64"),
        Kind::Literal => is_float(&token.text),
        Kind::Sign => false,
    });
    let text = |token: &Token| format!("'{}' is a float", token.text);
    found.map(|token| FLOAT.finding(&file.path, token.line, text(token))).collect()
}

fn is_float(literal: &str) -> bool {
    let number = literal.starts_with(|c: char| c.is_ascii_digit()) && !literal.starts_with("0x");
    number && (literal.contains('.') || literal.contains("f32") || literal.contains("f64"))
}

/// The contract computes the same on every node and at every replay.
fn determinism(file: &File, tokens: &[Token]) -> Vec<Finding> {
    const BANNED: [&str; 5] = ["HashMap", "HashSet", "Instant", "SystemTime", "RandomState"];
    if file.inside("crates/gx-contract/src").is_none() {
        return Vec::new();
    }
    let found = tokens.iter().filter(|token| BANNED.iter().any(|word| token.is(word)));
    let text = |token: &Token| format!("{} differs from node to node", token.text);
    found.map(|token| DETERMINISM.finding(&file.path, token.line, text(token))).collect()
}

fn is_pure(file: &File) -> bool {
    ["crates/gx-types/src", "crates/gx-contract/src"].iter().any(|at| file.inside(at).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::tree::File;
    use super::check;

    const CONTRACT: &str = "crates/gx-contract/src/a.rs";
    const SERVER: &str = "crates/gx-server/src/a.rs";
    const TEST: &str = "crates/gx-server/tests/it/a.rs";

    /// The rules that a file with this body breaks, with the lines; the first line is the docs.
    fn broken(path: &str, body: &str) -> Vec<(&'static str, usize)> {
        let file = File::new(path, &format!("//! What it is.\n{body}\n"));
        crate::tidy::places(check(&file))
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert_eq!(broken(SERVER, "fn a() {}"), []);
        let bad = check(&File::new(SERVER, "fn a() {}\n"));
        assert_eq!(bad[0].rule, "module-docs");
        assert_eq!(check(&File::new("a.sql", "SELECT 1;\n")), []);
    }

    #[test]
    fn files_and_lines_stay_short() {
        assert_eq!(broken(SERVER, &"\n".repeat(798)), []);
        assert_eq!(broken(SERVER, &"\n".repeat(799)), [("file-length", 801)]);
        let comment = |columns: usize| format!("// {}", "ä".repeat(columns - 3));
        assert_eq!(broken(SERVER, &comment(100)), []);
        assert_eq!(broken(SERVER, &comment(101)), [("line-length", 2)]);
    }

    #[test]
    fn nothing_is_left_unfinished() {
        assert_eq!(broken(SERVER, "// todo!()\nfn todo() { let a = \"dbg!\"; }"), []);
        let bad = "fn a() { todo!() }\nfn b() { unimplemented!() }\nfn c() { dbg!(1); }";
        assert_eq!(broken(SERVER, bad), [("unfinished", 2), ("unfinished", 3), ("unfinished", 4)]);
    }

    #[test]
    fn every_test_runs_and_asserts() {
        assert_eq!(broken(TEST, "#[test]\nfn a() { ignore(); }"), []);
        assert_eq!(broken(TEST, "#[test]\n#[ignore]\nfn a() {}"), [("skipped-test", 3)]);
        assert_eq!(broken(TEST, "#[test]\n#[should_panic]\nfn a() {}"), [("skipped-test", 3)]);
    }

    #[test]
    fn tests_sleep_only_towards_a_deadline() {
        let sleep = "async fn a() { tokio::time::sleep(STEP).await; }";
        assert_eq!(broken(SERVER, sleep), []);
        assert_eq!(broken(TEST, sleep), [("sleeping-test", 2)]);
        let wait = "fn a() { while now() < deadline { if done() { return; } sleep(STEP); } }";
        assert_eq!(broken(TEST, wait), []);
        let unit = "#[cfg(test)]\nmod tests {\n fn a() { std::thread::sleep(STEP); }\n}";
        assert_eq!(broken(SERVER, unit), [("sleeping-test", 4)]);
    }

    #[test]
    fn the_pure_crates_count_in_integers() {
        assert_eq!(broken(CONTRACT, "const A: (u64, u8) = (1_000, 0x1f);\n// 1.5\n"), []);
        assert_eq!(broken(CONTRACT, "fn a(b: &(u8, u8)) -> u8 { b.0 }"), []);
        assert_eq!(broken(CONTRACT, "fn a(b: f64) {}"), [("float", 2)]);
        assert_eq!(broken(CONTRACT, "const A: u64 = (2.5 * B) as u64;"), [("float", 2)]);
        assert_eq!(broken(SERVER, "fn a(b: f64) {}"), []);
        assert_eq!(broken("crates/gx-contract/src/tests/a.rs", "const A: f64 = 0.5;"), []);
    }

    #[test]
    fn the_contract_is_deterministic() {
        assert_eq!(broken(CONTRACT, "use std::collections::BTreeMap; // HashMap"), []);
        assert_eq!(broken(CONTRACT, "use std::collections::HashMap;"), [("determinism", 2)]);
        assert_eq!(broken(CONTRACT, "use std::time::Instant;"), [("determinism", 2)]);
        assert_eq!(broken(SERVER, "use std::time::Instant;"), []);
    }
}
