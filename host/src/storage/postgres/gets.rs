//! Reads by key. Reads of one organization that come at the same time are sent to the database together.
//!
//! A call costs the database and this host many times as much as one more key in a call. So while [`AT_ONCE`] calls of
//! an organization are running, further gets of the organization wait. When a call ends, one call is sent for all that
//! wait, with each key once: requests of one organization often read the same keys. Each get sees the data of a moment
//! after it began, as if it had called alone.
//!
//! A call is a task of its own, so it does not end with a request. A request may be cancelled, or may wait for its turn
//! to compute before it reads an answer.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::capability::storage::{Item, Key, OrganizationId, StorageError};
use crate::storage::bounds;

/// How many calls of an organization may run before further gets wait.
const AT_ONCE: usize = 2;
/// The largest number of keys in one call for several gets, each key counted as often as it is asked for. The values of so
/// many keys never exceed the limit of a call, so the database need not add up their sizes first.
const KEYS: usize = bounds::MAX_GET_BYTES / bounds::MAX_VALUE;
/// A get of more keys than this is sent alone: only few such gets would fit into one call.
const FEW: usize = KEYS / 4;
/// How long a get waits for running calls. After that a call is sent for all that wait, so that a slow call or a broken
/// connection delays nobody for long.
const LONGEST: Duration = Duration::from_millis(20);

/// The items at the keys of a get.
type Items = Result<Vec<Option<Item>>, StorageError>;
/// A call of the database: it takes an organization and keys, and returns the items.
type Call = dyn Fn(OrganizationId, Vec<Key>) -> Pin<Box<dyn Future<Output = Items> + Send>> + Send + Sync;

/// The gets of this host. Clones share one state.
#[derive(Clone)]
pub(super) struct Gets(Arc<Shared>);

struct Shared {
    call: Box<Call>,
    lanes: Mutex<HashMap<OrganizationId, Lane>>,
}

/// The gets of one organization, while a call is running or a get waits.
#[derive(Default)]
struct Lane {
    under_way: usize,
    waiting: VecDeque<Waiting>,
}

/// A waiting get.
struct Waiting {
    keys: Vec<Key>,
    told: oneshot::Sender<Items>,
}

/// A running call. However it ends, the next call is sent if gets wait.
struct UnderWay {
    gets: Gets,
    of: OrganizationId,
}

impl Gets {
    /// Gets that use this function to call the database.
    pub(super) fn new<C>(call: impl Fn(OrganizationId, Vec<Key>) -> C + Send + Sync + 'static) -> Self
    where
        C: Future<Output = Items> + Send + 'static,
    {
        let call: Box<Call> = Box::new(move |of, keys| Box::pin(call(of, keys)));
        Self(Arc::new(Shared { call, lanes: Mutex::default() }))
    }

    /// The items at the keys, in the order of the keys.
    pub(super) async fn get(&self, of: &OrganizationId, keys: Vec<Key>) -> Items {
        if keys.len() > FEW {
            return (self.0.call)(of.clone(), keys).await;
        }
        let mut answer = self.queue(of, keys.clone());
        let told = loop {
            match timeout(LONGEST, &mut answer).await {
                Ok(told) => break told,
                // If this get was sent already, this sends the others that wait, if any.
                Err(_) => self.send(of),
            }
        };
        match told {
            Ok(items) => items,
            // The call for several gets has failed, perhaps because of another get.
            Err(_) => (self.0.call)(of.clone(), keys).await,
        }
    }

    /// Appends a get to those that wait, and sends it at once if it need not wait.
    fn queue(&self, of: &OrganizationId, keys: Vec<Key>) -> oneshot::Receiver<Items> {
        let (told, answer) = oneshot::channel();
        let is_free = {
            let mut lanes = self.lock();
            let lane = lanes.entry(of.clone()).or_default();
            lane.waiting.push_back(Waiting { keys, told });
            lane.under_way < AT_ONCE
        };
        if is_free {
            self.send(of);
        }
        answer
    }

    /// Sends one call for the waiting gets, as many as fit into one call.
    fn send(&self, of: &OrganizationId) {
        let Ok(runtime) = Handle::try_current() else {
            // The runtime has ended, and all requests with it.
            self.lock().remove(of);
            return;
        };
        let taken = {
            let mut lanes = self.lock();
            let Some(lane) = lanes.get_mut(of) else { return };
            let taken = lane.take();
            if taken.is_empty() {
                if lane.under_way == 0 {
                    lanes.remove(of);
                }
                return;
            }
            lane.under_way += 1;
            taken
        };
        let under_way = UnderWay { gets: self.clone(), of: of.clone() };
        runtime.spawn(async move {
            under_way.gets.call_for(&under_way.of, taken).await;
            drop(under_way);
        });
    }

    /// Makes one call for these gets, and gives each its items. If the call fails although the database can be reached,
    /// the gets get no answer, and each calls alone.
    async fn call_for(&self, of: &OrganizationId, taken: Vec<Waiting>) {
        let (keys, mut told): (Vec<_>, Vec<_>) = taken.into_iter().map(|Waiting { keys, told }| (keys, told)).unzip();
        let mut places = HashMap::new();
        let mut all = Vec::new();
        for key in keys.iter().flatten() {
            places.entry(key).or_insert_with(|| {
                all.push(key.clone());
                all.len() - 1
            });
        }
        let call = (self.0.call)(of.clone(), all);
        let found = tokio::select! {
            found = call => found,
            // If all requests were cancelled, the call is cancelled too.
            () = all_gone(&mut told) => return,
        };
        let found = match found {
            Err(error) if told.len() > 1 && !matches!(error, StorageError::Unavailable(_)) => return,
            found => found,
        };
        for (keys, told) in keys.iter().zip(told) {
            let items = found.as_ref().map_err(StorageError::clone).map(|found| {
                keys.iter().map(|key| places.get(key).and_then(|place| found.get(*place)).cloned().flatten()).collect()
            });
            // A cancelled request needs no answer.
            drop(told.send(items));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, Lane>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the requests of all these gets are cancelled.
async fn all_gone(told: &mut [oneshot::Sender<Items>]) {
    for told in told {
        told.closed().await;
    }
}

impl Lane {
    /// Takes the oldest gets, as many as fit into one call. Gets of cancelled requests are dropped.
    fn take(&mut self) -> Vec<Waiting> {
        let (mut taken, mut keys) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            let is_wanted = !next.told.is_closed();
            keys += if is_wanted { next.keys.len() } else { 0 };
            if keys > KEYS {
                break;
            }
            taken.extend(self.waiting.pop_front().filter(|_| is_wanted));
        }
        taken
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(lane) = self.gets.lock().get_mut(&self.of) {
            lane.under_way = lane.under_way.saturating_sub(1);
        }
        self.gets.send(&self.of);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;
    use tokio::task::JoinHandle;

    use super::*;

    /// A database whose calls end when the test allows it, and which records their keys. It refuses the key `bad`.
    struct Database {
        calls: Mutex<Vec<Vec<Key>>>,
        ends: Semaphore,
    }

    impl Database {
        fn new() -> (Arc<Self>, Gets) {
            let database = Arc::new(Self { calls: Mutex::default(), ends: Semaphore::new(0) });
            let called = Arc::clone(&database);
            let gets = Gets::new(move |_, keys| {
                let database = Arc::clone(&called);
                async move { database.call(keys).await }
            });
            (database, gets)
        }

        async fn call(&self, keys: Vec<Key>) -> Items {
            self.calls.lock().unwrap().push(keys.clone());
            self.ends.acquire().await.unwrap().forget();
            match keys.contains(&Key::from("bad")) {
                true => Err(StorageError::Other("unreadable".into())),
                false if keys.contains(&Key::from("away")) => Err(StorageError::Unavailable("away".into())),
                false => Ok(keys.into_iter().map(|key| Some(Item { value: key, version: 1 })).collect()),
            }
        }

        fn called(&self) -> usize {
            self.calls.lock().unwrap().len()
        }
    }

    type Got = Result<Vec<String>, StorageError>;

    /// Begins a get, and returns when it has called or waits.
    async fn begin(gets: &Gets, keys: &'static [&'static str]) -> JoinHandle<Got> {
        let gets = gets.clone();
        let begun = tokio::spawn(async move {
            let acme = OrganizationId::parse("acme").unwrap();
            let items = gets.get(&acme, keys.iter().map(|key| Key::from(*key)).collect()).await?;
            Ok(items.into_iter().map(|item| String::from_utf8(item.unwrap().value).unwrap()).collect())
        });
        settle().await;
        begun
    }

    /// The runtime has one thread, so all tasks that can continue have done so when this returns.
    async fn settle() {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }

    fn is_empty(gets: &Gets) -> bool {
        gets.lock().is_empty()
    }

    #[tokio::test(start_paused = true)]
    async fn gets_that_come_while_others_are_on_their_way_are_one_call_with_each_key_once() {
        let (database, gets) = Database::new();
        let first = [begin(&gets, &["a"]).await, begin(&gets, &["a", "b"]).await];
        let (one, two) = (begin(&gets, &["a", "c"]).await, begin(&gets, &["c", "a", "d"]).await);
        assert_eq!(database.called(), 2, "the others wait");
        database.ends.add_permits(1);
        settle().await;
        assert_eq!(database.calls.lock().unwrap()[2..], [["a", "c", "d"].map(Key::from)]);
        database.ends.add_permits(2);
        assert_eq!(one.await.unwrap().unwrap(), ["a", "c"]);
        assert_eq!(two.await.unwrap().unwrap(), ["c", "a", "d"]);
        for get in first {
            get.await.unwrap().unwrap();
        }
        settle().await;
        assert!(is_empty(&gets) && database.called() == 3);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_do_not_end_hold_others_up_for_milliseconds_and_these_are_still_one_call() {
        let (database, gets) = Database::new();
        let stuck = [begin(&gets, &["a"]).await, begin(&gets, &["b"]).await];
        let (one, two) = (begin(&gets, &["c"]).await, begin(&gets, &["d"]).await);
        tokio::time::sleep(LONGEST).await;
        settle().await;
        assert_eq!(database.calls.lock().unwrap()[2..], [["c", "d"].map(Key::from)]);
        database.ends.add_permits(3);
        assert_eq!((one.await.unwrap().unwrap(), two.await.unwrap().unwrap()), (vec!["c".into()], vec!["d".into()]));
        for get in stuck {
            get.await.unwrap().unwrap();
        }
        settle().await;
        assert!(is_empty(&gets));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_cancelled_leaves_the_others_their_answers() {
        let (database, gets) = Database::new();
        let first = [begin(&gets, &["a"]).await, begin(&gets, &["b"]).await];
        let (cancelled, other) = (begin(&gets, &["c"]).await, begin(&gets, &["d"]).await);
        cancelled.abort();
        settle().await;
        for get in first {
            get.abort();
        }
        database.ends.add_permits(3);
        assert_eq!(other.await.unwrap().unwrap(), ["d"]);
        settle().await;
        assert_eq!(database.calls.lock().unwrap()[2..], [["d"].map(Key::from)]);
        assert!(is_empty(&gets));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_can_not_be_read_fails_the_get_that_asks_for_it_and_no_other() {
        let (database, gets) = Database::new();
        let first = [begin(&gets, &["a"]).await, begin(&gets, &["b"]).await];
        let (bad, good) = (begin(&gets, &["bad"]).await, begin(&gets, &["c"]).await);
        database.ends.add_permits(5);
        assert!(matches!(bad.await.unwrap(), Err(StorageError::Other(_))));
        assert_eq!(good.await.unwrap().unwrap(), ["c"]);
        for get in first {
            get.await.unwrap().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_database_is_away_each_get_learns_it_without_another_call() {
        let (database, gets) = Database::new();
        let first = [begin(&gets, &["a"]).await, begin(&gets, &["b"]).await];
        let (one, two) = (begin(&gets, &["away"]).await, begin(&gets, &["c"]).await);
        database.ends.add_permits(3);
        for get in [one, two] {
            assert!(matches!(get.await.unwrap(), Err(StorageError::Unavailable(_))));
        }
        for get in first {
            get.await.unwrap().unwrap();
        }
        assert_eq!(database.called(), 3);
    }
}
