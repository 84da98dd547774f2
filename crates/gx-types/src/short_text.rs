//! Ids of up to 24 ASCII characters, kept on the stack: they are copied and compared all the time.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::ParseError;

/// Up to 24 ASCII characters without NUL; shorter texts are filled up with NUL.
#[derive(Clone, Copy)]
pub(crate) struct ShortText([u8; ShortText::LENGTH_MAX]);

impl ShortText {
    /// The length of an account id of the layout. Nothing longer can be an account.
    pub(crate) const LENGTH_MAX: usize = 24;

    /// Takes a text that is known to fit; what does not is cut off.
    pub(crate) fn cut(text: &str) -> Self {
        let mut bytes = [0; Self::LENGTH_MAX];
        let length = text.len().min(Self::LENGTH_MAX);
        if let (Some(to), Some(from)) = (bytes.get_mut(..length), text.as_bytes().get(..length)) {
            to.copy_from_slice(from);
        }
        Self(bytes)
    }

    /// A name of 3 to 24 letters, digits, `-` and `_`; `what` says what it would have been.
    pub(crate) fn name(text: &str, what: &'static str) -> Result<Self, ParseError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (3..=Self::LENGTH_MAX).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self::cut(text))
        } else {
            Err(ParseError::new(what, text))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Ids of the layout fill all the room; others are filled up.
        let text = match self.0.last() {
            Some(0) => self.0.split(|byte| *byte == 0).next().unwrap_or_default(),
            _ => self.0.as_slice(),
        };
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// The text as big-endian words, whose order is that of the text: words compare much faster
    /// than bytes.
    #[inline]
    pub(crate) fn words(&self) -> [u64; 3] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = self.0;
        [
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            u64::from_be_bytes([i, j, k, l, m, n, o, p]),
            u64::from_be_bytes([q, r, s, t, u, v, w, x]),
        ]
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for ShortText {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for ShortText {}

impl Hash for ShortText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().hash(state);
    }
}

impl Ord for ShortText {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.words().cmp(&other.words())
    }
}

impl PartialOrd for ShortText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
