//! What operators ask of a snapshot, each a function from facts to an answer.
//!
//! Pure: no I/O, no clock. An answer is a struct that serialises to JSON and has a text for a
//! terminal; the same snapshot and the same question give the same answer, byte for byte.

pub mod certs;
pub mod checks;
pub mod compare;
pub mod explain;
pub mod images;
mod members;
mod names;
pub mod record;
pub mod score;
pub mod secrets;
pub mod what_if;

pub use names::{NameError, find_node, find_pod, find_workload};

use crate::report::wrapped;

/// A text that is written line by line and fits the terminal.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    width: usize,
}

impl Page {
    pub(crate) fn new(width: usize) -> Self {
        Self { text: String::new(), width }
    }

    /// A heading, with an empty line before it when something stands there already.
    pub(crate) fn head(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&wrapped(text, "", "  ", self.width));
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(&wrapped(text, "  ", "    ", self.width));
    }

    pub(crate) fn deeper(&mut self, text: &str) {
        self.text.push_str(&wrapped(text, "      ", "        ", self.width));
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}
