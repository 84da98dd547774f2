//! A second view of people, kept from events alone: nobody gets a key before its time is over, and
//! nobody is family twice.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{AccountId, RelationshipId, TimeMs};

use crate::identity::{RecoveryState, RelationshipKind};
use crate::{Event, PublicKey};

#[derive(Default)]
pub(super) struct PeopleAudit {
    /// The new key of each recovery that is open, and from when on it may be set.
    recoveries: BTreeMap<String, (AccountId, PublicKey, Option<TimeMs>)>,
    /// The key that is ordered for an account, and from when on it may be set.
    resets: BTreeMap<AccountId, (PublicKey, TimeMs)>,
    /// Confirmed relations of family.
    family: BTreeMap<RelationshipId, (RelationshipKind, AccountId, AccountId)>,
}

impl PeopleAudit {
    pub(super) fn follow(&mut self, event: &Event, now: TimeMs) {
        match event {
            Event::RecoveryInitiated(event) => {
                let open = (event.user_id, event.public_key, None);
                self.recoveries.insert(event.recovery_id.to_string(), open);
            }
            Event::RecoveryConfirmed(event) => {
                let open = self.recoveries.get_mut(&event.recovery_id.to_string()).unwrap();
                open.2 = event.completable_at;
                assert_eq!(event.state == RecoveryState::Confirmed, open.2.is_some());
            }
            Event::RecoveryCancelled(event) => {
                let open = self.recoveries.remove(&event.recovery_id.to_string());
                assert!(open.is_some(), "it was open");
            }
            Event::RecoveryCompleted(event) => {
                let open = self.recoveries.remove(&event.recovery_id.to_string());
                let (user_id, key, from) = open.unwrap();
                assert_eq!((user_id, key), (event.user_id, event.public_key));
                assert!(from.unwrap() <= now, "the owner may still veto");
            }
            Event::KeyResetOrdered(event) => {
                let ordered = (event.public_key, event.completable_at);
                self.resets.insert(event.user_id, ordered);
                assert!(event.completable_at >= now.plus_days(7));
            }
            Event::KeyResetCancelled(event) => {
                assert!(self.resets.remove(&event.user_id).is_some(), "it was open");
            }
            Event::KeyResetCompleted(event) => {
                let (key, from) = self.resets.remove(&event.user_id).unwrap();
                assert_eq!(key, event.public_key);
                assert!(from <= now, "the present key may still veto");
            }
            Event::RelationshipConfirmed(event) if event.kind.is_family() => {
                let relation = (event.kind, event.subject_id, event.object_id);
                self.family.insert(event.relationship_id, relation);
                self.is_one_family();
            }
            Event::RelationshipEnded(event) => {
                self.family.remove(&event.relationship_id);
            }
            _ => {}
        }
    }

    fn is_one_family(&self) {
        let mut pairs = BTreeSet::new();
        let (mut fathers, mut mothers) = (BTreeSet::new(), BTreeSet::new());
        let mut parents: BTreeMap<AccountId, u32> = BTreeMap::new();
        for (kind, subject, object) in self.family.values() {
            let pair = (*subject.min(object), *subject.max(object));
            assert!(pairs.insert(pair), "{pair:?} are family in two ways");
            let child = match kind {
                RelationshipKind::FatherOf => {
                    assert!(fathers.insert(object), "{object} has two fathers");
                    object
                }
                RelationshipKind::MotherOf => {
                    assert!(mothers.insert(object), "{object} has two mothers");
                    object
                }
                RelationshipKind::ChildOf => subject,
                _ => continue,
            };
            *parents.entry(*child).or_default() += 1;
        }
        assert!(parents.values().all(|count| *count <= 2), "{parents:?}");
    }
}
