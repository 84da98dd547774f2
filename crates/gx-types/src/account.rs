//! Account ids: people and organizations by layout, pools and treasuries by name.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::short_text::ShortText;
use crate::{CountryCode, ParseError, base32, text_serde};

/// Id of an account on the ledger: 1 to 24 letters, digits, `_`, `-` and single inner spaces.
///
/// Any such text can be *named* in a command; whether it may *become* an account is a matter of
/// [`AccountId::layout`], which the contract checks when it creates one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(ShortText);

impl AccountId {
    /// The id as big-endian words in the order of the ids, for sorting and hashing.
    #[inline]
    pub fn words(&self) -> [u64; 3] {
        self.0.words()
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The treasury of a country, `treasury_<CC>`.
    pub fn treasury(country: CountryCode) -> Self {
        Self(ShortText::cut(&format!("treasury_{country}")))
    }

    /// The account that all coins in escrow lie on, `SYSTEM_ESCROW`.
    pub fn escrow() -> Self {
        Self(ShortText::cut("SYSTEM_ESCROW"))
    }

    /// Whether the id lies in the name space that only the contract creates accounts in.
    pub fn is_reserved(&self) -> bool {
        self.as_str().starts_with("SYSTEM_") || self.as_str().starts_with("treasury_")
    }

    /// Builds an id of the layout from 16 bytes of entropy, check characters included.
    pub fn from_entropy(country: CountryCode, kind: AccountType, entropy: [u8; 16]) -> Self {
        let letter = |byte: u8| char::from(b'A' + byte % 26);
        let digit = |byte: u8| char::from(b'0' + byte % 10);
        // A byte modulo 26 or 10 is slightly uneven, which costs less than one of the id's 65 bits.
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, _, _] = entropy;
        let third: String =
            [letter(a), letter(b), letter(c), digit(d), digit(e), digit(f)].iter().collect();
        let fourth: String =
            [kind.digit(), letter(g), letter(h), letter(i), letter(j)].iter().collect();
        let fifth: String = [digit(k), digit(l), digit(m), digit(n)].iter().collect();
        let check = check_characters(country.as_str(), &third, &fourth, &fifth);
        Self(ShortText::cut(&format!("{country} {check} {third} {fourth} {fifth}")))
    }

    /// Reads the layout `CC KKK XXXXXX TRRRR DDDD` and verifies its check characters.
    ///
    /// # Errors
    /// [`IdLayoutError`] names the first block that is wrong.
    pub fn layout(&self) -> Result<Layout, IdLayoutError> {
        let blocks: Vec<&str> = self.as_str().split(' ').collect();
        let [country, check, third, fourth, fifth] = blocks[..] else {
            return Err(IdLayoutError::Blocks);
        };
        let country_code: CountryCode = country.parse().map_err(|_| IdLayoutError::Country)?;
        let upper = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match third.split_at_checked(3) {
            Some((head, tail)) if tail.len() == 3 && upper(head) && digits(tail) => {}
            _ => return Err(IdLayoutError::Third),
        }
        let kind = match fourth.split_at_checked(1) {
            Some((kind, letters)) if letters.len() == 4 && upper(letters) => {
                AccountType::from_digit(kind).ok_or(IdLayoutError::Type)?
            }
            _ => return Err(IdLayoutError::Fourth),
        };
        if fifth.len() != 4 || !digits(fifth) {
            return Err(IdLayoutError::Fifth);
        }
        if check != check_characters(country, third, fourth, fifth) {
            return Err(IdLayoutError::Check);
        }
        Ok(Layout { country: country_code, kind })
    }
}

/// The first three base-32 characters of SHA-256 over the other four blocks joined.
fn check_characters(country: &str, third: &str, fourth: &str, fifth: &str) -> String {
    let mut hash = Sha256::new();
    for block in [country, third, fourth, fifth] {
        hash.update(block.as_bytes());
    }
    let head = hash.finalize().iter().take(2).fold(0, |sum, byte| (sum << 8) | u128::from(*byte));
    [head >> 11, head >> 6, head >> 1].into_iter().map(base32::digit).collect()
}

impl FromStr for AccountId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        // A record of an organization holds dozens of ids: one pass over the bytes, no search.
        let mut after_space = true;
        let legal = text.bytes().all(|byte| {
            let space = byte == b' ';
            let legal = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'-')
                || (space && !after_space);
            after_space = space;
            legal
        });
        // An empty text ends as it begins: after a space, so to say.
        if text.len() <= ShortText::LENGTH_MAX && legal && !after_space {
            Ok(Self(ShortText::cut(text)))
        } else {
            Err(ParseError::new("an account id such as \"IN 7QK ABC123 0WXYZ 1234\"", text))
        }
    }
}

text_serde!(
    AccountId,
    "AccountId",
    "id of an account on the ledger",
    "^[A-Za-z0-9_-][A-Za-z0-9_ -]{0,23}$"
);

/// What the layout of an id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub country: CountryCode,
    pub kind: AccountType,
}

/// The first block of an id that breaks the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdLayoutError {
    #[error("five blocks separated by one space expected")]
    Blocks,
    #[error("the first block is two upper-case letters")]
    Country,
    #[error("the third block is three letters and three digits")]
    Third,
    #[error("the fourth block is the account type and four letters")]
    Fourth,
    #[error("the account type is reserved or unknown")]
    Type,
    #[error("the fifth block is four digits")]
    Fifth,
    #[error("the check characters do not fit the other blocks")]
    Check,
}

/// The hexadecimal digit that opens the fourth block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountType {
    Individual,
    ForProfit,
    NotForProfit,
    Education,
    Health,
    Financial,
    Treasury,
    Governmental,
    Intergovernmental,
    Diplomatic,
    TrustOrEstate,
    Temporary,
    System,
}

impl AccountType {
    pub const ALL: [Self; 13] = [
        Self::Individual,
        Self::ForProfit,
        Self::NotForProfit,
        Self::Education,
        Self::Health,
        Self::Financial,
        Self::Treasury,
        Self::Governmental,
        Self::Intergovernmental,
        Self::Diplomatic,
        Self::TrustOrEstate,
        Self::Temporary,
        Self::System,
    ];

    /// The digit in the id. `B` to `D` are reserved and have no type.
    pub const fn digit(self) -> char {
        match self {
            Self::Individual => '0',
            Self::ForProfit => '1',
            Self::NotForProfit => '2',
            Self::Education => '3',
            Self::Health => '4',
            Self::Financial => '5',
            Self::Treasury => '6',
            Self::Governmental => '7',
            Self::Intergovernmental => '8',
            Self::Diplomatic => '9',
            Self::TrustOrEstate => 'A',
            Self::Temporary => 'E',
            Self::System => 'F',
        }
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Individual => "0",
            Self::ForProfit => "1",
            Self::NotForProfit => "2",
            Self::Education => "3",
            Self::Health => "4",
            Self::Financial => "5",
            Self::Treasury => "6",
            Self::Governmental => "7",
            Self::Intergovernmental => "8",
            Self::Diplomatic => "9",
            Self::TrustOrEstate => "A",
            Self::Temporary => "E",
            Self::System => "F",
        }
    }

    fn from_digit(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Types 6 to 9: their payments are charged as GOVERNMENT.
    pub const fn is_governmental(self) -> bool {
        matches!(
            self,
            Self::Treasury | Self::Governmental | Self::Intergovernmental | Self::Diplomatic
        )
    }

    /// Types of businesses and institutions: paying one of them is a MERCHANT payment.
    pub const fn is_organization(self) -> bool {
        matches!(
            self,
            Self::ForProfit
                | Self::NotForProfit
                | Self::Education
                | Self::Health
                | Self::Financial
                | Self::TrustOrEstate
        )
    }
}

impl FromStr for AccountType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::from_digit(text)
            .ok_or_else(|| ParseError::new("an account type 0-9, A, E or F", text))
    }
}

text_serde!(AccountType, "AccountType", "account type: 0-9, A, E or F", "^[0-9AEF]$");

/// The six accounts that hold the whole supply after bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pool {
    UserGenesis,
    GovtGenesis,
    Charitable,
    Loan,
    Gx,
    OperationsFund,
}

impl Pool {
    pub const ALL: [Self; 6] = [
        Self::UserGenesis,
        Self::GovtGenesis,
        Self::Charitable,
        Self::Loan,
        Self::Gx,
        Self::OperationsFund,
    ];

    /// Name of the pool, which is its account id.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UserGenesis => "SYSTEM_USER_GENESIS_POOL",
            Self::GovtGenesis => "SYSTEM_GOVT_GENESIS_POOL",
            Self::Charitable => "SYSTEM_CHARITABLE_POOL",
            Self::Loan => "SYSTEM_LOAN_POOL",
            Self::Gx => "SYSTEM_GX_POOL",
            Self::OperationsFund => "SYSTEM_OPERATIONS_FUND",
        }
    }

    pub fn account(self) -> AccountId {
        AccountId(ShortText::cut(self.as_str()))
    }
}

impl FromStr for Pool {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|pool| pool.as_str() == text)
            .ok_or_else(|| ParseError::new("a pool such as SYSTEM_CHARITABLE_POOL", text))
    }
}

text_serde!(Pool, "Pool", "a pool account", "^SYSTEM_[A-Z_]+$");

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AccountId {
        text.parse().unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn made_ids_have_the_layout() {
        let country: CountryCode = id_country();
        for kind in AccountType::ALL {
            let made = AccountId::from_entropy(country, kind, *b"0123456789abcdef");
            assert_eq!(made.as_str().len(), 24);
            assert_eq!(made.layout(), Ok(Layout { country, kind }));
        }
    }

    fn id_country() -> CountryCode {
        "IN".parse().unwrap_or_else(|error| unreachable!("{error}"))
    }

    proptest::proptest! {
        #[test]
        fn ids_order_as_their_texts(a in "[A-Za-z0-9_-]{1,24}", b in "[A-Za-z0-9_-]{1,24}") {
            proptest::prop_assert_eq!(id(&a).cmp(&id(&b)), a.cmp(&b));
            let shown = id(&a).to_string();
            proptest::prop_assert_eq!(shown, a);
        }
    }

    #[test]
    fn each_broken_block_is_named() {
        let good = AccountId::from_entropy(id_country(), AccountType::Individual, [7; 16]);
        let blocks: Vec<&str> = good.as_str().split(' ').collect();
        let with = |place: usize, block: &str| {
            let mut blocks = blocks.clone();
            blocks[place] = block;
            id(&blocks.join(" ")).layout()
        };
        assert_eq!(id("IN").layout(), Err(IdLayoutError::Blocks));
        assert_eq!(with(0, "in"), Err(IdLayoutError::Country));
        assert_eq!(with(0, "FR"), Err(IdLayoutError::Check));
        assert_eq!(with(1, "ZZZ"), Err(IdLayoutError::Check));
        assert_eq!(with(2, "AB1234"), Err(IdLayoutError::Third));
        assert_eq!(with(3, "0ABC"), Err(IdLayoutError::Fourth));
        assert_eq!(with(3, "BABCD"), Err(IdLayoutError::Type));
        assert_eq!(with(4, "12A4"), Err(IdLayoutError::Fifth));
    }

    #[test]
    fn only_plain_text_names_an_account() {
        for text in ["", " ", "  ", " IN", "IN ", "IN  7QK", "a/b", "a\u{0}b", "é", &"A".repeat(25)]
        {
            assert!(text.parse::<AccountId>().is_err(), "{text:?}");
        }
        for text in ["A", "A B", "a-B_9", &"A".repeat(24)] {
            assert_eq!(id(text).as_str(), text);
        }
        assert!(id("SYSTEM_LOAN_POOL").is_reserved());
        assert!(id("treasury_IN").is_reserved());
        assert!(!id("IN 7QK ABC123 0WXYZ 1234").is_reserved());
    }
}
