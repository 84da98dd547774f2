//! Figures: what was measured, under which setting, and the bar it has to reach.
//!
//! As JSON a figure is printed at once, so that a long run can be watched and kept line by line.

use std::time::Duration;

use serde::Serialize;

use gx_cli::console;

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// Told for its own sake.
    None,
}

impl Bar {
    fn value(self) -> Option<f64> {
        match self {
            Self::AtLeast(value) | Self::AtMost(value) => Some(value),
            Self::None => None,
        }
    }

    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
            Self::None => true,
        }
    }
}

/// One line of the output.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Figure {
    bench: &'static str,
    setting: String,
    metric: String,
    value: f64,
    unit: &'static str,
    bar: Option<f64>,
    ok: bool,
}

/// The figures of one run.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    figures: Vec<(Figure, Bar)>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, figures: Vec::new() }
    }

    /// Takes a figure in. Values below 100 keep three places, others are whole.
    pub(super) fn add(
        &mut self,
        (bench, setting): (&'static str, &str),
        metric: &str,
        (value, unit): (f64, &'static str),
        bar: Bar,
    ) {
        let ok = bar.reached(value);
        let value = if value < 100.0 { (value * 1e3).round() / 1e3 } else { value.round() };
        let (setting, metric) = (setting.to_owned(), metric.to_owned());
        let figure = Figure { bench, setting, metric, value, unit, bar: bar.value(), ok };
        if self.json {
            // A struct of texts and finite numbers always serialises.
            console::line(serde_json::to_string(&figure).unwrap_or_default());
        }
        self.figures.push((figure, bar));
    }

    /// How many there are so far.
    #[cfg(test)]
    pub(super) fn figures(&self) -> usize {
        self.figures.len()
    }

    pub(super) fn all_reached(&self) -> bool {
        self.figures.iter().all(|(figure, _)| figure.ok)
    }

    /// Prints the table for people.
    pub(super) fn finish(&self) {
        if self.json {
            return;
        }
        let heading = ["bench", "setting", "metric", "value", "unit", "bar", ""];
        let mut rows = vec![heading.map(str::to_owned)];
        for (figure, bar) in &self.figures {
            let (bar, verdict) = match bar {
                Bar::AtLeast(bar) => (format!("at least {}", number(*bar)), figure.ok),
                Bar::AtMost(bar) => (format!("at most {}", number(*bar)), figure.ok),
                Bar::None => (String::new(), true),
            };
            let verdict = if verdict { "" } else { "MISSED" };
            rows.push([
                figure.bench.to_owned(),
                figure.setting.clone(),
                figure.metric.clone(),
                number(figure.value),
                figure.unit.to_owned(),
                bar,
                verdict.to_owned(),
            ]);
        }
        console::table(&rows);
    }
}

/// A rate per second.
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(f64::EPSILON)
}

fn number(value: f64) -> String {
    let whole = console::thousands(value.trunc() as u64);
    match (value.fract() * 1e3).round() as u64 {
        0 => whole,
        part => format!("{whole}.{part:03}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_reached_from_their_side() {
        assert!(Bar::AtLeast(10.0).reached(10.0) && !Bar::AtLeast(10.0).reached(9.9));
        assert!(Bar::AtMost(10.0).reached(10.0) && !Bar::AtMost(10.0).reached(10.1));
        assert!(Bar::None.reached(0.0));
    }

    #[test]
    fn a_line_has_the_fields_that_scripts_read() {
        let mut report = Report::new(false);
        report.add(("x", "a, b"), "rate", (12_345.6, "1/s"), Bar::AtLeast(20_000.0));
        report.add(("x", ""), "time", (1.23456, "ms"), Bar::None);
        let lines: Vec<String> =
            report.figures.iter().map(|(f, _)| serde_json::to_string(f).unwrap()).collect();
        assert_eq!(
            lines[0],
            concat!(
                r#"{"bench":"x","setting":"a, b","metric":"rate","value":12346.0,"unit":"1/s","#,
                r#""bar":20000.0,"ok":false}"#
            )
        );
        assert!(lines[1].contains(r#""value":1.235,"unit":"ms","bar":null,"ok":true"#));
        assert!(!report.all_reached());
    }

    #[test]
    fn numbers_are_written_for_people() {
        for (value, text) in [(0.8, "0.8"), (200_000.0, "200,000"), (1.235, "1.235")] {
            assert_eq!(number(value), text);
        }
    }
}
