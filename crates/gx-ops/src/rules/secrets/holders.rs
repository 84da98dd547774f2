//! Where credentials stand, and what each is for.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Findings;
use super::super::shared::{all_containers, holds_credentials, namespace_of_host, words};
use crate::collect::is_secret_name;
use crate::facts::{Class, Dsn, Fact, Hidden, Object as _, ObjectRef, Snapshot, Value};

/// One value in the place where it stands.
#[derive(Debug, Clone)]
pub(super) struct Holder<'a> {
    /// The Secret, ConfigMap or workload, with the key or the variable.
    pub(super) place: ObjectRef,
    pub(super) namespace: &'a str,
    pub(super) key: &'a str,
    pub(super) value: &'a Value,
}

/// What one logs in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Store {
    CouchDb,
    Postgres,
    Redis,
}

impl Store {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CouchDb => "couchdb",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }

    fn of_words(words: &[String]) -> Option<Self> {
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
        if has(&["redis", "cache", "sentinel"]) {
            Some(Self::Redis)
        } else if has(&["postgres", "postgresql", "pg", "pgpassword", "database", "db"]) {
            Some(Self::Postgres)
        } else if has(&["couchdb", "couch"]) {
            Some(Self::CouchDb)
        } else {
            None
        }
    }
}

/// Every value of Secrets, ConfigMaps and workloads that stands there itself.
pub(super) fn holders(snapshot: &Snapshot) -> Vec<Holder<'_>> {
    let mut all = Vec::new();
    for secret in snapshot.secrets.items().iter().filter(|one| holds_credentials(&one.kind)) {
        all.extend(secret.data.iter().map(|(key, value)| Holder {
            place: secret.reference().container(key),
            namespace: &secret.namespace,
            key,
            value,
        }));
    }
    for map in snapshot.config_maps.items() {
        all.extend(map.data.iter().map(|(key, value)| Holder {
            place: map.reference().container(key),
            namespace: &map.namespace,
            key,
            value,
        }));
    }
    for (workload, container) in all_containers(snapshot) {
        for env in &container.env {
            let Some(value) = &env.value else { continue };
            all.push(Holder {
                place: workload.reference().container(&container.name),
                namespace: &workload.namespace,
                key: &env.name,
                value,
            });
        }
    }
    all
}

/// Says that parts which may hold further copies are missing.
pub(super) fn incomplete(snapshot: &Snapshot, findings: &mut Findings, parts: &[Fact]) {
    for fact in parts {
        if let Some(why) = snapshot.lacks(*fact) {
            let subject = ObjectRef::global("Fact", fact.name());
            findings.unknown_but(subject, format!("what stands there: {why}"), fact.how());
        }
    }
}

/// Whether a key is that of something secret: not where it lies, how it is made, or its public
/// half.
pub(super) fn is_secret_key(key: &str) -> bool {
    const ABOUT: [&str; 34] = [
        "algorithm",
        "alg",
        "audience",
        "cost",
        "count",
        "days",
        "dir",
        "enabled",
        "env",
        "expires",
        "expiry",
        "file",
        "header",
        "hours",
        "id",
        "issuer",
        "kind",
        "length",
        "lifetime",
        "minutes",
        "mode",
        "ms",
        "name",
        "path",
        "policy",
        "prefix",
        "ref",
        "rounds",
        "seconds",
        "size",
        "ttl",
        "type",
        "user",
        "version",
    ];
    let words = words(key);
    // `KEYFILE` and `keyPath` are one word here.
    let is_place = |word: &str| ["file", "path", "dir"].iter().any(|end| word.ends_with(end));
    let is_about =
        words.last().is_some_and(|last| ABOUT.contains(&last.as_str()) || is_place(last));
    let is_public = words.iter().any(|word| word == "public" || word == "pub");
    is_secret_name(key) && !is_about && !is_public
}

/// Whether a hidden value can be a credential: neither nothing, nor a figure, nor a certificate.
fn is_credential(hidden: &Hidden) -> bool {
    let is_text = match hidden.class {
        Class::Empty | Class::Certificate => false,
        Class::Digits
        | Class::Alphanumeric
        | Class::UrlSafe
        | Class::Line
        | Class::Lines
        | Class::PrivateKey
        | Class::Binary => true,
    };
    is_text && hidden.length >= 6
}

impl<'a> Holder<'a> {
    pub(super) fn dsn(&self) -> Option<&'a Dsn> {
        self.value.dsn()
    }

    /// The credential, be it in an address or by itself.
    pub(super) fn credential(&self) -> Option<&'a Hidden> {
        let hidden = match self.value {
            Value::Dsn(dsn) => dsn.password.as_ref(),
            Value::Hidden(hidden) => is_secret_key(self.key).then_some(hidden),
            Value::Plain(_) => None,
        };
        hidden.filter(|hidden| is_credential(hidden))
    }

    /// The store that it opens, when it is a password of one.
    pub(super) fn store(&self) -> Option<Store> {
        if let Some(dsn) = self.dsn() {
            return match dsn.scheme.as_str() {
                "postgres" | "postgresql" => Some(Store::Postgres),
                "redis" | "rediss" => Some(Store::Redis),
                "couchdb" => Some(Store::CouchDb),
                _ => None,
            };
        }
        let key = words(self.key);
        let is_password = key.iter().any(|word| {
            ["password", "passwd", "pass", "pwd", "pgpassword"].contains(&word.as_str())
        });
        let of_object = || Store::of_words(&words(&self.place.name));
        is_password.then(|| Store::of_words(&key).or_else(of_object)).flatten()
    }

    /// Namespace or host of the server that it is for.
    pub(super) fn server(&self) -> &'a str {
        match self.dsn().map(|dsn| dsn.host.as_str()) {
            Some(host) if host.contains('.') => namespace_of_host(host).unwrap_or(host),
            Some(_) | None => self.namespace,
        }
    }

    /// The role of its own that a key names, such as one for replication; none for the usual one.
    pub(super) fn role(&self) -> Option<&'static str> {
        const ROLES: [&str; 12] = [
            "backup",
            "exporter",
            "migration",
            "monitor",
            "monitoring",
            "owner",
            "reader",
            "readonly",
            "repl",
            "replication",
            "root",
            "superuser",
        ];
        let words = [words(self.key), words(&self.place.name)].concat();
        ROLES.into_iter().find(|role| words.iter().any(|word| word == role))
    }
}

/// Values that are equal, by their hash; and whether all could be compared.
pub(super) struct Compared<'a, 'b> {
    pub(super) equal: BTreeMap<&'a str, Vec<&'b Holder<'a>>>,
    /// How many salts there are: hashes of two salts tell nothing of each other.
    salts: BTreeSet<&'a str>,
}

impl<'a, 'b> Compared<'a, 'b> {
    pub(super) fn of(holders: impl Iterator<Item = &'b Holder<'a>>) -> Self
    where
        'a: 'b,
    {
        let mut compared = Self { equal: BTreeMap::new(), salts: BTreeSet::new() };
        for holder in holders {
            let Some(hidden) = holder.credential() else { continue };
            let salt = hidden.hash.split_once(':').map_or("", |(salt, _)| salt);
            compared.salts.insert(salt);
            compared.equal.entry(&hidden.hash).or_default().push(holder);
        }
        compared
    }

    /// Why some values cannot be compared with others; none when all can.
    pub(super) fn doubt(&self) -> Option<&'static str> {
        (self.salts.len() > 1).then_some(SALTS)
    }
}

const SALTS: &str = "these values were hidden with different salts and cannot be compared";

/// Places as a list, each once.
pub(super) fn told(holders: &[&Holder<'_>]) -> String {
    let names: Vec<String> = holders
        .iter()
        .map(|holder| match holder.place.kind.as_str() {
            "Secret" | "ConfigMap" => holder.place.to_string(),
            _ => format!("{} {}", holder.place, holder.key),
        })
        .collect();
    let names: BTreeSet<String> = names.into_iter().collect();
    names.into_iter().collect::<Vec<String>>().join(", ")
}
