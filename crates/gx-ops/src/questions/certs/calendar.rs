//! The days on which certificates end, as iCalendar (RFC 5545).

use super::{Certs, Held};
use crate::facts::Time;

/// Octets of a line, without its end.
const LINE: usize = 75;

/// A calendar with a day for each certificate, and an alarm 30 and 7 days before.
pub fn calendar(answer: &Certs) -> String {
    let mut text = String::new();
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//gx ops//certificates//EN"] {
        push(&mut text, line);
    }
    for one in &answer.certificates {
        event(&mut text, one, answer.at);
    }
    push(&mut text, "END:VCALENDAR");
    text
}

fn event(text: &mut String, one: &Held, at: Time) {
    let place = one.places.first().map(String::as_str).unwrap_or_default();
    let uid = if one.fingerprint.is_empty() { place } else { &one.fingerprint };
    let mut lines = vec![
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@gx-ops", escape(uid)),
        format!("DTSTAMP:{}", stamp(at)),
        format!("DTSTART;VALUE=DATE:{}", one.not_after.date().replace('-', "")),
        format!("SUMMARY:{}", escape(&format!("Certificate {} ends", one.name))),
        format!("DESCRIPTION:{}", escape(&description(one))),
        "TRANSP:TRANSPARENT".to_owned(),
    ];
    for days in [30, 7] {
        let what = escape(&format!("Certificate {} ends in {days} days", one.name));
        lines.extend([
            "BEGIN:VALARM".to_owned(),
            "ACTION:DISPLAY".to_owned(),
            format!("TRIGGER:-P{days}D"),
            format!("DESCRIPTION:{what}"),
            "END:VALARM".to_owned(),
        ]);
    }
    lines.push("END:VEVENT".to_owned());
    lines.iter().for_each(|line| push(text, line));
}

fn description(one: &Held) -> String {
    let stops = match one.stops.as_slice() {
        [] => "nothing that is known".to_owned(),
        some => some.join(", "),
    };
    format!("In {}.\nStops: {stops}.\nRenewed by {}.", one.places.join(", "), one.renewal)
}

/// `20261130T120000Z`
fn stamp(at: Time) -> String {
    at.to_string().chars().filter(|c| !['-', ':'].contains(c)).collect()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Adds a line, folded where it is too long, never within a character.
fn push(text: &mut String, line: &str) {
    let mut room = LINE;
    for c in line.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = LINE.saturating_sub(1);
        }
        text.push(c);
        room = room.saturating_sub(c.len_utf8());
    }
    text.push_str("\r\n");
}
