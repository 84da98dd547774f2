//! What runs on a host beside its services, who may come, and what it reaches.

use std::collections::BTreeMap;

use super::{HostError, Sections};
use crate::facts::*;

const OUTCOMES: [&str; 6] = ["filtered", "ok", "refused", "tls", "unauthorized", "unresolved"];

pub(super) fn details(sections: &Sections<'_>, host: &mut Host) -> Result<(), HostError> {
    host.programs = sections.list("programs", |fields| match fields {
        [name, count, kib, oldest] => Some(HostProgram {
            name: (*name).to_owned(),
            count: count.parse().ok()?,
            bytes: kib.parse::<u64>().ok()?.saturating_mul(1024),
            oldest_seconds: oldest.parse().ok()?,
        }),
        _ => None,
    })?;
    host.ssh_sources = sections.list("ssh_from", |fields| match fields {
        [source] => Some((*source).to_owned()),
        _ => None,
    })?;
    let pair = |fields: &[&str]| match fields {
        [name, value] => Some(((*name).to_owned(), (*value).to_owned())),
        _ => None,
    };
    host.kubeconfigs = sections.list("kubeconfigs", pair)?;
    host.server_settings = match sections.list("server_settings", pair)? {
        Known::Missing(missing) => Known::Missing(missing),
        Known::Known(pairs) => {
            let mut settings: BTreeMap<String, String> = BTreeMap::new();
            for (name, value) in pairs {
                let told = settings.entry(name).or_default();
                if !told.is_empty() {
                    told.push(',');
                }
                told.push_str(&value);
            }
            Known::Known(settings)
        }
    };
    Ok(())
}

/// What the host tried to reach.
pub(super) fn reached(
    sections: &Sections<'_>,
    host: &str,
) -> Result<Known<Vec<Reached>>, HostError> {
    sections.list("reached", |fields| match fields {
        [to, port, outcome, status, addresses] if OUTCOMES.contains(outcome) => Some(Reached {
            from: host.to_owned(),
            to: (*to).to_owned(),
            port: port.parse().ok()?,
            outcome: (*outcome).to_owned(),
            status: match *status {
                "" => None,
                status => Some(status.parse().ok()?),
            },
            addresses: addresses.split_whitespace().map(str::to_owned).collect(),
            path: if status.is_empty() { String::new() } else { "/".to_owned() },
        }),
        _ => None,
    })
}
