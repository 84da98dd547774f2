//! A second view of administrators and of what they decide, kept from events alone: who decides is
//! two, or one who has waited, and nobody spends more than a day may have.

use std::collections::BTreeMap;

use super::host::Ledger;
use super::invariants::{all, events};
use crate::admin::{Action, Disbursed};
use crate::params::Parameter;
use crate::state::{Admin, AdminLevel};
use crate::{BatchRecord, Event};

/// An action: who proposed it, from when on they decide alone, and who approved it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decided {
    by: String,
    /// On the clock that stands still during pauses.
    alone_from: Option<i64>,
    approved_by: Option<String>,
}

#[derive(Default)]
pub(super) struct AdminAudit {
    admins: BTreeMap<String, AdminLevel>,
    actions: BTreeMap<String, Decided>,
    parameters: BTreeMap<String, u64>,
    /// Changes of parameters that are still to come: the value and when.
    scheduled: BTreeMap<String, (u64, i64)>,
    disbursed: BTreeMap<String, u64>,
    /// A day and what all pools have paid on it.
    day: (i64, u64),
    /// What all pauses have taken so far.
    paused_ms: i64,
}

impl AdminAudit {
    /// Takes what was written past the contract.
    pub(super) fn put(&mut self, key: &str, record: &[u8]) {
        if let Some(id) = key.strip_prefix("d/") {
            let admin: Admin = serde_json::from_slice(record).unwrap();
            self.admins.remove(id);
            self.admins.extend(admin.in_office().then(|| (id.to_owned(), admin.level)));
        }
        if key == "s/disbursed" {
            self.disbursed = disbursements(record);
        }
        if key == "s/parameters" {
            self.parameters = set_parameters(record);
            self.scheduled = scheduled_changes(record);
        }
    }

    pub(super) fn follow(&mut self, record: &BatchRecord) {
        for event in events(record) {
            self.follow_action(event, record.time.0);
            self.follow_office(event);
            self.follow_parameters(event, record.time.0);
            self.follow_coins(event, record.time.0);
        }
    }

    fn follow_action(&mut self, event: &Event, time: i64) {
        let running = time - self.paused_ms;
        match event {
            Event::SystemResumed(event) => self.paused_ms += time - event.paused_since.0,
            Event::ActionProposed(event) => {
                let alone_from = event.alone_from.map(|from| from.0 - self.paused_ms);
                let by = event.proposed_by.to_string();
                let decided = Decided { by, alone_from, approved_by: None };
                let before = self.actions.insert(event.action_id.to_string(), decided);
                assert_eq!(before, None, "an action has one proposal");
            }
            Event::ActionApproved(event) => {
                let action = self.actions.get_mut(&event.action_id.to_string()).unwrap();
                let alone = action.by == event.approved_by.to_string();
                let waited = action.alone_from.is_some_and(|from| running >= from);
                assert!(!alone || waited, "two admins decide, or one who has waited");
                let before = action.approved_by.replace(event.approved_by.to_string());
                assert_eq!(before, None, "an action runs once");
            }
            _ => {}
        }
    }

    fn follow_office(&mut self, event: &Event) {
        match event {
            Event::SystemBootstrapped(event) => {
                self.admins.insert(event.first_super_admin.to_string(), AdminLevel::SuperAdmin);
            }
            Event::AdminAppointed(event) => {
                let before = self.admins.insert(event.admin_id.to_string(), event.level);
                assert_eq!(before, None, "an admin is appointed once");
            }
            Event::AdminReplaced(event) => {
                let gone = self.admins.remove(event.old_admin_id.as_str());
                assert_eq!(gone, Some(event.level));
                let before = self.admins.insert(event.new_admin_id.to_string(), event.level);
                assert_eq!(before, None, "an admin is appointed once");
            }
            Event::AdminRemoved(event) => {
                let before = self.admins.remove(event.admin_id.as_str());
                assert_eq!(before, Some(event.level));
                let left = self.admins.values().filter(|l| **l == AdminLevel::SuperAdmin);
                let enough = event.level == AdminLevel::Admin || left.count() >= 2;
                assert!(enough, "two super admins stay");
            }
            _ => {}
        }
    }

    fn follow_parameters(&mut self, event: &Event, time: i64) {
        match event {
            Event::ParameterScheduled(event) => {
                let at = event.effective_at.0 - self.paused_ms;
                let change = (event.new_value.get(), at);
                let before = self.scheduled.insert(event.param_id.to_string(), change);
                assert_eq!(before, None, "one change of a parameter is scheduled at a time");
            }
            Event::ParameterChangeCancelled(event) => {
                let before = self.scheduled.remove(event.param_id.id());
                assert_eq!(before.map(|(value, _)| value), Some(event.new_value.get()));
            }
            Event::SystemParameterUpdated(event) => {
                let (old, new) = (event.old_value, event.new_value);
                let id = event.param_id.to_string();
                if let Some((value, at)) = self.scheduled.remove(&id) {
                    assert_eq!(value, new.get(), "a vote calls off what was scheduled");
                    assert!(time - self.paused_ms >= at, "a change before its time: {event:?}");
                }
                let default = event.param_id.default_value();
                let before = self.parameters.remove(&id).unwrap_or(default.get());
                assert_eq!(before, old.get(), "{event:?}");
                if new != default {
                    self.parameters.insert(id, new.get());
                }
            }
            _ => {}
        }
    }

    fn follow_coins(&mut self, event: &Event, time: i64) {
        let Event::PoolDisbursed(event) = event else { return };
        let sum = self.disbursed.entry(event.pool_id.to_string()).or_default();
        *sum += event.amount.qirat();
        let day = time.div_euclid(86_400_000);
        let paid = if self.day.0 == day { self.day.1 } else { 0 };
        self.day = (day, paid + event.amount.qirat());
        let daily: Parameter = "disbursementDailyMax".parse().unwrap();
        let most = self.parameters.get(daily.id()).copied();
        let most = most.unwrap_or(daily.default_value().get());
        assert!(self.day.1 <= most, "more than {most} on a day: {event:?}");
    }

    pub(super) fn agrees_with(&self, ledger: &Ledger) {
        let admins = all::<Admin>(ledger, "d/").into_iter();
        let in_office = admins.filter(|(_, admin)| admin.in_office());
        assert_eq!(self.admins, in_office.map(|(id, admin)| (id, admin.level)).collect());
        let actions = all::<Action>(ledger, "b/").into_iter().map(|(id, action)| {
            let decided = Decided {
                by: action.proposed_by.to_string(),
                alone_from: action.alone_from.map(|from| from.0),
                approved_by: action.approval.map(|approval| approval.by.to_string()),
            };
            (id, decided)
        });
        assert_eq!(self.actions, actions.collect());
        let record = ledger.get("s/parameters");
        let parameters = record.map(|record| set_parameters(record));
        assert_eq!(self.parameters, parameters.unwrap_or_default());
        let scheduled = record.map(|record| scheduled_changes(record));
        assert_eq!(self.scheduled, scheduled.unwrap_or_default());
        let disbursed = ledger.get("s/disbursed").map(|record| disbursements(record));
        assert_eq!(self.disbursed, disbursed.unwrap_or_default());
    }
}

/// What a record of parameters holds: those that differ from their defaults.
fn set_parameters(record: &[u8]) -> BTreeMap<String, u64> {
    let record: serde_json::Value = serde_json::from_slice(record).unwrap();
    let values = record["values"].as_object().unwrap().iter();
    values.map(|(id, value)| (id.clone(), value.as_str().unwrap().parse().unwrap())).collect()
}

/// What it says is to come.
fn scheduled_changes(record: &[u8]) -> BTreeMap<String, (u64, i64)> {
    let record: serde_json::Value = serde_json::from_slice(record).unwrap();
    let changes = record.get("scheduled").and_then(serde_json::Value::as_array);
    let changes = changes.into_iter().flatten().map(|change| {
        let value = change["newValue"].as_str().unwrap().parse().unwrap();
        let at = change["effectiveAt"].as_i64().unwrap();
        (change["paramId"].as_str().unwrap().to_owned(), (value, at))
    });
    changes.collect()
}

fn disbursements(record: &[u8]) -> BTreeMap<String, u64> {
    let Disbursed { pools, .. } = serde_json::from_slice(record).unwrap();
    pools.into_iter().map(|(pool, sum)| (pool.to_string(), sum.qirat())).collect()
}
