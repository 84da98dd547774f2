//! Which certificates are listed, in which order, and what is said to stop.

use super::*;
use crate::rules::fixture::read;

const CERTIFICATES: &str = include_str!("../../../fixtures/questions/certificates.yaml");

#[test]
fn certificates_are_told_with_what_stops_and_who_renews() {
    let answer = certs(&read(CERTIFICATES).unwrap().snapshot);
    let told: Vec<(&str, Use, i64)> =
        answer.certificates.iter().map(|one| (one.name.as_str(), one.is_for, one.days)).collect();
    assert_eq!(
        told,
        [
            ("old.example.org", Use::Tls, -1),
            ("api.example.org", Use::Ingress, 9),
            ("User1@org1.example.org", Use::Identity, 30),
            ("shop.example.org", Use::Ingress, 61),
            ("ca.org1.example.org", Use::Authority, 365),
        ]
    );
    let by = |at: usize| &answer.certificates[at];
    assert_eq!(by(1).stops, ["https://api.example.org"]);
    assert!(by(1).renewal.starts_with("cert-manager by Certificate web/api"), "{}", by(1).renewal);
    // One certificate in two places is one.
    assert_eq!(by(2).places.len(), 2);
    assert_eq!(by(2).stops, ["Deployment web/svc"]);
    assert!(by(4).stops[0].ends_with("the 1 it has signed here"), "{:?}", by(4).stops);
    let text = render(&answer, &Look::default());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn the_calendar_is_one_that_others_read() {
    let answer = certs(&read(CERTIFICATES).unwrap().snapshot);
    let text = calendar(&answer);
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains('\n')));
    for (begin, end) in [("BEGIN:VEVENT", "END:VEVENT"), ("BEGIN:VALARM", "END:VALARM")] {
        let count = |wanted: &str| lines.iter().filter(|line| **line == wanted).count();
        assert_eq!(count(begin), count(end));
    }
    let unfolded = text.replace("\r\n ", "");
    assert!(unfolded.contains("DTSTART;VALUE=DATE:20261209\r\n"), "{unfolded}");
    assert!(unfolded.contains("DTSTAMP:20261130T120000Z"));
    assert!(unfolded.contains("Secret web/user cert\\, ConfigMap web/user cert"), "{unfolded}");
}

#[test]
fn without_certificates_it_says_so() {
    let answer = certs(&Snapshot::empty(Time::default()));
    assert!(answer.certificates.is_empty());
    assert!(answer.not_known.iter().any(|one| one.starts_with("certificates (")));
}
