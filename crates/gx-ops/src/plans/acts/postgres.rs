//! PostgreSQL: another server takes the writes. The old one is kept from taking any first.

use std::collections::BTreeMap;

use super::super::PlanError;
use super::super::action::{Action, Check, Effect};
use super::super::build::{Draft, WITHIN, Wanted};
use super::etcd::FACTS;
use crate::facts::{Fact, Object as _, Pod, Postgres, Snapshot};
use crate::questions::find_pod;

/// Bytes that a standby may be behind, which it catches up with in a moment.
const BEHIND: u64 = 16 * 1024 * 1024;

/// The command that has a server in a pod do something.
pub(super) fn psql(pod: &Pod, words: &str) -> String {
    format!("kubectl exec -i -n {} {} -- psql -X -U postgres {words}", pod.namespace, pod.name)
}

/// The command that has a server in a pod tell of itself.
pub(super) fn collected_from(pod: &Pod, database: &str) -> String {
    let place = format!("Pod {}/{}", pod.namespace, pod.name);
    let told = psql(pod, &format!("-d {database} -v place='{place}'"));
    format!("gx ops postgres-script | {told} > {FACTS}/{}.json", pod.name)
}

fn server<'a>(snapshot: &'a Snapshot, pod: &Pod) -> Result<&'a Postgres, PlanError> {
    let mut all = snapshot.postgres.items().iter();
    all.find(|one| one.place == pod.reference().to_string()).ok_or_else(|| {
        let how = Fact::Postgres.how();
        PlanError::Cannot(format!("{} has told nothing of itself: {how}", pod.reference()))
    })
}

/// The primary that a standby follows, with its pod.
fn followed<'a>(
    snapshot: &'a Snapshot,
    standby: &Postgres,
) -> Result<(&'a Pod, &'a Postgres), PlanError> {
    let all = snapshot
        .postgres
        .items()
        .iter()
        .filter(|one| !one.in_recovery && one.system_identifier == standby.system_identifier);
    let primaries: Vec<&Postgres> = all.collect();
    let [primary] = primaries.as_slice() else {
        return Err(PlanError::Cannot(format!(
            "{} servers of the same data take writes, not one: {}",
            primaries.len(),
            Fact::Postgres.how()
        )));
    };
    let mut pods = snapshot.pods.items().iter();
    let pod = pods.find(|pod| pod.reference().to_string() == primary.place);
    let pod = pod
        .ok_or_else(|| PlanError::Cannot(format!("{} is no pod of this cluster", primary.place)))?;
    Ok((pod, primary))
}

/// Whether a standby has all that matters.
fn has_caught_up(pod: &Pod, primary: &Postgres) -> Result<u64, PlanError> {
    let standbys = primary.standbys.get().into_iter().flatten();
    let own = standbys.into_iter().find(|one| one.name == pod.name);
    let lag = own.filter(|one| one.state == "streaming").and_then(|one| one.lag_bytes);
    match lag {
        Some(lag) if lag <= BEHIND => Ok(lag),
        Some(lag) => Err(PlanError::Cannot(format!(
            "{} is {lag} bytes behind; what it does not have would be lost",
            pod.reference()
        ))),
        None => Err(PlanError::Cannot(format!(
            "{} does not name {} as a standby that streams",
            primary.place, pod.name
        ))),
    }
}

pub(super) fn switch_over(snapshot: &Snapshot, to: &str) -> Result<Wanted, PlanError> {
    let pod = find_pod(snapshot, to)?;
    let standby = server(snapshot, pod)?;
    if !standby.in_recovery {
        return Err(PlanError::Nothing(format!("{} takes writes already", pod.reference())));
    }
    let (old, primary) = followed(snapshot, standby)?;
    has_caught_up(pod, primary)?;
    let mut wanted = Wanted { needs: vec![Fact::Postgres], ..Wanted::default() };
    wanted.stand(primary.place.clone(), format!("{} takes writes", old.uid));
    wanted.stand(standby.place.clone(), format!("{} follows it", pod.uid));
    let operator = pod.owner.as_ref().filter(|owner| owner.kind == "Cluster");
    match operator {
        Some(owner) => wanted.steps.push(promotion(
            old,
            pod,
            vec![format!("kubectl cnpg promote {} {} -n {}", owner.name, pod.name, pod.namespace)],
            vec![format!("kubectl cnpg promote {} {} -n {}", owner.name, old.name, pod.namespace)],
        )),
        None => plain(snapshot, &mut wanted, old, pod),
    }
    Ok(wanted)
}

fn promotion(old: &Pod, new: &Pod, mut run: Vec<String>, rollback: Vec<String>) -> Draft {
    run.extend([collected_from(old, "postgres"), collected_from(new, "postgres")]);
    let (is, was) = (new.reference().to_string(), old.reference().to_string());
    Draft {
        title: format!("have {is} take the writes"),
        action: Action::Ask {
            place: format!("any machine with kubectl, for {}", new.namespace),
            run,
            effect: Effect::PrimaryMoved { from: was.clone(), to: is.clone() },
        },
        why: format!("it is asked for; it has all that {was} has"),
        rollback,
        check: Check::Primary { is, was },
        within: WITHIN,
        dependants: vec!["who writes is refused for some seconds, and tries again".to_owned()],
    }
}

/// Without an operator: fence, promote, lead the Services over.
fn plain(snapshot: &Snapshot, wanted: &mut Wanted, old: &Pod, new: &Pod) {
    let fence = "-c 'ALTER SYSTEM SET default_transaction_read_only = on' -c 'SELECT \
                 pg_reload_conf()' -c \"SELECT count(pg_terminate_backend(pid)) FROM \
                 pg_stat_activity WHERE backend_type = 'client backend' AND pid <> \
                 pg_backend_pid()\"";
    let release = "-c 'ALTER SYSTEM RESET default_transaction_read_only' -c 'SELECT \
                   pg_reload_conf()'";
    wanted.steps.push(Draft {
        title: format!("keep {} from taking writes", old.reference()),
        action: Action::Ask {
            place: format!("any machine with kubectl, for {}", old.namespace),
            run: vec![psql(old, fence), collected_from(old, "postgres")],
            effect: Effect::Nothing,
        },
        why: "two servers that take writes part for ever".to_owned(),
        rollback: vec![psql(old, release)],
        check: Check::Fenced { place: old.reference().to_string() },
        within: WITHIN,
        dependants: vec!["nobody writes until the other server takes writes".to_owned()],
    });
    wanted.steps.push(promotion(
        old,
        new,
        vec![psql(new, "-c 'SELECT pg_promote(true, 60)'")],
        vec![format!(
            "{} has begun a history of its own: go on, and make {} a standby of it",
            new.name, old.name
        )],
    ));
    let key = "statefulset.kubernetes.io/pod-name";
    for service in snapshot.services.items().iter().filter(|one| one.namespace == old.namespace) {
        if service.selector.get(key) != Some(&old.name) {
            continue;
        }
        wanted.stand(
            service.reference().to_string(),
            format!("{} selects {}", service.uid, old.name),
        );
        let mut labels: BTreeMap<String, String> = service.selector.clone();
        labels.insert(key.to_owned(), new.name.clone());
        let patch = |name: &str| {
            format!(
                "kubectl patch service {} -n {} --type=merge -p \
                 '{{\"spec\":{{\"selector\":{{\"{key}\":\"{name}\"}}}}}}'",
                service.name, service.namespace
            )
        };
        wanted.steps.push(Draft {
            title: format!("lead {} to {}", service.reference(), new.name),
            action: Action::Ask {
                place: format!("any machine with kubectl, for {}", old.namespace),
                run: vec![patch(&new.name)],
                effect: Effect::Nothing,
            },
            why: "who writes finds the server by it".to_owned(),
            rollback: vec![patch(&old.name)],
            check: Check::Selects { service: service.reference(), labels },
            within: WITHIN,
            dependants: Vec::new(),
        });
    }
    wanted.notes.push(format!(
        "{} stays as it is, and takes no writes: make it a standby of {} before it starts again",
        old.reference(),
        new.name
    ));
}
