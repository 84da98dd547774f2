//! The seven forms of one audit.

use gx_types::Severity;

use super::*;
use crate::facts::{
    Condition, Labels, Node, Part, Pod, Scope, Snapshot, Source, Taint, Time, Truth,
};
use crate::rules::{Exclusions, Options, Outcome, audit};

fn snapshot() -> Snapshot {
    let taken: Time = "2026-11-30T12:00:00Z".parse().unwrap();
    let source = Source {
        from: "test <&\"'".to_owned(),
        at: taken,
        scope: Scope::Whole,
        ..Source::default()
    };
    let node = |name: &str, status: Truth, id: &str| Node {
        name: name.to_owned(),
        labels: Labels::from([("node-id".to_owned(), id.to_owned())]),
        conditions: vec![Condition { kind: "Ready".to_owned(), status, ..Condition::default() }],
        taints: vec![Taint::default()],
        ..Node::default()
    };
    let nodes = vec![node("a", Truth::True, "one"), node("b", Truth::Unknown, "one")];
    let mut snapshot = Snapshot::empty(taken);
    snapshot.nodes = Part::collected(source.clone(), nodes);
    snapshot.pods = Part::collected(source, Vec::<Pod>::new());
    snapshot
}

fn text(format: Format, look: Look) -> String {
    render(&audit(&snapshot(), &Options::default()), format, &look).unwrap()
}

#[test]
fn lines_fit_the_terminal_and_have_no_colour_unless_it_is_asked_for() {
    for width in [80, 200] {
        let text = text(Format::Table, Look { width, ..Look::default() });
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        assert!(text.contains("NOD-01") && text.contains("Node b"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
    assert!(text(Format::Table, Look { colour: true, ..Look::default() }).contains("\u{1b}[1;31m"));
}

#[test]
fn a_terminal_shows_ten_causes_and_counts_the_others() {
    let text = text(Format::Table, Look { top: 1, ..Look::default() });
    assert!(text.contains("1 more causes; --all shows them."), "{text}");
}

#[test]
fn every_rule_is_counted_once() {
    let audit = audit(&snapshot(), &Options::default());
    let outcomes = crate::rules::rules().count();
    assert_eq!(audit.outcomes.len(), outcomes);
    let counted = [Outcome::Broken, Outcome::Unknown, Outcome::Passed, Outcome::Nothing];
    assert_eq!(counted.map(|one| audit.outcome_count(one)).iter().sum::<usize>(), outcomes);
}
#[test]
fn programs_can_read_what_they_are_given() {
    let look = Look::default();
    let json: crate::rules::Audit = serde_json::from_str(&text(Format::Json, look)).unwrap();
    assert_eq!(json, audit(&snapshot(), &Options::default()));
    let sarif: serde_json::Value = serde_json::from_str(&text(Format::Sarif, look)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), json.issues().count());
    let junit = text(Format::Junit, look);
    assert_eq!(junit.matches("<testcase ").count(), json.outcomes.len());
    assert_eq!(junit.matches("<failure ").count(), json.outcome_count(Outcome::Broken));
    let prometheus = text(Format::Prometheus, look);
    assert!(prometheus.contains("gx_ops_findings{severity=\"critical\"} 2\n"), "{prometheus}");
}

#[test]
fn a_page_has_everything_in_itself() {
    let html = text(Format::Html, Look::default());
    for outside in ["http://", "https://", "<script", "<link", "@import", "src="] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("width=device-width"));
    assert_eq!(html.matches("<article").count(), html.matches("</article>").count());
}

#[test]
fn a_finding_names_its_runbook_and_commands_stand_out() {
    let text = "processes:\n- {place: Pod backend-mainnet/p, samples: \
                [{name: worker_is_leader, labels: {worker: projector}, value: '0'}]}\n";
    let snapshot = crate::rules::fixture::read(text).unwrap().snapshot;
    let found =
        audit(&snapshot, &Options { only: vec!["PLT-12".to_owned()], ..Options::default() });
    let table = render(&found, Format::Table, &Look::default()).unwrap();
    assert!(table.contains("critical Worker mainnet/projector: Nobody leads a worker"), "{table}");
    assert!(table.contains("see: docs/runbooks/WorkerWithoutLeader.md"), "{table}");
    let html = render(&found, Format::Html, &Look::default()).unwrap();
    assert!(html.contains("<code>kubectl logs deploy/projector</code>"), "{html}");
    assert!(html.contains("<code>docs/runbooks/WorkerWithoutLeader.md</code>"), "{html}");
    let page = explain(crate::rules::rule("PLT-12").unwrap(), &Look::default());
    assert!(page.contains("docs/runbooks/WorkerWithoutLeader.md"), "{page}");
}

#[test]
fn the_exit_status_follows_the_worst() {
    let audit = audit(&snapshot(), &Options::default());
    assert_eq!(audit.exit_status(Severity::Critical), 2);
    let options = Options { only: vec!["SCH".to_owned()], ..Options::default() };
    let clean = crate::rules::audit(&snapshot(), &options);
    assert_eq!(clean.exit_status(Severity::Low), 0);
}

#[test]
fn an_exclusion_hides_one_rule_on_one_thing_until_its_day() {
    let line = |until: &str| {
        format!(
            "[[exclusion]]\nrule = \"NOD-01\"\nsubject = \"Node b\"\nreason = \"a new disk\"\n\
             owner = \"operations\"\nuntil = \"{until}\"\n"
        )
    };
    let with = |until: &str| {
        let exclusions = Exclusions::parse(&line(until)).unwrap();
        audit(&snapshot(), &Options { exclusions, ..Options::default() })
    };
    let rules = |audit: &crate::rules::Audit| -> Vec<String> {
        audit.issues().map(|issue| issue.key()).collect()
    };
    let excused = with("2026-11-30");
    assert_eq!(rules(&excused), ["NOD-02 NodeLabel node-id=one"]);
    assert_eq!(excused.excluded.len(), 1);
    let expired = with("2026-11-29");
    assert_eq!(expired.excluded.len(), 0);
    assert!(rules(&expired).contains(&"NOD-01 Node b".to_owned()));
    assert!(rules(&expired).iter().any(|key| key.starts_with("EXC-01 ")));
    assert!(Exclusions::parse(&line("soon")).is_err());
    assert!(Exclusions::parse(&line("2026-12-01").replace("operations", " ")).is_err());
    assert!(Exclusions::parse(&line("2026-12-01").replace("NOD-01", "NOD-99")).is_err());
}

/// A pod of two containers that are as careless as each other, with these annotations.
fn careless(annotations: &[(&str, &str)]) -> Snapshot {
    let text = "workloads:\n- {kind: Deployment, namespace: m, name: d, replicas: 1, template: \
                {spec: {containers: [{name: a, image: 'x/a'}, {name: b, image: 'x/b'}]}}}\n\
                networkPolicies:\n- {namespace: m, name: p}\n";
    let mut snapshot = crate::rules::fixture::read(text).unwrap().snapshot;
    let Part::Known(workloads) = &mut snapshot.workloads else { panic!() };
    for (key, value) in annotations {
        let value = crate::facts::Value::Plain((*value).to_owned());
        workloads.items[0].annotations.insert((*key).to_owned(), value);
    }
    snapshot
}

fn keys(snapshot: &Snapshot, exclusions: Exclusions) -> Vec<String> {
    let only = vec!["WRK-19".to_owned(), "WRK-17".to_owned()];
    let found = audit(snapshot, &Options { only, exclusions, ..Options::default() });
    found.issues().map(|issue| issue.key()).collect()
}

#[test]
fn an_annotation_excuses_one_container_or_one_object_and_nothing_else() {
    let all = keys(&careless(&[]), Exclusions::default());
    let latest_a = "WRK-19 Deployment m/d:a".to_owned();
    assert!(all.contains(&latest_a) && all.len() == 2, "{all:?}");
    let excused = |annotations: &[(&str, &str)]| -> Vec<String> {
        let left = keys(&careless(annotations), Exclusions::default());
        let gone = all.iter().filter(|one| !left.contains(one)).cloned().collect();
        assert!(left.iter().all(|one| all.contains(one) || one.starts_with("EXC-01")), "{left:?}");
        gone
    };
    let good = "a mirror is on its way; operations; 2026-12-31";
    assert_eq!(excused(&[("ops.gx/accept-WRK-19.a", good)]), [latest_a]);
    // What names no container excuses none of them.
    assert!(excused(&[("ops.gx/accept-WRK-19", good)]).is_empty());
    for (key, value) in [
        ("ops.gx/accept-WRK-19.a", "a mirror is on its way; operations; 2026-11-29"),
        ("ops.gx/accept-WRK-19.a", "a mirror is on its way; operations"),
        ("ops.gx/accept-WRK-19.a", "; operations; 2026-12-31"),
        ("ops.gx/accept-WRK-99", good),
    ] {
        assert!(excused(&[(key, value)]).is_empty(), "{value}");
        let told = keys(&careless(&[(key, value)]), Exclusions::default());
        let faults = told.iter().filter(|one| one.starts_with("EXC-01 Exclusion WRK-"));
        assert_eq!(faults.count(), 1, "{told:?}");
    }
}

#[test]
fn every_kind_of_object_can_be_excused_by_its_annotation() {
    let mut snapshot = careless(&[]);
    let only = vec!["NET".to_owned(), "FAB".to_owned(), "ENV".to_owned(), "SCH".to_owned()];
    let options = Options { only, ..Options::default() };
    let subjects = |snapshot: &Snapshot| -> usize { snapshot.annotated().count() };
    assert_eq!(subjects(&snapshot), 0);
    let note = || {
        let value = "known; operations; 2026-12-31".to_owned();
        let value = crate::facts::Value::Plain(value);
        std::collections::BTreeMap::from([("ops.gx/accept-NET-07".to_owned(), value)])
    };
    let Part::Known(policies) = &mut snapshot.network_policies else { panic!() };
    policies.items[0].annotations = note();
    assert_eq!(subjects(&snapshot), 1);
    let found = audit(&snapshot, &options);
    assert!(!found.issues().any(|one| one.finding.rule == "EXC-01"), "{found:?}");
}

#[test]
fn a_flag_excuses_one_finding_of_one_run() {
    let all = keys(&careless(&[]), Exclusions::default());
    let mut exclusions = Exclusions::default();
    exclusions.accept("wrk-19 Deployment m/d:a").unwrap();
    let left = keys(&careless(&[]), exclusions);
    assert_eq!(left.len(), all.len() - 1);
    assert!(!left.contains(&"WRK-19 Deployment m/d:a".to_owned()));
    for bad in ["", "WRK-19", "WRK-99 Deployment m/d", "WRK-19  "] {
        assert!(Exclusions::default().accept(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_level_leaves_out_what_is_less_bad_and_counts_it() {
    let all = audit(&careless(&[]), &Options::default());
    for least in [Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
        let options = Options { at_least: Some(least), ..Options::default() };
        let some = audit(&careless(&[]), &options);
        assert!(some.issues().all(|one| one.finding.severity >= least));
        assert_eq!(some.issues().count() + some.below, all.issues().count());
        let text = render(&some, Format::Table, &Look::default()).unwrap();
        let hidden = some.below > 0;
        assert_eq!(text.contains("below the level"), hidden, "{text}");
    }
}

#[test]
fn what_was_there_before_is_left_out_and_counted() {
    let before = audit(&snapshot(), &Options::default());
    let known = before.issues().map(|issue| issue.key()).collect();
    let after = audit(&snapshot(), &Options { known, ..Options::default() });
    assert_eq!((after.issues().count(), after.known), (0, before.issues().count()));
}

/// A recorded incident, told in every form that people read: a worker was installed again, and the
/// databases whose volumes it had wait for it.
#[test]
fn an_incident_is_told_as_one_cause_with_its_consequences() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/report");
    let text = std::fs::read_to_string(folder.join("reinstalled-node.yaml")).unwrap();
    let snapshot = crate::rules::fixture::read(&text).unwrap().snapshot;
    let audit = audit(&snapshot, &Options::default());
    let worst = &audit.groups[0];
    assert_eq!(worst.cause.to_string(), "Node worker-d");
    let subjects: Vec<&str> = worst.issues.iter().map(|one| one.object.name.as_str()).collect();
    assert!(subjects.contains(&"postgres-0") && subjects.contains(&"redis-0"), "{subjects:?}");
    let wide = Look { width: 200, ..Look::default() };
    for (name, format, look) in [
        ("table-80.txt", Format::Table, Look::default()),
        ("table-200.txt", Format::Table, wide),
        ("audit.md", Format::Markdown, wide),
        ("audit.html", Format::Html, wide),
    ] {
        let told = render(&audit, format, &look).unwrap();
        let path = folder.join(name);
        if std::env::var_os("GX_UPDATE_PAGES").is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, told, "GX_UPDATE_PAGES=1 cargo test -p gx-ops incident writes {name}");
    }
}
