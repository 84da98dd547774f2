//! Objectives, and the recording rules that say how far they are met.
//!
//! Requests: 99.95 % are answered without a failure on our side, one in twenty takes half a second
//! at most. What people read is five seconds behind the ledger at most, 99.9 % of the time.

use super::yaml::{Node, list, map, text, word};

/// A figure that Prometheus keeps.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub name: String,
    pub expr: String,
}

/// Windows over which failures are counted: a short and a long one for each rate of burning.
const WINDOWS: [&str; 4] = ["5m", "30m", "1h", "6h"];

/// Requests but those for operators, which every service has.
const ASKED: &str = "http_requests_total{api!=\"common\"}";
const FAILED: &str = "http_requests_total{api!=\"common\",status_code=~\"5..\"}";

/// The part of requests that failed on our side; 0 where none did.
fn failures(window: &str) -> String {
    let all = format!("sum by (api) (rate({ASKED}[{window}]))");
    let failed = format!("sum by (api) (rate({FAILED}[{window}]))");
    format!("({failed} or 0 * {all}) / {all}")
}

fn quantile(part: &str, window: &str) -> String {
    format!(
        "histogram_quantile({part}, sum by (api, le) \
         (rate(http_request_duration_seconds_bucket{{api!=\"common\"}}[{window}])))"
    )
}

/// All recording rules.
pub fn recorded() -> Vec<Recorded> {
    let one = |name: &str, expr: String| Recorded { name: name.to_owned(), expr };
    let mut all = vec![
        one("gx:http_requests:rate5m", format!("sum by (api) (rate({ASKED}[5m]))")),
        one("gx:http_request_seconds:p50_5m", quantile("0.5", "5m")),
        one("gx:http_request_seconds:p95_5m", quantile("0.95", "5m")),
        one("gx:http_request_seconds:p99_5m", quantile("0.99", "5m")),
    ];
    all.extend(
        WINDOWS.map(|window| one(&format!("gx:http_errors:ratio_rate{window}"), failures(window))),
    );
    all.extend([
        one(
            "gx:error_budget:left_30d",
            format!(
                "1 - (sum by (api) (increase({FAILED}[30d])) \
                 or 0 * sum by (api) (increase({ASKED}[30d]))) \
                 / sum by (api) (increase({ASKED}[30d])) / 0.0005"
            ),
        ),
        one("gx:projection:is_fresh", "max(projector_behind_seconds) <= bool 5".to_owned()),
        one("gx:commands_accepted:rate5m", "sum(rate(commands_submitted_total[5m]))".to_owned()),
        one("gx:commands_sent:rate5m", "sum(rate(batch_size_sum[5m]))".to_owned()),
        one("gx:commands_settled:rate5m", "sum(rate(commands_settled_total[5m]))".to_owned()),
        one("gx:money_moved_gx:rate5m", "sum(rate(money_moved_qirat_total[5m])) / 1e6".to_owned()),
    ]);
    all
}

/// The group of recording rules.
pub(crate) fn rules() -> Node {
    let rules = recorded()
        .into_iter()
        .map(|Recorded { name, expr }| map([("record", word(name)), ("expr", text(expr))]));
    map([("name", word("gx-objectives")), ("rules", list(rules))])
}
