//! Promotions, as `gx admin deployments list --json` and `show --json` tell of them.

use serde_json::Value as Json;

use super::{items, name, text, time};
use crate::facts::{DeploymentRecord, Time};

/// The promotions of a document: none when it is no list of them, nothing in it when it is one and
/// not of its form.
pub(super) fn list(document: &Json) -> Option<Option<Vec<DeploymentRecord>>> {
    if let Some(all) = items(document, "/deployments") {
        return Some(all.iter().map(record).collect());
    }
    let is_one = ["sourceEnv", "targetEnv", "requestedBy"];
    let is_one = is_one.iter().all(|key| document.get(key).is_some());
    is_one.then(|| record(document).map(|record| vec![record]))
}

fn record(one: &Json) -> Option<DeploymentRecord> {
    let at = |key: &str| time(one, key);
    let of = |key: &str| name(&text(one, key));
    let id = of("/id");
    if id.is_empty() || at("/requestedAt").is_none() {
        return None;
    }
    let times = ["/finishedAt", "/executedAt", "/approvedAt", "/requestedAt"];
    Some(DeploymentRecord {
        id,
        service: of("/service"),
        from: of("/sourceEnv"),
        to: of("/targetEnv"),
        image: image(&text(one, "/image")),
        previous_image: image(&text(one, "/previousImage")),
        state: of("/status"),
        requested_by: of("/requestedBy"),
        approved_by: of("/approvedBy"),
        at: times.iter().find_map(|key| at(key)).unwrap_or_else(Time::default),
    })
}

/// A reference of an image has an `@` before its digest, and never a login.
fn image(text: &str) -> String {
    match text.split_once("@sha256:") {
        Some((repository, digest)) if digest.chars().all(|c| c.is_ascii_hexdigit()) => {
            let repository = name(repository);
            if repository.is_empty() { repository } else { format!("{repository}@sha256:{digest}") }
        }
        Some(_) => String::new(),
        None => name(text),
    }
}
