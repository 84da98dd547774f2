//! Seeded random numbers whose sequence never changes, unlike that of a library's generator.
//!
//! For load only: nothing that must not be guessed may be drawn here.

/// SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `limit`; 0 when there is none.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A place in a list of `length`.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A place in a list of `length` whose first places come up most, each about as often as its
    /// rank says: the second half as often as the first, the third a third as often.
    pub(crate) fn zipf(&mut self, length: usize) -> usize {
        let share = self.next() as f64 / 2_f64.powi(64);
        let rank = (share * (length as f64 + 1.0).ln()).exp();
        (rank as usize).saturating_sub(1).min(length.saturating_sub(1))
    }

    pub(crate) fn bytes(&mut self) -> [u8; 16] {
        let wide = u128::from(self.next()) << 64 | u128::from(self.next());
        wide.to_be_bytes()
    }

    pub(crate) fn wide(&mut self) -> u128 {
        u128::from_be_bytes(self.bytes())
    }
}

/// The finishing steps of SplitMix64: a bijection that scatters its argument.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_fixed_for_ever() {
        let mut draw = Draw::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| draw.next()).collect();
        let known = [6457827717110365317, 3203168211198807973, 9817491932198370423];
        assert_eq!(first, known);
        assert!((0..1000).all(|_| draw.below(7) < 7));
        assert_eq!(draw.below(0), 0);
    }

    #[test]
    fn the_first_places_come_up_by_their_rank() {
        let mut draw = Draw::new(1);
        let mut counts = [0_u32; 100];
        (0..100_000).for_each(|_| counts[draw.zipf(100)] += 1);
        assert!((13_000..17_000).contains(&counts[0]), "{counts:?}");
        assert!(counts[1] * 3 < counts[0] * 2 && counts[99] > 50, "{counts:?}");
        assert_eq!((draw.zipf(1), draw.zipf(0)), (0, 0));
    }
}
