//! Who pays whom: planned in rounds, so that every outcome is known beforehand.
//!
//! Within a round nobody plans to spend more than they held when it began, whatever comes in
//! meanwhile. Payments of a round can therefore be sent all at once and settle in any order.

use std::collections::BTreeMap;

use gx_types::{AccountId, AccountType, CountryCode};

use super::amounts::{self, CENT};
use super::book::{self, Book};
use crate::load::Draw;

/// Whom a payment names as its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    Person(usize),
    /// A well-formed id that nobody has.
    Nobody(AccountId),
}

/// A payment and what has to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) from: usize,
    pub(super) to: Receiver,
    pub(super) amount: u64,
    /// The code that it is refused with; `None` when it is applied.
    pub(super) refusal: Option<&'static str>,
}

/// Plans rounds from the state of the books.
#[derive(Debug)]
pub(super) struct Planner {
    draw: Draw,
    by_country: BTreeMap<CountryCode, Vec<usize>>,
    people: usize,
    /// People whose accounts are frozen while payments run.
    frozen: Vec<usize>,
}

/// How often somebody with enough coins is looked for before a payment becomes one that is refused.
const TRIES: usize = 32;

/// What is answered to whoever pays more than they have.
const TOO_MUCH: &str = "insufficient_balance";

impl Planner {
    pub(super) fn new(seed: u64, book: &Book) -> Self {
        let people = book.balances().len();
        let mut by_country: BTreeMap<CountryCode, Vec<usize>> = BTreeMap::new();
        for person in 0..people {
            if let Some(home) = book.home(person) {
                by_country.entry(home).or_default().push(person);
            }
        }
        let mut draw = Draw::new(seed ^ 0x5041_594D_454E_5453);
        let mut frozen: Vec<usize> =
            (0..(people / 200).clamp(2, 20)).map(|_| draw.place(people)).collect();
        frozen.sort_unstable();
        frozen.dedup();
        Self { draw, by_country, people, frozen }
    }

    /// Whose accounts to freeze before the first round, and to unfreeze after the last.
    pub(super) fn frozen(&self) -> &[usize] {
        &self.frozen
    }

    /// The next `count` payments. The books are as they will be when all of them have settled.
    pub(super) fn round(&mut self, count: usize, book: &mut Book) -> Vec<Payment> {
        let mut left = book.balances().to_vec();
        // What each could have at most at some moment of the round.
        let mut reach = left.clone();
        let mut payments = Vec::with_capacity(count);
        for _ in 0..count {
            let payment = match self.draw.below(1000) {
                0..10 => self.too_much(),
                10..15 => self.pay_nobody(),
                15..20 => self.pay_frozen(),
                20..25 => self.spend_frozen(),
                25..30 => self.pay_oneself(),
                _ => self.good(&mut left, book).unwrap_or_else(|| self.too_much()),
            };
            if let Payment { from, to: Receiver::Person(to), amount, refusal: None } = payment {
                book.pay(from, to, amount);
                if let Some(reach) = reach.get_mut(to) {
                    *reach += amount;
                }
            }
            payments.push(payment);
        }
        for payment in &mut payments {
            if payment.refusal == Some(TOO_MUCH) {
                payment.amount = reach.get(payment.from).copied().unwrap_or_default() + CENT;
            }
        }
        payments
    }

    /// A payment that is covered; the sender's budget for the round shrinks.
    fn good(&mut self, left: &mut [u64], book: &Book) -> Option<Payment> {
        for _ in 0..TRIES {
            let from = self.anybody();
            let to = self.receiver_for(from, book);
            if from == to {
                continue;
            }
            let budget = left.get_mut(from)?;
            // People do not pay their last coin: an amount that is too large becomes a fourth.
            let wanted = amounts::amount(&mut self.draw);
            let amount = if wanted > *budget / 2 { *budget / 4 / CENT * CENT } else { wanted };
            let fee = book::fee(amount, book.home(from) == book.home(to));
            if amount > 0 && amount + fee <= *budget {
                *budget -= amount + fee;
                let to = Receiver::Person(to);
                return Some(Payment { from, to, amount, refusal: None });
            }
        }
        None
    }

    /// Anybody who is not frozen. Some people pay far more often than others.
    fn anybody(&mut self) -> usize {
        loop {
            let person = self.draw.place(self.people).min(self.draw.place(self.people));
            if !self.frozen.contains(&person) {
                return person;
            }
        }
    }

    /// Mostly somebody of the same country.
    fn receiver_for(&mut self, from: usize, book: &Book) -> usize {
        let at_home = self.draw.below(4) > 0;
        let home = book.home(from).and_then(|home| self.by_country.get(&home));
        if let Some(home) = home.filter(|_| at_home) {
            let person = home.get(self.draw.place(home.len())).copied().unwrap_or(from);
            if person != from && !self.frozen.contains(&person) {
                return person;
            }
        }
        self.anybody()
    }

    /// A payment of more than its sender has; how much that is follows from the whole round.
    fn too_much(&mut self) -> Payment {
        let (from, to) = self.two();
        Payment { from, to: Receiver::Person(to), amount: 0, refusal: Some(TOO_MUCH) }
    }

    fn pay_nobody(&mut self) -> Payment {
        let (from, somewhere) = self.two();
        let countries: Vec<&CountryCode> = self.by_country.keys().collect();
        let country = countries.get(somewhere % countries.len().max(1)).copied().copied();
        let entropy = self.draw.bytes();
        let refusal = Some("account_not_found");
        match country {
            Some(country) => {
                let id = AccountId::from_entropy(country, AccountType::Individual, entropy);
                Payment { from, to: Receiver::Nobody(id), amount: CENT, refusal }
            }
            None => self.pay_oneself(),
        }
    }

    fn pay_frozen(&mut self) -> Payment {
        let (from, to) = (self.anybody(), self.somebody_frozen());
        let refusal = Some("counterparty_frozen");
        Payment { from, to: Receiver::Person(to), amount: CENT, refusal }
    }

    fn spend_frozen(&mut self) -> Payment {
        let (from, to) = (self.somebody_frozen(), self.anybody());
        let refusal = Some("account_frozen");
        Payment { from, to: Receiver::Person(to), amount: CENT, refusal }
    }

    fn pay_oneself(&mut self) -> Payment {
        let from = self.anybody();
        let refusal = Some("same_account");
        Payment { from, to: Receiver::Person(from), amount: CENT, refusal }
    }

    fn somebody_frozen(&mut self) -> usize {
        let place = self.draw.place(self.frozen.len());
        self.frozen.get(place).copied().unwrap_or_default()
    }

    /// Two people who are not frozen and not the same.
    fn two(&mut self) -> (usize, usize) {
        loop {
            let (one, other) = (self.anybody(), self.anybody());
            if one != other {
                return (one, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        let countries = gx_cli::countries::all().unwrap();
        let mut book =
            Book::new(countries.iter().map(|c| (c.country_code, [u64::from(c.weight); 6])));
        for person in super::super::people::people(2000, 1, 1, &countries).unwrap() {
            book.open(person.country, person.age);
        }
        book
    }

    #[test]
    fn no_order_of_a_round_can_overdraw_anybody() {
        let mut book = book();
        let mut planner = Planner::new(1, &book);
        for _ in 0..5 {
            let before = book.balances().to_vec();
            let payments = planner.round(4000, &mut book);
            let mut spent = vec![0; before.len()];
            for payment in payments.iter().filter(|payment| payment.refusal.is_none()) {
                let Receiver::Person(to) = payment.to else { unreachable!() };
                let same = book.home(payment.from) == book.home(to);
                spent[payment.from] += payment.amount + book::fee(payment.amount, same);
            }
            assert!(spent.iter().zip(&before).all(|(spent, before)| spent <= before));
            assert!(book.is_balanced());
        }
        assert!((18_500..19_800).contains(&book.payments), "{}", book.payments);
        assert!(book.fees > 0);
    }

    #[test]
    fn each_refusal_on_purpose_occurs() {
        let mut book = book();
        let mut planner = Planner::new(1, &book);
        let payments = planner.round(4000, &mut book);
        let codes: std::collections::BTreeSet<_> =
            payments.iter().filter_map(|payment| payment.refusal).collect();
        let wanted = [
            "account_frozen",
            "account_not_found",
            "counterparty_frozen",
            TOO_MUCH,
            "same_account",
        ];
        assert!(codes.iter().eq(wanted.iter()), "{codes:?}");
        let is_frozen = |person| planner.frozen().contains(&person);
        for payment in &payments {
            assert_eq!(is_frozen(payment.from), payment.refusal == Some("account_frozen"));
        }
    }
}
