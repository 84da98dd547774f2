//! Whether the number of an identity card can be right: its form, and its check digits where a
//! country has published how they are made.
//!
//! Nothing is kept, and nothing is said of who has the number.

use gx_types::CountryCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::DocumentNumber;
use crate::api::Route;
use crate::auth::User;
use crate::error::Result;
use crate::http::answer::Json;
use crate::http::extract::Body;
use crate::http::fields::{Text, request};

pub(super) fn route() -> Route {
    Route::post("/api/v1/validation/national-id", validate)
        .summary("Whether the number of an identity card can be right")
        .only_asks()
        .sample(r#"{"nationalIdNumber": "12345678Z", "countryCode": "ES"}"#)
}

request! {
    /// A number to look at.
    pub(crate) struct NationalIdBody {
        number as "nationalIdNumber": Text<1, 60>,
        /// Country that has issued it, ISO 3166-1 alpha-2.
        country as "countryCode": CountryCode,
    }
}

/// What is wrong with a number.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NumberProblem {
    /// `invalid_characters`, `wrong_length`, `wrong_format` or `invalid_number`.
    code: &'static str,
    message: String,
}

/// Whether a number can be right.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NationalIdReply {
    valid: bool,
    /// The number as it is compared: in upper case, without spaces and signs.
    normalised: String,
    /// Which rule was applied: a country's own, or `GENERAL`.
    rule: &'static str,
    problems: Vec<NumberProblem>,
    message: &'static str,
}

/// `POST /validation/national-id`
async fn validate(_: User, Body(body): Body<NationalIdBody>) -> Result<Json<NationalIdReply>> {
    Ok(Json(look_at(&body.number.0, body.country.as_str())))
}

fn look_at(number: &str, country: &str) -> NationalIdReply {
    let normalised: String = number
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '+'))
        .flat_map(char::to_uppercase)
        .collect();
    let rule = RULES.iter().find(|rule| rule.country == country);
    let problems = match rule {
        Some(rule) => rule.problems(&normalised),
        None => general(&normalised),
    };
    let (rule, valid) = (rule.map_or("GENERAL", |rule| rule.name), problems.is_empty());
    let message = if valid { "The number can be right" } else { "The number cannot be right" };
    NationalIdReply { valid, normalised, rule, problems, message }
}

/// How the numbers of a country are made.
struct Rule {
    country: &'static str,
    /// What the number is called there.
    name: &'static str,
    /// A character for each of the number: `9` a digit, `A` a letter, `X` either.
    shape: &'static str,
    /// Whether the check digits, or what else can be known, are right.
    holds: fn(&[u8]) -> bool,
}

/// By country. The check digits are those that the countries have published.
const RULES: &[Rule] = &[
    Rule { country: "BE", name: "RIJKSREGISTERNUMMER", shape: "99999999999", holds: belgium },
    Rule { country: "BR", name: "CPF", shape: "99999999999", holds: brazil },
    Rule { country: "CN", name: "RESIDENT_IDENTITY_NUMBER", shape: CHINA, holds: china },
    Rule { country: "DE", name: "PERSONALAUSWEIS", shape: "XXXXXXXXX9", holds: germany },
    Rule { country: "ES", name: "DNI", shape: "X9999999A", holds: spain },
    Rule { country: "FI", name: "HENKILOTUNNUS", shape: "999999999X", holds: finland },
    Rule { country: "IN", name: "AADHAAR", shape: "999999999999", holds: india },
    Rule { country: "NL", name: "BSN", shape: "999999999", holds: netherlands },
    Rule { country: "PL", name: "PESEL", shape: "99999999999", holds: poland },
    Rule { country: "SE", name: "PERSONNUMMER", shape: "9999999999", holds: luhn },
    Rule { country: "TR", name: "TC_KIMLIK_NO", shape: "99999999999", holds: turkey },
    Rule { country: "US", name: "SSN", shape: "999999999", holds: united_states },
    Rule { country: "ZA", name: "ID_NUMBER", shape: "9999999999999", holds: luhn },
];

const CHINA: &str = "99999999999999999X";

impl Rule {
    fn problems(&self, number: &str) -> Vec<NumberProblem> {
        let problem = |code, message| vec![NumberProblem { code, message }];
        if !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return problem("invalid_characters", "must be letters and digits".to_owned());
        }
        let length = self.shape.len();
        if number.len() != length {
            return problem("wrong_length", format!("must have {length} characters"));
        }
        let fits = |(byte, shape): (u8, u8)| match shape {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            _ => true,
        };
        if !number.bytes().zip(self.shape.bytes()).all(fits) {
            let message = format!("must be {}: 9 a digit, A a letter, X either", self.shape);
            return problem("wrong_format", message);
        }
        if (self.holds)(number.as_bytes()) {
            return Vec::new();
        }
        problem("invalid_number", format!("is no {}: a character is wrong", self.name))
    }
}

/// Where nothing more is known: what the number of a document looks like anywhere.
fn general(number: &str) -> Vec<NumberProblem> {
    let mut problems = Vec::new();
    if !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = "must be letters and digits".to_owned();
        problems.push(NumberProblem { code: "invalid_characters", message });
    }
    if !DocumentNumber::LENGTH.contains(&number.chars().count()) {
        let (least, most) = (DocumentNumber::LENGTH.start(), DocumentNumber::LENGTH.end());
        let message = format!("must have {least} to {most} characters");
        problems.push(NumberProblem { code: "wrong_length", message });
    }
    problems
}

/// What a digit counts; a letter as in documents that machines read: A is 10.
fn value(byte: u8) -> u32 {
    char::from(byte).to_digit(36).unwrap_or_default()
}

/// The number that digits stand for.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(value(*digit)))
}

/// The digits, each times its weight, in all. Digits without a weight do not count.
fn weighted(digits: &[u8], weights: impl IntoIterator<Item = u32>) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| value(*digit) * weight).sum()
}

fn last(digits: &[u8]) -> u32 {
    digits.last().copied().map_or(0, value)
}

/// ISO/IEC 7812: every second digit doubled, from the right.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, value(*digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn belgium(digits: &[u8]) -> bool {
    let Some((body, check)) = digits.split_at_checked(9) else { return false };
    let (body, check) = (number(body), number(check));
    // Who was born from 2000 on has a 2 before the number when it is made.
    [body, body + 2_000_000_000].iter().any(|body| 97 - body % 97 == check)
}

fn brazil(digits: &[u8]) -> bool {
    let is_one_digit = digits.iter().all(|digit| digits.first() == Some(digit));
    let check = |length: usize| {
        let weights = (2..=length + 1).rev().filter_map(|weight| u32::try_from(weight).ok());
        let sum = weighted(digits.get(..length).unwrap_or_default(), weights);
        let expected = sum * 10 % 11 % 10;
        digits.get(length).is_some_and(|digit| value(*digit) == expected)
    };
    !is_one_digit && check(9) && check(10)
}

/// ISO 7064, modulus 11-2.
fn china(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let sum = body.iter().fold(0, |sum, digit| (sum + value(*digit)) * 2 % 11);
    let expected = (12 - sum) % 11;
    if expected == 10 {
        *check == b'X'
    } else {
        check.is_ascii_digit() && value(*check) == expected
    }
}

/// ICAO 9303: weights 7, 3 and 1.
fn germany(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    weighted(body, [7, 3, 1].into_iter().cycle()) % 10 == value(*check)
}

/// DNI, or NIE of foreigners, which begins with X, Y or Z.
fn spain(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let Some((first, rest)) = body.split_first() else { return false };
    let first = match first {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        digit if digit.is_ascii_digit() => u64::from(value(*digit)),
        _ => return false,
    };
    letter(b"TRWAGMYFPDXBNJZSQVHLCKE", first * 10_000_000 + number(rest)) == Some(*check)
}

/// The century's sign is not a part of what is compared.
fn finland(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    letter(b"0123456789ABCDEFHJKLMNPRSTUVWXY", number(body)) == Some(*check)
}

/// The letter of an alphabet that stands for a remainder.
fn letter(alphabet: &[u8], number: u64) -> Option<u8> {
    let at = number % u64::try_from(alphabet.len()).ok()?.max(1);
    alphabet.get(usize::try_from(at).ok()?).copied()
}

/// Verhoeff's scheme: the dihedral group of order 10, and a permutation for each place.
fn india(digits: &[u8]) -> bool {
    const TIMES: [[u32; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const STEP: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let at = |table: &[u32], place: u32| table.get(place as usize).copied().unwrap_or_default();
    let permuted =
        |place: usize, digit: u32| (0..place % 8).fold(digit, |digit, _| at(&STEP, digit));
    let times = |left: u32, right: u32| TIMES.get(left as usize).map_or(0, |row| at(row, right));
    let sum = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |sum, (place, digit)| times(sum, permuted(place, value(*digit))));
    // No number begins with 0 or 1.
    digits.first().is_some_and(|first| *first > b'1') && sum == 0
}

/// The eleven test: the last digit counts against the others.
fn netherlands(digits: &[u8]) -> bool {
    let sum = weighted(digits, (2..=9).rev());
    number(digits) > 0 && sum % 11 == last(digits)
}

fn poland(digits: &[u8]) -> bool {
    weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

fn turkey(digits: &[u8]) -> bool {
    let sum = |from: usize, to: usize| -> u32 {
        digits.iter().take(to).skip(from).step_by(2).map(|digit| value(*digit)).sum()
    };
    let (odd, even) = (sum(0, 9), sum(1, 8));
    let tenth = (odd * 7 + 90 - even) % 10;
    let all: u32 = digits.iter().take(10).map(|digit| value(*digit)).sum();
    let at = |place: usize| digits.get(place).copied().map_or(0, value);
    at(0) != 0 && at(9) == tenth && at(10) == all % 10
}

/// There are no check digits, but parts that are given to nobody.
fn united_states(digits: &[u8]) -> bool {
    let part = |from: usize, to: usize| number(digits.get(from..to).unwrap_or_default());
    let area = part(0, 3);
    area != 0 && area != 666 && area < 900 && part(3, 5) != 0 && part(5, 9) != 0
}

#[cfg(test)]
mod tests {
    use super::look_at;

    /// Numbers that the countries show as specimens, or that stand in textbooks.
    const RIGHT: &[(&str, &str)] = &[
        ("BE", "85.07.30-033.28"),
        ("BR", "111.444.777-35"),
        ("CN", "11010519491231002x"),
        ("DE", "L01X00T471"),
        ("ES", "12345678-Z"),
        ("ES", "X1234567L"),
        ("FI", "131052-308T"),
        ("IN", "2341 2341 2346"),
        ("NL", "111222333"),
        ("PL", "44051401359"),
        ("SE", "640823-3234"),
        ("TR", "10000000146"),
        ("US", "078-05-1120"),
        ("ZA", "8001015009087"),
        ("FR", "AB 12-34"),
    ];

    #[test]
    fn right_numbers_are_right_and_one_wrong_digit_is_found() {
        for (country, number) in RIGHT {
            let reply = look_at(number, country);
            assert!(reply.valid, "{country} {number}: {reply:?}");
            if ["US", "FR"].contains(country) {
                continue;
            }
            let normalised = reply.normalised;
            let at = normalised.rfind(|c: char| c.is_ascii_digit()).unwrap();
            let digit = u32::from(normalised.as_bytes()[at] - b'0');
            let wrong = char::from_digit((digit + 1) % 10, 10).unwrap().to_string();
            let changed = format!("{}{wrong}{}", &normalised[..at], &normalised[at + 1..]);
            let reply = look_at(&changed, country);
            assert_eq!(reply.problems[0].code, "invalid_number", "{country} {changed}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (country, number, code) in [
            ("ES", "1234567Z", "wrong_length"),
            ("ES", "123456789", "wrong_format"),
            ("BR", "11111111111", "invalid_number"),
            ("IN", "0341 2341 2346", "invalid_number"),
            ("NL", "000000000", "invalid_number"),
            ("US", "666-05-1120", "invalid_number"),
            ("US", "078-05-112€", "invalid_characters"),
            ("FR", "é1234", "invalid_characters"),
            ("FR", "A1", "wrong_length"),
        ] {
            let reply = look_at(number, country);
            assert_eq!(reply.problems.first().map(|p| p.code), Some(code), "{country} {number}");
            assert!(!reply.valid);
        }
    }
}
