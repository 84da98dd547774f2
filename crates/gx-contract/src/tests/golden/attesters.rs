//! Samples of attesters and of their word.

use gx_types::AttesterId;

use super::samples::{TIME, country, proof, public_key};
use crate::admin::{
    AttestedDay, Attester, AttesterRegistered, AttesterRemoved, DevnetAttester, RegisterAttester,
    RemoveAttester,
};
use crate::state::{Key, Record, Version};
use crate::{Attestation, Command, Event};

pub(super) fn attester_id() -> AttesterId {
    "clinic-7".parse().unwrap()
}

pub(super) fn attestation() -> Option<Box<Attestation>> {
    let (attester_id, signature) = (attester_id(), proof());
    Some(Box::new(Attestation { attester_id, signature, expires_at: TIME.plus_days(1) }))
}

pub(super) fn of_devnet() -> DevnetAttester {
    DevnetAttester { attester_id: "devnet".parse().unwrap(), daily_max: u32::MAX }
}

pub(super) fn records() -> Vec<(String, Key, Record)> {
    let registered = Attester {
        v: Version,
        public_key: Some(public_key()),
        daily_max: 500,
        countries: vec![country("FR"), country("IN")],
        registered_at: TIME,
        day: None,
        removed_at: None,
    };
    let day = Some(AttestedDay { number: 20_454, people: 7 });
    let removed_at = Some(TIME.plus_days(9));
    let keyless = Attester { public_key: None, countries: Vec::new(), ..registered.clone() };
    [
        ("keyless", Attester { day, daily_max: u32::MAX, ..keyless }),
        ("attested", Attester { day, ..registered.clone() }),
        ("removed", Attester { day, removed_at, ..registered.clone() }),
        ("registered", registered),
    ]
    .into_iter()
    .map(|(case, record)| (case.to_owned(), Key::Attester(attester_id()), record.into()))
    .collect()
}

pub(super) fn events() -> Vec<(String, Event)> {
    let (attester_id, public_key, daily_max) = (attester_id(), public_key(), 500);
    let countries = vec![country("FR"), country("IN")];
    let registered = AttesterRegistered { attester_id, public_key, daily_max, countries };
    vec![
        ("plain".to_owned(), registered.into()),
        ("plain".to_owned(), AttesterRemoved { attester_id }.into()),
    ]
}

pub(super) fn commands() -> Vec<(String, Command)> {
    let (attester_id, public_key, proof, daily_max) = (attester_id(), public_key(), proof(), 500);
    let countries = vec![country("IN"), country("FR")];
    let register = RegisterAttester { attester_id, public_key, proof, daily_max, countries };
    vec![
        ("plain".to_owned(), register.into()),
        ("plain".to_owned(), RemoveAttester { attester_id }.into()),
    ]
}
