//! The people of the demo: in every country by its weight, of all ages, with made-up names.
//!
//! Addresses are under example.org and telephone numbers under a code that no country has, so that
//! nobody can ever be reached.

use anyhow::{Result, ensure};
use gx_contract::TOTAL_WEIGHT;
use gx_contract::admin::CountryWeight;
use gx_types::CountryCode;

use super::names;
use crate::load::Draw;

/// Somebody to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) country: CountryCode,
    /// In whole years on the day of registration.
    pub(super) age: u16,
    /// Days since birth on the day of registration.
    pub(super) days_old: u32,
    pub(super) password: String,
}

/// As many numbers as there are behind code and run.
const PEOPLE_MAX: usize = 1_000_000;

/// The password of a demo person is no secret: whoever runs the demo may log in as any of them.
fn password(number: usize) -> String {
    format!("Demo-Person-{number:06}")
}

/// `count` people. `run`, of six digits, sets those of one run apart from those of another on the
/// same platform.
pub(super) fn people(
    count: usize,
    seed: u64,
    run: u32,
    countries: &[CountryWeight],
) -> Result<Vec<Person>> {
    ensure!(
        count >= countries.len(),
        "--users {count}: at least {} are needed, one for each country",
        countries.len()
    );
    ensure!(count <= PEOPLE_MAX, "--users {count}: at most {PEOPLE_MAX} have telephone numbers");
    let mut draw = Draw::new(seed);
    let mut homes: Vec<CountryCode> = Vec::with_capacity(count);
    for (country, people) in countries.iter().zip(shares(count, countries)) {
        homes.extend(std::iter::repeat_n(country.country_code, people));
    }
    shuffle(&mut draw, &mut homes);
    let person = |(number, country): (usize, CountryCode)| {
        let (first_name, last_name) = names::name(&mut draw);
        let handle = format!("{first_name}.{last_name}").to_lowercase();
        let age = age(&mut draw);
        // Between one birthday and the next, away from both.
        let days_old = u32::from(age) * 365 + u32::from(age) / 4 + 20 + draw.below(320) as u32;
        Person {
            email: format!("{handle}.{number}.{run:06}@example.org"),
            phone: format!("+999{run:06}{number:06}"),
            first_name,
            last_name,
            country,
            age,
            days_old,
            password: password(number),
        }
    };
    Ok(homes.into_iter().enumerate().map(person).collect())
}

/// One person for each country, the others by weight, by the largest remainder.
fn shares(count: usize, countries: &[CountryWeight]) -> Vec<usize> {
    let left = (count - countries.len()) as u64;
    let total = u64::from(TOTAL_WEIGHT);
    let weighted = |country: &CountryWeight| left * u64::from(country.weight);
    let mut shares: Vec<usize> =
        countries.iter().map(|country| 1 + (weighted(country) / total) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..countries.len()).collect();
    by_remainder.sort_by_key(|at| {
        std::cmp::Reverse(countries.get(*at).map_or(0, |country| weighted(country) % total))
    });
    let missing = count - shares.iter().sum::<usize>();
    for at in by_remainder.into_iter().take(missing) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    shares
}

fn shuffle<T>(draw: &mut Draw, items: &mut [T]) {
    for at in (1..items.len()).rev() {
        items.swap(at, draw.place(at + 1));
    }
}

/// Mostly adults; some too young and some too old for genesis.
fn age(draw: &mut Draw) -> u16 {
    let (from, years) = match draw.below(100) {
        0..3 => (5, 8),
        3..12 => (13, 5),
        12..80 => (18, 37),
        80..96 => (55, 19),
        _ => (74, 20),
    };
    from + draw.below(years) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_country_has_people_and_the_large_ones_most() {
        let countries = gx_cli::countries::all().unwrap();
        let people = people(2000, 1, 3, &countries).unwrap();
        assert_eq!(people.len(), 2000);
        let mut homes: BTreeMap<&str, usize> = BTreeMap::new();
        for person in &people {
            *homes.entry(person.country.as_str()).or_default() += 1;
        }
        assert_eq!(homes.len(), 234);
        assert!((230..245).contains(&homes["IN"]), "{}", homes["IN"]);
        assert_eq!(homes["VA"], 1);
    }

    #[test]
    fn nobody_is_registered_twice_and_runs_do_not_collide() {
        let countries = gx_cli::countries::all().unwrap();
        let one = people(5000, 1, 1, &countries).unwrap();
        assert_eq!(one, people(5000, 1, 1, &countries).unwrap());
        let two = people(5000, 2, 2, &countries).unwrap();
        let emails: BTreeSet<&String> = one.iter().chain(&two).map(|p| &p.email).collect();
        assert_eq!(emails.len(), 10_000);
        let phones: BTreeSet<&String> = one.iter().map(|p| &p.phone).collect();
        assert_eq!(phones.len(), 5000);
        assert!(one.iter().all(|p| p.phone.len() <= 16), "{}", one[0].phone);
    }

    #[test]
    fn too_few_people_for_all_countries_are_refused() {
        let error = people(10, 1, 1, &gx_cli::countries::all().unwrap()).unwrap_err();
        assert!(error.to_string().contains("at least 234"), "{error}");
    }
}
