//! Rust source as a flat list of tokens that know whether they are test code.
//!
//! Comments and the insides of strings are no tokens, so that rules about code do not see them.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// One identifier, sign, literal or bracket.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) kind: Kind,
    pub(crate) line: usize,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Sign,
    Literal,
}

/// What a token stands inside of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// Below `#[test]` or `#[cfg(test)]`, or in a file of tests.
    pub(crate) test: bool,
    /// In the brackets of `#[…]`.
    pub(crate) attribute: bool,
    /// In a function that speaks of a deadline.
    pub(crate) deadline: bool,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Literal && self.text == text
    }
}

/// The tokens of a file; a file that rustc would not read either is an error with its line.
pub(crate) fn tokens(path: &str, text: &str) -> Result<Vec<Token>, usize> {
    let stream = TokenStream::from_str(text).map_err(|error| error.span().start().line)?;
    let mut tokens = Vec::new();
    walk(stream, Place { test: is_test_file(path), ..Place::default() }, &mut tokens);
    Ok(tokens)
}

/// Integration tests, and `tests.rs` or `tests/` beside the code they test.
fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

fn walk(stream: TokenStream, place: Place, tokens: &mut Vec<Token>) {
    // An attribute counts for the item after it, which ends with a brace or a semicolon.
    let mut test_item = false;
    let mut function = false;
    let mut previous = String::new();
    for tree in stream {
        let inside = Place { test: place.test || test_item, ..place };
        let line = tree.span().start().line;
        let mut push = |text: String, kind| {
            tokens.push(Token { text, kind, line, place: inside });
        };
        let text = match tree {
            TokenTree::Group(group) => {
                let attribute = previous == "#" && group.delimiter() == Delimiter::Bracket;
                test_item |= attribute && is_test_attribute(&group);
                let body = group.delimiter() == Delimiter::Brace;
                let deadline = if function && body { has_deadline(&group) } else { place.deadline };
                let attribute = place.attribute || attribute;
                walk_group(group, Place { attribute, deadline, ..inside }, tokens);
                if body {
                    (test_item, function) = (false, false);
                }
                String::new()
            }
            TokenTree::Ident(word) => {
                function |= word == "fn";
                push(word.to_string(), Kind::Word);
                word.to_string()
            }
            TokenTree::Punct(sign) => {
                if sign.as_char() == ';' {
                    (test_item, function) = (false, false);
                }
                push(sign.to_string(), Kind::Sign);
                // The `!` of an inner attribute stands between `#` and the bracket.
                let inner = previous == "#" && sign.as_char() == '!';
                let alone = sign.spacing() == Spacing::Alone;
                if inner && alone { previous.clone() } else { sign.to_string() }
            }
            TokenTree::Literal(literal) => {
                push(literal.to_string(), Kind::Literal);
                String::new()
            }
        };
        previous = text;
    }
}

fn walk_group(group: Group, place: Place, tokens: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    };
    let (first, last) = (group.span_open().start().line, group.span_close().start().line);
    let bracket = |text: &str, line| Token { text: text.to_owned(), kind: Kind::Sign, line, place };
    tokens.push(bracket(open, first));
    walk(group.stream(), place, tokens);
    tokens.push(bracket(close, last));
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, unix))]`; not `#[cfg(not(test))]`.
fn is_test_attribute(group: &Group) -> bool {
    let words = words(group.stream());
    let has = |text: &str| words.iter().any(|word| word == text);
    match words.first().map(String::as_str) {
        Some("cfg") => has("test") && !has("not"),
        Some("doc" | "cfg_attr") => false,
        _ => words.last().is_some_and(|word| word == "test"),
    }
}

fn has_deadline(group: &Group) -> bool {
    words(group.stream()).iter().any(|word| word == "deadline")
}

fn words(stream: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for tree in stream {
        match tree {
            TokenTree::Ident(word) => found.push(word.to_string()),
            TokenTree::Group(group) => found.extend(words(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    fn word(text: &str, wanted: &str) -> Token {
        let all = tokens("src/lib.rs", text).unwrap();
        all.into_iter().find(|token| token.is(wanted)).unwrap()
    }

    #[test]
    fn comments_and_strings_are_no_words() {
        let all = tokens("src/lib.rs", "// x\n/* x */ const A: &str = \"x\"; /// x\nfn a() {}");
        assert!(!all.unwrap().iter().any(|token| token.is("x")));
    }

    #[test]
    fn test_code_is_what_stands_below_its_attribute() {
        assert!(word("#[cfg(test)]\nmod tests { fn a() { x() } }", "x").place.test);
        assert!(word("#[tokio::test]\nasync fn a() { x() }", "x").place.test);
        assert!(!word("#[cfg(test)]\nmod tests;\nfn a() { x() }", "x").place.test);
        assert!(!word("#[cfg(not(test))]\nfn a() { x() }", "x").place.test);
        assert!(!word("#[test]\nfn a() {}\nfn b() { x() }", "x").place.test);
        let all = tokens("crates/a/tests/it/main.rs", "fn a() { x() }").unwrap();
        assert!(all.iter().all(|token| token.place.test));
    }

    #[test]
    fn attributes_and_deadlines_are_known() {
        assert!(word("#![allow(x)]", "x").place.attribute);
        assert!(word("#[allow(x)] fn a() {}", "x").place.attribute);
        assert!(!word("fn a() { let b = [x]; }", "x").place.attribute);
        assert!(word("fn a() { loop { x(); if now > deadline {} } }", "x").place.deadline);
        assert!(!word("fn a() { deadline } fn b() { x() }", "x").place.deadline);
    }

    #[test]
    fn a_file_that_does_not_parse_is_named_by_line() {
        assert_eq!(tokens("src/lib.rs", "fn a() {\n\n  )").unwrap_err(), 3);
    }
}
