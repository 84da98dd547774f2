//! Handlers are short: what a route does is an action that others can call too.

use std::collections::BTreeSet;

use super::source::{Kind, Token, tokens};
use super::tree::{File, Tree};
use super::{Finding, Rule};

const HANDLER: Rule = Rule {
    name: "handler-length",
    remedy: "move the work into a function that takes values and returns them",
};

/// Lines between the braces of a handler.
const LONGEST: usize = 15;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let inside = tree.files().iter().filter(|file| file.inside("crates/gx-server/src").is_some());
    inside.flat_map(long_handlers).collect()
}

fn long_handlers(file: &File) -> Vec<Finding> {
    // A file that does not parse is reported by another rule.
    let tokens = tokens(&file.path, &file.text).unwrap_or_default();
    let handlers: BTreeSet<&str> = tokens.windows(8).filter_map(handler).collect();
    let mut findings = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [function, name] = pair else { continue };
        if !function.is("fn") || !handlers.contains(name.text.as_str()) || name.place.test {
            continue;
        }
        let Some((first, last)) = body(&tokens[at..]) else { continue };
        let lines = last.saturating_sub(first).saturating_sub(1);
        if lines > LONGEST {
            let problem = format!("{} has {lines} lines, more than {LONGEST}", name.text);
            findings.push(HANDLER.finding(&file.path, name.line, problem));
        }
    }
    findings
}

/// The handler of `Route::verb("/path", handler)`.
fn handler(tokens: &[Token]) -> Option<&str> {
    let [route, one, two, _, open, path, comma, handler] = tokens else { return None };
    let signs = route.is("Route") && one.is(":") && two.is(":") && open.is("(") && comma.is(",");
    let kinds = path.kind == Kind::Literal && handler.kind == Kind::Word;
    (signs && kinds).then_some(handler.text.as_str())
}

/// The lines of the braces around a function's body.
fn body(tokens: &[Token]) -> Option<(usize, usize)> {
    let (mut depth, mut first) = (0_usize, None);
    for token in tokens {
        if token.is("{") {
            first = first.or(Some(token.line));
            depth += 1;
        } else if token.is("}") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some((first?, token.line));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::check;

    #[test]
    fn only_handlers_that_are_too_long_are_found() {
        let long = "    work();\n".repeat(16);
        let text = format!(
            "fn routes() {{ [Route::get(\"/a\", one), Route::post(\"/b\", two)] }}\n\
             async fn one() {{\n{long}}}\nasync fn two() {{\n    work();\n}}\n\
             fn other() {{\n{long}}}\n"
        );
        let found = check(&Tree::new([("crates/gx-server/src/a.rs", &*text)]));
        let found: Vec<String> = found.into_iter().map(|finding| finding.evidence).collect();
        assert_eq!(found, ["one has 16 lines, more than 15"]);
    }
}
