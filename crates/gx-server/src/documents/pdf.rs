//! PDF documents that do nothing: no scripts, no programs to start, no files within, and nothing
//! that is another format at the same time.
//!
//! The names that such things need are looked for in the whole file, wherever a reader might begin
//! to read, and in the objects that are packed. What cannot be looked into is not taken.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::inspect::{DAMAGED, Misfit};

const ACTIVE: Misfit = (
    "pdf_active_content",
    "holds scripts, actions, forms or other files: print it to a new PDF, or take a picture",
);
const ENCRYPTED: Misfit = ("pdf_encrypted", "is encrypted: remove the password, or take a picture");
const POLYGLOT: Misfit = ("file_polyglot", "is of several types at once");

/// Names of what acts or carries. A script needs the first, wherever it stands.
const ACTIVE_NAMES: [&[u8]; 9] = [
    b"/JavaScript",
    b"/Launch",
    b"/EmbeddedFile",
    b"/Filespec",
    b"/RichMedia",
    b"/SubmitForm",
    b"/ImportData",
    b"/GoToE",
    b"/Rendition",
];

/// All packed objects of a file, unpacked, at most.
const UNPACKED_MAX: u64 = 64 << 20;

/// Of a stream that is not said to hold objects.
const GLANCE_MAX: u64 = 4 << 20;

/// Of all of them.
const GLANCES_MAX: u64 = 256 << 20;

/// How far from its end a reader looks for the mark of the end.
const TAIL: usize = 1024;

/// How far from its end an archive is recognised: its directory and the longest comment.
const ARCHIVE_TAIL: usize = 22 + 65_535;

/// Refuses a document that does something, or cannot be looked into.
pub(super) fn check(file: &[u8]) -> Result<(), Misfit> {
    let tail = file.get(file.len().saturating_sub(TAIL)..).unwrap_or(file);
    let end = position(tail, b"%%EOF", true).ok_or(DAMAGED)?;
    let after = tail.get(end + 5..).unwrap_or_default();
    if !after.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(POLYGLOT);
    }
    let archive_tail = file.get(file.len().saturating_sub(ARCHIVE_TAIL)..).unwrap_or(file);
    if position(archive_tail, b"PK\x05\x06", false).is_some() {
        return Err(POLYGLOT);
    }
    let plain = unescaped(file);
    names(&plain)?;
    if has_name(&plain, b"/Encrypt") {
        return Err(ENCRYPTED);
    }
    packed(file)
}

fn names(text: &[u8]) -> Result<(), Misfit> {
    let active = ACTIVE_NAMES.iter().any(|name| position(text, name, false).is_some());
    if active || has_name(text, b"/XFA") { Err(ACTIVE) } else { Ok(()) }
}

/// The text with what is written `#41` for `A` in names as what it means.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match (digit(tail.first()), digit(tail.get(1))) {
            (Some(high), Some(low)) if *first == b'#' => {
                plain.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    plain
}

/// Looks into what is packed in streams. Readers differ in what they take for packed objects, so
/// that every stream is unpacked; where the type says it, all of it must be readable.
fn packed(file: &[u8]) -> Result<(), Misfit> {
    let (mut at, mut left, mut glances) = (0, UNPACKED_MAX, GLANCES_MAX);
    while let Some(found) = file.get(at..).and_then(|rest| position(rest, b"stream", false)) {
        let before = file.get(at..at + found).unwrap_or_default();
        at += found + b"stream".len();
        if before.ends_with(b"end") {
            continue;
        }
        let dictionary = unescaped(before);
        let content = file.get(at..).unwrap_or_default();
        if has_name(&dictionary, b"/ObjStm") && has_name(&dictionary, b"/Filter") {
            left = objects(&dictionary, content, left)?;
        } else {
            glances = glances.checked_sub(glance(content)?).ok_or(DAMAGED)?;
        }
    }
    Ok(())
}

/// Looks into one stream of objects. Gives back how much may still be unpacked.
fn objects(dictionary: &[u8], content: &[u8], left: u64) -> Result<u64, Misfit> {
    // Packed once more, in a way that would hide names.
    if has_name(dictionary, b"/DecodeParms") || has_name(dictionary, b"/DP") {
        return Err(ACTIVE);
    }
    let mut text = Vec::new();
    let unpacked = ZlibDecoder::new(from_line(content)).take(left).read_to_end(&mut text);
    let count = unpacked.map_err(|_| DAMAGED)? as u64;
    if count >= left {
        return Err(DAMAGED);
    }
    names(&unescaped(&text))?;
    Ok(left - count)
}

/// Looks at the beginning of any other stream: a picture may be long, and need not be packed. Gives
/// back how much was unpacked.
fn glance(content: &[u8]) -> Result<u64, Misfit> {
    let mut text = Vec::new();
    // What came before an error is what a reader would see as well.
    let _ = ZlibDecoder::new(from_line(content)).take(GLANCE_MAX).read_to_end(&mut text);
    names(&unescaped(&text)).map(|()| text.len() as u64)
}

/// The content that begins on the line after the word.
fn from_line(content: &[u8]) -> &[u8] {
    let content = content.strip_prefix(b"\r").unwrap_or(content);
    content.strip_prefix(b"\n").unwrap_or(content)
}

/// Whether a text has a name, and not only a longer one that begins so.
fn has_name(text: &[u8], name: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = position(rest, name, false) {
        rest = rest.get(at + name.len()..).unwrap_or_default();
        if rest.first().is_none_or(|next| !next.is_ascii_alphanumeric()) {
            return true;
        }
    }
    false
}

/// Where the first or the last of something stands.
fn position(text: &[u8], what: &[u8], last: bool) -> Option<usize> {
    let mut windows = text.windows(what.len());
    if last { windows.rposition(|part| part == what) } else { windows.position(|p| p == what) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn with(body: &[u8]) -> Vec<u8> {
        [b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", body, b"\n%%EOF\n"].concat()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn object_stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
        let head = format!("2 0 obj\n<< {dictionary} >>\nstream\n");
        with(&[head.as_bytes(), content, b"\nendstream\nendobj"].concat())
    }

    #[test]
    fn what_only_shows_something_is_taken() {
        check(&with(b"")).unwrap();
        check(&with(b"2 0 obj\n<< /Length 3 >>\nstream\nabc\nendstream\nendobj")).unwrap();
        let packed = zlib(b"3 0 << /Type /Page >>");
        check(&object_stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &packed)).unwrap();
    }

    #[test]
    fn scripts_programs_and_files_are_found_wherever_they_stand() {
        for body in [
            &b"<< /S /JavaScript /JS (app.alert(1)) >>"[..],
            b"<< /S /Java#53cript /JS (app.alert(1)) >>",
            b"<< /S /#4aavaScript >>",
            b"<< /S /Launch /F (cmd.exe) >>",
            b"<< /Type /EmbeddedFile >>",
            b"2 0 obj\n<< /Length 30 >>\nstream\n<< /S /JavaScript >>\nendstream\nendobj",
        ] {
            assert_eq!(check(&with(body)), Err(ACTIVE), "{}", String::from_utf8_lossy(body));
        }
        for (name, script) in
            [("/ObjStm", &b"<< /S /JavaScript >>"[..]), ("/Obj#53tm", b"<< /S /J#61vaScript >>")]
        {
            let dictionary = format!("/Type {name} /N 1 /First 4 /Filter /FlateDecode");
            assert_eq!(check(&object_stream(&dictionary, &zlib(script))), Err(ACTIVE));
        }
        // Some readers go by the keys, whatever the type says.
        let dictionary = "/N 1 /Fir#73t 4 /Filter /FlateDecode";
        let script = zlib(b"<< /S /JavaScript >>");
        assert_eq!(check(&object_stream(dictionary, &script)), Err(ACTIVE));
    }

    #[test]
    fn what_cannot_be_looked_into_is_refused() {
        let dictionary = "/Type /ObjStm /First 4 /Filter [/ASCIIHexDecode /FlateDecode]";
        assert_eq!(check(&object_stream(dictionary, b"00ff")), Err(DAMAGED));
        let dictionary =
            "/Type /ObjStm /First 4 /Filter /FlateDecode /DecodeParms << /Predictor 12 >>";
        assert_eq!(check(&object_stream(dictionary, &zlib(b"x"))), Err(ACTIVE));
        let bomb = zlib(&vec![b' '; 65 << 20]);
        let dictionary = "/Type /ObjStm /First 4 /Filter /FlateDecode";
        assert_eq!(check(&object_stream(dictionary, &bomb)), Err(DAMAGED));
        assert_eq!(check(&with(b"trailer << /Encrypt 5 0 R >>")), Err(ENCRYPTED));
    }

    #[test]
    fn what_is_something_else_as_well_is_refused() {
        let whole = with(b"");
        assert_eq!(check(&[&whole[..], b"<html>"].concat()), Err(POLYGLOT));
        assert_eq!(check(&with(b"PK\x05\x06 the directory of an archive")), Err(POLYGLOT));
        assert_eq!(check(&whole[..whole.len() - 7]), Err(DAMAGED), "its end is missing");
        assert_eq!(check(b"%PDF-1.7"), Err(DAMAGED));
    }
}
