//! Leaders that die or sleep, a ledger or a database that goes away: nothing is lost or doubled.

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gx_store::commands::State;
use gx_store::{Engine, Store, lease};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::rig::{DEADLINE, Rig, until};
use crate::{Accepted, LEASE_TTL, Random, holder_name};

async fn holder(rig: &Rig, name: &str) -> Option<String> {
    let held = lease::holder(&rig.store, name).await.unwrap();
    held.filter(|held| !held.expired).map(|held| held.holder)
}

/// Two of each worker; the leaders are killed while commands come in.
async fn a_killed_leader_is_replaced(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (submitter, projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(4).await;
    let _stand_by = (rig.start_submitter(), rig.start_projector());
    let before = (holder(&rig, lease::SUBMITTER).await, holder(&rig, lease::PROJECTOR).await);
    let mut accepted: Vec<Accepted> = Vec::new();
    for n in 0..200_usize {
        if n == 100 {
            submitter.abort();
            projector.abort();
        }
        let (from, to) = (users[n % 4], users[(n + 1) % 4]);
        accepted.push(rig.pay(from, to, 1_000 + n as u64, &format!("payment-{n}")).await.unwrap());
    }
    let killed = Instant::now();
    for one in accepted {
        assert!(matches!(rig.outcome(one).await, State::Committed { .. }));
    }
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(5), "replaced after {took:?}");
    let after = (holder(&rig, lease::SUBMITTER).await, holder(&rig, lease::PROJECTOR).await);
    assert!(before.0 != after.0 && before.1 != after.1, "{before:?} {after:?}");
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_replaced_on_sqlite() {
    a_killed_leader_is_replaced(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_replaced_on_postgres() {
    a_killed_leader_is_replaced(Engine::Postgres).await;
}

/// A worker on a thread of its own, which can be stopped dead and let go on, as a process can.
struct Sleeper {
    commands: UnboundedSender<mpsc::Receiver<()>>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Sleeper {
    fn start<F: Future<Output = ()> + Send + 'static>(
        work: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let ended = stop.clone();
        let (commands, mut pauses) = unbounded_channel::<mpsc::Receiver<()>>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let mut work = Box::pin(work(ended));
                loop {
                    tokio::select! {
                        () = &mut work => return,
                        // Blocking here blocks everything of this runtime, timers included.
                        Some(pause) = pauses.recv() => drop(pause.recv()),
                    }
                }
            });
        });
        Self { commands, stop, thread: Some(thread) }
    }

    /// The worker sleeps until the sender is dropped.
    fn pause(&self) -> mpsc::Sender<()> {
        let (wake, pause) = mpsc::channel();
        self.commands.send(pause).unwrap();
        wake
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// On PostgreSQL alone: SQLite serves one process, which sleeps as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_slept_writes_nothing() {
    let rig = Rig::new(Engine::Postgres).await;
    let connect = || async { Store::connect(&rig.config).await.unwrap() };
    let submitter = rig.submitter_on(connect().await);
    let projector = rig.projector_on(connect().await);
    let sleepers = [
        Sleeper::start(move |stop| submitter.run(holder_name(&Random::system()), stop)),
        Sleeper::start(move |stop| projector.run(holder_name(&Random::system()), stop)),
    ];
    let users = rig.populate(2).await;
    let asleep: Vec<_> = sleepers.iter().map(Sleeper::pause).collect();
    let pairs = [lease::SUBMITTER, lease::PROJECTOR];
    let mut epochs = Vec::new();
    for name in pairs {
        epochs.push(lease::holder(&rig.store, name).await.unwrap().unwrap().epoch);
    }
    let _others = (rig.start_submitter(), rig.start_projector());
    let mut accepted = Vec::new();
    for n in 0..50 {
        accepted.push(rig.pay(users[0], users[1], 1_000, &format!("payment-{n}")).await.unwrap());
    }
    for one in accepted {
        assert!(matches!(rig.outcome(one).await, State::Committed { .. }));
    }
    let (tip, blocks) = (rig.ledger.tip(), gx_store::projection::position(&rig.store));
    let checkpoint = blocks.await.unwrap().checkpoint;
    drop(asleep);
    // Awake again, the old leaders renew their leases, fail, and stand by: long enough for two
    // rounds of anything they do.
    let awake = Instant::now();
    until("the old leaders' second look", || async { awake.elapsed() > LEASE_TTL }).await;
    assert_eq!(rig.ledger.tip(), tip);
    let position = gx_store::projection::position(&rig.store).await.unwrap();
    assert_eq!(position.checkpoint, checkpoint);
    for (name, epoch) in pairs.into_iter().zip(epochs) {
        let held = lease::holder(&rig.store, name).await.unwrap().unwrap();
        assert!(held.epoch > epoch, "{name} was taken over");
    }
    rig.verify().await;
}

/// Thousands of commands come in while the ledger gives no answer.
async fn what_was_accepted_outlives_an_absent_ledger(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(2).await;
    rig.cut.store(true, Ordering::SeqCst);
    let mut accepted = Vec::new();
    for n in 0..3_000 {
        accepted.push(rig.pay(users[0], users[1], 1_000, &format!("payment-{n}")).await.unwrap());
    }
    let still = rig.waiters.status(accepted[0].command_id).await.unwrap().unwrap();
    assert!(!still.state.is_final(), "{still:?}");
    rig.cut.store(false, Ordering::SeqCst);
    for one in accepted {
        assert!(matches!(rig.outcome(one).await, State::Committed { .. }));
    }
    assert_eq!(gx_store::commands::dead_count(&rig.store).await.unwrap(), 0);
    let (balance, _) =
        gx_store::tokenomics::accounts::balances(&rig.store, &users[1..]).await.unwrap();
    assert_eq!(balance[0].as_ref().unwrap().balance.qirat(), 500_000_000 + 3_000 * 1_000);
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_outlives_an_absent_ledger_on_sqlite() {
    what_was_accepted_outlives_an_absent_ledger(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_outlives_an_absent_ledger_on_postgres() {
    what_was_accepted_outlives_an_absent_ledger(Engine::Postgres).await;
}

/// The database server is killed with payments on their way and comes back. What was accepted
/// settles; what was turned away meanwhile is sent again under its key and happens once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_outlives_an_absent_database() {
    let mut cluster = gx_pg::Cluster::start(gx_pg::Options::default()).unwrap();
    let database = cluster.fresh_database().unwrap();
    let config = database.url().parse().unwrap();
    let rig = Rig::on(config, TempDir::new().unwrap(), Some(database)).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(2).await;
    let mut accepted = Vec::new();
    for n in 0..500 {
        accepted.push(rig.pay(users[0], users[1], 1_000, &format!("payment-{n}")).await.unwrap());
    }
    cluster.kill().unwrap();
    let send = |keys: Vec<String>| rig.pay_all(users[0], users[1], 1_000, keys);
    let (came, mut failed) = send((500..2_000).map(|n| format!("payment-{n}")).collect()).await;
    assert_eq!((came.len(), failed.len()), (0, 1_500), "nobody is told a lie");
    cluster.restart().unwrap();
    let back = Instant::now();
    while !failed.is_empty() {
        assert!(back.elapsed() < DEADLINE, "{} are still turned away", failed.len());
        let (came, rest) = send(failed).await;
        accepted.extend(came);
        failed = rest;
    }
    for one in accepted {
        assert!(matches!(rig.outcome(one).await, State::Committed { .. }));
    }
    let (balance, _) =
        gx_store::tokenomics::accounts::balances(&rig.store, &users[1..]).await.unwrap();
    assert_eq!(balance[0].as_ref().unwrap().balance.qirat(), 500_000_000 + 2_000 * 1_000);
    rig.verify().await;
}
