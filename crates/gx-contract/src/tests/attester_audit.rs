//! A second view of attesters, kept from events alone: each attests where it may, and no more
//! people a day than it may.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{AttesterId, CountryCode};

use super::host::Ledger;
use super::invariants::{all, events};
use crate::admin::Attester;
use crate::{BatchRecord, Event};

#[derive(Debug, Default)]
struct Known {
    daily_max: u32,
    countries: BTreeSet<CountryCode>,
    /// The last day on which it attested anybody, and how many.
    day: Option<(i64, u32)>,
}

#[derive(Default)]
pub(super) struct AttesterAudit {
    /// Those whose word counts and who sign for it.
    attesters: BTreeMap<String, Known>,
    /// What those who were removed have attested on their last day.
    removed: BTreeMap<String, Option<(i64, u32)>>,
}

impl AttesterAudit {
    pub(super) fn follow(&mut self, record: &BatchRecord) {
        let day = record.time.0.div_euclid(86_400_000);
        for event in events(record) {
            match event {
                Event::AttesterRegistered(event) => {
                    let countries = event.countries.iter().copied().collect();
                    let id = event.attester_id.to_string();
                    let day = self.removed.remove(&id).flatten();
                    let known = Known { daily_max: event.daily_max, countries, day };
                    let before = self.attesters.insert(id, known);
                    assert!(before.is_none(), "an attester is registered once: {event:?}");
                }
                Event::AttesterRemoved(event) => {
                    let known = self.attesters.remove(event.attester_id.as_str());
                    let day = known.and_then(|known| known.day);
                    self.removed.insert(event.attester_id.to_string(), day);
                }
                Event::UserCreated(event) => self.count(event.attested_by, event.country, day),
                Event::GenesisDistributed(event) => {
                    self.count(event.attested_by, event.country, day);
                }
                _ => {}
            }
        }
    }

    fn count(&mut self, by: Option<AttesterId>, country: CountryCode, day: i64) {
        let Some(id) = by else { return };
        let known = self.attesters.get_mut(id.as_str()).unwrap_or_else(|| panic!("{id} attests"));
        assert!(known.countries.contains(&country), "{id} attests somebody of {country}");
        let before = known.day.filter(|(of, _)| *of == day).map_or(0, |(_, people)| people);
        assert!(before < known.daily_max, "{id} attests more than {} a day", known.daily_max);
        known.day = Some((day, before + 1));
    }

    pub(super) fn agrees_with(&self, ledger: &Ledger) {
        let stored = all::<Attester>(ledger, "p/").into_iter();
        let stored = stored.filter(|(_, attester)| attester.is_active() && !attester.is_keyless());
        let stored: BTreeMap<String, _> = stored
            .map(|(id, attester)| (id, attester.day.map(|day| (day.number, day.people))))
            .collect();
        let known = self.attesters.iter().map(|(id, known)| (id.clone(), known.day));
        assert_eq!(known.collect::<BTreeMap<_, _>>(), stored);
    }
}
