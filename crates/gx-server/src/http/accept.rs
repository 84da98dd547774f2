//! In which form a client wants an answer: the header Accept of RFC 9110.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;

use crate::error::{Error, Result};

/// A form that answers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
    Xml,
    Pdf,
}

impl Format {
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }

    /// What the names of such files end with.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xml => "xml",
            Self::Pdf => "pdf",
        }
    }

    /// How closely a media range names this form; `None` when it does not.
    fn closeness(self, range: &str) -> Option<u8> {
        let own = self.media_type().split(';').next().unwrap_or_default();
        let kind = own.split('/').next().unwrap_or_default();
        match range.split_once('/') {
            Some(("*", "*")) => Some(0),
            Some((given, "*")) if given.eq_ignore_ascii_case(kind) => Some(1),
            Some(_) if range.eq_ignore_ascii_case(own) => Some(2),
            Some(_) | None => None,
        }
    }
}

/// What a client accepts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accept(String);

impl<S: Sync> FromRequestParts<S> for Accept {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let lines = parts.headers.get_all(ACCEPT).iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        Ok(Self(lines.join(",")))
    }
}

impl Accept {
    /// The form among these that the client likes best; the first of equals.
    pub(crate) fn choose(&self, offered: &[Format]) -> Result<Format> {
        let first = offered.first().copied().filter(|_| self.0.trim().is_empty());
        if let Some(first) = first {
            return Ok(first);
        }
        let mut best: Option<(u16, Format)> = None;
        for format in offered {
            let liked = self.quality(*format);
            if liked > best.map_or(0, |(quality, _)| quality) {
                best = Some((liked, *format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(|| {
            let types: BTreeSet<&str> = offered.iter().map(|one| one.media_type()).collect();
            let types: Vec<&str> = types.into_iter().collect();
            let message = format!("The answer can be had as {}", types.join(", "));
            Error::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", message)
        })
    }

    /// How much a form is liked, in thousandths: by the range that names it most closely.
    fn quality(&self, format: Format) -> u16 {
        let ranges = self.0.split(',').filter_map(|part| {
            let mut parts = part.split(';').map(str::trim);
            let closeness = format.closeness(parts.next()?)?;
            let weight =
                parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            Some((closeness, weight.map_or(1000, thousandths)))
        });
        ranges.max_by_key(|(closeness, _)| *closeness).map_or(0, |(_, quality)| quality)
    }
}

/// A weight such as `0.8`; one that is none counts for nothing.
fn thousandths(weight: &str) -> u16 {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|digit| digit.is_ascii_digit());
    let fraction = format!("{rest:0<3}").parse().unwrap_or(0);
    match whole {
        "1" => 1000,
        "0" if digits => fraction,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_liked_best_is_given() {
        let offered = [Format::Json, Format::Csv, Format::Pdf];
        for (header, expected) in [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            ("text/csv", Some(Format::Csv)),
            ("Text/CSV; charset=utf-8", Some(Format::Csv)),
            ("text/*", Some(Format::Csv)),
            ("application/json;q=0.5, application/pdf", Some(Format::Pdf)),
            ("application/*;q=0.2, text/csv;q=0.25", Some(Format::Csv)),
            ("*/*;q=0.5, application/json;q=0", Some(Format::Csv)),
            ("application/xml", None),
            ("text/csv;q=0", None),
            ("text/csv;q=much", None),
            ("csv", None),
        ] {
            assert_eq!(Accept(header.to_owned()).choose(&offered).ok(), expected, "{header}");
        }
    }
}
