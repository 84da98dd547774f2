//! Turns many look-ups that come at once into one query.
//!
//! While a query runs, new look-ups gather; the next query answers all of them. An idle process
//! asks at once, a busy one asks for hundreds of keys at the price of one round trip. Every answer
//! is read after its question came, so it is as fresh as a query of its own would be.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gx_store::{Engine, Store};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

/// Keys of one query at most.
const KEYS_MAX: usize = 1024;

/// How many queries of a kind run side by side. A server's round trips overlap; SQLite's work is
/// done on this machine's cores, which fewer and larger queries spare.
pub(crate) fn queries(store: &Store) -> usize {
    match store.engine() {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    }
}

type Answer<V, E> = Result<Option<V>, Arc<E>>;
type LookUp<K, V, E> = (K, oneshot::Sender<Answer<V, E>>);

struct Shared<K, V, E> {
    pending: Mutex<Vec<LookUp<K, V, E>>>,
    wake: Notify,
}

/// Look-ups of one kind. Dropping it ends its queries.
pub(crate) struct DataLoader<K, V, E> {
    shared: Arc<Shared<K, V, E>>,
    /// Held so that the tasks end with the loader.
    _tasks: JoinSet<()>,
}

impl<K, V, E> fmt::Debug for DataLoader<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataLoader")
    }
}

/// The process is ending and answers no look-up any more.
#[derive(Debug, thiserror::Error)]
#[error("look-ups have ended")]
pub(crate) struct Ended;

impl<K, V, E> DataLoader<K, V, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
    E: Send + Sync + 'static,
{
    /// `load` finds what it can of the keys it is given, each once. `queries` run side by side.
    pub(crate) fn new<F, Fut>(queries: usize, load: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, V>, E>> + Send,
    {
        let shared = Arc::new(Shared { pending: Mutex::default(), wake: Notify::new() });
        let mut tasks = JoinSet::new();
        for _ in 0..queries {
            let (shared, load) = (Arc::clone(&shared), load.clone());
            tasks.spawn(async move {
                loop {
                    let taken = shared.take();
                    if taken.is_empty() {
                        shared.wake.notified().await;
                        // Requests that are ready to run may ask as well: one query for all.
                        tokio::task::yield_now().await;
                    } else {
                        answer(taken, &load).await;
                    }
                }
            });
        }
        Self { shared, _tasks: tasks }
    }

    /// Looks one key up.
    pub(crate) async fn get(&self, key: K) -> Result<Answer<V, E>, Ended> {
        let (sender, receiver) = oneshot::channel();
        self.shared.lock().push((key, sender));
        self.shared.wake.notify_one();
        receiver.await.map_err(|_| Ended)
    }
}

impl<K, V, E> Shared<K, V, E> {
    fn lock(&self) -> MutexGuard<'_, Vec<LookUp<K, V, E>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<LookUp<K, V, E>> {
        let mut pending = self.lock();
        if pending.len() <= KEYS_MAX {
            return std::mem::take(&mut pending);
        }
        // What stays behind needs somebody to come for it.
        self.wake.notify_one();
        pending.drain(..KEYS_MAX).collect()
    }
}

async fn answer<K, V, E, F, Fut>(asked: Vec<LookUp<K, V, E>>, load: &F)
where
    K: Clone + Eq + Hash,
    V: Clone,
    F: Fn(Vec<K>) -> Fut,
    Fut: Future<Output = Result<HashMap<K, V>, E>>,
{
    let keys: HashSet<K> = asked.iter().map(|(key, _)| key.clone()).collect();
    let found = load(keys.into_iter().collect()).await.map_err(Arc::new);
    for (key, sender) in asked {
        let answer = match &found {
            Ok(found) => Ok(found.get(&key).cloned()),
            Err(error) => Err(Arc::clone(error)),
        };
        // Who asked may have given up meanwhile.
        let _ = sender.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn look_ups_that_come_during_a_query_share_the_next_one() {
        let (queries, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (count, hold) = (Arc::clone(&queries), Arc::clone(&gate));
        let loader = Arc::new(DataLoader::new(1, move |keys: Vec<u32>| {
            let (count, hold) = (Arc::clone(&count), Arc::clone(&hold));
            async move {
                count.fetch_add(1, Ordering::Relaxed);
                hold.acquire().await.map_err(drop)?.forget();
                Ok::<_, ()>(keys.into_iter().filter(|key| *key < 100).map(|k| (k, k * 2)).collect())
            }
        }));
        let ask = |key: u32| {
            let loader = Arc::clone(&loader);
            tokio::spawn(async move { loader.get(key).await.unwrap().unwrap() })
        };
        let first = ask(1);
        while queries.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let later: Vec<_> = [2, 3, 3, 200].into_iter().map(ask).collect();
        while loader.shared.pending.lock().unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        assert_eq!(first.await.unwrap(), Some(2));
        let mut answers = Vec::new();
        for answer in later {
            answers.push(answer.await.unwrap());
        }
        assert_eq!(answers, [Some(4), Some(6), Some(6), None]);
        assert_eq!(queries.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn an_error_reaches_everybody_who_asked() {
        let loader =
            DataLoader::new(1, |_: Vec<u32>| async { Err::<HashMap<u32, u32>, _>("gone") });
        assert_eq!(*loader.get(1).await.unwrap().unwrap_err(), "gone");
        assert_eq!(*loader.get(1).await.unwrap().unwrap_err(), "gone");
    }
}
