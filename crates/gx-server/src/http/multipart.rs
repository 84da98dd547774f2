//! Forms with a file, `multipart/form-data`, as browsers and telephones send them.
//!
//! The file is kept apart; the other parts become the JSON object that a body without a file would
//! be, so that one reader knows the fields. Names of files are the client's and name nothing here.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use multer::{Constraints, Multipart, SizeLimit};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The part that holds the file.
pub(crate) const FILE: &str = "file";

/// Parts of a form at most.
const PARTS_MAX: usize = 16;

/// The longest part that is no file.
const TEXT_MAX: u64 = 16 << 10;

/// A form as it came.
#[derive(Debug)]
pub(crate) struct Form {
    /// The fields that are no file. `file` is there, empty, when there was one.
    pub(crate) fields: Value,
    pub(crate) file: Bytes,
}

/// The boundary between the parts, when the headers announce a form.
pub(crate) fn boundary(headers: &HeaderMap) -> Option<String> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().filter(|_| headers.get(header::CONTENT_ENCODING).is_none())?;
    let one = kinds.next().is_none();
    multer::parse_boundary(kind.to_str().ok()?).ok().filter(|_| one)
}

/// Reads a form. `json` names the fields whose text is JSON.
///
/// # Errors
/// When it is none, ends early, has a part twice, or too many or too long ones.
pub(crate) async fn read(body: Bytes, boundary: &str, json: &[&str]) -> Result<Form> {
    let limits = SizeLimit::new().per_field(TEXT_MAX).for_field(FILE, body.len() as u64);
    let constraints = Constraints::new().size_limit(limits);
    let stream = tokio_stream::once(Ok::<_, Infallible>(body));
    let mut parts = Multipart::with_constraints(stream, boundary, constraints);
    let (mut fields, mut file, mut said) = (Map::new(), Bytes::new(), [None, None]);
    while let Some(part) = parts.next_field().await.map_err(|error| malformed(&error))? {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(malformed(&"a part has no name"));
        };
        let declared = part.content_type().map(ToString::to_string);
        let file_name = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|error| malformed(&error))?;
        if fields.contains_key(&name) || fields.len() >= PARTS_MAX {
            return Err(malformed(&"a part is there twice, or there are too many"));
        }
        if name == FILE {
            said = [("fileName", file_name), ("mimeType", declared)]
                .map(|(key, value)| value.map(|value| (key, value)));
            fields.insert(name, Value::String(String::new()));
            file = bytes;
            continue;
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| malformed(&error))?;
        let value = match json.contains(&name.as_str()) {
            true => super::extract::parsed(text.as_bytes())?,
            false => Value::String(text.to_owned()),
        };
        fields.insert(name, value);
    }
    // What a part of its own says counts more than what stands beside the file.
    for (key, value) in said.into_iter().flatten() {
        fields.entry(key).or_insert(Value::String(value));
    }
    Ok(Form { fields: Value::Object(fields), file })
}

fn malformed(why: &dyn std::fmt::Display) -> Error {
    let message = format!("The form cannot be read: {why}");
    Error::bad_request("malformed_multipart", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn form(body: &str) -> Result<Form> {
        read(Bytes::copy_from_slice(body.as_bytes()), "b", &["metadata"]).await
    }

    const FILE_PART: &str = "--b\r\ncontent-disposition: form-data; name=\"file\"; \
        filename=\"../../etc/passwd\"\r\ncontent-type: image/png\r\n\r\nab\r\n\0c\r\n";

    #[tokio::test]
    async fn a_form_becomes_fields_and_a_file() {
        let text = format!(
            "{FILE_PART}--b\r\ncontent-disposition: form-data; name=\"metadata\"\r\n\r\n\
            {{\"a\":1}}\r\n--b--\r\n"
        );
        let form = form(&text).await.unwrap();
        assert_eq!(&form.file[..], b"ab\r\n\0c");
        let expected = serde_json::json!({
            "file": "", "fileName": "../../etc/passwd", "mimeType": "image/png",
            "metadata": { "a": 1 },
        });
        assert_eq!(form.fields, expected);
    }

    #[tokio::test]
    async fn a_form_that_ends_early_or_says_things_twice_is_refused() {
        for body in [
            FILE_PART.to_owned(),
            "--b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nab".to_owned(),
            format!("{FILE_PART}{FILE_PART}--b--\r\n"),
            "nothing".to_owned(),
        ] {
            let error = form(&body).await.unwrap_err();
            assert_eq!(error.code(), "malformed_multipart", "{body}");
        }
    }
}
