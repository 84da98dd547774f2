//! An alert: what it says, when, and the two cases that prove it; and how both are written.
//!
//! Texts name labels and never values, so that one alert stays one as long as it lasts.

use super::yaml::{Node, labels, list, map, text, texts, word};

/// How soon somebody has to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Now: people are without service, or money is in danger.
    Critical,
    /// Today.
    Warning,
    /// To be known; nobody is called.
    Info,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A series of a test, and its values a minute apart as promtool writes them.
pub(crate) type Series = (&'static str, &'static str);

/// What makes an alert fire, and what ends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fires {
    pub(crate) series: &'static [Series],
    /// When it fires, in minutes.
    pub(crate) at: u32,
    /// The labels that it has then, beside its severity.
    pub(crate) labels: &'static [(&'static str, &'static str)],
    /// When it is over, in minutes.
    pub(crate) over: Option<u32>,
}

/// A failure that an operator must act on.
#[derive(Debug, Clone, Copy)]
pub struct Alert {
    /// Its name, which is that of its runbook too.
    pub name: &'static str,
    pub severity: Severity,
    /// What is true while something is wrong, in PromQL.
    pub expr: &'static str,
    /// How long it has to be true; empty means at once.
    pub(crate) hold: &'static str,
    /// One sentence for whoever is called; may name labels as `{{ $labels.role }}`.
    pub summary: &'static str,
    pub(crate) fires: Fires,
    /// What looks like it and is none: a healthy or an idle system.
    pub(crate) quiet: &'static [Series],
}

/// Alerts of one subject: a group of rules and a file of tests.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub name: &'static str,
    pub alerts: &'static [Alert],
}

/// Where runbooks are read.
const RUNBOOKS: &str = "docs/runbooks/";

impl Alert {
    /// The page that tells what to do.
    pub fn runbook(&self) -> String {
        format!("{RUNBOOKS}{}.md", self.name)
    }

    pub(crate) fn rule(&self) -> Node {
        let mut rule = map([("alert", word(self.name)), ("expr", text(self.expr))]);
        if !self.hold.is_empty() {
            rule = rule.with("for", word(self.hold));
        }
        rule.with("labels", labels([("severity", self.severity.as_str())]))
            .with("annotations", self.annotations(&[]))
    }

    /// The summary with the labels filled in that are known.
    fn annotations(&self, known: &[(&str, &str)]) -> Node {
        let mut summary = self.summary.to_owned();
        for (name, value) in known {
            summary = summary.replace(&format!("{{{{ $labels.{name} }}}}"), value);
        }
        map([("summary", text(summary)), ("runbook", text(self.runbook()))])
    }

    /// The tests of promtool: it fires, it is over, and it stays quiet.
    fn cases(&self) -> Vec<Node> {
        let Fires { series, at, labels: own, over } = self.fires;
        let all = own.iter().copied().chain([("severity", self.severity.as_str())]);
        let fired = map([("exp_labels", labels(all)), ("exp_annotations", self.annotations(own))]);
        let mut looks = vec![self.look(at, list([fired]))];
        looks.extend(over.map(|over| self.look(over, list([]))));
        let mut cases = vec![case(&format!("{} fires", self.name), series, looks)];
        // One fires for ever.
        if !self.quiet.is_empty() {
            let looks = [5, 10, 20, 30, 60].map(|at| self.look(at, list([])));
            cases.push(case(&format!("{} stays quiet", self.name), self.quiet, looks.into()));
        }
        cases
    }

    fn look(&self, at: u32, expected: Node) -> Node {
        map([
            ("eval_time", word(format!("{at}m"))),
            ("alertname", word(self.name)),
            ("exp_alerts", expected),
        ])
    }
}

fn case(name: &str, series: &[Series], looks: Vec<Node>) -> Node {
    let series = series
        .iter()
        .map(|(name, values)| map([("series", text(*name)), ("values", text(*values))]));
    map([
        ("name", text(name)),
        ("interval", word("1m")),
        ("input_series", list(series)),
        ("alert_rule_test", Node::List(looks)),
    ])
}

impl Group {
    /// The group as Prometheus reads it.
    pub(crate) fn rules(&self) -> Node {
        let rules = self.alerts.iter().map(Alert::rule);
        map([("name", word(self.name)), ("rules", list(rules))])
    }

    /// The file that `promtool test rules` reads, beside the rules of these files.
    pub(crate) fn tests(&self, files: &[String]) -> Node {
        let cases = self.alerts.iter().flat_map(Alert::cases);
        map([
            ("rule_files", texts(files.iter().map(String::as_str))),
            ("evaluation_interval", word("1m")),
            ("tests", list(cases)),
        ])
    }
}
