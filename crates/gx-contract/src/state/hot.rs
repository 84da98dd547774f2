//! The two records that every payment reads and writes, as bytes without a general JSON library.
//!
//! Only the very bytes that are written here are read here; everything else, from other builds or
//! damaged, is left to the derived reader, whose word on what is a record is the only one. Tests
//! hold both ways against the derived ones.

use gx_types::{Amount, CountryCode};

use super::RunningMs;
use super::record::{Account, AccountKind, CommandOutcome, Version};
use crate::freezing::FreezeReasons;
use crate::identity::AccountStatus;
use crate::tax_and_fee::TaxTimer;

/// The texts of the kinds with what stands around them in an account.
const KINDS: [(AccountKind, &[u8]); 5] = [
    (AccountKind::User, br#"{"v":1,"kind":"USER","accountType":""#),
    (AccountKind::Organization, br#"{"v":1,"kind":"ORGANIZATION","accountType":""#),
    (AccountKind::Pool, br#"{"v":1,"kind":"POOL","accountType":""#),
    (AccountKind::Treasury, br#"{"v":1,"kind":"TREASURY","accountType":""#),
    (AccountKind::Escrow, br#"{"v":1,"kind":"ESCROW","accountType":""#),
];
const COUNTRY: &[u8] = br#"","country":""#;
const BALANCE: &[u8] = br#"","balance":""#;
const KEYED: &[u8] = br#","keyed":true"#;
const TAX_TIMER: &[u8] = br#","taxTimer":"#;
const TAX_EXEMPT: &[u8] = br#","taxExempt":true"#;
const LIMITED: &[u8] = br#","limited":true"#;
const ESCROWED: &[u8] = br#","escrowed":""#;
const CUSTODIAN: &[u8] = br#","custodian":"#;

/// The account's bytes; `None` for the few that are frozen, locked or deceased.
pub(super) fn account_bytes(account: &Account) -> Option<Vec<u8>> {
    let Account {
        v: Version,
        kind,
        account_type,
        country,
        balance,
        frozen,
        status,
        keyed,
        tax_timer,
        tax_exempt,
        limited,
        escrowed,
        custodian,
    } = *account;
    if !frozen.is_empty() || !status.is_active() {
        return None;
    }
    let mut bytes = Vec::with_capacity(128);
    let (_, opening) = KINDS.iter().find(|(of, _)| *of == kind)?;
    bytes.extend_from_slice(opening);
    bytes.extend_from_slice(account_type.as_str().as_bytes());
    if let Some(country) = country {
        bytes.extend_from_slice(COUNTRY);
        bytes.extend_from_slice(country.as_str().as_bytes());
    }
    bytes.extend_from_slice(BALANCE);
    bytes.extend_from_slice(itoa::Buffer::new().format(balance.qirat()).as_bytes());
    bytes.push(b'"');
    if keyed {
        bytes.extend_from_slice(KEYED);
    }
    match tax_timer {
        None => {}
        Some(TaxTimer::Since(RunningMs(since))) => {
            bytes.extend_from_slice(TAX_TIMER);
            bytes.extend_from_slice(itoa::Buffer::new().format(since).as_bytes());
        }
        // Only those rest that may not act.
        Some(TaxTimer::Rests { .. }) => return None,
    }
    if tax_exempt {
        bytes.extend_from_slice(TAX_EXEMPT);
    }
    if limited {
        bytes.extend_from_slice(LIMITED);
    }
    if !escrowed.is_zero() {
        bytes.extend_from_slice(ESCROWED);
        bytes.extend_from_slice(itoa::Buffer::new().format(escrowed.qirat()).as_bytes());
        bytes.push(b'"');
    }
    if custodian != 0 {
        bytes.extend_from_slice(CUSTODIAN);
        bytes.extend_from_slice(itoa::Buffer::new().format(custodian).as_bytes());
    }
    bytes.push(b'}');
    Some(bytes)
}

/// Reads what [`account_bytes`] writes, and nothing else.
pub(super) fn account(bytes: &[u8]) -> Option<Account> {
    let opened =
        |(kind, opening): &(AccountKind, &[u8])| Some((*kind, bytes.strip_prefix(*opening)?));
    let (kind, rest) = KINDS.iter().find_map(opened)?;
    let (account_type, rest) = rest.split_at_checked(1)?;
    let account_type = std::str::from_utf8(account_type).ok()?.parse().ok()?;
    let (country, rest) = match rest.strip_prefix(COUNTRY) {
        None => (None, rest),
        Some(rest) => {
            let (code, rest) = rest.split_at_checked(2)?;
            let code: CountryCode = std::str::from_utf8(code).ok()?.parse().ok()?;
            (Some(code), rest)
        }
    };
    let (balance, rest) = number(rest.strip_prefix(BALANCE)?)?;
    let rest = rest.strip_prefix(b"\"")?;
    let (keyed, rest) = flag(rest, KEYED);
    let (tax_timer, rest) = match rest.strip_prefix(TAX_TIMER) {
        None => (None, rest),
        Some(rest) => {
            let (since, rest) = number(rest)?;
            (Some(TaxTimer::Since(RunningMs(i64::try_from(since).ok()?))), rest)
        }
    };
    let (tax_exempt, rest) = flag(rest, TAX_EXEMPT);
    let (limited, rest) = flag(rest, LIMITED);
    let (escrowed, rest) = match rest.strip_prefix(ESCROWED) {
        None => (0, rest),
        Some(rest) => {
            let (escrowed, rest) = number(rest)?;
            // Nothing in escrow is not written.
            (if escrowed == 0 { return None } else { escrowed }, rest.strip_prefix(b"\"")?)
        }
    };
    let (custodian, rest) = match rest.strip_prefix(CUSTODIAN) {
        None => (0, rest),
        Some(rest) => {
            let (place, rest) = number(rest)?;
            // The first is not written.
            (if place == 0 { return None } else { u16::try_from(place).ok()? }, rest)
        }
    };
    (rest == b"}").then_some(Account {
        v: Version,
        kind,
        account_type,
        country,
        balance: Amount::from_qirat(balance),
        frozen: FreezeReasons::NONE,
        status: AccountStatus::Active,
        keyed,
        tax_timer,
        tax_exempt,
        limited,
        escrowed: Amount::from_qirat(escrowed),
        custodian,
    })
}

fn flag<'a>(bytes: &'a [u8], text: &[u8]) -> (bool, &'a [u8]) {
    bytes.strip_prefix(text).map_or((false, bytes), |rest| (true, rest))
}

/// The decimal number that the bytes start with, without leading zeros, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = bytes.split_at_checked(length)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    })?;
    Some((value, rest))
}

/// The bytes of the outcome of a command that was applied; `None` for one that was refused.
pub(super) fn outcome_bytes(outcome: &CommandOutcome) -> Option<Vec<u8>> {
    let CommandOutcome { v: Version, body, batch_id, time, refused: None } = outcome else {
        return None;
    };
    let mut bytes = Vec::with_capacity(112);
    bytes.extend_from_slice(br#"{"v":1,"body":""#);
    bytes.extend_from_slice(crate::hex_text::write(body.as_bytes(), &mut [0; 32]).as_bytes());
    bytes.extend_from_slice(br#"","batchId":""#);
    bytes.extend_from_slice(batch_id.as_str().as_bytes());
    bytes.extend_from_slice(br#"","time":"#);
    bytes.extend_from_slice(itoa::Buffer::new().format(time.0).as_bytes());
    bytes.push(b'}');
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use gx_types::TimeMs;
    use proptest::prelude::*;

    use super::*;
    use crate::Refusal;
    use crate::state::{Key, Record};
    use crate::tests::records_of_all_kinds;

    fn country() -> impl Strategy<Value = Option<CountryCode>> {
        proptest::option::of("[A-Z]{2}".prop_map(|code| code.parse().unwrap()))
    }

    fn accounts() -> impl Strategy<Value = Account> {
        let kind = prop_oneof![
            Just(AccountKind::Pool),
            Just(AccountKind::Treasury),
            Just(AccountKind::User),
            Just(AccountKind::Organization),
            Just(AccountKind::Escrow)
        ];
        let account_type = proptest::sample::select(gx_types::AccountType::ALL.to_vec());
        let status = prop_oneof![
            4 => Just(AccountStatus::Active),
            1 => Just(AccountStatus::Locked),
            1 => Just(AccountStatus::Deceased)
        ];
        let balance = prop_oneof![any::<u64>(), 0_u64..1000, Just(0), Just(u64::MAX)];
        let since = proptest::option::of(prop_oneof![any::<i64>(), 0_i64..10, Just(i64::MAX)]);
        let flags = (
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
            prop_oneof![Just(0), any::<u64>()],
            prop_oneof![Just(0), any::<u16>()],
        );
        (kind, account_type, country(), balance, status, since, flags).prop_map(
            |(kind, account_type, country, balance, status, since, flags)| {
                let (keyed, tax_exempt, limited, escrowed, custodian) = flags;
                Account {
                    v: Version,
                    kind,
                    account_type,
                    country,
                    balance: Amount::from_qirat(balance),
                    frozen: FreezeReasons::NONE,
                    status,
                    keyed,
                    tax_timer: since.map(|since| TaxTimer::Since(RunningMs(since))),
                    tax_exempt,
                    limited,
                    escrowed: Amount::from_qirat(escrowed),
                    custodian,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn accounts_are_written_and_read_as_the_derived_form_has_them(written in accounts()) {
            let derived = serde_json::to_vec(&written).unwrap();
            if let Some(bytes) = account_bytes(&written) {
                prop_assert_eq!(&bytes, &derived);
            }
            if let Some(read) = account(&derived) {
                prop_assert_eq!(read, written);
            }
            let usual = written.status == AccountStatus::Active;
            prop_assert_eq!(account_bytes(&written).is_some(), usual);
            let since = |timer| match timer {
                TaxTimer::Since(RunningMs(since)) => since >= 0,
                TaxTimer::Rests { .. } => false,
            };
            let usual = usual && written.tax_timer.is_none_or(since);
            prop_assert_eq!(account(&derived).is_some(), usual);
        }

        /// What is changed anywhere is either read as the derived reader reads it or not at all.
        #[test]
        fn damaged_accounts_are_left_to_the_derived_reader(
            written in accounts(),
            at in any::<proptest::sample::Index>(),
            byte in prop_oneof![any::<u8>(), b'0'..=b'9', Just(b'"'), Just(b' ')],
            how in 0..4,
        ) {
            let mut bytes = serde_json::to_vec(&written).unwrap();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
            if let Some(read) = account(&bytes) {
                prop_assert_eq!(Some(read), serde_json::from_slice(&bytes).ok());
            }
        }
    }

    #[test]
    fn numbers_have_one_form() {
        let read = |text: &'static str| number(text.as_bytes());
        assert_eq!(read("0}"), Some((0, b"}".as_slice())));
        assert_eq!(read("18446744073709551615\""), Some((u64::MAX, b"\"".as_slice())));
        for text in ["", "}", "5", "00}", "05}", "-1}", "+1}", "18446744073709551616}"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn hot_records_have_the_derived_bytes() {
        let mut hot = 0;
        for (case, key, record) in records_of_all_kinds() {
            let derived = if let Record::Account(of) = &record {
                serde_json::to_vec(of).unwrap()
            } else if let Record::Outcome(of) = &record {
                assert_eq!(outcome_bytes(of).is_some(), of.refused.is_none(), "{case}");
                serde_json::to_vec(of).unwrap()
            } else {
                continue;
            };
            assert_eq!(record.encode(), derived, "{case}");
            assert_eq!(Record::decode(&key, &record.encode()).unwrap(), record, "{case}");
            hot += 1;
        }
        assert!(hot > 2);
    }

    #[test]
    fn a_refused_outcome_has_the_derived_bytes_for_every_code() {
        let key = Key::Outcome(gx_types::CommandId::from_u128(1));
        for code in Refusal::ALL {
            let outcome = CommandOutcome {
                v: Version,
                body: "0".repeat(32).parse().unwrap(),
                batch_id: gx_types::BatchId::from_u128(2),
                time: TimeMs(3),
                refused: Some(Box::new((*code).into())),
            };
            let bytes = Record::from(outcome.clone()).encode();
            assert_eq!(bytes, serde_json::to_vec(&outcome).unwrap());
            assert_eq!(Record::decode(&key, &bytes).unwrap(), Record::from(outcome));
        }
    }
}
