//! What one administrator asks for is decided by another, in time and once.

use gx_store::Store;
use gx_store::admin::admins;
use gx_store::admin::approvals::{self, ApprovalStatus, ListApprovals, NewApproval};
use gx_types::TimeMs;

use crate::admins::new as new_admin;
use crate::backend::for_each_backend;

const NOW: TimeMs = TimeMs(1_000);
const END: TimeMs = TimeMs(2_000);

fn new(number: i64, requester: &str) -> NewApproval {
    NewApproval {
        approval_id: format!("p{number}"),
        kind: "USER_CLOSE".to_owned(),
        target: "u1".to_owned(),
        role: None,
        action: "Close".to_owned(),
        reason: "Asked for by letter".to_owned(),
        requester: requester.to_owned(),
        created_at: TimeMs(NOW.0 + number),
        expires_at: END,
    }
}

async fn ask(store: &Store, new: &NewApproval) -> bool {
    let mut tx = store.begin().await.unwrap();
    let asked = approvals::create(&mut tx, new, 3).await.unwrap();
    tx.commit().await.unwrap();
    asked
}

async fn vote(store: &Store, id: &str, by: &str, to: ApprovalStatus, now: TimeMs) -> bool {
    let mut tx = store.begin().await.unwrap();
    let voted = approvals::vote(&mut tx, id, by, (to, Some("seen")), now).await.unwrap();
    tx.commit().await.unwrap();
    voted
}

async fn execute(store: &Store, id: &str, now: TimeMs) -> bool {
    let mut tx = store.begin().await.unwrap();
    let executed = approvals::execute(&mut tx, id, "a2", now).await.unwrap();
    tx.commit().await.unwrap();
    executed
}

async fn status(store: &Store, id: &str, now: TimeMs) -> ApprovalStatus {
    approvals::get(store, id, now).await.unwrap().unwrap().status
}

#[test]
fn another_decides_in_time_and_it_is_carried_out_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (approved, rejected) = (ApprovalStatus::Approved, ApprovalStatus::Rejected);
        for number in 1..=3 {
            assert!(ask(store, &new(number, "a1")).await);
        }
        assert!(!vote(store, "p1", "a1", approved, NOW).await, "not one's own");
        assert!(!vote(store, "p1", "a2", approved, END).await, "too late");
        assert!(!execute(store, "p1", NOW).await, "not approved yet");
        assert!(vote(store, "p1", "a2", approved, NOW).await);
        assert!(!vote(store, "p1", "a3", rejected, NOW).await, "decided already");
        assert!(execute(store, "p1", NOW).await);
        assert!(!execute(store, "p1", NOW).await, "once");
        let found = approvals::get(store, "p1", END).await.unwrap().unwrap();
        assert_eq!(found.status, approved);
        assert_eq!(found.decided, Some(("a2".to_owned(), NOW)));
        assert_eq!(found.executed, Some(("a2".to_owned(), NOW)));
        assert_eq!(found.decision_reason.as_deref(), Some("seen"));
        assert!(vote(store, "p2", "a2", approved, NOW).await);
        assert!(!execute(store, "p2", END).await, "approved, and too late");
        assert_eq!(status(store, "p2", END).await, ApprovalStatus::Expired);
        let mut tx = store.begin().await.unwrap();
        assert!(!approvals::cancel(&mut tx, "p3", "a2", NOW).await.unwrap(), "another's");
        assert!(approvals::cancel(&mut tx, "p3", "a1", NOW).await.unwrap());
        assert!(!approvals::cancel(&mut tx, "p3", "a1", NOW).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(status(store, "p3", END).await, ApprovalStatus::Cancelled);
        assert!(!vote(store, "p3", "a2", approved, NOW).await);
        assert_eq!(approvals::get(store, "p9", NOW).await.unwrap(), None);
    });
}

#[test]
fn so_many_are_open_at_once_and_no_more() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        admins::create(&mut tx, &new_admin(1)).await.unwrap();
        tx.commit().await.unwrap();
        for number in 1..=3 {
            assert!(ask(store, &new(number, "a1")).await);
        }
        assert!(!ask(store, &new(4, "a1")).await);
        assert!(ask(store, &new(5, "a2")).await, "another has none open");
        assert!(vote(store, "p1", "a2", ApprovalStatus::Rejected, NOW).await);
        assert!(ask(store, &new(4, "a1")).await);
        assert!(vote(store, "p2", "a2", ApprovalStatus::Approved, NOW).await);
        assert!(!ask(store, &new(6, "a1")).await, "approved ones are open until carried out");
        let late = NewApproval { created_at: END, expires_at: TimeMs(3_000), ..new(6, "a1") };
        assert!(ask(store, &late).await, "those whose time is over are not open");
    });
}

#[test]
fn lists_are_filtered_and_paged() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        for (number, requester) in [(1, "a1"), (2, "a2"), (3, "a1")] {
            assert!(ask(store, &new(number, requester)).await);
        }
        assert!(vote(store, "p1", "a2", ApprovalStatus::Approved, NOW).await);
        let list = |which: ListApprovals<'static>, now| async move {
            let (rows, total) = approvals::list(store, which, now).await.unwrap();
            let ids = rows.into_iter().map(|row| row.asked.approval_id);
            (ids.collect::<Vec<_>>().join(" "), total)
        };
        let any = ListApprovals { limit: 10, ..ListApprovals::default() };
        assert_eq!(list(any, NOW).await, ("p3 p2 p1".to_owned(), 3));
        let second = ListApprovals { offset: 1, limit: 1, ..any };
        assert_eq!(list(second, NOW).await, ("p2".to_owned(), 3));
        let mine = ListApprovals { requester: Some("a1"), kind: Some("USER_CLOSE"), ..any };
        assert_eq!(list(mine, NOW).await, ("p3 p1".to_owned(), 2));
        assert_eq!(list(ListApprovals { kind: Some("OTHER"), ..any }, NOW).await.1, 0);
        let of = |status| ListApprovals { status: Some(status), ..any };
        assert_eq!(list(of(ApprovalStatus::Pending), NOW).await.0, "p3 p2");
        assert_eq!(list(of(ApprovalStatus::Approved), NOW).await.0, "p1");
        assert_eq!(list(of(ApprovalStatus::Expired), NOW).await.1, 0);
        assert_eq!(list(of(ApprovalStatus::Expired), END).await.1, 3);
    });
}
