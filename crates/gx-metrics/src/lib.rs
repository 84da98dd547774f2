//! What a process of the platform counts and measures.
//!
//! A metric is a row of `table`; the handle to write it, its registration and its line on the
//! page of metrics follow from the row, so that alerts and dashboards can name only what exists.
//! Each metric is written in one file. Label values are function names, routes, roles and fixed
//! words, never ids, so that the number of series stays bounded.

mod labels;
mod table;

/// What a figure that is written often is kept as.
pub use prometheus_client::metrics::histogram::Histogram;

pub use labels::{
    ByAttempt, ByBuild, ByChannel, ByDependency, ByFunction, ByHolder, ByKept, ByLoss, ByOutcome,
    ByPool, ByPromotion, ByRole, ByRoute, ByStatus, ByTopic, ByWorker, Settled, Worker,
};
pub use table::{Metrics, ROWS};

/// What stands on the page of metrics about one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// As in the code; a counter is published with `_total` behind it.
    pub name: &'static str,
    pub kind: Kind,
    pub unit: &'static str,
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

impl Row {
    /// The name under which Prometheus sees it.
    pub fn published(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, until the process ends.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts in buckets, with a sum.
    Histogram,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names say the unit, and a row says all that somebody has to know who writes an alert.
    #[test]
    fn rows_are_complete_and_their_names_differ() {
        let mut names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        for row in ROWS {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(row.name.bytes().all(plain), "{}", row.name);
            assert!(row.help.len() > 10 && !row.help.ends_with('.'), "{}", row.name);
            if ["seconds", "days"].contains(&row.unit) {
                assert!(row.name.ends_with(row.unit), "{}", row.name);
            }
        }
    }

    /// What is exported is what the table says, under the name and with the type that it says.
    #[test]
    fn every_row_is_exported() {
        let metrics = Metrics::default();
        metrics.touch();
        let text = metrics.render();
        for row in ROWS {
            let kind = format!("# TYPE {} {}\n", row.name, row.kind.as_str());
            assert!(text.contains(&kind), "{kind}\n{text}");
            assert!(text.contains(&format!("# HELP {} {}.\n", row.name, row.help)), "{}", row.name);
            let sample = text.lines().find(|line| {
                let name = line.split(['{', ' ']).next().unwrap_or_default();
                let name = match row.kind {
                    Kind::Histogram => name.strip_suffix("_count").unwrap_or_default(),
                    Kind::Counter | Kind::Gauge => name,
                };
                name == row.published()
            });
            let sample = sample.unwrap_or_default();
            let labels = sample.split_once('{').map_or("", |(_, labels)| labels);
            let names = labels.split('"').step_by(2).filter_map(|part| part.strip_suffix('='));
            let names: Vec<&str> = names.map(|name| name.trim_start_matches(',')).collect();
            assert_eq!(names, row.labels, "{sample}");
        }
        assert_eq!(text.matches("# TYPE ").count(), ROWS.len());
    }
}
