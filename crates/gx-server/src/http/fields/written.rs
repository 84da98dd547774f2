//! What people write for others to read: names, remarks, reasons, notes, names of devices.
//!
//! The free-form class of PRECIS (RFC 8264) decides on each character, so that a list or a receipt
//! shows what was written and nothing turns its order round. Unicode has grown since that class
//! was last published; what is newer is decided by its category.

use std::borrow::Cow;

use precis_core::profile::Rules as _;
use precis_core::{DerivedPropertyValue, FreeformClass, StringClass as _};
use precis_profiles::Nickname;
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji as _, UnicodeGeneralCategory as _,
};

/// More marks on one letter than any script needs spill over the lines beside it (UTS 39, 5.4).
const MARKS: usize = 4;

/// A pattern of JSON Schema for what is seen, after a look ahead. It knows no neighbours: a joiner
/// that joins nothing and a fifth mark on a letter fit the pattern all the same.
macro_rules! seen {
    ($ahead:literal) => {
        concat!(
            "^",
            $ahead,
            // Letters and marks by their category that show nothing, and the parts of old Hangul.
            r"(?!.*[\u034F\u1100-\u11FF\u17B4\u17B5\u180B-\u180F\u3164\uA960-\uA97F",
            r"\uD7B0-\uD7FB\uFE00-\uFE0F\uFFA0",
            "\u{E0100}-\u{E01EF}])",
            r"[\p{L}\p{M}\p{N}\p{P}\p{S}\u200C\u200D",
            // Spaces one by one: some readers of patterns take \p{Zs} for \s, line ends and all.
            r" \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]*$",
        )
    };
}

pub(crate) use seen;

/// The pattern of what [`written`] takes.
pub(crate) const SEEN: &str = seen!("");

/// The pattern of what [`name`] takes.
pub(crate) const SPEAKS: &str = seen!(r"(?=.*[\p{L}\p{N}])");

const KEYCAP: char = '\u{20E3}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
/// How the character before is drawn: as text, as a picture.
const PRESENTATIONS: [char; 2] = ['\u{FE0E}', '\u{FE0F}'];
/// Changes the form of a Mongolian letter and shows nothing itself; its category does not say so.
const MONGOLIAN_SELECTOR: char = '\u{180F}';

/// The text in its normal form (NFC), unless it has something that nobody would see.
pub(crate) fn written(text: &str) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        return (!text.bytes().any(|byte| byte.is_ascii_control())).then_some(text.into());
    }
    let text: String = text.nfc().collect();
    let chars: Vec<char> = text.chars().collect();
    let mut marks = 0;
    for (at, c) in chars.iter().enumerate() {
        let is_mark = matches!(
            c.general_category(),
            GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
        );
        marks = if is_mark { marks + 1 } else { 0 };
        if marks > MARKS || !is_seen(&chars, at, *c) {
            return None;
        }
    }
    Some(text.into())
}

/// The text as the name of somebody or something: without spaces around it, with single ones
/// inside, and with a letter or a digit at least.
pub(crate) fn name(text: &str) -> Option<String> {
    let text = Nickname::new().additional_mapping_rule(text).ok()?;
    let text = written(&text)?;
    let speaks = |c: char| {
        let group = c.general_category_group();
        matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
    };
    text.chars().any(speaks).then(|| text.into_owned())
}

fn is_seen(chars: &[char], at: usize, c: char) -> bool {
    match FreeformClass::default().get_value_from_char(c) {
        DerivedPropertyValue::PValid
        | DerivedPropertyValue::SpecClassPval
        // Seen, and asked about where only identifiers are compared: the dot in 阿迪力·买买提.
        | DerivedPropertyValue::ContextO => true,
        DerivedPropertyValue::ContextJ => {
            joins_letters(chars, at) || (c == ZERO_WIDTH_JOINER && joins_pictures(chars, at))
        }
        DerivedPropertyValue::Unassigned => is_newer(c),
        DerivedPropertyValue::Disallowed | DerivedPropertyValue::SpecClassDis => {
            PRESENTATIONS.contains(&c)
                && (before(chars, at).is_some_and(is_picture)
                    || chars.get(at + 1) == Some(&KEYCAP))
        }
    }
}

/// Whether a character that PRECIS does not know yet is a letter, mark, number or sign.
fn is_newer(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    c != MONGOLIAN_SELECTOR
        && matches!(c.general_category_group(), Letter | Mark | Number | Punctuation | Symbol)
}

/// Whether the word around a joiner needs it, as Persian and the scripts of India do.
fn joins_letters(chars: &[char], at: usize) -> bool {
    let class = FreeformClass::default();
    let in_word = |c: &&char| {
        let value = class.get_value_from_char(**c);
        matches!(value, DerivedPropertyValue::PValid | DerivedPropertyValue::ContextJ)
    };
    let (left, right) = chars.split_at_checked(at).unwrap_or_default();
    let start = at - left.iter().rev().take_while(in_word).count();
    let end = at + right.iter().take_while(in_word).count();
    let word: Option<String> = chars.get(start..end).map(|word| word.iter().collect());
    word.is_some_and(|word| class.allows(word).is_ok())
}

/// Families and professions are pictures with a joiner between.
fn joins_pictures(chars: &[char], at: usize) -> bool {
    let left = match before(chars, at) {
        Some(c) if PRESENTATIONS.contains(&c) => at.checked_sub(1).and_then(|at| before(chars, at)),
        left => left,
    };
    left.is_some_and(is_picture) && chars.get(at + 1).copied().is_some_and(is_picture)
}

fn before(chars: &[char], at: usize) -> Option<char> {
    at.checked_sub(1).and_then(|at| chars.get(at)).copied()
}

fn is_picture(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char()
}

#[cfg(test)]
mod tests {
    use super::{name, written};

    #[test]
    fn what_everybody_sees_is_kept() {
        for text in [
            "",
            "O’Brien-Łukasz, 3rd",
            "Nguyễn Thị Minh Khai",
            "阿迪力·买买提",
            "محمد علي",
            "می\u{200C}خواهم",
            "क\u{94D}\u{200D}ष",
            "שָׁלוֹם",
            "𞤀𞤣𞤤𞤢𞤥",
            "50 € – ½ off",
            "❤\u{FE0F} 🤌🏽 1\u{FE0F}\u{20E3}",
            "👩\u{200D}🚀 ❤\u{FE0F}\u{200D}🔥",
        ] {
            assert_eq!(written(text).as_deref(), Some(text), "{text:?}");
        }
    }

    #[test]
    fn what_lies_or_hides_is_not_taken() {
        for text in [
            "adaelpmaxe\u{202E}",
            "a\u{2066}b\u{2069}",
            "a\u{200E}b",
            "a\u{61C}b",
            "a\u{200B}b",
            "a\u{AD}b",
            "a\u{2060}b",
            "\u{FEFF}a",
            "a\u{200D}b",
            "a\u{200C}b",
            "a\u{FE0F}",
            "1\u{200D}2",
            "\u{3164}",
            "a\u{E0041}",
            "ᠠ\u{180F}",
            "a\u{2028}b",
            "a\u{7}b",
            "a\nb",
            "a\u{E000}",
            "z\u{317}\u{318}\u{319}\u{31A}\u{31B}\u{31C}",
        ] {
            assert_eq!(written(text), None, "{text:?}");
            assert_eq!(name(text), None, "{text:?}");
        }
    }

    #[test]
    fn one_text_is_kept_for_what_looks_the_same() {
        assert_eq!(written("Jose\u{301}").as_deref(), Some("José"));
        assert_eq!(written("\u{1112}\u{1161}\u{11AB}").as_deref(), Some("한"));
        assert_eq!(name(" Ada \u{A0} Lovelace\u{3000}").as_deref(), Some("Ada Lovelace"));
    }

    #[test]
    fn a_name_has_a_letter_or_a_digit() {
        for text in ["", "   ", "…", "❤\u{FE0F}", "-", "\u{2800}"] {
            assert_eq!(name(text), None, "{text:?}");
        }
        assert_eq!(name("7").as_deref(), Some("7"));
    }
}
