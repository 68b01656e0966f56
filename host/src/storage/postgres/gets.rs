//! Reading by key: what an organization gets while its earlier gets are on their way is got together.
//!
//! A call costs the database, and this host, many times what one more key costs. So while [`AT_ONCE`] calls of an organization
//! are on their way, those who come meanwhile gather here. When a call ends, whoever came first sends one call for all of them,
//! with each key once: requests of one organization ask for much of the same. Each gets what was there at a moment after it
//! had asked, as if it had called alone.
//!
//! Nobody waits long for another's call: after [`LONGEST`] everybody calls alone.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::capability::storage::{Item, Key, OrganizationId, StorageError};
use crate::storage::bounds;

/// Calls of an organization on their way, from which on others wait: while the database has one, this host can read the
/// answer of the other.
const AT_ONCE: usize = 2;
/// Keys in one call for several, each counted as often as it is asked for. Who asks for more calls alone. The values of so many
/// are never more than a call may get, so the database need not weigh them first.
const KEYS: usize = bounds::MAX_GET_BYTES / bounds::MAX_VALUE;
/// How long somebody waits for calls of others: many times what a call takes.
const LONGEST: Duration = Duration::from_millis(50);

/// What is at each of the keys.
type Items = Result<Vec<Option<Item>>, StorageError>;

/// The gets of this host.
#[derive(Clone, Default)]
pub(super) struct Gets(Arc<Mutex<HashMap<OrganizationId, Lane>>>);

/// The gets of one organization, while at least one is on its way.
#[derive(Default)]
struct Lane {
    under_way: usize,
    waiting: VecDeque<Waiting>,
}

/// Somebody who waits.
struct Waiting {
    keys: Vec<Key>,
    told: oneshot::Sender<Told>,
}

/// What somebody who waits is told.
enum Told {
    /// To call for itself and for these others, who wait as well.
    Call(Turn, Vec<Waiting>),
    /// What another has got for it.
    Answer(Items),
}

/// A call on its way. When it has ended, however it did, whoever waits is sent on.
struct Turn {
    gets: Gets,
    of: OrganizationId,
}

impl Gets {
    /// The items at the keys, by way of `call`, which gets what is at keys.
    pub(super) async fn get<F, C>(&self, of: &OrganizationId, keys: Vec<Key>, call: F) -> Items
    where
        F: Fn(Vec<Key>) -> C,
        C: Future<Output = Items>,
    {
        if keys.len() > KEYS {
            return call(keys).await;
        }
        let (turn, others) = match self.begin(of, &keys) {
            Ok(turn) => (turn, Vec::new()),
            Err(told) => match timeout(LONGEST, told).await {
                Ok(Ok(Told::Answer(items))) => return items,
                Ok(Ok(Told::Call(turn, others))) => (turn, others),
                // Whoever was to call has gone away, or takes too long.
                Ok(Err(_)) | Err(_) => return call(keys).await,
            },
        };
        let items = call_for_all(keys, others, call).await;
        drop(turn);
        items
    }

    /// A turn, or what to wait for.
    fn begin(&self, of: &OrganizationId, keys: &[Key]) -> Result<Turn, oneshot::Receiver<Told>> {
        let mut lanes = self.lock();
        let lane = lanes.entry(of.clone()).or_default();
        if lane.under_way < AT_ONCE {
            lane.under_way += 1;
            return Ok(Turn { gets: self.clone(), of: of.clone() });
        }
        // Calls that do not end leave those behind who have waited long enough for them.
        while lane.waiting.pop_front_if(|waiting| waiting.told.is_closed()).is_some() {}
        let (told, receiver) = oneshot::channel();
        lane.waiting.push_back(Waiting { keys: keys.to_vec(), told });
        Err(receiver)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    /// Those who come first, as many as go into one call.
    fn take(&mut self) -> Vec<Waiting> {
        let (mut taken, mut keys) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            // Who waits no longer has called alone, or has gone away.
            let counted = if next.told.is_closed() { 0 } else { next.keys.len() };
            if keys + counted > KEYS {
                break;
            }
            keys += counted;
            taken.extend(self.waiting.pop_front().filter(|waiting| !waiting.told.is_closed()));
        }
        taken
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lanes = self.gets.lock();
        let Some(lane) = lanes.get_mut(&self.of) else { return };
        let mut others = lane.take().into_iter();
        let Some(first) = others.next() else {
            lane.under_way -= 1;
            if lane.under_way == 0 {
                lanes.remove(&self.of);
            }
            return;
        };
        drop(lanes);
        let next = Self { gets: self.gets.clone(), of: self.of.clone() };
        // If the first has gone away at this moment, its turn is dropped with what it is told, and the others call alone.
        drop(first.told.send(Told::Call(next, others.collect())));
    }
}

/// Gets what is at the keys, and what the others ask for, and tells them.
async fn call_for_all<C: Future<Output = Items>>(
    keys: Vec<Key>,
    others: Vec<Waiting>,
    call: impl Fn(Vec<Key>) -> C,
) -> Items {
    if others.is_empty() {
        return call(keys).await;
    }
    let mut places = HashMap::new();
    for key in keys.iter().chain(others.iter().flat_map(|other| &other.keys)) {
        let next = places.len();
        places.entry(key.clone()).or_insert(next);
    }
    let mut all = vec![Key::new(); places.len()];
    for (key, place) in &places {
        if let Some(slot) = all.get_mut(*place) {
            slot.clone_from(key);
        }
    }
    let found = call(all).await;
    let of = |keys: &[Key]| -> Items {
        let found = found.as_ref().map_err(StorageError::clone)?;
        Ok(keys.iter().map(|key| places.get(key).and_then(|place| found.get(*place)).cloned().flatten()).collect())
    };
    for Waiting { keys, told } in others {
        // Who has gone away needs no answer.
        drop(told.send(Told::Answer(of(&keys))));
    }
    of(&keys)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use super::*;

    /// A database whose calls end when it is let, and which notes their keys.
    struct Database {
        gets: Gets,
        calls: Mutex<Vec<Vec<Key>>>,
        ends: Semaphore,
    }

    impl Database {
        fn new() -> Arc<Self> {
            Arc::new(Self { gets: Gets::default(), calls: Mutex::default(), ends: Semaphore::new(0) })
        }

        async fn call(&self, keys: Vec<Key>) -> Items {
            let items = keys.iter().map(|key| Some(Item { value: key.clone(), version: 1 })).collect();
            self.calls.lock().unwrap().push(keys);
            self.ends.acquire().await.unwrap().forget();
            Ok(items)
        }

        async fn get(&self, keys: &[&str]) -> Vec<String> {
            let acme = OrganizationId::parse("acme").unwrap();
            let keys = keys.iter().map(|key| Key::from(*key)).collect();
            let items = self.gets.get(&acme, keys, |keys| self.call(keys)).await.unwrap();
            items.into_iter().map(|item| String::from_utf8(item.unwrap().value).unwrap()).collect()
        }

        fn called(&self) -> usize {
            self.calls.lock().unwrap().len()
        }

        async fn is_called(&self, times: usize) {
            let called = async {
                while self.called() < times {
                    sleep(Duration::from_millis(1)).await;
                }
            };
            timeout(Duration::from_secs(20), called).await.expect("the database is called");
        }

        fn waiting(&self) -> usize {
            self.gets.lock().values().map(|lane| lane.waiting.len()).sum()
        }
    }

    /// Begins a get, and comes back when it has called or waits.
    async fn begin(database: &Arc<Database>, keys: &'static [&'static str]) -> JoinHandle<Vec<String>> {
        let of = Arc::clone(database);
        let begun = tokio::spawn(async move { of.get(keys).await });
        // The runtime has one thread: whoever was spawned runs now.
        tokio::task::yield_now().await;
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn gets_that_come_while_others_are_on_their_way_are_one_call_with_each_key_once() {
        let database = Database::new();
        let first = [begin(&database, &["a"]).await, begin(&database, &["a", "b"]).await];
        let later = [begin(&database, &["a", "c"]).await, begin(&database, &["c", "a", "d"]).await];
        assert_eq!((database.called(), database.waiting()), (2, 2));
        database.ends.add_permits(1);
        database.is_called(3).await;
        assert_eq!(database.calls.lock().unwrap()[2], ["a", "c", "d"].map(Key::from));
        database.ends.add_permits(2);
        let [one, two] = later;
        assert_eq!(one.await.unwrap(), ["a", "c"]);
        assert_eq!(two.await.unwrap(), ["c", "a", "d"]);
        for get in first {
            get.await.unwrap();
        }
        assert!(database.gets.lock().is_empty(), "nothing is left behind");
        assert_eq!(database.called(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_calls_that_do_not_end() {
        let database = Database::new();
        let stuck = [begin(&database, &["a"]).await, begin(&database, &["b"]).await];
        let third = begin(&database, &["c"]).await;
        database.is_called(3).await;
        let fourth = begin(&database, &["d"]).await;
        assert_eq!(database.waiting(), 1, "who waited before has been forgotten");
        database.is_called(4).await;
        database.ends.add_permits(4);
        assert_eq!((third.await.unwrap(), fourth.await.unwrap()), (vec!["c".to_owned()], vec!["d".to_owned()]));
        for get in stuck {
            get.await.unwrap();
        }
        assert!(database.gets.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_get_that_is_given_up_leaves_the_others_theirs() {
        let database = Database::new();
        let first = [begin(&database, &["a"]).await, begin(&database, &["b"]).await];
        let calls = begin(&database, &["c"]).await;
        let waits = begin(&database, &["d"]).await;
        database.ends.add_permits(1);
        // The third has begun to call for itself and for the fourth.
        database.is_called(3).await;
        calls.abort();
        database.is_called(4).await;
        database.ends.add_permits(3);
        assert_eq!(waits.await.unwrap(), ["d"]);
        for get in first {
            get.await.unwrap();
        }
        assert!(database.gets.lock().is_empty());
    }

    #[tokio::test]
    async fn what_fails_for_all_fails_for_each() {
        let (gets, calls) = (Gets::default(), AtomicUsize::new(0));
        let acme = OrganizationId::parse("acme").unwrap();
        let get = || {
            gets.get(&acme, vec![Key::from("a")], |_| async {
                calls.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err(StorageError::Unavailable("away".into()))
            })
        };
        let (one, two, three, four) = tokio::join!(get(), get(), get(), get());
        for result in [one, two, three, four] {
            assert!(matches!(result, Err(StorageError::Unavailable(_))), "{result:?}");
        }
        assert_eq!(calls.load(Ordering::Relaxed), 3, "the last two are one call");
    }
}
