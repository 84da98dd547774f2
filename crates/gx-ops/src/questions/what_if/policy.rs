//! Policies of endorsement: which organizations have to take part.

use std::iter::Peekable;
use std::str::Chars;

/// A policy in Fabric's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Policy {
    /// At least so many of these.
    OutOf(usize, Vec<Self>),
    /// Somebody of the organization with this identifier.
    Member(String),
    /// More than half of the organizations.
    Majority,
    Any,
    All,
}

impl Policy {
    /// Reads one; none when it is not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let words = text.trim().to_ascii_uppercase();
        for (word, policy) in [("MAJORITY", Self::Majority), ("ANY", Self::Any), ("ALL", Self::All)]
        {
            let rest = words.strip_prefix(word).or_else(|| {
                words
                    .strip_prefix("/CHANNEL/APPLICATION/")
                    .and_then(|_| (word == "MAJORITY").then_some(""))
            });
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
                return Some(policy);
            }
        }
        let mut chars = text.chars().peekable();
        let policy = read(&mut chars, 0)?;
        skip(&mut chars);
        chars.next().is_none().then_some(policy)
    }

    /// Whether it is satisfied when these organizations can take part.
    pub(super) fn holds(&self, all: usize, able: &[&str]) -> bool {
        match self {
            Self::OutOf(count, parts) => {
                parts.iter().filter(|part| part.holds(all, able)).count() >= *count
            }
            Self::Member(msp) => able.iter().any(|organization| is_of(msp, organization)),
            Self::Majority => able.len() > all / 2,
            Self::Any => !able.is_empty(),
            Self::All => able.len() >= all,
        }
    }
}

/// Whether an identifier such as `Org1MainnetMSP` is of an organization such as `org1`.
fn is_of(msp: &str, organization: &str) -> bool {
    let (msp, organization) = (msp.to_ascii_lowercase(), organization.to_ascii_lowercase());
    // `org10` is not `org1`.
    let rest = msp.strip_prefix(&organization);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// No policy of use is deeper.
const DEEPEST: usize = 16;

fn skip(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
}

fn read(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Policy> {
    skip(chars);
    if depth > DEEPEST {
        return None;
    }
    if let Some(quote) = chars.next_if(|c| *c == '\'' || *c == '"') {
        let mut principal = String::new();
        loop {
            match chars.next()? {
                c if c == quote => break,
                c => principal.push(c),
            }
        }
        let (msp, _) = principal.rsplit_once('.')?;
        return Some(Policy::Member(msp.to_owned()));
    }
    let mut word = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_alphabetic) {
        word.push(c.to_ascii_uppercase());
    }
    skip(chars);
    chars.next_if_eq(&'(')?;
    let mut wanted = None;
    if word == "OUTOF" {
        skip(chars);
        let mut number = String::new();
        while let Some(c) = chars.next_if(char::is_ascii_digit) {
            number.push(c);
        }
        wanted = Some(number.parse().ok()?);
        skip(chars);
        chars.next_if_eq(&',')?;
    }
    let mut parts = Vec::new();
    loop {
        parts.push(read(chars, depth.saturating_add(1))?);
        skip(chars);
        match chars.next()? {
            ',' => {}
            ')' => break,
            _ => return None,
        }
    }
    let count = match (word.as_str(), wanted) {
        ("OUTOF", Some(count)) => count,
        ("AND", _) => parts.len(),
        ("OR", _) => 1,
        _ => return None,
    };
    Some(Policy::OutOf(count, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_and_counted() {
        for (text, able, holds) in [
            ("AND('Org1MSP.peer','Org2MSP.peer')", &["org1"][..], false),
            ("AND('Org1MSP.peer', 'Org2MSP.peer')", &["org1", "org2"], true),
            ("OR('Org1MSP.peer','Org2MSP.peer')", &["org2"], true),
            ("OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')", &["org3", "org1"], true),
            ("OR('Org1MSP.peer')", &["org10"], false),
            (
                "AND('Org1MainnetMSP.peer',OR('Org2MSP.peer','Org3MSP.peer'))",
                &["org1", "org3"],
                true,
            ),
            ("MAJORITY Endorsement", &["org1"], false),
            ("MAJORITY Endorsement", &["org1", "org2"], true),
            ("/Channel/Application/Endorsement", &["org1", "org2"], true),
            ("ANY Endorsement", &["org1"], true),
            ("ALL Endorsement", &["org1", "org2"], false),
        ] {
            let policy = Policy::parse(text).unwrap();
            assert_eq!(policy.holds(3, able), holds, "{text} {able:?}");
        }
        for text in ["", "AND(", "AND()", "NOT('a.b')", "OutOf('a.b')", "AND('a')", "AND('a.b') x"]
        {
            assert_eq!(Policy::parse(text), None, "{text}");
        }
        assert_eq!(Policy::parse(&"AND(".repeat(100)), None);
    }
}
