//! A Bloom filter over command ids: "certainly not here" for nearly every id that is not.
//!
//! Each id sets one bit in each of the eight words of one cache line, so that a question costs one
//! access to memory. The bits are stored; how they are chosen is part of the file's format.

use crate::encoding::{Malformed, put_u64};

/// Bits for each id: with eight of them set, about one id in a thousand is here by mistake.
const BITS_PER_ID: usize = 16;
const WORDS: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    lines: Vec<[u64; WORDS]>,
}

impl Filter {
    /// A filter for about `ids` ids.
    pub(crate) fn for_ids(ids: usize) -> Self {
        let lines = ids.saturating_mul(BITS_PER_ID).div_ceil(WORDS * 64).max(1);
        Self { lines: vec![[0; WORDS]; lines] }
    }

    pub(crate) fn insert(&mut self, id: u128) {
        let (line, bits) = self.place(id);
        if let Some(line) = self.lines.get_mut(line) {
            line.iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
        }
    }

    pub(crate) fn may_contain(&self, id: u128) -> bool {
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

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for word in self.lines.iter().flatten() {
            put_u64(out, *word);
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let (lines, incomplete) = words.as_chunks::<WORDS>();
        if lines.is_empty() || !incomplete.is_empty() || !rest.is_empty() {
            return Err(Malformed::Field("filter"));
        }
        Ok(Self { lines: lines.to_vec() })
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
    use super::*;
    use crate::hash::Hash;

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
        let mut bytes = Vec::new();
        filter.put(&mut bytes);
        let hash = "ac4fa5181a1b4ea9155654b2b667aa31f38105421500bb797bcf8738325d64a4";
        assert_eq!(Hash::of(&bytes).to_string(), hash);
        assert_eq!(Filter::read(&bytes), Ok(filter));
        assert!(Filter::read(&[]).is_err());
        assert!(Filter::read(&bytes[1..]).is_err());
    }
}
