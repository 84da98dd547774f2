//! The recorded figures come out of the recorded placements.

use super::*;
use crate::report::Look;
use crate::rules::fixture::read;

const A: &str = include_str!("../../../fixtures/questions/placement-a.yaml");
const B: &str = include_str!("../../../fixtures/questions/placement-b.yaml");
const AFTER: &str = include_str!("../../../fixtures/questions/placement-after.yaml");

fn of(text: &str) -> Score {
    score(&read(text).unwrap().snapshot, &Options::default())
}

fn tiers(score: &Score) -> Vec<u32> {
    let all = score.distribution.as_ref().unwrap();
    let tiers = all.tiers.iter().map(|tier| tier.points.rounded());
    tiers.chain([all.points.rounded()]).collect()
}

fn layers(score: &Score) -> Vec<u32> {
    let all = score.availability.as_ref().unwrap();
    let layers = all.layers.iter().map(|layer| layer.points.rounded());
    layers.chain([all.points.rounded()]).collect()
}

#[test]
fn both_recorded_placements_give_the_recorded_figures() {
    for text in [A, B] {
        let score = of(text);
        assert_eq!(tiers(&score), [10, 8, 3, 7], "{score:#?}");
        assert_eq!(layers(&score), [9, 3, 6], "{score:#?}");
        assert_eq!(score.availability.unwrap().weakest, Some("databases"));
    }
}

#[test]
fn the_change_brings_availability_to_nine() {
    let score = of(AFTER);
    assert_eq!(layers(&score), [9, 9, 9]);
    assert_eq!(tiers(&score), [10, 10, 10, 10]);
}

#[test]
fn the_strict_values_name_the_outliers_that_the_median_hides() {
    let score = of(B);
    let all = score.distribution.as_ref().unwrap();
    assert_eq!(all.strict.to_string(), "6.71");
    let services = &all.tiers[0];
    assert_eq!(
        (services.points.to_string(), services.mean.to_string()),
        ("10.00".to_owned(), "8.81".to_owned())
    );
    let outliers: Vec<(&str, String)> = services
        .workloads
        .iter()
        .filter(|one| !one.deductions.is_empty())
        .map(|one| (one.workload.name.as_str(), one.points.to_string()))
        .collect();
    assert_eq!(
        outliers,
        [("svc-tokenomics", "5.00".to_owned()), ("svc-loanpool", "6.67".to_owned())]
    );
}

#[test]
fn every_number_adds_up() {
    for text in [A, B, AFTER] {
        let score = of(text);
        let distribution = score.distribution.unwrap();
        for one in distribution.tiers.iter().flat_map(|tier| &tier.workloads) {
            let off: u32 = one.deductions.iter().map(|deduction| deduction.points.0).sum();
            assert_eq!(one.points.0 + off, 10_000, "{one:?}");
        }
    }
}

#[test]
fn services_of_one_pod_bring_availability_down_when_they_count() {
    let fixture = read(A).unwrap().snapshot;
    let options = Options { single: true, ..Options::default() };
    let score = score(&fixture, &options);
    assert_eq!(score.availability.unwrap().layers[0].points, Points(0));
    let left_out = of(A).availability.unwrap().single;
    assert_eq!(left_out.len(), 4);
}

#[test]
fn without_the_eligible_nodes_the_worker_counts_as_any_other() {
    let mut snapshot = read(A).unwrap().snapshot;
    snapshot.inventory = crate::facts::Part::default();
    let score = score(&snapshot, &Options::default());
    assert_eq!(score.distribution.unwrap().tiers[2].points.to_string(), "6.67");
    assert!(score.notes.iter().any(|note| note.contains("no node is given")));
}

#[test]
fn sets_of_five_are_counted_by_majority() {
    let points = |nodes: &[&str]| {
        let mut text = String::from("nodes: [");
        text.push_str("]\nworkloads:\n");
        for number in 0..nodes.len() {
            text.push_str(&format!(
                "- {{kind: StatefulSet, namespace: fabric-mainnet, name: orderer{number}, \
                 replicas: 1}}\n"
            ));
        }
        text.push_str("pods:\n");
        for (number, node) in nodes.iter().enumerate() {
            text.push_str(&format!(
                "- {{namespace: fabric-mainnet, name: orderer{number}-0, node: {node}, \
                 owner: {{kind: StatefulSet, name: orderer{number}}}, \
                 conditions: [{{kind: Ready, status: 'True'}}]}}\n"
            ));
        }
        let score = score(&read(&text).unwrap().snapshot, &Options::default());
        score.availability.unwrap().layers[0].nodes
    };
    assert_eq!(points(&["a", "a", "b", "b", "c"]), 1);
    assert_eq!(points(&["a", "a", "a", "a", "a"]), 0);
    assert_eq!(points(&["a", "b", "c", "d", "e"]), 2);
}

#[test]
fn the_text_fits_a_terminal() {
    let text = render(&of(B), &Look::default());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("distribution 7/10, availability 6/10"), "{text}");
}
