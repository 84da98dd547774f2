//! Plans whose steps somebody does on hosts: that they ask for what they have to, in its order, and
//! are checked by facts.

use super::*;
use crate::facts::{Fact, Known, Snapshot};
use crate::report::Look;
use crate::rules::fixture::read;

const CLUSTER: &str = include_str!("../../fixtures/questions/cluster.yaml");
const IMAGES: &str = include_str!("../../fixtures/questions/images.yaml");

fn cluster(text: &str) -> Snapshot {
    read(text).unwrap().snapshot
}

fn plan(snapshot: &Snapshot, request: &Request) -> Plan {
    let plan = make(snapshot, request, snapshot.taken).unwrap_or_else(|error| panic!("{error}"));
    let text = render(&plan, &Look { width: 80, ..Look::default() });
    assert!(text.contains("by hand, on "), "{text}");
    assert_eq!(Plan::parse(&plan.to_text().unwrap()).unwrap(), plan);
    plan
}

fn error(snapshot: &Snapshot, request: &Request) -> String {
    make(snapshot, request, snapshot.taken).unwrap_err().to_string()
}

fn titles(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.title.as_str()).collect()
}

fn commands(plan: &Plan, step: usize) -> String {
    match &plan.steps[step].action {
        Action::Ask { run, .. } => run.join("\n"),
        other => panic!("{other:?}"),
    }
}

fn with_etcd(change: impl Fn(&mut crate::facts::Etcd)) -> Snapshot {
    let mut snapshot = cluster(CLUSTER);
    snapshot.etcd.items_mut().unwrap().iter_mut().for_each(change);
    snapshot
}

#[test]
fn a_member_leaves_etcd_after_a_snapshot_and_never_beside_a_sick_one() {
    let request = Request::EtcdRemove { member: "bravo".to_owned() };
    let led_by_it = with_etcd(|one| {
        if let Known::Known(members) = &mut one.members {
            members[1].is_leader = true;
            members[1].id = "8e9e".to_owned();
        }
    });
    let made = plan(&led_by_it, &request);
    assert_eq!(
        titles(&made),
        [
            "save a snapshot of etcd, and copy it to another host",
            "have alfa lead etcd",
            "remove bravo-0a1b2c from etcd",
        ]
    );
    assert_eq!(made.network.as_deref(), Some("mainnet"));
    assert!(commands(&made, 2).contains("member remove 8e9e"));
    // Two that are not well are too many of three, and one beside the one that goes as well.
    let sick = with_etcd(|one| {
        if let Known::Known(members) = &mut one.members {
            members[2].healthy = Known::Known(false);
        }
    });
    let text = error(&sick, &request);
    assert!(text.contains("(quorum)") || text.contains("(two-members)"), "{text}");
    // The one that is not well may go.
    plan(&sick, &Request::EtcdRemove { member: "charlie".to_owned() });
    let text = error(&cluster(CLUSTER).without(Fact::Etcd), &request);
    assert!(text.contains("gx ops host-script"), "{text}");
}

#[test]
fn a_member_joins_with_the_keys_of_secrets_and_to_an_odd_number() {
    let request = |even| Request::EtcdAdd { node: "delta".to_owned(), even };
    assert!(error(&cluster(CLUSTER), &request(true)).contains("not known"));
    let on = with_etcd(|one| one.encrypts_secrets = Known::Known(true));
    assert!(error(&on, &request(false)).contains("4 members can lose no more than 3"));
    let made = plan(&on, &request(true));
    assert_eq!(made.steps.len(), 3);
    assert!(commands(&made, 1).contains("install -m 600 /dev/stdin"));
    assert!(commands(&made, 2).contains("--secrets-encryption"));
    assert!(matches!(&made.steps[2].check, Check::Etcd { with, .. } if with == &["delta"]));
    let off = with_etcd(|one| one.encrypts_secrets = Known::Known(false));
    assert_eq!(plan(&off, &request(true)).steps.len(), 2);
    // One that was left behind goes first.
    let stale = Request::EtcdAdd { node: "alfa".to_owned(), even: true };
    assert!(error(&on, &stale).contains("etcd-remove alfa-0a1b2c"));
}

#[test]
fn images_come_to_one_node_after_the_other_and_are_looked_for_there() {
    let mut snapshot = cluster(IMAGES);
    let nothing = || {
        crate::facts::Part::collected(
            crate::facts::Source { at: snapshot.taken, ..Default::default() },
            Vec::new(),
        )
    };
    let nothing_of_claims = nothing();
    snapshot.claims = nothing_of_claims;
    let source = crate::facts::Source { at: snapshot.taken, ..Default::default() };
    macro_rules! none { ($($part:ident)*) => { $(
        if snapshot.$part.reason().is_some() {
            snapshot.$part = crate::facts::Part::collected(source.clone(), Vec::new());
        }
    )* } }
    none!(pods workloads services claims volumes storage_classes budgets namespaces);
    let made = plan(&snapshot, &Request::ImagesDistribute { image: None });
    let brought: Vec<&Check> = made.steps.iter().map(|step| &step.check).collect();
    assert!(brought.iter().any(|check| matches!(check, Check::Image { .. })), "{brought:?}");
    for step in &made.steps {
        let nodes = made.steps.iter().filter(|one| one.title == step.title).count();
        assert_eq!(nodes, 1, "{}", step.title);
    }
    assert!(commands(&made, 0).contains("sha256sum"));
}

/// A primary and a standby on nodes of their own, with whoever logs in, and a replicated class.
const DATABASE: &str = "
nodes:
- {name: a, uid: a, labels: {kubernetes.io/hostname: a}, conditions: [{kind: Ready,
   status: 'True'}], allocatable: {cpu: '8', memory: 8Gi, pods: 99}}
- {name: b, uid: b, labels: {kubernetes.io/hostname: b}, conditions: [{kind: Ready,
   status: 'True'}], allocatable: {cpu: '8', memory: 8Gi, pods: 99}}
workloads:
- {kind: StatefulSet, namespace: app-devnet, name: postgres, uid: w1, replicas: 2,
   serviceName: postgres,
   selector: {labels: {app: postgres}}, template: {labels: {app: postgres}},
   claimTemplates: [{name: data, class: local-path, modes: [ReadWriteOnce], bytes: 1000}]}
- {kind: Deployment, namespace: app-devnet, name: svc-tax, uid: w2, replicas: 2, generation: 1,
   template: {labels: {app: svc-tax}, spec: {containers: [{name: main, image: i, env: [
     {name: DATABASE_HOST, value: postgres-primary},
     {name: DATABASE_PASSWORD, from: {kind: Secret, name: database, key: password}}]}]}}}
pods:
- {namespace: app-devnet, name: postgres-0, uid: p0, node: a, labels: {app: postgres},
   owner: {kind: StatefulSet, name: postgres}, conditions: [{kind: Ready, status: 'True'}],
   spec: {volumes: [{name: data, source: {claim: data-postgres-0}}]}}
- {namespace: app-devnet, name: postgres-1, uid: p1, node: b, labels: {app: postgres},
   owner: {kind: StatefulSet, name: postgres}, conditions: [{kind: Ready, status: 'True'}],
   spec: {volumes: [{name: data, source: {claim: data-postgres-1}}]}}
- {namespace: app-devnet, name: svc-tax-0, uid: p2, node: a, labels: {app: svc-tax},
   owner: {kind: Deployment, name: svc-tax}, conditions: [{kind: Ready, status: 'True'}]}
- {namespace: app-devnet, name: svc-tax-1, uid: p3, node: b, labels: {app: svc-tax},
   owner: {kind: Deployment, name: svc-tax}, conditions: [{kind: Ready, status: 'True'}]}
services:
- {namespace: app-devnet, name: postgres, uid: s0, selector: {app: postgres}}
- {namespace: app-devnet, name: postgres-primary, uid: s1,
   selector: {statefulset.kubernetes.io/pod-name: postgres-0}}
secrets:
- {namespace: app-devnet, name: database, uid: s2, data: {password: {hidden: {hash: 'x:1',
   length: 40, class: alphanumeric}}}}
configMaps: []
claims: []
volumes: []
storageClasses:
- {name: local-path, provisioner: example.org/local-path}
- {name: longhorn, provisioner: driver.example.org}
budgets: []
namespaces: [{name: app-devnet}]
backups: []
redis: []
postgres:
- {place: Pod app-devnet/postgres-0, systemIdentifier: '7', standbys: [{name: postgres-1,
   state: streaming, lagBytes: 0}]}
- {place: Pod app-devnet/postgres-1, systemIdentifier: '7', inRecovery: true}
";

#[test]
fn a_switch_over_keeps_the_old_server_from_writing_first() {
    let snapshot = cluster(DATABASE);
    let request = Request::PostgresSwitchover { to: "app-devnet/postgres-1".to_owned() };
    let made = plan(&snapshot, &request);
    assert_eq!(
        titles(&made),
        [
            "keep Pod app-devnet/postgres-0 from taking writes",
            "have Pod app-devnet/postgres-1 take the writes",
            "lead Service app-devnet/postgres-primary to postgres-1",
        ]
    );
    assert!(matches!(made.steps[0].check, Check::Fenced { .. }));
    assert!(matches!(made.steps[1].check, Check::Primary { .. }));
    // The checks hold when the facts are so, and not before.
    let mut after = snapshot.clone();
    let check = |step: usize, snapshot: &Snapshot| {
        made.steps[step].check.holds(&made.steps[step].action, snapshot, snapshot.taken)
    };
    assert!(check(0, &after).is_err());
    let servers = after.postgres.items_mut().unwrap();
    let (name, on) = ("default_transaction_read_only".to_owned(), "on".to_owned());
    servers[0].settings.insert(name, on);
    assert_eq!(check(0, &after), Ok(()));
    assert!(check(1, &after).is_err());
    after.postgres.items_mut().unwrap()[1].in_recovery = false;
    assert_eq!(check(1, &after), Ok(()));
    let behind = DATABASE.replace("lagBytes: 0", "lagBytes: 99999999");
    assert!(error(&cluster(&behind), &request).contains("would be lost"));
    let apart = DATABASE.replace(", inRecovery: true", "");
    assert!(error(&cluster(&apart), &request).contains("takes writes already"));
    let operated = DATABASE.replace("owner: {kind: StatefulSet", "owner: {kind: Cluster");
    assert!(commands(&plan(&cluster(&operated), &request), 0).contains("kubectl cnpg promote"));
}

#[test]
fn a_credential_is_changed_on_both_sides_in_stages() {
    let snapshot = cluster(DATABASE);
    let request =
        Request::SecretsRotate { environment: "devnet".to_owned(), service: "postgres".to_owned() };
    let made = plan(&snapshot, &request);
    assert_eq!(
        titles(&made),
        [
            "lay a new value beside Secret app-devnet/database password",
            "have Pod app-devnet/postgres-0 take the new value",
            "exchange Secret app-devnet/database password",
            "restart Pod app-devnet/svc-tax-0",
            "restart Pod app-devnet/svc-tax-1",
            "take the old value from Secret app-devnet/database password",
        ]
    );
    let told = commands(&made, 1);
    assert!(told.contains("password.next") && told.contains("ALTER ROLE"), "{told}");
    let plain = DATABASE.replace(
        "{name: DATABASE_PASSWORD, from: {kind: Secret, name: database, key: password}}",
        "{name: DATABASE_PASSWORD, value: {hidden: {hash: 'x:1', length: 40, \
         class: alphanumeric}}}",
    );
    assert!(error(&cluster(&plain), &request).contains("move it to a Secret first"));
    let under_way = DATABASE.replace(
        "data: {password:",
        "data: {password.next: {hidden: {hash: 'x:2', length: 40, class: alphanumeric}}, password:",
    );
    assert!(error(&cluster(&under_way), &request).contains("under way"));
}

#[test]
fn a_database_moves_beside_the_old_one_and_is_compared_before_anybody_follows() {
    let snapshot = cluster(DATABASE);
    let request = |class: &str| Request::StorageMigrate {
        workload: "postgres".to_owned(),
        class: class.to_owned(),
    };
    let made = plan(&snapshot, &request("longhorn"));
    assert_eq!(
        titles(&made),
        [
            "save StatefulSet app-devnet/postgres, and read the copy again",
            "make StatefulSet app-devnet/postgres-next beside it, on longhorn",
            "scale Deployment app-devnet/svc-tax from 2 to 0",
            "copy postgres-0 to postgres-next-0, and compare every table",
            "lead Service app-devnet/postgres to postgres-next",
            "lead Service app-devnet/postgres-primary to postgres-next",
            "scale Deployment app-devnet/svc-tax from 0 to 2",
        ]
    );
    // No Service of the old set may find the new pods before they are filled.
    assert!(commands(&made, 1).contains(".metadata.labels[\"app\"] = \"postgres-next\""));
    assert!(matches!(made.steps[3].check, Check::SameRows { .. }));
    // Every command is whole: nothing stands in it that somebody has to fill in.
    for (at, step) in made.steps.iter().enumerate() {
        if matches!(step.action, Action::Ask { .. }) {
            assert!(!commands(&made, at).contains("{database}"), "{}", step.title);
        }
    }
    let primary = commands(&made, 5);
    assert!(primary.contains("\"statefulset.kubernetes.io/pod-name\":\"postgres-next-0\""));
    assert!(error(&snapshot, &request("local-path")).contains("lie on one node as well"));
}
