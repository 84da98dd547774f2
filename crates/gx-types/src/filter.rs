//! A Bloom filter over command ids: "certainly not here" for nearly every id that is not.
//!
//! Each id sets one bit in each of the eight words of one cache line, so that a question costs one
//! access to memory. Ledgers store the bits or have to agree on them: how they are chosen never
//! changes.

/// Bits for each id: with eight of them set, about one id in a thousand is here by mistake.
const BITS_PER_ID: usize = 16;
const WORDS: usize = 8;

/// Which 128-bit ids were put in: all of them are found, and about one in a thousand others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    lines: Vec<[u64; WORDS]>,
}

impl Filter {
    /// A filter for about `ids` ids: two bytes for each.
    pub fn for_ids(ids: usize) -> Self {
        let lines = ids.saturating_mul(BITS_PER_ID).div_ceil(WORDS * 64).max(1);
        Self { lines: vec![[0; WORDS]; lines] }
    }

    /// Puts an id in.
    pub fn insert(&mut self, id: u128) {
        let (line, bits) = self.place(id);
        if let Some(line) = self.lines.get_mut(line) {
            line.iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
        }
    }

    /// Whether the id may have been put in; `false` is certain.
    pub fn may_contain(&self, id: u128) -> bool {
        let (line, bits) = self.place(id);
        self.lines
            .get(line)
            .is_some_and(|line| line.iter().zip(bits).all(|(word, bit)| word & bit != 0))
    }

    /// The line of an id, and its bit in each word.
    fn place(&self, id: u128) -> (usize, [u64; WORDS]) {
        // Ids are hashes as a rule, but nothing obliges a caller to that: mix them.
        let (high, low) = ((id >> 64) as u64, id as u64);
        let choice = mix(mix(low) ^ high);
        let line = (u128::from(choice) * self.lines.len() as u128) >> 64;
        let mut rest = mix(choice);
        let bits = std::array::from_fn(|_| {
            let bit = 1 << (rest & 63);
            rest >>= 6;
            bit
        });
        (line as usize, bits)
    }

    /// The bits, from which [`Filter::from_words`] makes the filter again.
    pub fn words(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().flatten().copied()
    }

    /// `None` when a filter has no such number of words.
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let (lines, incomplete) = words.as_chunks::<WORDS>();
        let whole = !lines.is_empty() && incomplete.is_empty();
        whole.then(|| Self { lines: lines.to_vec() })
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.lines.len().saturating_mul(WORDS * 8)
    }
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the input.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn what_is_in_is_found_and_little_else() {
        // Ids that follow each other are the hardest for the mixing.
        let mut filter = Filter::for_ids(10_000);
        (0..10_000).for_each(|id| filter.insert(id));
        assert!((0..10_000).all(|id| filter.may_contain(id)));
        let mistakes = (10_000..110_000).filter(|id| filter.may_contain(*id)).count();
        assert!(mistakes < 300, "{mistakes} of 100,000");
    }

    #[test]
    fn the_stored_bits_never_change() {
        let mut filter = Filter::for_ids(100);
        (1..=100_u128).for_each(|n| filter.insert(n << 100 | n));
        let words: Vec<u64> = filter.words().collect();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let hash = "7ce8fe1579a71ad45e1003ebd924e43b5f03f878c9c6fc94ca3db04be5eec54d";
        assert_eq!(hex(&Sha256::digest(&bytes)), hash);
        assert_eq!(filter.bytes(), bytes.len());
        assert_eq!(Filter::from_words(&words), Some(filter));
        assert_eq!(Filter::from_words(&[]), None);
        assert_eq!(Filter::from_words(&words[1..]), None);
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
