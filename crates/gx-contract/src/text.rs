//! What texts of commands look like, so that two that read the same are the same.

use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::{Refusal, Refused};

/// The joiners that scripts need: ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// The text has `min` to `max` characters, is in normalization form C, has neither control nor
/// format characters but joiners, and, unless it is empty, a letter or a digit.
pub(crate) fn check_text(name: &str, text: &str, min: usize, max: usize) -> Result<(), Refused> {
    let length = text.chars().count();
    if length < min || length > max {
        let detail = format!("{name} has {length} characters, {min} to {max} expected");
        return Err(Refusal::TextInvalid.because(detail));
    }
    match fault(text) {
        None => Ok(()),
        Some(fault) => Err(Refusal::TextInvalid.because(format!("{name} {fault}"))),
    }
}

fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return None;
    }
    if text.chars().any(char::is_control) {
        return Some("has control characters");
    }
    // Looking characters up takes longer than most commands, and those of ASCII have no faults.
    if !text.is_ascii() {
        if text.chars().any(is_format) {
            return Some("has format characters that are no joiners");
        }
        if !is_nfc(text) {
            return Some("is not in Unicode normalization form C");
        }
    }
    (!text.chars().any(char::is_alphanumeric)).then_some("has neither a letter nor a digit")
}

fn is_format(character: char) -> bool {
    character.general_category() == GeneralCategory::Format && !JOINERS.contains(&character)
}
