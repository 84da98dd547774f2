//! The demo's own books: what every balance has to be, worked out without the platform's code.
//!
//! Deliberately naive and apart: fees and grants are written down here a second time, from the
//! rules of the currency. A figure of the platform that differs from these books is a finding.

use std::collections::BTreeMap;

use gx_types::{CountryCode, QIRAT_PER_GX};

/// Coins of a grant by phase: for the user and for the country's treasury, in GX.
const GRANTS: [(u64, u64); 6] = [(500, 50), (400, 50), (300, 50), (200, 50), (100, 50), (50, 10)];

/// What a payment costs its sender on top: basis points of the amount, rounded up to a Qirat.
pub(super) fn fee(amount: u64, same_country: bool) -> u64 {
    let (three, hundred) = (3 * QIRAT_PER_GX, 100 * QIRAT_PER_GX);
    let basis_points = match (same_country, amount) {
        (true, amount) if amount < three => 0,
        (true, amount) if amount <= hundred => 5,
        (true, _) => 10,
        (false, amount) if amount <= hundred => 15,
        (false, _) => 25,
    };
    let parts = u128::from(amount) * basis_points;
    let whole = parts / 10_000;
    (whole + u128::from(parts % 10_000 > 0)) as u64
}

/// A country as the books see it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Country {
    /// Genesis slots that are left, by phase.
    pub(super) slots: [u64; 6],
    /// Coins that the treasury has received from this demo.
    pub(super) treasury: u64,
}

/// Coins by holder, as far as the demo moves them.
#[derive(Debug, Default)]
pub(super) struct Book {
    countries: BTreeMap<CountryCode, Country>,
    /// By person.
    homes: Vec<CountryCode>,
    balances: Vec<u64>,
    /// Users and coins of each phase: (users, to users, to treasuries).
    pub(super) genesis: [(u64, u64, u64); 6],
    /// Users without genesis.
    pub(super) ungranted: u64,
    pub(super) fees: u64,
    pub(super) paid: u64,
    pub(super) payments: u64,
}

impl Book {
    /// Begins with what genesis slots the countries have left.
    pub(super) fn new(slots: impl IntoIterator<Item = (CountryCode, [u64; 6])>) -> Self {
        let country = |(code, slots)| (code, Country { slots, treasury: 0 });
        Self { countries: slots.into_iter().map(country).collect(), ..Self::default() }
    }

    /// Opens the next person's account, with genesis for the ages from 13 to 73.
    pub(super) fn open(&mut self, home: CountryCode, age: u16) {
        let mut balance = 0;
        let country = self.countries.entry(home).or_default();
        let phase = country.slots.iter().position(|left| *left > 0);
        match phase.filter(|_| (13..=73).contains(&age)) {
            Some(phase) => {
                let (user, treasury) = GRANTS.get(phase).copied().unwrap_or_default();
                balance = user * QIRAT_PER_GX;
                country.treasury += treasury * QIRAT_PER_GX;
                if let Some(left) = country.slots.get_mut(phase) {
                    *left -= 1;
                }
                if let Some((users, to_users, to_treasuries)) = self.genesis.get_mut(phase) {
                    *users += 1;
                    *to_users += user * QIRAT_PER_GX;
                    *to_treasuries += treasury * QIRAT_PER_GX;
                }
            }
            None => self.ungranted += 1,
        }
        self.homes.push(home);
        self.balances.push(balance);
    }

    /// Books a payment that the ledger applies.
    pub(super) fn pay(&mut self, from: usize, to: usize, amount: u64) {
        let fee = fee(amount, self.home(from) == self.home(to));
        if let Some(balance) = self.balances.get_mut(from) {
            *balance -= amount + fee;
        }
        if let Some(balance) = self.balances.get_mut(to) {
            *balance += amount;
        }
        self.fees += fee;
        self.paid += amount;
        self.payments += 1;
    }

    pub(super) fn home(&self, person: usize) -> Option<CountryCode> {
        self.homes.get(person).copied()
    }

    pub(super) fn balance(&self, person: usize) -> u64 {
        self.balances.get(person).copied().unwrap_or_default()
    }

    pub(super) fn balances(&self) -> &[u64] {
        &self.balances
    }

    pub(super) fn countries(&self) -> &BTreeMap<CountryCode, Country> {
        &self.countries
    }

    /// Coins that genesis gave: (to users, to treasuries).
    pub(super) fn granted(&self) -> (u64, u64) {
        let sum = |(users, treasuries): (u64, u64),
                   (_, to_users, to_treasuries): &(u64, u64, u64)| {
            (users + to_users, treasuries + to_treasuries)
        };
        self.genesis.iter().fold((0, 0), sum)
    }

    /// Whether what was granted is where it can only be: with people, or paid as fees.
    pub(super) fn is_balanced(&self) -> bool {
        let held: u64 = self.balances.iter().sum();
        held + self.fees == self.granted().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_those_of_the_rules() {
        const GX: u64 = QIRAT_PER_GX;
        for (amount, same_country, fee_qirat) in [
            (10_000, false, 15),
            (GX, false, 1_500),
            (2_500_000, false, 3_750),
            (5 * GX, false, 7_500),
            (50, false, 1),
            (50 * GX, true, 25_000),
            (2 * GX, true, 0),
            (100 * GX, true, 50_000),
            (101 * GX, true, 101_000),
            (101 * GX, false, 252_500),
        ] {
            assert_eq!(fee(amount, same_country), fee_qirat, "{amount} {same_country}");
        }
    }

    #[test]
    fn genesis_goes_phase_by_phase_and_only_to_the_ages_it_is_for() {
        let home: CountryCode = "VA".parse().unwrap();
        let mut book = Book::new([(home, [1, 1, 0, 0, 0, 1])]);
        for age in [30, 12, 74, 13, 73, 40] {
            book.open(home, age);
        }
        let gx: Vec<u64> = book.balances().iter().map(|b| b / QIRAT_PER_GX).collect();
        assert_eq!(gx, [500, 0, 0, 400, 50, 0]);
        assert_eq!(book.ungranted, 3);
        assert_eq!(book.granted(), (950 * QIRAT_PER_GX, 110 * QIRAT_PER_GX));
        assert_eq!(book.countries()[&home].treasury, 110 * QIRAT_PER_GX);
    }

    #[test]
    fn payments_move_coins_and_fees_leave() {
        let (a, b) = ("IN".parse().unwrap(), "BR".parse().unwrap());
        let mut book = Book::new([(a, [9; 6]), (b, [9; 6])]);
        book.open(a, 30);
        book.open(b, 30);
        book.pay(0, 1, 10 * QIRAT_PER_GX);
        assert_eq!(book.fees, 15_000);
        assert_eq!(book.balance(0), 490 * QIRAT_PER_GX - 15_000);
        assert_eq!(book.balance(1), 510 * QIRAT_PER_GX);
        assert!(book.is_balanced());
    }
}
