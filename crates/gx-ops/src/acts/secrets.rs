//! A credential is changed in all its copies: the new value first lies beside the old one, then
//! holds with the old one beside it, and then alone. So either side can be changed first, and both
//! can go back.
//!
//! Values are read and written here and shown nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::api::{self, Fault};
use super::run::Runner;
use crate::plans::{Holder, NEXT, PREVIOUS, Stage};

/// A value of a Secret.
fn value(secret: &Value, key: &str) -> Result<Option<String>, Fault> {
    let found = secret.get("data").and_then(|data| data.get(key));
    let Some(text) = found.and_then(Value::as_str) else { return Ok(None) };
    let unreadable = || Fault::Refused(format!("the key {key} holds no text"));
    let bytes = STANDARD.decode(text).map_err(|_| unreadable())?;
    String::from_utf8(bytes).map(Some).map_err(|_| unreadable())
}

/// The password of an address, as `begin`, `password`, `end`.
fn parts(address: &str) -> Option<(&str, &str, &str)> {
    let begin = address.find("://")?.checked_add(3)?;
    let rest = address.get(begin..)?;
    let end = rest.split(['/', '?', '#']).next()?.rfind('@')?;
    let colon = rest.get(..end)?.find(':')?;
    let start = begin.checked_add(colon)?.checked_add(1)?;
    let stop = begin.checked_add(end)?;
    Some((address.get(..start)?, address.get(start..stop)?, address.get(stop..)?))
}

/// The value with the credential in it replaced.
fn with(holder: &Holder, old: &str, new: &str) -> Result<String, Fault> {
    if !holder.is_address {
        return Ok(new.to_owned());
    }
    let (begin, _, end) = parts(old).ok_or_else(|| {
        Fault::Refused(format!("the key {} holds no address with a password", holder.key))
    })?;
    Ok(format!("{begin}{new}{end}"))
}

fn credential(holder: &Holder, text: &str) -> Option<String> {
    match holder.is_address {
        true => parts(text).map(|(_, password, _)| password.to_owned()),
        false => Some(text.to_owned()),
    }
}

/// The data that a holder has to have at a stage; none when it is so.
fn wanted(
    secret: &Value,
    holder: &Holder,
    stage: Stage,
    new: &str,
) -> Result<Option<Value>, Fault> {
    let key = &holder.key;
    let (next, previous) = (format!("{key}{NEXT}"), format!("{key}{PREVIOUS}"));
    let now = value(secret, key)?
        .ok_or_else(|| Fault::Surprise(format!("the key {key} is not there any more")))?;
    let mut data = Map::new();
    let encoded = |text: &str| json!(STANDARD.encode(text));
    match stage {
        Stage::Next => {
            if value(secret, &next)?.is_none() {
                data.insert(next, encoded(&with(holder, &now, new)?));
            }
        }
        Stage::Switched => {
            if value(secret, &previous)?.is_none() {
                let text = value(secret, &next)?
                    .ok_or_else(|| Fault::Surprise(format!("the key {next} is not there")))?;
                data.insert(key.clone(), encoded(&text));
                data.insert(previous, encoded(&now));
            }
        }
        Stage::Final => {
            for old in [next, previous] {
                if value(secret, &old)?.is_some() {
                    data.insert(old, Value::Null);
                }
            }
        }
    }
    Ok((!data.is_empty()).then(|| json!({"data": data})))
}

/// Brings all holders to a stage. All get the same new credential.
pub(super) async fn to(runner: &Runner<'_>, holders: &[Holder], stage: Stage) -> Result<(), Fault> {
    let mut new = None;
    if stage == Stage::Next {
        // Of a run that was killed some may have one already.
        for holder in holders {
            let secret = api::get(&runner.client, &holder.object).await?;
            let text = value(&secret, &format!("{}{NEXT}", holder.key))?;
            new = new.or(text.and_then(|text| credential(holder, &text)));
        }
        if new.is_none() {
            new = Some(runner.facts.draw().map_err(Fault::Refused)?);
        }
    }
    let new = new.unwrap_or_default();
    for holder in holders {
        let patch = |secret: &Value| wanted(secret, holder, stage, &new);
        api::change(&runner.client, &holder.object, patch).await?;
    }
    Ok(())
}

/// Takes a stage back.
pub(super) async fn back(
    runner: &Runner<'_>,
    holders: &[Holder],
    stage: Stage,
) -> Result<String, Fault> {
    if stage == Stage::Final {
        return Ok("the old value is gone; rotate again to have another one".to_owned());
    }
    for holder in holders {
        let key = &holder.key;
        let (next, previous) = (format!("{key}{NEXT}"), format!("{key}{PREVIOUS}"));
        let patch = |secret: &Value| {
            let mut data = Map::new();
            if stage == Stage::Next && value(secret, &next)?.is_some() {
                data.insert(next.clone(), Value::Null);
            }
            if stage == Stage::Switched
                && let Some(old) = value(secret, &previous)?
            {
                data.insert(key.clone(), json!(STANDARD.encode(old)));
                data.insert(previous.clone(), Value::Null);
            }
            Ok((!data.is_empty()).then(|| json!({"data": data})))
        };
        api::change(&runner.client, &holder.object, patch).await?;
    }
    Ok(match stage {
        Stage::Next => "the new value was taken away".to_owned(),
        Stage::Switched | Stage::Final => "the old value holds again".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::Exact;

    fn holder(is_address: bool) -> Holder {
        let object = Exact {
            kind: "Secret".to_owned(),
            namespace: "m".to_owned(),
            name: "s".to_owned(),
            uid: "u".to_owned(),
            generation: None,
        };
        Holder { object, key: "k".to_owned(), is_address }
    }

    fn secret(data: &[(&str, &str)]) -> Value {
        let data: Map<String, Value> = data
            .iter()
            .map(|(key, text)| ((*key).to_owned(), json!(STANDARD.encode(text))))
            .collect();
        json!({"data": data})
    }

    #[test]
    fn the_password_of_an_address_is_exchanged_and_nothing_else() {
        let with = |old| super::with(&holder(true), old, "new").ok();
        for (old, new) in [
            ("postgres://u:p@h:5432/d?x=1", Some("postgres://u:new@h:5432/d?x=1")),
            ("redis://:p%40q@h", Some("redis://:new@h")),
            ("postgres://u:p@q@h/d", Some("postgres://u:new@h/d")),
            ("postgres://u@h/d", None),
            ("h", None),
        ] {
            assert_eq!(with(old).as_deref(), new, "{old}");
        }
        assert_eq!(super::with(&holder(false), "p", "new").unwrap(), "new");
    }

    #[test]
    fn a_stage_is_the_same_however_often_it_is_done() {
        let one = holder(false);
        let first = secret(&[("k", "old")]);
        let patch = wanted(&first, &one, Stage::Next, "new").unwrap().unwrap();
        assert_eq!(patch["data"]["k.next"], json!(STANDARD.encode("new")));
        let second = secret(&[("k", "old"), ("k.next", "new")]);
        assert_eq!(wanted(&second, &one, Stage::Next, "other").unwrap(), None);
        let patch = wanted(&second, &one, Stage::Switched, "").unwrap().unwrap();
        assert_eq!(patch["data"]["k"], json!(STANDARD.encode("new")));
        assert_eq!(patch["data"]["k.previous"], json!(STANDARD.encode("old")));
        let third = secret(&[("k", "new"), ("k.next", "new"), ("k.previous", "old")]);
        assert_eq!(wanted(&third, &one, Stage::Switched, "").unwrap(), None);
        let patch = wanted(&third, &one, Stage::Final, "").unwrap().unwrap();
        assert_eq!(patch, json!({"data": {"k.next": null, "k.previous": null}}));
        // Without the new value nothing is exchanged.
        assert!(wanted(&first, &one, Stage::Switched, "").is_err());
    }
}
