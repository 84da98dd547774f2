//! The real set of countries and how genesis slots are shared out among any set.

use gx_types::{Actor, CountryCode, Role};
use proptest::prelude::*;

use super::host::Host;
use super::notation::command;
use super::script::check;
use crate::admin::{CountriesInitialized, CountrySlots, CountryWeight, InitializeCountryData};
use crate::{Event, Outcome, SLOT_PHASES, TOTAL_WEIGHT};

const WEIGHTS: &str = include_str!("../../../../data/country-weights.csv");

/// The countries of the file, in its order.
fn countries_of_the_world() -> Vec<CountryWeight> {
    let row = |line: &str| {
        let (country_code, rest) = line.split_once(',').unwrap();
        let (_name, weight) = rest.rsplit_once(',').unwrap();
        let (country_code, weight) = (country_code.parse().unwrap(), weight.parse().unwrap());
        CountryWeight { country_code, weight }
    };
    WEIGHTS.lines().skip(1).map(row).collect()
}

fn bootstrapped() -> Host {
    check("system BootstrapSystem root => SystemBootstrapped")
}

/// Adds countries in one command and returns what it says.
fn initialize(host: &mut Host, countries: Vec<CountryWeight>) -> CountriesInitialized {
    let admin = Actor::Admin("root".parse().unwrap());
    let envelope = host.envelope(admin, InitializeCountryData { countries });
    let record = host.execute(Role::SuperAdmin, vec![envelope]);
    match &record.results[0].outcome {
        Outcome::Applied(events) => match &events[..] {
            [Event::CountriesInitialized(event)] => event.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn sums(slots: &[CountrySlots]) -> [u64; 6] {
    std::array::from_fn(|phase| slots.iter().map(|country| country.slots[phase]).sum())
}

#[test]
fn the_world_has_234_countries_and_all_slots_are_shared_out() {
    let countries = countries_of_the_world();
    assert_eq!(countries.len(), 234);
    assert_eq!(countries.iter().map(|country| country.weight).sum::<u32>(), TOTAL_WEIGHT);
    let mut host = bootstrapped();
    let told = initialize(&mut host, countries);
    assert_eq!(told.total_weight, TOTAL_WEIGHT);
    assert_eq!(sums(&told.slots), SLOT_PHASES);
    let india: CountryCode = "IN".parse().unwrap();
    let india = told.slots.iter().find(|country| country.country_code == india).unwrap();
    assert_eq!(india.slots[0], 13_464_767);
    host.finish();
}

#[test]
fn slots_do_not_depend_on_the_order_or_the_parts_in_which_countries_come() {
    let countries = countries_of_the_world();
    let whole = initialize(&mut bootstrapped(), countries.clone()).slots;
    let mut host = bootstrapped();
    let backwards: Vec<CountryWeight> = countries.into_iter().rev().collect();
    let mut last = Vec::new();
    for part in backwards.chunks(100) {
        assert_eq!(last, [], "the set is not complete before its last part");
        last = initialize(&mut host, part.to_vec()).slots;
    }
    assert_eq!(last, whole);
}

#[test]
fn remainders_go_to_the_largest_and_ties_to_the_first_code() {
    let weights = |text: &str| {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        match command("InitializeCountryData", &words) {
            crate::Command::InitializeCountryData(data) => data.countries,
            other => panic!("{other:?}"),
        }
    };
    let slots = |text: &str| {
        let told = initialize(&mut bootstrapped(), weights(text)).slots;
        told.into_iter()
            .map(|country| (country.country_code.to_string(), country.slots))
            .collect::<Vec<_>>()
    };
    // 15.5 times 1, 1 and 99,999,998: two halves for one slot that is left.
    let shared = slots("BB=1 AA=1 CC=99999998");
    assert_eq!(shared[0], ("AA".to_owned(), [1, 2, 3, 4, 16, 25]));
    assert_eq!(shared[1], ("BB".to_owned(), [1, 2, 3, 4, 15, 24]));
    assert_eq!(shared[2].1[4], 1_549_999_969);
    assert_eq!(slots("AA=0 BB=100000000")[0].1, [0; 6]);
}

proptest! {
    #![proptest_config(super::many(24))]

    #[test]
    fn shares_are_exact_whatever_the_weights(
        cuts in prop::collection::btree_set(1..TOTAL_WEIGHT, 0..12), small: bool,
    ) {
        let cuts = cuts.into_iter().map(|cut| if small { cut % 50 + 1 } else { cut });
        let mut edges: Vec<u32> = [0, TOTAL_WEIGHT].into_iter().chain(cuts).collect();
        edges.sort_unstable();
        let countries: Vec<CountryWeight> = (b'A'..).zip(edges.windows(2)).map(|(letter, edge)| {
            let country_code = format!("X{}", char::from(letter)).parse().unwrap();
            CountryWeight { country_code, weight: edge[1] - edge[0] }
        }).collect();
        let slots = initialize(&mut bootstrapped(), countries.clone()).slots;
        prop_assert_eq!(sums(&slots), SLOT_PHASES);
        for (country, shared) in countries.iter().zip(&slots) {
            for (limit, slots) in SLOT_PHASES.iter().zip(shared.slots) {
                let exact = u128::from(*limit) * u128::from(country.weight);
                let slots = u128::from(slots) * u128::from(TOTAL_WEIGHT);
                prop_assert!(slots.abs_diff(exact) < u128::from(TOTAL_WEIGHT), "{country:?}");
            }
        }
    }
}
