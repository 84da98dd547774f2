//! What a file is, by its content, and what of it is kept.

use super::{pdf, pictures};

/// A type of file that can be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pdf,
    Jpeg,
    Png,
    WebP,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Pdf, Self::Jpeg, Self::Png, Self::WebP];

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// By the first bytes.
    fn of(file: &[u8]) -> Option<Self> {
        match file {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ if file.starts_with(b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if file.starts_with(b"%PDF-") => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// Why a file is not taken: a code for programs, a sentence for people.
pub(crate) type Misfit = (&'static str, &'static str);

pub(crate) const DAMAGED: Misfit = ("file_damaged", "cannot be read to its end");

const EMPTY: Misfit = ("file_empty", "has no content");
const TOO_LARGE: Misfit = ("file_too_large", "is larger than GET /documents/constraints allows");
const UNKNOWN: Misfit =
    ("file_type_not_accepted", "is of a type that GET /documents/constraints does not list");
const OTHER_TYPE: Misfit = ("file_type_mismatch", "is of another type than its declaration says");

/// The type of a file, if it is one of those that are accepted and the one that was declared.
pub(super) fn kind_of(
    file: &[u8],
    bytes_max: usize,
    declared: Option<&str>,
    accepted: &[Kind],
) -> Result<Kind, Misfit> {
    if file.is_empty() {
        return Err(EMPTY);
    }
    if file.len() > bytes_max {
        return Err(TOO_LARGE);
    }
    let kind = Kind::of(file).filter(|kind| accepted.contains(kind)).ok_or(UNKNOWN)?;
    let declared = declared.map(|text| text.split(';').next().unwrap_or_default().trim());
    match declared.map(str::to_ascii_lowercase).as_deref() {
        // Some clients call every file so.
        None | Some("" | "application/octet-stream") => Ok(kind),
        Some("image/jpg") if kind == Kind::Jpeg => Ok(kind),
        Some(declared) if declared == kind.media_type() => Ok(kind),
        Some(_) => Err(OTHER_TYPE),
    }
}

/// What is kept of a file: pictures as they look, documents as they are if they do nothing.
pub(super) fn redraw(kind: Kind, file: &[u8]) -> Result<(Kind, Vec<u8>), Misfit> {
    match kind {
        Kind::Pdf => pdf::check(file).map(|()| (kind, file.to_vec())),
        Kind::Jpeg | Kind::Png | Kind::WebP => pictures::redraw(kind, file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_what_a_file_is() {
        let kind = |file: &[u8], declared: Option<&str>| kind_of(file, 20, declared, &Kind::ALL);
        let png = b"\x89PNG\r\n\x1a\n....";
        assert_eq!(kind(png, None), Ok(Kind::Png));
        assert_eq!(kind(png, Some("Image/PNG; x=1")), Ok(Kind::Png));
        assert_eq!(kind(png, Some("application/octet-stream")), Ok(Kind::Png));
        assert_eq!(kind(png, Some("image/jpeg")), Err(OTHER_TYPE));
        assert_eq!(kind(b"\xff\xd8\xff\xe0", Some("image/jpg")), Ok(Kind::Jpeg));
        assert_eq!(kind(b"RIFF....WEBPVP8 ", None), Ok(Kind::WebP));
        assert_eq!(kind(b"%PDF-1.7", None), Ok(Kind::Pdf));
        for file in [&b"MZ......"[..], b"<html>", b" %PDF-1.7", b"PK\x03\x04", b"RIFF....WAVE"] {
            assert_eq!(kind(file, None), Err(UNKNOWN), "{file:?}");
        }
        assert_eq!(kind(b"", None), Err(EMPTY));
        assert_eq!(kind(&[0; 21], None), Err(TOO_LARGE));
        assert_eq!(kind_of(png, 20, None, &[Kind::Pdf]), Err(UNKNOWN));
    }
}
