//! Credentials: whether all copies of one are the same, can stand in an address as they are, and
//! are those of one environment alone. Nothing but hashes is known of them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Page;
use super::explain::references;
use crate::facts::{Class, Fact, Hidden, Object as _, ObjectRef, Snapshot, Value};
use crate::report::{Look, plural};

/// One place that holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    pub object: ObjectRef,
    pub key: String,
    /// Whom it logs in, when the place says so.
    pub user: Option<String>,
    /// Copies with the same letter are equal; none: that cannot be told.
    pub value: Option<char>,
    /// Workloads that are given it.
    pub used_by: Vec<ObjectRef>,
    #[serde(skip)]
    hidden: Hidden,
    #[serde(skip)]
    is_well_formed: bool,
}

/// One credential with all its copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credential {
    pub environment: String,
    /// Such as `postgres`.
    pub service: String,
    pub copies: Vec<Copy>,
    pub faults: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    pub credentials: Vec<Credential>,
    /// The same credential in more than one environment, or of more than one service.
    pub shared: Vec<String>,
    pub not_known: Vec<String>,
}

impl Checked {
    pub fn is_clean(&self) -> bool {
        self.shared.is_empty() && self.credentials.iter().all(|one| one.faults.is_empty())
    }
}

/// Services, by the words in names of keys and by schemes of addresses.
const SERVICES: [(&str, &[&str]); 7] = [
    ("postgres", &["postgres", "postgresql", "pg", "pgpassword", "database", "db"]),
    ("redis", &["redis", "rediss", "requirepass"]),
    ("minio", &["minio", "s3"]),
    ("couchdb", &["couchdb", "couch"]),
    ("grafana", &["grafana"]),
    ("ca", &["ca", "fabricca"]),
    ("amqp", &["amqp", "amqps", "rabbitmq"]),
];

fn service(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let named = SERVICES.iter().find(|(_, known)| words.iter().any(|word| known.contains(word)));
    named.map(|(name, _)| *name)
}

fn is_password(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "requirepass"].iter().any(|word| key.contains(word))
        || key.ends_with("_pass")
}

/// Answers.
pub fn check(snapshot: &Snapshot) -> Checked {
    let mut found: BTreeMap<(String, String), Vec<Copy>> = BTreeMap::new();
    let mut add = |snapshot: &Snapshot, object: ObjectRef, key: &str, value: &Value| {
        let (hidden, user, of, is_well_formed) = match value {
            Value::Dsn(dsn) => {
                let Some(password) = &dsn.password else { return };
                (password.clone(), dsn.user.clone(), service(&dsn.scheme), dsn.well_formed)
            }
            Value::Hidden(hidden) if is_password(key) => (hidden.clone(), None, None, true),
            Value::Hidden(_) | Value::Plain(_) => return,
        };
        let of = of.or_else(|| service(key)).or_else(|| service(&object.name));
        let Some(of) = of.filter(|_| hidden.length > 0) else { return };
        let environment = snapshot.environment(&object.namespace).unwrap_or(&object.namespace);
        let used_by = users(snapshot, &object, key);
        let key = key.to_owned();
        let place = (environment.to_owned(), of.to_owned());
        let copy = Copy { object, key, user, value: None, used_by, hidden, is_well_formed };
        found.entry(place).or_default().push(copy);
    };
    for one in snapshot.secrets.items() {
        one.data.iter().for_each(|(key, value)| add(snapshot, one.reference(), key, value));
    }
    for one in snapshot.config_maps.items() {
        one.data.iter().for_each(|(key, value)| add(snapshot, one.reference(), key, value));
    }
    for one in snapshot.top_workloads() {
        for container in one.template.spec.all_containers() {
            let object = one.reference().container(&container.name);
            let literal =
                container.env.iter().filter_map(|env| Some((&env.name, env.value.as_ref()?)));
            literal.for_each(|(name, value)| add(snapshot, object.clone(), name, value));
        }
    }
    let credentials: Vec<Credential> = found
        .into_iter()
        .map(|((environment, service), copies)| credential(environment, service, copies))
        .collect();
    let parts = [Fact::Secrets, Fact::ConfigMaps, Fact::Workloads];
    let missing = parts.into_iter().filter_map(|fact| {
        Some(format!("{} ({}): {}", fact.name(), snapshot.lacks(fact)?, fact.how()))
    });
    let mut not_known: Vec<String> = missing.collect();
    not_known.push("whether a server takes them: no login is tried".to_owned());
    Checked { shared: shared(&credentials), credentials, not_known }
}

/// The workloads that are given a key of an object.
fn users(snapshot: &Snapshot, object: &ObjectRef, key: &str) -> Vec<ObjectRef> {
    if !["Secret", "ConfigMap"].contains(&object.kind.as_str()) {
        return vec![object.clone()];
    }
    let own = snapshot.top_workloads().filter(|one| one.namespace == object.namespace);
    let users = own.filter(|one| {
        references(&one.template.spec).iter().any(|reference| {
            reference.kind == object.kind
                && reference.name == object.name
                && (reference.key.is_empty() || reference.key == key)
        })
    });
    users.map(crate::facts::Object::reference).collect()
}

fn credential(environment: String, service: String, mut copies: Vec<Copy>) -> Credential {
    copies.sort_by(|a, b| (&a.object, &a.key).cmp(&(&b.object, &b.key)));
    let mut faults = Vec::new();
    let mut values: Vec<Hidden> = Vec::new();
    let mut is_told = true;
    for copy in &mut copies {
        let same = values.iter().map(|value| value.equals(&copy.hidden)).collect::<Vec<_>>();
        is_told &= !same.contains(&None);
        let at = same.iter().position(|same| *same == Some(true)).unwrap_or_else(|| {
            values.push(copy.hidden.clone());
            values.len().saturating_sub(1)
        });
        copy.value = is_told.then(|| letter(at));
    }
    if !is_told {
        copies.iter_mut().for_each(|copy| copy.value = None);
        faults.push(
            "whether the copies are equal cannot be told: they were hashed with different salts; \
             collect them together, or with --salt"
                .to_owned(),
        );
    } else if values.len() > 1 {
        faults.push(different(&copies, values.len()));
    }
    for copy in &copies {
        let is_safe =
            matches!(copy.hidden.class, Class::Digits | Class::Alphanumeric | Class::UrlSafe);
        if !copy.is_well_formed {
            faults.push(format!(
                "{} {}: the address cannot be taken apart: its password is not percent-encoded",
                copy.object, copy.key
            ));
        } else if !is_safe && copy.user.is_none() {
            faults.push(format!(
                "{} {}: characters that an address needs percent-encoded; hexadecimal has none",
                copy.object, copy.key
            ));
        }
    }
    Credential { environment, service, copies, faults }
}

/// Letters in their order; beyond the alphabet all are the last.
fn letter(at: usize) -> char {
    let at = u8::try_from(at).unwrap_or(25).min(25);
    char::from(b'A'.saturating_add(at))
}

/// `3 copies, 2 values: …`, in one line.
fn different(copies: &[Copy], values: usize) -> String {
    let mut by_value: BTreeMap<Option<char>, Vec<String>> = BTreeMap::new();
    for copy in copies {
        by_value.entry(copy.value).or_default().push(format!("{} {}", copy.object, copy.key));
    }
    let groups: Vec<String> = by_value.into_values().map(|places| places.join(" = ")).collect();
    format!("{} copies, {values} values: {}", copies.len(), groups.join(" ≠ "))
}

/// Credentials that are those of another environment or service as well.
fn shared(credentials: &[Credential]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (at, one) in credentials.iter().enumerate() {
        for other in credentials.iter().skip(at.saturating_add(1)) {
            let same = one.copies.iter().find_map(|copy| {
                let twin = other
                    .copies
                    .iter()
                    .find(|twin| copy.hidden.equals(&twin.hidden) == Some(true))?;
                Some((copy, twin))
            });
            if let Some((copy, twin)) = same {
                found.insert(format!(
                    "{} of {} and {} of {} are the same: {} {} = {} {}",
                    one.service,
                    one.environment,
                    other.service,
                    other.environment,
                    copy.object,
                    copy.key,
                    twin.object,
                    twin.key
                ));
            }
        }
    }
    found.into_iter().collect()
}

/// The text of an answer.
pub fn render(answer: &Checked, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let faulty = answer.credentials.iter().filter(|one| !one.faults.is_empty()).count();
    page.head(&format!(
        "{}: {faulty} with faults, {} shared",
        plural(answer.credentials.len(), "credential"),
        answer.shared.len()
    ));
    answer.shared.iter().for_each(|one| page.line(one));
    for one in &answer.credentials {
        page.head(&format!("{} of {}", one.service, one.environment));
        one.faults.iter().for_each(|fault| page.line(&format!("FAULT {fault}")));
        for copy in &one.copies {
            let value = copy.value.map_or("?".to_owned(), |value| value.to_string());
            let user = copy.user.as_ref().map(|user| format!(", user {user}")).unwrap_or_default();
            let used: Vec<String> = copy.used_by.iter().map(ToString::to_string).collect();
            let used = if used.is_empty() { "nobody".to_owned() } else { used.join(", ") };
            page.line(&format!("{value} {} {}{user}; used by {used}", copy.object, copy.key));
        }
    }
    page.head("Not known");
    answer.not_known.iter().for_each(|one| page.line(&format!("- {one}")));
    page.text
}
