//! YAML as the files of monitoring need it: maps in the order given, lists, and texts.
//!
//! Texts are quoted as JSON quotes them, which is YAML as well; those of several lines stand as
//! blocks. It writes and never reads.

use std::fmt::Write as _;

/// A value of a document.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A number, a duration or another plain word, written as it is.
    Word(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A map from its pairs.
pub(crate) fn map<const N: usize>(pairs: [(&str, Node); N]) -> Node {
    Node::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

pub(crate) fn list(items: impl IntoIterator<Item = Node>) -> Node {
    Node::List(items.into_iter().collect())
}

pub(crate) fn text(text: impl Into<String>) -> Node {
    Node::Text(text.into())
}

pub(crate) fn word(word: impl ToString) -> Node {
    Node::Word(word.to_string())
}

/// A list of texts.
pub(crate) fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Node {
    list(items.into_iter().map(text))
}

/// A map of texts.
pub(crate) fn labels<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Node {
    Node::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
}

impl Node {
    /// Adds a pair to a map; any other value stays as it is.
    pub(crate) fn with(mut self, key: &str, value: Node) -> Self {
        if let Self::Map(pairs) = &mut self {
            pairs.push((key.to_owned(), value));
        }
        self
    }

    /// A document with a comment above it.
    pub(crate) fn document(&self, comment: &str) -> String {
        let mut out = String::new();
        for line in comment.lines() {
            let _ = writeln!(out, "# {line}");
        }
        self.write(&mut out, 0);
        out
    }

    /// Writes the lines of a value, each that begins one indented by so much.
    fn write(&self, out: &mut String, indent: usize) {
        let spaces = " ".repeat(indent);
        match self {
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    let _ = write!(out, "{spaces}{}:", key_text(key));
                    value.follow(out, indent);
                }
            }
            Self::List(items) => {
                for item in items {
                    let mut inner = String::new();
                    item.write(&mut inner, indent + 2);
                    // The first line stands beside the dash.
                    let _ =
                        write!(out, "{spaces}- {}", inner.get(indent + 2..).unwrap_or_default());
                }
            }
            Self::Word(word) => {
                let _ = writeln!(out, "{spaces}{word}");
            }
            Self::Text(text) => {
                let _ = writeln!(out, "{spaces}{}", quoted(text));
            }
        }
    }

    /// Writes a value behind its key.
    fn follow(&self, out: &mut String, indent: usize) {
        match self {
            Self::Map(pairs) if pairs.is_empty() => out.push_str(" {}\n"),
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            Self::Map(_) | Self::List(_) => {
                out.push('\n');
                self.write(out, indent + 2);
            }
            Self::Word(word) => {
                let _ = writeln!(out, " {word}");
            }
            Self::Text(text) if text.contains('\n') => {
                out.push_str(" |-\n");
                for line in text.lines() {
                    let _ = writeln!(out, "{}{line}", " ".repeat(indent + 2));
                }
            }
            Self::Text(text) => {
                let _ = writeln!(out, " {}", quoted(text));
            }
        }
    }
}

/// A key is plain, or quoted like a text.
fn key_text(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if key.chars().all(plain) { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_indented_and_quoted() {
        let inner =
            map([("a", text("x: \"y\"")), ("b", list([word(1), map([("c", word("2m"))])]))]);
        let made = map([
            ("one", inner),
            ("two", list([map([("d", text("e")), ("f", texts(["g"]))])])),
            ("many words", text("1\n2")),
            ("none", list([])),
        ]);
        let expected = "# Why.\none:\n  a: \"x: \\\"y\\\"\"\n  b:\n    - 1\n    - c: 2m\n\
             two:\n  - d: \"e\"\n    f:\n      - \"g\"\n\"many words\": |-\n  1\n  2\nnone: []\n";
        assert_eq!(made.document("Why."), expected);
    }
}
