//! One trace from the request to the projection, as a collector gets it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use gx_server::Workers;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;

use crate::client::new_key;
use crate::server::{Server, eventually};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What speaks the protocol, and keeps what it is sent.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap().clone()
    }

    /// The spans of the trace by their names, once these are all there.
    async fn trace(&self, names: &[&str]) -> HashMap<String, Span> {
        eventually("the trace is whole", async || {
            let own = self.spans().into_iter().filter(|span| hex::encode(&span.trace_id) == TRACE);
            let found: HashMap<String, Span> = own.map(|span| (span.name.clone(), span)).collect();
            names.iter().all(|name| found.contains_key(*name)).then_some(found)
        })
        .await
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> Bytes {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let sent = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = sent.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    collector.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
    // An answer without content says that everything was taken.
    Bytes::new()
}

fn text(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        other => panic!("{key} of {}: {other:?}", span.name),
    }
}

/// Whether one span names the other as served or serving.
fn is_linked(from: &Span, to: &Span) -> bool {
    from.links.iter().any(|link| link.trace_id == to.trace_id && link.span_id == to.span_id)
}

#[tokio::test]
async fn one_trace_leads_from_the_request_to_the_projection() {
    let (collector, endpoint) = Collector::start().await;
    let settings = [("telemetry.otlp.endpoint", endpoint.as_str())];
    let server = Server::start_with(&settings, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let key = new_key();
    let headers = [
        ("idempotency-key", key.as_str()),
        ("prefer", "wait=20"),
        ("traceparent", parent.as_str()),
    ];
    let payment = json!({ "toUserId": bob.ledger_id, "amount": "25.00" });
    let reply = ada.person.client.post_with("/api/v1/transfers", payment, &headers, 200).await;
    assert_eq!(reply.str("status"), "committed");
    let answered = reply.header("traceparent").to_owned();
    assert!(answered.starts_with(&format!("00-{TRACE}-")) && answered.ends_with("-01"));

    let request = "POST /api/v1/transfers";
    let stages = ["command accept", "command submit", "command commit", "command project"];
    let names: Vec<&str> = stages.iter().copied().chain([request]).collect();
    let trace = collector.trace(&names).await;
    let request = &trace[request];
    assert_eq!(hex::encode(&request.parent_span_id), CALLER);
    assert!(answered.contains(&hex::encode(&request.span_id)), "{answered}");
    assert_eq!(text(request, "http.response.status_code"), "200");
    for stage in stages {
        assert_eq!(trace[stage].parent_span_id, request.span_id, "{stage}");
        assert!(trace[stage].start_time_unix_nano <= trace[stage].end_time_unix_nano, "{stage}");
    }
    assert_eq!(text(&trace["command accept"], "gx.command.id"), reply.str("commandId"));
    assert_eq!(text(&trace["command project"], "gx.outcome"), "applied");
    let block = text(&trace["command project"], "gx.block.number");
    assert!(block.parse::<u64>().unwrap() > 0, "{block}");

    // Batch and blocks are traces of their own; both sides name each other.
    for (name, stage) in [("batch commit", "command commit"), ("blocks project", "command project")]
    {
        let stage = &trace[stage];
        let serving = eventually("what has served the command", async || {
            collector.spans().into_iter().find(|span| span.name == name && is_linked(span, stage))
        })
        .await;
        assert!(is_linked(stage, &serving), "{name}");
        assert_ne!(serving.trace_id, stage.trace_id);
    }

    // Nobody is named: not in paths, not in attributes.
    let said = format!("{:?}", collector.spans());
    for person in [&ada, &bob] {
        for id in [&person.ledger_id.to_string(), &person.person.id, &person.person.email] {
            assert!(!said.contains(id.as_str()), "{id}");
        }
    }
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nobody_up() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let settings = [("telemetry.otlp.endpoint", endpoint.as_str())];
    let server = Server::start_with(&settings, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let payment = json!({ "toUserId": bob.ledger_id, "amount": "1.00" });
    let reply = ada.person.client.settle("/api/v1/transfers", payment).await;
    assert_eq!(reply.str("status"), "committed");
    eventually("what was not taken is counted", async || {
        let figures = server.app.metrics().render();
        let dropped = figures.lines().find(|line| {
            line.starts_with("trace_spans_dropped_total") && line.contains("not_taken")
        })?;
        (!dropped.ends_with(" 0")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_not_sampled_is_not_recorded() {
    let (collector, endpoint) = Collector::start().await;
    let settings = [
        ("telemetry.otlp.endpoint", endpoint.as_str()),
        ("telemetry.otlp.sampled_per_thousand", "0"),
        ("telemetry.otlp.follow_callers", "true"),
    ];
    let server = Server::start_with(&settings, Workers::ALL).await;
    let reply = server.client.send("GET", "/api/v1/countries", &[], None).await;
    assert!(reply.header("traceparent").ends_with("-00"), "{:?}", reply.headers);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str())];
    server.client.send("GET", "/api/v1/supply", &headers, None).await;
    // What came later is there, so that what came earlier would be.
    collector.trace(&["GET /api/v1/supply"]).await;
    assert!(collector.spans().iter().all(|span| span.name == "GET /api/v1/supply"));
}
