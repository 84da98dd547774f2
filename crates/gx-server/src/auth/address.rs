//! E-mail addresses: one text for each mailbox, and none that looks like somebody else's.
//!
//! The domain is kept in the form that name servers compare (IDNA). Who already has an account
//! logs in with the address as it was kept before there were these rules.

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::{MixedScript as _, skeleton};

use crate::http::fields::{Misfit, written};

const MISFIT: Misfit = ("invalid_email", std::borrow::Cow::Borrowed("must be an address"));

/// The address as it is kept, for somebody who is new.
pub(super) fn registered(text: &str) -> Result<String, Misfit> {
    let address = kept(text)?;
    let (local, _) = address.split_once('@').ok_or(MISFIT)?;
    if !local.is_ascii() {
        let plain = written(local).is_some_and(|written| written == local);
        // A local part in letters of two scripts, or only in letters that look like Latin ones.
        if !plain || !local.is_single_script() || skeleton(local).all(|c| c.is_ascii()) {
            let message = "must not have characters that look like others or like nothing";
            return Err(("confusable_characters", message.into()));
        }
    }
    Ok(address)
}

/// The address in the form in which addresses are kept.
pub(super) fn kept(text: &str) -> Result<String, Misfit> {
    if text.is_ascii() && !text.to_ascii_lowercase().contains("xn--") {
        return plain(text);
    }
    let (local, domain) = text.split_once('@').ok_or(MISFIT)?;
    let domain = idna::domain_to_ascii_strict(domain.trim_end()).map_err(|_| MISFIT)?;
    let local: String = local.to_lowercase().nfc().collect();
    plain(&format!("{local}@{domain}"))
}

/// The address in lower case, as it was kept when domains were not compared in their ASCII form.
pub(super) fn plain(text: &str) -> Result<String, Misfit> {
    let email = text.trim().to_lowercase();
    let legal = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"".contains(c);
    let fits = email.len() <= 254
        && email.chars().all(legal)
        && email.split_once('@').is_some_and(|(local, domain)| {
            let labels: Vec<&str> = domain.split('.').collect();
            let label = |l: &&str| {
                !l.is_empty()
                    && l.len() <= 63
                    && !l.starts_with('-')
                    && !l.ends_with('-')
                    && !l.contains('@')
            };
            (1..=64).contains(&local.len()) && labels.len() >= 2 && labels.iter().all(label)
        });
    if fits { Ok(email) } else { Err(MISFIT) }
}

#[cfg(test)]
mod tests {
    use super::{kept, registered};

    #[test]
    fn one_mailbox_has_one_text() {
        for (text, address) in [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("ada@例え。example", "ada@xn--r8jz45g.example"),
            ("иван@пример.example", "иван@xn--e1afmkfd.example"),
            ("jose\u{301}@example.org", "josé@example.org"),
            ("田中たろう@example.org", "田中たろう@example.org"),
            ("o'brien+shop_2@example.org", "o'brien+shop_2@example.org"),
        ] {
            assert_eq!(kept(text), Ok(address.to_owned()), "{text:?}");
            assert_eq!(registered(text), Ok(address.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn nobody_registers_with_somebody_elses_looks() {
        for text in [
            // Cyrillic а before Latin letters; Cyrillic letters alone that look like Latin ones.
            "\u{430}da@example.org",
            "\u{441}\u{43E}\u{440}@example.org",
            "ada\u{200B}@example.org",
            "ada\u{202E}@example.org",
        ] {
            assert_eq!(registered(text).unwrap_err().0, "confusable_characters", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in ["ada", "a@b", "a@b@c.de", "a b@c.de", "a@-b.de", "a@xn--a.de"] {
            assert_eq!(registered(text).unwrap_err().0, "invalid_email", "{text:?}");
        }
    }
}
