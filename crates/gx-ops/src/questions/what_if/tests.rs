//! Questions about one cluster, with the answers that an operator would give by hand.

use super::*;
use crate::facts::{Effect, Known, Part, PgStandby, Pod, Postgres, Source, Taint, Workload};
use crate::report::Look;
use crate::rules::fixture::read;

const CLUSTER: &str = include_str!("../../../fixtures/questions/cluster.yaml");

fn cluster() -> Snapshot {
    read(CLUSTER).unwrap().snapshot
}

fn ask(snapshot: &Snapshot, changes: &[Change]) -> WhatIf {
    let answer = what_if(snapshot, changes).unwrap();
    let text = render(&answer, &Look::default());
    for line in text.lines() {
        assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{line}");
    }
    answer
}

fn lose(node: &str) -> Change {
    Change::Lose(Place::Node(node.to_owned()))
}

fn set<'a>(answer: &'a WhatIf, name: &str) -> &'a SetState {
    answer.sets.iter().find(|set| set.name.starts_with(name)).unwrap()
}

fn told(answer: &WhatIf) -> String {
    answer.because.iter().map(|one| format!("{} {}\n", one.verdict, one.text)).collect()
}

#[test]
fn what_if_of_nothing_is_the_present() {
    let answer = ask(&cluster(), &[]);
    assert_eq!(answer.verdict, Verdict::Safe);
    assert!(answer.because.is_empty() && answer.affected.is_empty() && answer.moves.is_empty());
    assert!(answer.stuck.is_empty() && answer.dark.is_empty() && answer.steps.is_empty());
    for set in &answer.sets {
        let one = set.working;
        assert!(one.now == one.at_once && one.now == one.later, "{set:?}");
        assert_eq!(set.holds_now, set.holds_later);
    }
    assert_eq!(answer.untouched.len(), 13);
}

#[test]
fn a_lost_node_takes_its_only_copies_along() {
    let answer = ask(&cluster(), &[lose("delta")]);
    assert_eq!(answer.verdict, Verdict::DataLoss);
    let claims: Vec<&str> = answer.data.iter().map(|one| one.claim.as_str()).collect();
    assert_eq!(claims, ["backend-mainnet/data-postgres-0", "backend-mainnet/data-postgres-1"]);
    // The newer backup was never read again.
    let (at, _) = answer.data[0].backup.as_ref().unwrap();
    assert_eq!(at.to_string(), "2026-11-29T00:00:00Z");
    assert!(!set(&answer, "PostgreSQL").holds_at_once);
    assert!(set(&answer, "orderers").holds_at_once);
    let stuck = &answer.stuck[0];
    assert_eq!(stuck.pod.to_string(), "Pod backend-mainnet/postgres-0");
    let of = |node: &str| &stuck.nodes.iter().find(|one| one.node == node).unwrap().reasons[0];
    assert_eq!(of("alfa"), "node(s) didn't match PersistentVolume's node affinity");
    assert_eq!(of("delta"), "the node is gone");
}

#[test]
fn a_replica_that_stays_is_a_copy() {
    let mut snapshot = cluster();
    let server = |number: u32, standbys: &[&str]| Postgres {
        place: format!("Pod backend-mainnet/postgres-{number}"),
        in_recovery: standbys.is_empty(),
        standbys: Known::Known(
            standbys
                .iter()
                .map(|name| PgStandby { name: (*name).to_owned(), ..PgStandby::default() })
                .collect(),
        ),
        ..Postgres::default()
    };
    let servers = vec![server(0, &["postgres-1", "postgres-2"]), server(1, &[]), server(2, &[])];
    snapshot.postgres = Part::collected(Source::default(), servers);
    let answer = ask(&snapshot, &[lose("delta")]);
    assert_eq!(answer.data[0].copies, ["postgres-2"]);
    assert_eq!(answer.verdict, Verdict::Outage, "{}", told(&answer));
    assert_eq!(set(&answer, "PostgreSQL").leaving[0], "postgres-0 (primary)");
    // Two that both take writes are no copies of each other.
    let servers = vec![server(0, &["x"]), server(1, &["x"]), server(2, &["x"])];
    snapshot.postgres = Part::collected(Source::default(), servers);
    assert_eq!(ask(&snapshot, &[lose("delta")]).verdict, Verdict::DataLoss);
}

#[test]
fn one_server_less_keeps_every_quorum_and_the_second_breaks_them() {
    let one = ask(&cluster(), &[lose("alfa")]);
    let etcd = set(&one, "etcd");
    assert_eq!((etcd.working.later, etcd.members, etcd.holds_later), (2, 3, true));
    let orderers = set(&one, "orderers");
    assert_eq!((orderers.working.now, orderers.working.at_once), (5, 3));
    assert!(orderers.holds_at_once && orderers.holds_later);
    assert!(set(&one, "endorsement").holds_at_once);
    let two = ask(&cluster(), &[lose("alfa"), lose("charlie")]);
    // A majority is of three members, not of the one that is left.
    assert!(!set(&two, "etcd").holds_later);
    assert!(!set(&two, "orderers").holds_later);
    assert!(!set(&two, "endorsement").holds_later);
    assert!(two.verdict >= one.verdict);
}

#[test]
fn a_service_of_one_pod_moves_and_its_names_are_dark_until_then() {
    let answer = ask(&cluster(), &[lose("alfa")]);
    let moved = answer.moves.iter().find(|one| one.pod.name == "svc-tax-0").unwrap();
    assert_eq!((moved.from.as_str(), moved.to.as_str()), ("alfa", "delta"));
    let dark = answer.dark.iter().find(|one| one.what.contains("svc-tax")).unwrap();
    assert!(dark.comes_back);
    assert_eq!(dark.names, ["api.example.org/tax"]);
    assert!(answer.dark.iter().any(|one| one.what == "api.example.org"));
    // The same with a drain: nothing that answers elsewhere goes dark.
    let answer = ask(&cluster(), &[Change::Drain("alfa".to_owned())]);
    assert!(!answer.dark.iter().any(|one| one.what.contains("svc-identity")));
    assert!(!answer.dark.iter().any(|one| one.what == "api.example.org"));
}

#[test]
fn a_drain_is_stopped_by_its_budget() {
    let answer = ask(&cluster(), &[Change::Drain("delta".to_owned())]);
    let budget = &answer.budgets[0];
    assert_eq!((budget.pods, budget.allowed, budget.blocks), (2, 1, true));
    // What is drained keeps its data.
    assert!(answer.verdict < Verdict::DataLoss, "{}", told(&answer));
    assert!(answer.data.iter().all(|one| !one.is_lost));
    let mut snapshot = cluster();
    snapshot.budgets = Part::collected(Source::default(), Vec::new());
    assert!(ask(&snapshot, &[Change::Drain("delta".to_owned())]).budgets.is_empty());
}

#[test]
fn a_cordon_moves_nothing_and_names_what_could_not_start_again() {
    let answer = ask(&cluster(), &[Change::Cordon("bravo".to_owned())]);
    assert_eq!(answer.verdict, Verdict::Safe);
    let names: Vec<&str> = answer.at_risk.iter().map(|one| one.pod.name.as_str()).collect();
    assert_eq!(names, ["postgres-2", "orderer2-0", "peer0-org2-0", "ca-org1-0"]);
}

#[test]
fn taints_drive_away_by_their_effect() {
    let taint = |effect| Change::Taint {
        node: "alfa".to_owned(),
        taint: Taint { key: "x".to_owned(), effect, ..Taint::default() },
    };
    let soft = ask(&cluster(), &[taint(Effect::NoSchedule)]);
    assert!(soft.moves.is_empty() && !soft.at_risk.is_empty());
    assert_eq!(soft.verdict, Verdict::Degraded);
    let hard = ask(&cluster(), &[taint(Effect::NoExecute)]);
    assert!(hard.moves.iter().any(|one| one.pod.name == "svc-tax-0"));
    assert!(hard.stuck.iter().any(|one| one.pod.name == "orderer0-0"));
    let preferred = ask(&cluster(), &[taint(Effect::PreferNoSchedule)]);
    assert_eq!(preferred.verdict, Verdict::Safe);
}

#[test]
fn members_of_etcd_are_removed_one_at_a_time() {
    let remove = |name: &str| Change::RemoveEtcd(name.to_owned());
    let answer = ask(&cluster(), &[remove("alfa")]);
    let etcd = set(&answer, "etcd");
    assert_eq!((etcd.members, etcd.working.later, etcd.holds_later), (2, 2, true));
    // Of two members both are needed.
    let answer = ask(&cluster(), &[remove("alfa"), lose("bravo")]);
    assert!(!set(&answer, "etcd").holds_later);
    assert!(what_if(&cluster(), &[remove("delta")]).is_err());
}

#[test]
fn a_reinstalled_node_comes_back_empty() {
    let answer = ask(&cluster(), &[Change::Reinstall("bravo".to_owned())]);
    assert_eq!(answer.verdict, Verdict::DataLoss);
    let text = render(&answer, &Look::default());
    assert!(text.contains("fabric-mainnet/data-ca-org1-0 has its only copy on bravo"), "{text}");
    // Orderers and peers have the ledger of the others.
    let orderer = answer.data.iter().find(|one| one.claim.contains("orderer2")).unwrap();
    assert_eq!(orderer.copies.len(), 4);
    assert!(answer.steps[0].text.contains("save it"), "{:?}", answer.steps);
}

#[test]
fn scaling_says_what_finds_no_place_and_what_ends() {
    let scale =
        |workload: &str, replicas| Change::Scale { workload: workload.to_owned(), replicas };
    let answer = ask(&cluster(), &[scale("svc-identity", 5)]);
    assert_eq!((answer.moves.len(), answer.verdict), (2, Verdict::Safe));
    let answer = ask(&cluster(), &[scale("svc-identity", 100)]);
    assert_eq!(answer.verdict, Verdict::Degraded);
    assert!(answer.stuck[0].why.contains("Insufficient cpu"), "{}", answer.stuck[0].why);
    let answer = ask(&cluster(), &[scale("svc-identity", 0)]);
    assert_eq!((answer.ends.len(), answer.verdict), (3, Verdict::Outage));
    // Those that are scaled away are members still.
    let down: Vec<Change> = (0..3).map(|n| scale(&format!("orderer{n}"), 0)).collect();
    assert!(!set(&ask(&cluster(), &down), "orderers").holds_later);
}

#[test]
fn a_rollout_that_keeps_all_needs_room_for_one_more() {
    let mut changed = cluster();
    let Part::Known(workloads) = &mut changed.workloads else { panic!() };
    workloads.items.retain(|one| one.name == "svc-identity");
    let one = &mut workloads.items[0];
    one.template.spec.containers[0].image = "example/svc-identity:2".to_owned();
    let mut manifests = Snapshot::empty(changed.taken);
    manifests.workloads = changed.workloads.clone();
    let answer = ask(&cluster(), &[Change::Apply(Box::new(manifests.clone()))]);
    assert_eq!((answer.moves.len(), answer.stuck.len()), (3, 0));
    assert_eq!(answer.verdict, Verdict::Safe, "{}", told(&answer));
    // Nothing is ready for a pod that wants a disk which no node has.
    let Part::Known(workloads) = &mut manifests.workloads else { panic!() };
    let spec = &mut workloads.items[0].template.spec;
    spec.node_selector.insert("disk".to_owned(), "none".to_owned());
    let answer = ask(&cluster(), &[Change::Apply(Box::new(manifests))]);
    assert_eq!((answer.moves.len(), answer.stuck.len()), (0, 1));
    // The three that there are keep running.
    assert_eq!(answer.verdict, Verdict::Degraded, "{}", told(&answer));
    assert!(answer.affected.is_empty());
}

#[test]
fn a_manifest_that_leaves_out_what_the_server_fills_in_changes_nothing() {
    let mut live = cluster();
    let Part::Known(workloads) = &mut live.workloads else { panic!() };
    let mut manifests = Snapshot::empty(live.taken);
    manifests.workloads = Part::collected(
        Source::default(),
        workloads.items.iter().filter(|one| one.name == "svc-tax").cloned().collect(),
    );
    for one in &mut workloads.items {
        "Always".clone_into(&mut one.template.spec.restart_policy);
        "default-scheduler".clone_into(&mut one.template.spec.scheduler);
        one.template.spec.grace_seconds = Some(30);
    }
    let answer = ask(&live, &[Change::Apply(Box::new(manifests))]);
    assert!(answer.moves.is_empty() && answer.verdict == Verdict::Safe);
}

#[test]
fn places_that_nobody_knows_are_refused_with_those_that_there_are() {
    for place in [
        Place::Node("alpha".to_owned()),
        Place::Region("mars".to_owned()),
        Place::Zone("mars".to_owned()),
    ] {
        let error = what_if(&cluster(), &[Change::Lose(place)]).unwrap_err().to_string();
        assert!(error.contains("alfa") || error.contains("apac"), "{error}");
    }
    let region = ask(&cluster(), &[Change::Lose(Place::Region("apac".to_owned()))]);
    let zone = ask(&cluster(), &[Change::Lose(Place::Zone("apac".to_owned()))]);
    assert_eq!(region.data, zone.data);
    assert!(region.data.len() >= 4);
}

#[test]
fn what_is_not_known_is_said() {
    for fact in [Fact::Etcd, Fact::Backups, Fact::Budgets, Fact::Ledgers] {
        let text = render(&ask(&cluster().without(fact), &[lose("delta")]), &Look::default());
        let known = text.replace("\n        ", " ").replace("\n    ", " ");
        let word = fact.name();
        assert!(known.contains(word), "{word}: {known}");
    }
}

/// The cluster with an agent on every node but delta, whose pods want a disk.
fn with_agents() -> Snapshot {
    let mut snapshot = cluster();
    let Part::Known(nodes) = &mut snapshot.nodes else { panic!() };
    for node in nodes.items.iter_mut().filter(|node| node.name != "delta") {
        node.labels.insert("disk".to_owned(), "ssd".to_owned());
    }
    let (workload, pods) = agents(&["alfa", "bravo", "charlie"]);
    let Part::Known(workloads) = &mut snapshot.workloads else { panic!() };
    workloads.items.push(workload);
    let Part::Known(all) = &mut snapshot.pods else { panic!() };
    all.items.extend(pods);
    snapshot
}

fn agents(nodes: &[&str]) -> (Workload, Vec<Pod>) {
    let text = format!(
        "workloads: [{{kind: DaemonSet, namespace: monitoring, name: agent, replicas: 3, \
         strategy: RollingUpdate, template: {{spec: {{nodeSelector: {{disk: ssd}}, \
         containers: [{{name: a, image: 'x/agent:1', requests: {{cpu: 100m}}}}]}}}}}}]\n\
         pods: [{}]\n",
        nodes
            .iter()
            .map(|node| format!(
                "{{namespace: monitoring, name: agent-{node}, node: {node}, \
                 owner: {{kind: DaemonSet, name: agent}}, \
                 conditions: [{{kind: Ready, status: 'True'}}], spec: {{tolerations: [\
                 {{key: node.kubernetes.io/unreachable, operator: Exists}}], \
                 containers: [{{name: a, image: 'x/agent:1', requests: {{cpu: 100m}}}}]}}}}"
            ))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let read = read(&text).unwrap().snapshot;
    (read.workloads.items()[0].clone(), read.pods.items().to_vec())
}

fn daemons(answer: &WhatIf) -> Vec<(&str, DaemonFate)> {
    assert!(
        answer.moves.iter().all(|one| !one.pod.name.starts_with("agent")),
        "{:?}",
        answer.moves
    );
    answer.daemons.iter().map(|one| (one.node.as_str(), one.fate)).collect()
}

#[test]
fn a_daemons_pod_goes_with_its_node_and_never_elsewhere() {
    let snapshot = with_agents();
    let answer = ask(&snapshot, &[lose("alfa")]);
    assert_eq!(daemons(&answer), [("alfa", DaemonFate::Ends)]);
    assert!(answer.ends.iter().any(|one| one.name == "agent-alfa"));
    let agent = answer.affected.iter().find(|one| one.workload.name == "agent").unwrap();
    assert_eq!((agent.ready.now, agent.ready.later), (3, 2));
    let answer = ask(&snapshot, &[Change::Reinstall("alfa".to_owned())]);
    assert_eq!(daemons(&answer), [("alfa", DaemonFate::Returns)]);
    let agent = answer.affected.iter().find(|one| one.workload.name == "agent").unwrap();
    assert_eq!((agent.ready.now, agent.ready.at_once, agent.ready.later), (3, 2, 3));
    // Neither a drain nor a cordon is of any matter to it.
    for change in [Change::Drain("bravo".to_owned()), Change::Cordon("bravo".to_owned())] {
        assert!(daemons(&ask(&snapshot, &[change])).is_empty());
    }
}

#[test]
fn a_node_that_becomes_fit_for_a_daemon_gets_one() {
    let label = |node: &str, value: Option<&str>| Change::Label {
        node: node.to_owned(),
        key: "disk".to_owned(),
        value: value.map(str::to_owned),
    };
    let snapshot = with_agents();
    let answer = ask(&snapshot, &[label("delta", Some("ssd"))]);
    assert_eq!(daemons(&answer), [("delta", DaemonFate::Starts)]);
    assert_eq!(answer.verdict, Verdict::Safe, "{}", told(&answer));
    let answer = ask(&snapshot, &[label("alfa", None)]);
    assert_eq!(daemons(&answer), [("alfa", DaemonFate::Ends)]);
    // A cordoned node is fit as well; a tainted one is not until the taint is gone.
    let both = [label("delta", Some("ssd")), Change::Cordon("delta".to_owned())];
    assert_eq!(daemons(&ask(&snapshot, &both)), [("delta", DaemonFate::Starts)]);
    let taint = |node: &str| Change::Taint {
        node: node.to_owned(),
        taint: Taint { key: "x".to_owned(), effect: Effect::NoSchedule, ..Taint::default() },
    };
    let both = [label("delta", Some("ssd")), taint("delta")];
    assert!(daemons(&ask(&snapshot, &both)).is_empty());
    // Where there is no room it is said.
    let mut full = with_agents();
    let Part::Known(nodes) = &mut full.nodes else { panic!() };
    for node in nodes.items.iter_mut().filter(|node| node.name == "delta") {
        node.allocatable.0.insert("cpu".to_owned(), 50);
    }
    let answer = ask(&full, &[label("delta", Some("ssd"))]);
    assert_eq!(daemons(&answer), [("delta", DaemonFate::CannotStart)]);
    assert!(answer.daemons[0].why.contains("Insufficient cpu"), "{:?}", answer.daemons);
    assert_eq!(answer.verdict, Verdict::Degraded);
}

#[test]
fn a_changed_daemon_is_replaced_node_by_node_unless_it_waits_for_that() {
    let snapshot = with_agents();
    let mut manifests = Snapshot::empty(snapshot.taken);
    let (mut workload, _) = agents(&[]);
    workload.template.spec.containers[0].image = "x/agent:2".to_owned();
    manifests.workloads = Part::collected(Source::default(), vec![workload.clone()]);
    let apply = |manifests: &Snapshot| Change::Apply(Box::new(manifests.clone()));
    let answer = ask(&snapshot, &[apply(&manifests)]);
    let replaced = DaemonFate::Replaced;
    assert_eq!(daemons(&answer), [("alfa", replaced), ("bravo", replaced), ("charlie", replaced)]);
    let agent = answer.affected.iter().find(|one| one.workload.name == "agent").unwrap();
    assert_eq!((agent.ready.now, agent.ready.at_once, agent.ready.later), (3, 2, 3));
    // One that tolerates and selects everything goes everywhere.
    workload.template.spec.node_selector.clear();
    manifests.workloads = Part::collected(Source::default(), vec![workload.clone()]);
    let everywhere = ask(&snapshot, &[apply(&manifests)]);
    assert!(daemons(&everywhere).contains(&("delta", DaemonFate::Starts)));
    workload.strategy = "OnDelete".to_owned();
    workload.template.spec.node_selector.insert("disk".to_owned(), "ssd".to_owned());
    manifests.workloads = Part::collected(Source::default(), vec![workload]);
    let kept = ask(&snapshot, &[apply(&manifests)]);
    assert!(daemons(&kept).is_empty());
    assert!(kept.not_modelled.iter().any(|one| one.contains("OnDelete")), "{kept:?}");
}
