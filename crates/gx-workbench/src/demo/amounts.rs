//! Amounts as people pay them: mostly small, seldom large, often round.
//!
//! The logarithm of an amount is a walk of many small steps, which is how a log-normal
//! distribution comes about; so it needs no floating point.

use gx_types::QIRAT_PER_GX;

use crate::load::Draw;

/// The middle of all amounts: 6 GX.
const MEDIAN: u64 = 6 * QIRAT_PER_GX;
/// Steps of a fifth up or down. Forty make nine of ten amounts lie between 0.6 and 60 GX.
const STEPS: u32 = 40;

/// The least that is paid: a hundredth of a GX.
pub(super) const CENT: u64 = QIRAT_PER_GX / 100;

/// An amount in Qirat, never zero.
pub(super) fn amount(draw: &mut Draw) -> u64 {
    let ups = (draw.next() & ((1 << STEPS) - 1)).count_ones();
    let mut amount = MEDIAN;
    for _ in 0..ups.abs_diff(STEPS / 2) {
        // Up and down come in pairs that cancel out, so that each left over counts twice.
        amount = if ups > STEPS / 2 { amount * 36 / 25 } else { amount * 25 / 36 };
    }
    rounded(draw, amount)
}

/// Half of all amounts are whole GX or halves, most others whole hundredths, some odd.
fn rounded(draw: &mut Draw, amount: u64) -> u64 {
    let unit = match draw.below(10) {
        0..5 if amount > 2 * QIRAT_PER_GX => QIRAT_PER_GX / 2,
        0..9 => CENT,
        _ => 1,
    };
    (amount / unit * unit).max(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_spread_as_payments_are() {
        let mut draw = Draw::new(7);
        let mut amounts: Vec<u64> = (0..10_000).map(|_| amount(&mut draw)).collect();
        amounts.sort_unstable();
        let at = |percent: usize| amounts[amounts.len() * percent / 100];
        assert!(amounts[0] > 0);
        assert!((5 * QIRAT_PER_GX..7 * QIRAT_PER_GX).contains(&at(50)), "{}", at(50));
        assert!((QIRAT_PER_GX / 4..QIRAT_PER_GX).contains(&at(5)), "{}", at(5));
        assert!((30 * QIRAT_PER_GX..150 * QIRAT_PER_GX).contains(&at(95)), "{}", at(95));
        let round = amounts.iter().filter(|amount| *amount % (QIRAT_PER_GX / 2) == 0).count();
        assert!((3000..7000).contains(&round), "{round}");
    }
}
