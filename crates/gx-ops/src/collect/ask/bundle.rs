//! The output of the script that asks: for each thing that was asked a head, and what it answered
//! in sections. Half a transfer is refused.

use serde_json::Value as Json;

use super::AskError;
use crate::facts::{Known, Time};

/// The answers of one thing.
#[derive(Debug)]
pub(super) struct Bundle<'a> {
    pub(super) kind: &'a str,
    pub(super) place: &'a str,
    pub(super) at: Time,
    /// Further words of the head, by name.
    about: Vec<(&'a str, &'a str)>,
    sections: Vec<Section<'a>>,
    missing: Vec<(&'a str, &'a str)>,
}

#[derive(Debug)]
struct Section<'a> {
    name: &'a str,
    argument: &'a str,
    body: String,
}

const HEAD: &str = "#gx-ask 1 ";

/// Whether a text is such output.
pub(in crate::collect) fn is_bundle(text: &str) -> bool {
    text.starts_with(HEAD)
}

/// Reads all of it.
pub(super) fn read(text: &str) -> Result<Vec<Bundle<'_>>, AskError> {
    let mut found = Vec::new();
    let mut open: Option<Bundle<'_>> = None;
    let mut section: Option<Section<'_>> = None;
    for (at, line) in text.lines().enumerate() {
        let wrong = || AskError::Line(at.saturating_add(1));
        if let Some(now) = &mut section {
            if line.strip_prefix("#end ") == Some(now.name) {
                let bundle = open.as_mut().ok_or_else(wrong)?;
                bundle.sections.extend(section.take());
            } else {
                now.body.push_str(line);
                now.body.push('\n');
            }
            continue;
        }
        let Some(bundle) = &mut open else {
            let kind = line.strip_prefix(HEAD).ok_or_else(wrong)?;
            open = Some(Bundle {
                kind,
                place: "",
                at: Time::default(),
                about: Vec::new(),
                sections: Vec::new(),
                missing: Vec::new(),
            });
            continue;
        };
        if line == "#gx-ask end" {
            found.extend(open.take());
            continue;
        }
        let (word, rest) = line.split_once(' ').ok_or_else(wrong)?;
        match word {
            "#place" => bundle.place = rest,
            "#at" => bundle.at = Time::from_seconds(rest.parse().map_err(|_| wrong())?),
            "#missing" => bundle.missing.push(rest.split_once(' ').ok_or_else(wrong)?),
            "#begin" => {
                let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
                section = Some(Section { name, argument, body: String::new() });
            }
            _ => bundle.about.push((word.strip_prefix('#').ok_or_else(wrong)?, rest)),
        }
    }
    match (open, section) {
        (None, None) => Ok(found),
        _ => Err(AskError::Cut),
    }
}

impl<'a> Bundle<'a> {
    /// A word of the head.
    pub(super) fn word(&self, name: &str) -> &'a str {
        let found = self.about.iter().find(|(word, _)| *word == name);
        found.map_or("", |(_, value)| value)
    }

    /// What a section says; none when it is missing.
    pub(super) fn body(&self, name: &str) -> Option<&str> {
        let section = self.sections.iter().find(|section| section.name == name)?;
        Some(section.body.as_str())
    }

    /// All sections of a name.
    pub(super) fn bodies(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.sections.iter().filter(move |section| section.name == name);
        named.map(|section| section.body.as_str())
    }

    /// Why a section is missing.
    pub(super) fn why<T>(&self, name: &str) -> Known<T> {
        let told = self.missing.iter().find(|(section, _)| *section == name);
        Known::missing(told.map_or("the script did not ask", |(_, why)| *why))
    }

    /// Status of HTTP that a section came with.
    pub(super) fn status(&self, name: &str) -> Known<u16> {
        let section = self.sections.iter().find(|section| section.name == name);
        match section.and_then(|section| section.argument.trim().parse().ok()) {
            Some(status) => Known::Known(status),
            None => self.why(name),
        }
    }

    /// A section as JSON, when it was answered with success.
    pub(super) fn json(&self, name: &str) -> Option<Json> {
        let is_good = self.status(name).get().is_none_or(|status| (200..300).contains(status));
        if !is_good {
            return None;
        }
        serde_json::from_str(self.body(name)?).ok()
    }
}
