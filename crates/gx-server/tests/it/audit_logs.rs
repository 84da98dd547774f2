//! The audit log over HTTP: filtered, page by page, and as a file.

use gx_server::Workers;
use gx_store::admin::audit::{self, NewAudit};
use gx_types::TimeMs;
use serde_json::Value;

use crate::decisions::colleague;
use crate::server::Server;

const PATH: &str = "/api/v1/admin/audit-logs";

/// Rows of somebody who writes formulas.
async fn written(server: &Server, rows: usize) {
    let row = |number: usize| NewAudit {
        at: TimeMs(1_700_000_000_000 + i64::try_from(number).unwrap()),
        actor: "user:eve".to_owned(),
        action: "test.write".to_owned(),
        target: "=HYPERLINK(\"http://example.org\")".to_owned(),
        request_id: "r1".to_owned(),
        details: "{\"note\":\"a, b\"}".to_owned(),
    };
    let rows: Vec<NewAudit> = (0..rows).map(row).collect();
    let mut tx = server.platform.store().begin().await.unwrap();
    audit::append(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_log_is_filtered_and_paged() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    written(&server, 5).await;
    let mine = admin.get(&format!("{PATH}?actor=admin:superowner"), 200).await;
    let rows = mine.body["data"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["action"] == "admin.password.change"), "{}", mine.text);
    assert!(rows.iter().all(|row| row["actor"] == "admin:superowner"));
    let first = admin.get(&format!("{PATH}?action=test.write&limit=3"), 200).await;
    let seqs = |reply: &crate::client::Reply| {
        let rows = reply.body["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let next = format!("{PATH}?action=test.write&limit=3&cursor={}", first.str("nextCursor"));
    let second = admin.get(&next, 200).await;
    let all = [seqs(&first), seqs(&second)].concat();
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[0] == pair[1] + 1), "newest first: {all:?}");
    let row = &first.body["data"][0];
    assert_eq!(row["details"]["note"], "a, b");
    assert_eq!(row["eventHash"].as_str().unwrap().len(), 64);
    let times = "from=2023-11-14T22:13:20.001Z&to=2023-11-14T22:13:20.003Z";
    let some = admin.get(&format!("{PATH}?{times}"), 200).await;
    assert_eq!(some.body["data"].as_array().unwrap().len(), 2);
    admin.get(&format!("{PATH}?cursor=x"), 400).await;
    let clerk = colleague(&server, "clerk", "MODERATOR").await;
    clerk.get(PATH, 403).await;
}

#[tokio::test]
async fn an_export_holds_every_row_and_no_formula() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let auditor = colleague(&server, "auditor", "AUDITOR").await;
    written(&server, 1_201).await;
    let csv = auditor.get(&format!("{PATH}/export?action=test.write"), 200).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").contains("audit-log.csv"));
    let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1_202);
    assert!(lines[0].starts_with("seq,timestamp,actor"));
    assert!(lines[1].contains(",\"'=HYPERLINK(\"\"http://example.org\"\")\","), "{}", lines[1]);
    assert!(lines[1].contains("\"{\"\"note\"\":\"\"a, b\"\"}\""), "{}", lines[1]);
    let json = auditor.get(&format!("{PATH}/export?action=test.write&format=jsonl"), 200).await;
    assert_eq!(json.header("content-type"), "application/x-ndjson");
    let rows: Vec<Value> =
        json.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 1_201);
    assert!(rows.windows(2).all(|pair| pair[0]["seq"].as_u64() > pair[1]["seq"].as_u64()));
    // That it was taken stands in the log as well.
    let taken = auditor.get(&format!("{PATH}?action=audit.export"), 200).await;
    assert_eq!(taken.body["data"].as_array().unwrap().len(), 2);
    auditor.get(&format!("{PATH}/export?format=xml"), 400).await;
}
