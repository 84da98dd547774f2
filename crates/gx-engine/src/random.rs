//! The chance that the engine is given: the system's, or a sequence that follows from a seed.
//!
//! Batch ids, names of lease holders and pauses are drawn from it; nothing else in the crate draws.
//! It makes no keys and no secrets.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A source of random numbers. Clones of a seeded one draw from the same sequence.
#[derive(Debug, Clone)]
pub struct Random(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// The system's.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same numbers in every run.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    pub(crate) fn bits(&self) -> u128 {
        match &self.0 {
            Source::System => rand::random(),
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).random(),
        }
    }

    pub(crate) fn within(&self, range: RangeInclusive<u64>) -> u64 {
        match &self.0 {
            Source::System => rand::rng().random_range(range),
            Source::Seeded(rng) => {
                rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(range)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence() {
        let draw = |random: &Random| (random.bits(), random.within(1..=1_000_000));
        let (one, same, other) = (Random::seeded(1), Random::seeded(1), Random::seeded(2));
        let first = draw(&one);
        assert_eq!(first, draw(&same));
        assert_ne!(first, draw(&other));
        assert_ne!(draw(&one.clone()), first);
        assert_ne!(Random::system().bits(), Random::system().bits());
    }
}
