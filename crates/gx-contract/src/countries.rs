//! Genesis slots: how each phase's limit is shared out among the countries.

use gx_types::CountryCode;

/// The weights of a complete set of countries sum to this.
pub const TOTAL_WEIGHT: u32 = 100_000_000;

/// Slots of the six phases, over all countries.
pub const SLOT_PHASES: [u64; 6] =
    [100_000_000, 200_000_000, 300_000_000, 400_000_000, 1_550_000_000, 2_450_000_000];

/// Slots of each country for each phase, by largest remainder, ties in order of the code. The sum
/// over the countries of each phase is exactly the phase's limit when the weights are complete.
pub(crate) fn allot(weights: &[(CountryCode, u32)]) -> Vec<[u64; 6]> {
    let mut slots = vec![[0; 6]; weights.len()];
    for (phase, limit) in SLOT_PHASES.into_iter().enumerate() {
        for (country, share) in shares(weights, limit).into_iter().enumerate() {
            if let Some(slot) = slots.get_mut(country).and_then(|row| row.get_mut(phase)) {
                *slot = share;
            }
        }
    }
    slots
}

fn shares(weights: &[(CountryCode, u32)], limit: u64) -> Vec<u64> {
    let total = u128::from(TOTAL_WEIGHT);
    let exact = |weight: u32| u128::from(limit).saturating_mul(u128::from(weight));
    let whole = |weight: u32| u64::try_from(exact(weight).div_euclid(total)).unwrap_or(u64::MAX);
    let mut shares: Vec<u64> = weights.iter().map(|(_, weight)| whole(*weight)).collect();
    let given = shares.iter().fold(0, |sum: u64, share| sum.saturating_add(*share));
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|index| {
        let (code, weight) = weights.get(*index).copied().map_or((None, 0), |(c, w)| (Some(c), w));
        (std::cmp::Reverse(exact(weight).rem_euclid(total)), code)
    });
    let left = usize::try_from(limit.saturating_sub(given)).unwrap_or(0);
    for index in order.into_iter().take(left) {
        if let Some(share) = shares.get_mut(index) {
            *share = share.saturating_add(1);
        }
    }
    shares
}
