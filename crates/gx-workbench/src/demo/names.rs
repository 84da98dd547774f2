//! Names that nobody bears: syllables, put together by chance.

use crate::load::Draw;

const FIRST: [&str; 16] = [
    "ba", "de", "fi", "go", "ja", "ke", "li", "mo", "na", "pe", "ri", "so", "ta", "ve", "wi", "zu",
];
const LAST: [&str; 12] =
    ["ban", "dor", "fel", "gan", "kov", "lin", "mar", "nes", "rak", "sol", "tov", "vin"];

/// A first and a last name, of letters only.
pub(super) fn name(draw: &mut Draw) -> (String, String) {
    let first = joined(draw, &FIRST, &[]);
    let last = joined(draw, &FIRST, &LAST);
    (first, last)
}

/// Two or three syllables, the last one from `ends` if there are any.
fn joined(draw: &mut Draw, syllables: &[&str], ends: &[&str]) -> String {
    let mut name = String::new();
    for _ in 0..2 + draw.below(2) {
        name.push_str(pick(draw, syllables));
    }
    name.push_str(pick(draw, ends));
    let mut letters = name.chars();
    letters
        .next()
        .map(|head| head.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

fn pick<'s>(draw: &mut Draw, from: &[&'s str]) -> &'s str {
    let place = draw.place(from.len());
    from.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_capitalised_letters() {
        let mut draw = Draw::new(1);
        for _ in 0..100 {
            let (first, last) = name(&mut draw);
            for name in [first, last] {
                assert!((4..=12).contains(&name.len()), "{name}");
                assert!(name.starts_with(|letter: char| letter.is_ascii_uppercase()), "{name}");
                assert!(name.chars().skip(1).all(|letter| letter.is_ascii_lowercase()), "{name}");
            }
        }
    }
}
