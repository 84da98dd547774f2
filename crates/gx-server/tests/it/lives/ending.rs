//! What holds at the end of every life: no coin was made or lost, every record is whole, and the
//! read models are those that the ledger leads to.

use gx_ledger::Expected;
use gx_store::admin::audit;
use gx_types::Amount;
use serde_json::{Value, json};

use super::v1;
use crate::client::Client;
use crate::outbox::rebuilt;
use crate::server::{Account, Server};

/// Qirat of a field.
fn qirat(body: &Value, field: &str) -> u64 {
    Amount::from_gx_text(body[field].as_str().unwrap()).unwrap().qirat()
}

/// Qirat of a field of all rows.
fn sum(rows: &Value, field: &str) -> u64 {
    rows.as_array().unwrap().iter().map(|row| qirat(row, field)).sum()
}

/// What people and organizations have: in the order of both, as they are shown.
async fn possessions(admin: &Client, people: &[&Account], organizations: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for person in people {
        all.push(person.balance().await);
    }
    for id in organizations {
        let path = v1(&format!("/organizations/{}", id.replace(' ', "%20")));
        all.push(admin.get(&path, 200).await.str("balance").to_owned());
    }
    all
}

/// Every coin lies in a pool, in a treasury, or with those who were there. What is in a treasury
/// that nobody has activated does not circulate.
async fn check_coins(server: &Server, possessions: &[String]) {
    let supply = server.client.get(&v1("/supply"), 200).await.body;
    let treasuries = server.client.get(&v1("/treasuries?limit=100"), 200).await.body;
    assert_eq!(treasuries["hasMore"], false);
    let circulating = qirat(&supply, "circulatingSupply");
    let pools = sum(&supply["pools"], "balance");
    let held: u64 = possessions.iter().map(|gx| Amount::from_gx_text(gx).unwrap().qirat()).sum();
    let treasuries = sum(&treasuries["data"], "balance");
    assert_eq!(pools + treasuries + held, qirat(&supply, "maxSupply"), "{supply} {possessions:?}");
    assert!((held..=held + treasuries).contains(&circulating), "{supply} {possessions:?}");
}

/// The chain of the audit log, and that of blocks where the ledger is in this process.
async fn check_records(server: &Server) {
    let log = audit::verify(server.platform.store()).await.unwrap();
    assert_eq!(log.broken, None);
    if let Some(ledger) = server.platform.chain().unwrap().ledger() {
        let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
        assert_eq!(report.problem, None);
        assert!(report.commands > 0, "{report:?}");
    }
}

/// Checks everything. The people are all who have an account, with sessions that are good; the
/// administrator may have read models filled anew.
pub(super) async fn check(
    server: &Server,
    admin: &Client,
    people: &[&Account],
    organizations: &[&str],
) {
    let before = possessions(admin, people, organizations).await;
    check_coins(server, &before).await;
    check_records(server).await;
    let because = json!({ "reason": "The books are compared" });
    admin.post(&v1("/admin/projector/rebuild"), because, 202).await;
    rebuilt(admin).await;
    assert_eq!(possessions(admin, people, organizations).await, before, "from the first block");
    check_coins(server, &before).await;
}
