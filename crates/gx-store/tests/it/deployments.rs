//! Promotions stand where they were put, one of a service at a time, and lose no line of their log.

use gx_store::deployments::{
    self, Advance, DeploymentStatus, Level, ListDeployments, NewDeployment, Previous, Step,
};
use gx_store::lease::{self, PROMOTER};
use gx_store::{Class, Store};
use gx_types::{NetworkId, TimeMs};

use crate::backend::{TTL, for_each_backend};

const NOW: TimeMs = TimeMs(1_000);
const END: TimeMs = TimeMs(2_000);

fn new(id: &str, service: &str, created_at: TimeMs) -> NewDeployment {
    NewDeployment {
        deployment_id: id.to_owned(),
        service: service.to_owned(),
        source: NetworkId::Devnet,
        target: NetworkId::Testnet,
        image: "gx@sha256:aa".to_owned(),
        git_commit: Some("0123".to_owned()),
        reason: "The yearly rates".to_owned(),
        requester: "a1".to_owned(),
        gates: "[]".to_owned(),
        created_at,
        expires_at: TimeMs(created_at.0 + 1_000),
    }
}

async fn ask(store: &Store, new: &NewDeployment) -> Result<(), gx_store::Error> {
    let mut tx = store.begin().await.unwrap();
    deployments::create(&mut tx, new).await?;
    tx.commit().await
}

async fn approved(store: &Store, id: &str, by: &str, now: TimeMs) -> bool {
    let mut tx = store.begin().await.unwrap();
    let done = deployments::approve(&mut tx, id, by, now).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn executed(store: &Store, id: &str, now: TimeMs) -> bool {
    let mut tx = store.begin().await.unwrap();
    let done = deployments::execute(&mut tx, id, "a2", now).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn taken_back(store: &Store, id: &str) -> bool {
    let mut tx = store.begin().await.unwrap();
    let done = deployments::take_back(&mut tx, id, ("a2", "Slow"), NOW).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn status(store: &Store, id: &str, now: TimeMs) -> DeploymentStatus {
    deployments::get(store, id, now).await.unwrap().unwrap().status
}

#[test]
fn one_of_a_service_is_open_and_another_decides_in_time() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        ask(store, &new("d1", "svc-tax", NOW)).await.unwrap();
        let error = ask(store, &new("d2", "svc-tax", NOW)).await.unwrap_err();
        assert_eq!(error.class(), Class::Unique);
        ask(store, &new("d3", "svc-admin", NOW)).await.unwrap();
        assert!(!approved(store, "d1", "a1", NOW).await, "one's own");
        assert!(!executed(store, "d1", NOW).await, "nobody has approved it");
        assert!(!approved(store, "d1", "a2", END).await, "too late");
        assert_eq!(status(store, "d1", END).await, DeploymentStatus::Expired);
        assert!(approved(store, "d1", "a2", NOW).await);
        assert!(!executed(store, "d1", END).await, "too late");
        // What has expired is in nobody's way.
        ask(store, &new("d4", "svc-tax", END)).await.unwrap();
        let first = deployments::get(store, "d1", END).await.unwrap().unwrap();
        assert_eq!((first.status, first.finished_at), (DeploymentStatus::Expired, Some(END)));
        let mut tx = store.begin().await.unwrap();
        assert!(deployments::cancel(&mut tx, "d4", END).await.unwrap());
        assert!(!deployments::cancel(&mut tx, "d4", END).await.unwrap());
        tx.commit().await.unwrap();
        let which = ListDeployments {
            service: Some("svc-tax"),
            target: Some(NetworkId::Testnet),
            limit: 1,
            ..ListDeployments::default()
        };
        let (rows, total) = deployments::list(store, which, END).await.unwrap();
        assert_eq!((rows[0].asked.deployment_id.as_str(), total), ("d4", 2));
        let which = ListDeployments {
            status: Some(DeploymentStatus::Cancelled),
            limit: 10,
            ..ListDeployments::default()
        };
        assert_eq!(deployments::list(store, which, END).await.unwrap().1, 1);
        assert_eq!(deployments::get(store, "none", NOW).await.unwrap(), None);
    });
}

#[test]
fn steps_follow_one_another_and_are_told_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        ask(store, &new("d1", "svc-tax", NOW)).await.unwrap();
        assert!(approved(store, "d1", "a2", NOW).await && executed(store, "d1", NOW).await);
        assert!(!executed(store, "d1", NOW).await, "once");
        assert!(!taken_back(store, "d1").await, "nothing has been changed");
        let held = lease::acquire(store, PROMOTER, "one", TTL).await.unwrap().unwrap();
        let running = deployments::running(store, 10).await.unwrap();
        assert_eq!(running[0].step, Some((Step::Gates, NOW)));
        deployments::gates(store, &held, "d1", r#"[{"gate":"x"}]"#).await.unwrap();
        let previous = Previous { image: "gx@sha256:bb".to_owned(), min_ready_seconds: 7 };
        let next = Advance {
            from: Step::Gates,
            status: DeploymentStatus::InProgress,
            to: Some(Step::Canary),
            previous: Some(&previous),
            failure: None,
            message: "passed",
        };
        assert!(deployments::advance(store, &held, "d1", &next, NOW).await.unwrap());
        assert!(
            !deployments::advance(store, &held, "d1", &next, NOW).await.unwrap(),
            "is elsewhere"
        );
        let place = ("d1", Step::Canary);
        for message in ["away", "away", "back"] {
            let line = (Level::Warning, message);
            deployments::note(store, &held, place, line, NOW).await.unwrap();
        }
        let failed = Advance {
            from: Step::Canary,
            status: DeploymentStatus::Failed,
            to: Some(Step::Restore),
            previous: None,
            failure: Some("ill"),
            message: "ill",
        };
        assert!(deployments::advance(store, &held, "d1", &failed, NOW).await.unwrap());
        assert!(!taken_back(store, "d1").await, "it is taken back already");
        let over = Advance {
            from: Step::Restore,
            status: DeploymentStatus::RolledBack,
            to: None,
            previous: None,
            failure: None,
            message: "restored",
        };
        assert!(deployments::advance(store, &held, "d1", &over, END).await.unwrap());
        let row = deployments::get(store, "d1", END).await.unwrap().unwrap();
        assert_eq!((row.status, row.step), (DeploymentStatus::RolledBack, None));
        assert_eq!((row.previous, row.finished_at), (Some(previous), Some(END)));
        assert_eq!(row.failure.as_deref(), Some("ill"));
        assert_eq!(row.asked.gates, r#"[{"gate":"x"}]"#);
        assert!(deployments::running(store, 10).await.unwrap().is_empty());
        let lines = deployments::logs(store, "d1", 0, 10).await.unwrap();
        let told: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(told, ["passed", "away", "back", "ill", "restored"]);
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(lines[3].level, Level::Error);
        assert_eq!(deployments::logs(store, "d1", 3, 1).await.unwrap()[0].number, 4);
    });
}

#[test]
fn only_who_leads_notes_and_a_complete_one_is_taken_back() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let old = lease::acquire(store, PROMOTER, "one", TTL).await.unwrap().unwrap();
        lease::release(store, &old).await.unwrap();
        let held = lease::acquire(store, PROMOTER, "two", TTL).await.unwrap().unwrap();
        ask(store, &new("d1", "svc-tax", NOW)).await.unwrap();
        assert!(approved(store, "d1", "a2", NOW).await && executed(store, "d1", NOW).await);
        let previous = Previous { image: "gx@sha256:bb".to_owned(), min_ready_seconds: 0 };
        let done = Advance {
            from: Step::Gates,
            status: DeploymentStatus::Completed,
            to: None,
            previous: Some(&previous),
            failure: None,
            message: "done",
        };
        let error = deployments::advance(store, &old, "d1", &done, NOW).await.unwrap_err();
        assert_eq!(error.class(), Class::LeaseLost);
        assert!(deployments::advance(store, &held, "d1", &done, NOW).await.unwrap());
        let last = deployments::last_begun(store, NetworkId::Testnet, "svc-tax").await.unwrap();
        assert_eq!(last.as_deref(), Some("d1"));
        // While another is open, the one before it stays as it is.
        ask(store, &new("d2", "svc-tax", NOW)).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let taken = deployments::take_back(&mut tx, "d1", ("a2", "Slow"), NOW).await;
        assert_eq!(taken.unwrap_err().class(), Class::Unique);
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert!(deployments::cancel(&mut tx, "d2", NOW).await.unwrap());
        deployments::log(&mut tx, "d2", (Level::Info, deployments::REQUEST), "off", NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(taken_back(store, "d1").await);
        let row = deployments::get(store, "d1", NOW).await.unwrap().unwrap();
        assert_eq!(row.step, Some((Step::Restore, NOW)));
        assert_eq!(row.taken_back, Some(("a2".to_owned(), "Slow".to_owned())));
    });
}
