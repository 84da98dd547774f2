//! A credential is changed on both sides: the server's and that of everybody who logs in.

use super::super::PlanError;
use super::super::action::{Action, Check, Effect, Exact, Holder, NEXT, PREVIOUS, Stage};
use super::super::build::{Draft, WITHIN, Wanted};
use super::workloads;
use crate::facts::{Fact, Object as _, Pod, Secret, Snapshot};
use crate::questions::secrets::{Copy, check};
use crate::rules::shared::{Component, sets};

fn secret<'a>(snapshot: &'a Snapshot, copy: &Copy) -> Option<&'a Secret> {
    let mut all = snapshot.secrets.items().iter();
    all.find(|one| one.reference() == copy.object)
}

/// The keys that hold it; those of a rotation that is under way are no copies of their own.
fn holders(snapshot: &Snapshot, copies: &[Copy]) -> Result<Vec<Holder>, PlanError> {
    let mut found = Vec::new();
    for copy in copies {
        if copy.key.ends_with(NEXT) || copy.key.ends_with(PREVIOUS) {
            return Err(PlanError::Cannot(format!(
                "{} has {}: a rotation is under way; end it or take it back first",
                copy.object, copy.key
            )));
        }
        let Some(one) = secret(snapshot, copy) else {
            return Err(PlanError::Cannot(format!(
                "{} holds a copy in {}, where everybody can read it: move it to a Secret first",
                copy.object, copy.key
            )));
        };
        if one.immutable {
            return Err(PlanError::Cannot(format!("{} is immutable", copy.object)));
        }
        found.push(Holder {
            object: Exact::of(one),
            key: copy.key.clone(),
            is_address: one.data.get(&copy.key).is_some_and(|value| value.dsn().is_some()),
        });
    }
    Ok(found)
}

pub(super) fn rotate(
    snapshot: &Snapshot,
    environment: &str,
    service: &str,
) -> Result<Wanted, PlanError> {
    let checked = check(snapshot);
    let all = checked.credentials.iter();
    let found = all.filter(|one| one.environment == environment && one.service == service);
    let Some(credential) = found.into_iter().next() else {
        let known: Vec<String> = checked
            .credentials
            .iter()
            .map(|one| format!("{} {}", one.environment, one.service))
            .collect();
        return Err(PlanError::Cannot(format!(
            "no credential of {service} in {environment} is known; there are: {}",
            known.join(", ")
        )));
    };
    let holders = holders(snapshot, &credential.copies)?;
    let mut values = credential.copies.iter().map(|copy| copy.value);
    let first = values.next().flatten();
    if first.is_none() || !values.all(|value| value == first) {
        return Err(PlanError::Cannot(format!(
            "the copies are not known to be one credential: {}",
            credential.faults.join("; ")
        )));
    }
    let mut wanted = Wanted { needs: vec![Fact::Secrets, Fact::ConfigMaps], ..Wanted::default() };
    for holder in &holders {
        wanted.stand(
            format!("{} {}", holder.object.reference(), holder.key),
            format!("{} holds it", holder.object.uid),
        );
    }
    wanted.steps.push(stage(&holders, Stage::Next));
    wanted.steps.push(server_side(snapshot, environment, service, &credential.copies, &holders)?);
    wanted.steps.push(stage(&holders, Stage::Switched));
    let mut users: Vec<String> = credential
        .copies
        .iter()
        .flat_map(|copy| &copy.used_by)
        .map(|one| format!("{}/{}/{}", one.kind, one.namespace, one.name))
        .collect();
    users.sort();
    users.dedup();
    let restarts = workloads::restart(snapshot, &users, 1, 30)?;
    wanted.stands_on.extend(restarts.stands_on);
    wanted.steps.extend(restarts.steps);
    wanted.steps.push(stage(&holders, Stage::Final));
    Ok(wanted)
}

fn stage(holders: &[Holder], stage: Stage) -> Draft {
    let objects: Vec<String> = holders
        .iter()
        .map(|holder| format!("{} {}", holder.object.reference(), holder.key))
        .collect();
    let all = objects.join(", ");
    let (title, why, rollback) = match stage {
        Stage::Next => (
            format!("lay a new value beside {all}"),
            "both sides have to know it before either uses it; it is drawn when this is done and \
             shown nowhere",
            "gx ops apply --rollback ID takes the new value away again",
        ),
        Stage::Switched => (
            format!("exchange {all}"),
            "who starts from now on logs in with the new value; the old one lies beside it",
            "gx ops apply --rollback ID has the old value hold again",
        ),
        Stage::Final => (
            format!("take the old value from {all}"),
            "everybody has started with the new one, and works",
            "none: rotate again",
        ),
    };
    Draft {
        title,
        action: Action::Rotate { holders: holders.to_vec(), stage },
        why: why.to_owned(),
        rollback: vec![rollback.to_owned()],
        check: Check::Done,
        within: WITHIN,
        dependants: Vec::new(),
    }
}

/// The pod of the server that takes changes.
fn server<'a>(snapshot: &'a Snapshot, environment: &str, of: Component) -> Option<&'a Pod> {
    let sets = sets(snapshot, |component| component == of);
    let here = sets.iter().filter(|set| snapshot.environment(set.namespace) == Some(environment));
    let pods: Vec<&Pod> = here.flat_map(|set| set.pods(snapshot)).collect();
    let is_primary = |pod: &&&Pod| {
        let place = pod.reference().to_string();
        let postgres =
            snapshot.postgres.items().iter().any(|one| one.place == place && !one.in_recovery);
        let redis =
            snapshot.redis.items().iter().any(|one| one.place == place && one.role == "master");
        postgres || redis
    };
    let only = if let [one] = pods.as_slice() { Some(*one) } else { None };
    pods.iter().find(is_primary).copied().or(only)
}

/// The server learns the new value, from the Secret and past every eye.
fn server_side(
    snapshot: &Snapshot,
    environment: &str,
    service: &str,
    copies: &[Copy],
    holders: &[Holder],
) -> Result<Draft, PlanError> {
    let of = match service {
        "postgres" => Component::Postgres,
        "redis" => Component::Redis,
        other => {
            return Err(PlanError::Cannot(format!(
                "how {other} is given another credential is not known here"
            )));
        }
    };
    let how = if service == "postgres" { Fact::Postgres.how() } else { Fact::Redis.how() };
    let pod = server(snapshot, environment, of).ok_or_else(|| {
        PlanError::Cannot(format!("which server of {service} takes changes is not known: {how}"))
    })?;
    let plain = holders.iter().find(|holder| !holder.is_address);
    let holder = plain.ok_or_else(|| {
        PlanError::Cannot(
            "every copy is an address; one Secret has to hold the credential alone".to_owned(),
        )
    })?;
    let read = |ending: &str| {
        format!(
            "kubectl get secret {} -n {} -o go-template='{{{{index .data \"{}{ending}\" | \
             base64decode}}}}'",
            holder.object.name, holder.object.namespace, holder.key
        )
    };
    let command = |ending: &str| match of {
        Component::Postgres => {
            let user = copies.iter().find_map(|copy| copy.user.clone());
            let user = user.unwrap_or_else(|| "ROLE".to_owned());
            let user: String =
                user.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            format!(
                "{{ printf \"ALTER ROLE \\\"{user}\\\" PASSWORD '\"; {}; printf \"';\"; }} | {}",
                read(ending),
                super::postgres::psql(pod, "-q")
            )
        }
        _ => format!(
            "{{ printf 'CONFIG SET requirepass '; {}; echo; }} | kubectl exec -i -n {} {} -- sh -c \
             'REDISCLI_AUTH=\"$REDIS_PASSWORD\" redis-cli'",
            read(ending),
            pod.namespace,
            pod.name
        ),
    };
    Ok(Draft {
        title: format!("have {} take the new value", pod.reference()),
        action: Action::Ask {
            place: format!("any machine with kubectl, for {}", pod.namespace),
            run: vec![command(NEXT)],
            effect: Effect::Nothing,
        },
        why: "the other side; the value goes from the Secret into the server and is shown nowhere"
            .to_owned(),
        rollback: vec![command("")],
        check: Check::Said { what: "it answered ALTER ROLE or OK".to_owned() },
        within: WITHIN,
        dependants: vec![
            "connections that are open stay; new ones with the old value are refused until the \
             next steps are done"
                .to_owned(),
        ],
    })
}
