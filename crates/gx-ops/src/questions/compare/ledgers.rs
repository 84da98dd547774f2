//! Two ledgers that claim to be the one: which of them counts, and why.

use std::cmp::Ordering;

use serde::Serialize;

use super::super::{NameError, Page};
use crate::facts::{Ledger, LedgerNode, Object as _, Snapshot, Value};
use crate::report::Look;

/// One thing by which they are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Criterion {
    pub name: &'static str,
    pub first: String,
    pub second: String,
    /// Which of them it speaks for; none: for neither, or it is not known.
    pub speaks_for: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    pub criteria: Vec<Criterion>,
    /// None: somebody has to decide, since the criteria do not agree or too few are known.
    pub authoritative: Option<String>,
    pub why: String,
}

/// Answers.
///
/// # Errors
/// When a ledger is named that a snapshot does not have.
pub fn ledgers(
    first: (&Snapshot, &str),
    second: (&Snapshot, &str),
) -> Result<Authority, NameError> {
    let (a, b) = (find(first.0, first.1)?, find(second.0, second.1)?);
    let names = (name(a), name(b));
    let by = |title: &'static str, x: Option<i128>, y: Option<i128>, told: (String, String)| {
        let speaks_for = match (x, y) {
            (Some(x), Some(y)) => match x.cmp(&y) {
                Ordering::Greater => Some(names.0.clone()),
                Ordering::Less => Some(names.1.clone()),
                Ordering::Equal => None,
            },
            _ => None,
        };
        Criterion { name: title, first: told.0, second: told.1, speaks_for }
    };
    let number = |of: fn(&LedgerNode) -> Option<i128>, ledger: &Ledger| {
        ledger.nodes.iter().filter_map(of).max()
    };
    let told = |value: Option<i128>| value.map_or("not known".to_owned(), |one| one.to_string());
    let simple = |title, of: fn(&LedgerNode) -> Option<i128>| {
        let (x, y) = (number(of, a), number(of, b));
        by(title, x, y, (told(x), told(y)))
    };
    let time = |ledger: &Ledger| ledger.nodes.iter().filter_map(|node| node.last_block).max();
    let (x, y) = (time(a), time(b));
    let seconds = |time: Option<crate::facts::Time>| time.map(|at| i128::from(at.seconds()));
    let date =
        |time: Option<crate::facts::Time>| time.map_or("not known".to_owned(), |at| at.to_string());
    let (p, q) = (callers(first.0, a), callers(second.0, b));
    let count =
        |found: &Option<Vec<String>>| found.as_ref().and_then(|all| i128::try_from(all.len()).ok());
    let listed = |found: &Option<Vec<String>>| match found {
        None => "not known".to_owned(),
        Some(all) if all.is_empty() => "nobody".to_owned(),
        Some(all) => all.join(", "),
    };
    let criteria = vec![
        simple("height", |node| node.height.get().map(|height| i128::from(*height))),
        simple("bytes", |node| node.bytes.map(i128::from)),
        by("last block", seconds(x), seconds(y), (date(x), date(y))),
        by("who calls it", count(&p), count(&q), (listed(&p), listed(&q))),
    ];
    let (authoritative, why) = decide(&criteria, (a, b));
    Ok(Authority { criteria, authoritative, why })
}

fn find<'a>(snapshot: &'a Snapshot, wanted: &str) -> Result<&'a Ledger, NameError> {
    let all = snapshot.ledgers.items();
    let is_it = |one: &&Ledger| one.name == wanted || name(one) == wanted;
    match all.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
        [one] => Ok(one),
        [] => {
            let known: Vec<String> = all.iter().map(name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(NameError::Nothing { what: "ledger", name: wanted.to_owned(), known })
        }
        several => {
            let found = several.iter().map(|one| name(one)).collect::<Vec<_>>().join(", ");
            Err(NameError::Several { name: wanted.to_owned(), found })
        }
    }
}

fn name(ledger: &Ledger) -> String {
    format!("{}/{}", ledger.environment, ledger.name)
}

/// Workloads whose settings name one of its endpoints; none when no settings are known.
fn callers(snapshot: &Snapshot, ledger: &Ledger) -> Option<Vec<String>> {
    let endpoints: Vec<&str> = ledger
        .nodes
        .iter()
        .map(|node| node.endpoint.as_str())
        .filter(|endpoint| !endpoint.is_empty())
        .collect();
    if endpoints.is_empty() || snapshot.workloads.reason().is_some() {
        return None;
    }
    let names = |value: &Value| match value {
        Value::Plain(text) => endpoints.iter().any(|endpoint| text.contains(endpoint)),
        Value::Hidden(_) | Value::Dsn(_) => false,
    };
    let calls = snapshot.top_workloads().filter(|one| {
        let spec = &one.template.spec;
        let own = spec.all_containers().flat_map(|container| &container.env);
        let own = own.filter_map(|env| env.value.as_ref()).any(names);
        let maps = super::super::explain::references(spec);
        let maps = snapshot.config_maps.items().iter().filter(|map| {
            map.namespace == one.namespace
                && maps.iter().any(|it| it.kind == "ConfigMap" && it.name == map.name)
        });
        own || maps.flat_map(|map| map.data.values()).any(names)
    });
    Some(calls.map(|one| one.reference().to_string()).collect())
}

/// All that speak have to speak for the same one, and the height and somebody who calls it are
/// among them.
fn decide(criteria: &[Criterion], (a, b): (&Ledger, &Ledger)) -> (Option<String>, String) {
    let genesis = |ledger: &Ledger| {
        ledger.nodes.iter().map(|node| node.genesis_hash.clone()).find(|hash| !hash.is_empty())
    };
    if let (Some(x), Some(y)) = (genesis(a), genesis(b))
        && x == y
    {
        let why = "they begin with the same block: they are one ledger, of which one is behind";
        let higher = criteria.first().and_then(|one| one.speaks_for.clone());
        return (higher, why.to_owned());
    }
    let spoken: Vec<&String> = criteria.iter().filter_map(|one| one.speaks_for.as_ref()).collect();
    let speaks =
        |name: &str| criteria.iter().any(|one| one.name == name && one.speaks_for.is_some());
    match spoken.split_first() {
        Some((one, rest)) if rest.iter().all(|other| other == one) => {
            if speaks("height") && speaks("who calls it") {
                let why =
                    format!("{} of {} criteria speak, all for it", spoken.len(), criteria.len());
                ((*one).clone().into(), why)
            } else {
                let why = "height and callers have to be known, and different, to decide";
                (None, why.to_owned())
            }
        }
        Some(_) => (None, "the criteria do not agree: somebody has to decide".to_owned()),
        None => (None, "nothing is known by which they differ".to_owned()),
    }
}

/// The text of an answer.
pub fn render(answer: &Authority, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let which = answer.authoritative.as_deref().unwrap_or("not decided");
    page.head(&format!("authoritative: {which}"));
    page.line(&answer.why);
    for one in &answer.criteria {
        let speaks = one.speaks_for.as_deref().unwrap_or("neither");
        page.head(&format!("{}: speaks for {speaks}", one.name));
        page.line(&one.first);
        page.line(&one.second);
    }
    if answer.authoritative.is_some() {
        page.head("Before the other one is taken away");
        for step in [
            "stop it, and see that this one works on and nobody misses the other",
            "keep its volumes until a backup of them has been read again",
        ] {
            page.line(step);
        }
    }
    page.text
}
