//! How much of the error budget is left, as Prometheus counts it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use gx_cluster::{ErrorBudget, Later};
use http_body_util::Full;
use hyper::{Request, Uri};
use serde::Deserialize;
use url::Url;

use crate::config::Promotion;
use crate::outgoing::Outgoing;

/// What stands for the target's namespace in a query.
const NAMESPACE: &str = "{namespace}";

/// What is left of a promise that 1999 of 2000 requests of 30 days are answered without a fault of
/// ours, which the rules of monitoring hold too. Nothing counted is no answer, and no reason to go
/// on.
const QUERY: &str = r#"1 - 2000 * (
    sum(increase(
        http_requests_total{namespace="{namespace}", api!="common", status_code=~"5.."}[30d]
    ))
    or vector(0)
) / sum(increase(http_requests_total{namespace="{namespace}", api!="common"}[30d]))"#;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server of Prometheus.
#[derive(Debug)]
pub(crate) struct Prometheus {
    outgoing: Outgoing,
    address: Url,
    query: String,
}

/// An answer to an instant query.
#[derive(Debug, Deserialize)]
struct Answer {
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(default)]
    result: Vec<Sample>,
}

/// Time and value; the value is a text.
#[derive(Debug, Deserialize)]
struct Sample {
    value: (f64, String),
}

impl Prometheus {
    /// `None` when the settings name none.
    ///
    /// # Errors
    /// Names the setting that is of no use.
    pub(crate) fn of(settings: &Promotion) -> Result<Option<Arc<dyn ErrorBudget>>, String> {
        if settings.prometheus.is_empty() {
            return Ok(None);
        }
        let key = "promotion.prometheus";
        let address = format!("{}/api/v1/query", settings.prometheus.trim_end_matches('/'));
        let outgoing = Outgoing::new(key, &address, "", PATIENCE)?;
        let address = Url::parse(&address).map_err(|error| format!("{key}: {error}"))?;
        let query = Some(settings.error_budget_query.as_str()).filter(|text| !text.is_empty());
        let query = query.unwrap_or(QUERY).to_owned();
        Ok(Some(Arc::new(Self { outgoing, address, query })))
    }

    async fn ask(&self, namespace: &str) -> Result<f64, String> {
        let mut address = self.address.clone();
        let query = self.query.replace(NAMESPACE, namespace);
        address.query_pairs_mut().append_pair("query", &query);
        let uri = address.as_str().parse::<Uri>();
        let uri = uri.map_err(|error| format!("the query: {error}"))?;
        let request = Request::get(uri).body(Full::new(Bytes::new()));
        let request = request.map_err(|error| format!("the query: {error}"))?;
        let (status, body) = self.outgoing.send(request).await.map_err(unanswered)?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| unanswered(format!("{status} and no JSON")))?;
        read(answer)
    }
}

impl ErrorBudget for Prometheus {
    fn left<'a>(&'a self, namespace: &'a str) -> Later<'a, Result<f64, String>> {
        Box::pin(self.ask(namespace))
    }
}

fn unanswered(why: String) -> String {
    format!("Prometheus gives no answer: {why}")
}

fn read(answer: Answer) -> Result<f64, String> {
    if let Some(error) = answer.error {
        return Err(unanswered(error));
    }
    let result = answer.data.map(|data| data.result).unwrap_or_default();
    let [Sample { value: (_, text) }] = result.as_slice() else {
        return Err(format!("Prometheus has {} figures of the error budget", result.len()));
    };
    let left = text.parse().ok().filter(|left: &f64| left.is_finite());
    left.ok_or_else(|| format!("Prometheus says that {text} of the error budget is left"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_figure_is_not_known() {
        let of = |text: &str| read(serde_json::from_str(text).unwrap());
        let one = r#"{"status":"success","data":{"resultType":"vector","result":
            [{"metric":{},"value":[1700000000.5,"0.25"]}]}}"#;
        assert_eq!(of(one), Ok(0.25));
        for text in [
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
            r#"{"status":"success","data":{"result":[{"value":[1,"NaN"]}]}}"#,
            r#"{"status":"error","errorType":"bad_data","error":"unknown function"}"#,
            r#"{"status":"success"}"#,
        ] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
