//! `docs/metrics.md`: every metric that a process exports, from the table in `gx-metrics`.

use std::fmt::Write as _;

use gx_metrics::{ROWS, Row};

const HEAD: &str = "# Metrics

Every process answers `GET /metrics` in the form of OpenMetrics. What is listed here is all there \
is of the platform's own; alerts and dashboards name nothing else. Figures that a process counts \
itself start at 0 when it starts; those of the outbox, the lanes, the heights and the dead \
commands are read from the database when somebody asks, and are the same whichever process is \
asked. A metric with labels is there as soon as it has its first value.

This page is made from the table in `crates/gx-metrics/src/table.rs` by `cargo xtask gen`.

| Metric | Type | Unit | Labels | Meaning |
|---|---|---|---|---|
";

pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in ROWS {
        let Row { kind, unit, labels, help, .. } = row;
        let (name, kind) = (row.published(), kind.as_str());
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = labels.join(", ");
        // Writing into a String cannot fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {unit} | {labels} | {help}. |");
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_counter_stands_under_the_name_that_it_is_scraped_by() {
        let page = super::page();
        for part in
            ["| `http_requests_total` | counter |", "| `dead_commands` | gauge | commands |"]
        {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
}
