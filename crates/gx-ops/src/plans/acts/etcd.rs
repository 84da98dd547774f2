//! Members of etcd: one goes, or one comes. It is done on hosts, by hand, and checked by what the
//! members tell of themselves.

use super::super::PlanError;
use super::super::action::{Action, Check, Effect};
use super::super::build::{Draft, WITHIN, Wanted};
use crate::facts::{EtcdMember, Fact, Known, Snapshot};
use crate::questions::NameError;

/// How the servers of K3s let their etcd be asked.
const ETCDCTL: &str = "ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 \
                       --cacert=/var/lib/rancher/k3s/server/tls/etcd/server-ca.crt \
                       --cert=/var/lib/rancher/k3s/server/tls/etcd/client.crt \
                       --key=/var/lib/rancher/k3s/server/tls/etcd/client.key";

/// Folder that commands put facts into; it is named when they are given.
pub(super) const FACTS: &str = "FACTS";

fn members(snapshot: &Snapshot) -> Result<&Vec<EtcdMember>, PlanError> {
    let views = snapshot.etcd.items().iter().filter_map(|one| one.members.get());
    views.max_by_key(|members| members.len()).ok_or_else(|| {
        PlanError::Cannot(format!("nothing is known of etcd's members: {}", Fact::Etcd.how()))
    })
}

/// The node that a member runs on: K3s names it after that, with a random ending.
fn node_of<'a>(snapshot: &'a Snapshot, member: &'a EtcdMember) -> &'a str {
    let nodes = snapshot.nodes.items().iter().filter(|node| {
        let rest = member.name.strip_prefix(node.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    let longest = nodes.max_by_key(|node| node.name.len());
    longest.map_or(member.name.as_str(), |node| node.name.as_str())
}

fn collected_from(server: &str) -> String {
    format!("gx ops host-script | ssh {server} 'sudo sh -s' > {FACTS}/{server}.txt")
}

fn asked(title: &str, place: &str, run: Vec<String>, why: &str, check: Check) -> Draft {
    Draft {
        title: title.to_owned(),
        action: Action::Ask { place: place.to_owned(), run, effect: Effect::Nothing },
        why: why.to_owned(),
        rollback: vec!["none is needed: nothing has changed".to_owned()],
        check,
        within: WITHIN,
        dependants: Vec::new(),
    }
}

/// A snapshot of etcd, on another host as well.
fn saved(server: &str) -> Draft {
    asked(
        "save a snapshot of etcd, and copy it to another host",
        server,
        vec![
            format!("ssh {server} 'sudo k3s etcd-snapshot save --name before-act'"),
            format!(
                "rsync --rsync-path='sudo rsync' \
                 {server}:/var/lib/rancher/k3s/server/db/snapshots/before-act-* ./"
            ),
            collected_from(server),
        ],
        "it is what etcd is restored from when this goes wrong",
        Check::EtcdSnapshot,
    )
}

/// A healthy member other than this one.
fn other<'a>(
    snapshot: &'a Snapshot,
    members: &'a [EtcdMember],
    not: Option<&str>,
) -> Result<&'a str, PlanError> {
    let healthy = members.iter().find(|one| {
        Some(one.name.as_str()) != not && one.healthy == Known::Known(true) && !one.is_learner
    });
    let healthy = healthy.ok_or_else(|| {
        PlanError::Cannot("no other member of etcd is healthy: restore it first".to_owned())
    })?;
    Ok(node_of(snapshot, healthy))
}

/// A member leaves.
pub(super) fn remove(snapshot: &Snapshot, name: &str) -> Result<Wanted, PlanError> {
    let members = members(snapshot)?;
    let found = members.iter().find(|one| one.name == name || node_of(snapshot, one) == name);
    let Some(member) = found else {
        let known: Vec<&str> = members.iter().map(|one| one.name.as_str()).collect();
        return Err(PlanError::Name(NameError::Nothing {
            what: "member of etcd",
            name: name.to_owned(),
            known: known.join(", "),
        }));
    };
    let server = other(snapshot, members, Some(&member.name))?;
    let mut wanted = Wanted { needs: vec![Fact::Etcd], ..Wanted::default() };
    wanted.steps.push(saved(server));
    if member.is_leader {
        let to = members.iter().find(|one| node_of(snapshot, one) == server);
        let to = to.map_or("", |one| one.id.as_str());
        wanted.steps.push(asked(
            &format!("have {server} lead etcd"),
            node_of(snapshot, member),
            vec![format!("ssh {} '{ETCDCTL} move-leader {to}'", node_of(snapshot, member))],
            "a leader that goes stops everything until another is chosen",
            Check::Said { what: "Leadership transferred".to_owned() },
        ));
    }
    let id = if member.id.is_empty() { "ID" } else { member.id.as_str() };
    wanted.steps.push(Draft {
        title: format!("remove {} from etcd", member.name),
        action: Action::Ask {
            place: server.to_owned(),
            run: vec![
                format!("ssh {server} '{ETCDCTL} member list -w table'"),
                format!("ssh {server} '{ETCDCTL} member remove {id}'"),
                collected_from(server),
            ],
            effect: Effect::EtcdRemoved { member: member.name.clone() },
        },
        why: "it is asked for; the members that stay are enough".to_owned(),
        rollback: vec![format!(
            "it joins again as a new member, with an empty folder: gx ops plan etcd-add {}",
            node_of(snapshot, member)
        )],
        check: Check::Etcd { with: Vec::new(), without: vec![member.name.clone()] },
        within: WITHIN,
        dependants: vec![format!(
            "the API server on {} has no etcd of its own any more",
            node_of(snapshot, member)
        )],
    });
    Ok(wanted)
}

/// A member joins.
pub(super) fn add(snapshot: &Snapshot, node: &str, even: bool) -> Result<Wanted, PlanError> {
    let members = members(snapshot)?;
    if let Some(stale) = members.iter().find(|one| node_of(snapshot, one) == node) {
        return Err(PlanError::Cannot(format!(
            "{} is a member on {node} already; one that was left behind is removed first: \
             gx ops plan etcd-remove {}",
            stale.name, stale.name
        )));
    }
    let count = members.len().saturating_add(1);
    if count.is_multiple_of(2) && !even {
        return Err(PlanError::Cannot(format!(
            "{count} members can lose no more than {} can; --even says that another follows",
            members.len()
        )));
    }
    if !node.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)) || node.is_empty() {
        return Err(PlanError::Cannot(format!("{node:?} is no host name")));
    }
    let server = other(snapshot, members, None)?;
    let mut wanted = Wanted { needs: vec![Fact::Etcd], ..Wanted::default() };
    let views = snapshot.etcd.items();
    let encrypts = views.iter().any(|one| one.encrypts_secrets == Known::Known(true));
    let is_told = views.iter().any(|one| one.encrypts_secrets.get().is_some());
    if !is_told {
        return Err(PlanError::Cannot(format!(
            "whether Secrets are encrypted at rest is not known, and a server that joins without \
             knowing cannot read them: {}",
            Fact::Etcd.how()
        )));
    }
    wanted.stand("encryption of Secrets at rest", if encrypts { "on" } else { "off" });
    wanted.steps.push(saved(server));
    if encrypts {
        let file = "/var/lib/rancher/k3s/server/cred/encryption-config.json";
        wanted.steps.push(asked(
            &format!("bring the keys that Secrets are encrypted with to {node}"),
            node,
            vec![
                format!("ssh {node} 'sudo install -d -m 700 /var/lib/rancher/k3s/server/cred'"),
                format!(
                    "ssh {server} 'sudo cat {file}' | ssh {node} 'sudo install -m 600 /dev/stdin \
                     {file}'"
                ),
            ],
            "a server without them answers \"no matching key\" for every Secret",
            Check::Said { what: format!("{file} is on {node}, of mode 600") },
        ));
    }
    wanted.steps.push(joining(server, node, encrypts, count));
    Ok(wanted)
}

/// The server starts, and its etcd joins the others.
fn joining(server: &str, node: &str, encrypts: bool, count: usize) -> Draft {
    let flag = if encrypts { " --secrets-encryption" } else { "" };
    Draft {
        title: format!("have {node} join etcd"),
        action: Action::Ask {
            place: node.to_owned(),
            run: vec![
                format!(
                    "ssh {node} 'sudo k3s server --server https://{server}:6443 --token-file \
                     /etc/rancher/k3s/token{flag}'  # as its unit starts it, with the CIDRs, SANs \
                     and disabled components of the others"
                ),
                collected_from(node),
            ],
            effect: Effect::EtcdAdded { node: node.to_owned() },
        },
        why: "it is asked for".to_owned(),
        rollback: vec![
            format!("ssh {node} 'sudo systemctl stop k3s'"),
            format!("gx ops plan etcd-remove {node}"),
        ],
        check: Check::Etcd { with: vec![node.to_owned()], without: Vec::new() },
        within: WITHIN,
        dependants: vec![format!(
            "etcd has {count} members, of which {} have to work",
            count / 2 + 1
        )],
    }
}
