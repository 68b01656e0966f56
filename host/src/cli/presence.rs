//! Which servers run on a PostgreSQL that several share.
//!
//! Each server counts up in a record of its own, every few seconds. Whoever wants to know which ones run reads the records twice:
//! those that have changed meanwhile are alive, whatever the clocks of the machines say. A server that was killed leaves its record,
//! which counts for nobody and is removed after a day. One that ends says so in its record, so that who copies the storage sees that
//! it was there meanwhile.

use std::convert::Infallible;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::capability::clock::{Clock as _, SystemClock};
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Entry, Key, KeyRange, Storage, StorageError};

/// Where the records are, in the host's own space.
const SERVERS: &str = "server/";
/// How often a server counts.
const EVERY: Duration = Duration::from_secs(4);
/// Between both looks at the records: nobody who is alive has not counted meanwhile.
const LOOKS: Duration = Duration::from_secs(9);
/// How long the end of a server waits until its record says so.
const LEAVE: Duration = Duration::from_secs(2);
/// After this time a record that nobody counts in is removed, in milliseconds.
const FORGOTTEN: u64 = 24 * 60 * 60 * 1_000;
/// How many servers are looked at.
const MOST: u32 = 1_000;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Server {
    /// The URL that it is reached by.
    base_url: String,
    /// The number of its process.
    process: u32,
    /// Counts up.
    count: u64,
    /// When it last counted, in milliseconds since the Unix epoch by its own clock.
    at: u64,
    /// It has ended in good order.
    #[serde(default)]
    ended: bool,
}

/// Says that this server runs.
pub(super) struct Presence {
    base_url: String,
    key: Key,
}

impl Presence {
    /// A server begins: whoever looks from now on finds it.
    pub(super) async fn begin(base_url: &str, storage: &dyn Storage) -> Self {
        let key = format!("{SERVERS}{}", own_name()).into();
        let presence = Self { base_url: base_url.to_owned(), key };
        presence.say(storage, 0, false).await;
        presence
    }

    /// Counts until it is dropped. A database that is away is told by others.
    pub(super) async fn count(&self, storage: &dyn Storage) -> Infallible {
        if let Err(error) = forget_old(storage, SystemClock.now()).await {
            tracing::debug!("servers that ended long ago are not forgotten: {error}");
        }
        let mut count = 0;
        loop {
            sleep(EVERY).await;
            count += 1;
            self.say(storage, count, false).await;
        }
    }

    async fn say(&self, storage: &dyn Storage, count: u64, ended: bool) {
        let (base_url, process, at) = (self.base_url.clone(), std::process::id(), SystemClock.now());
        let server = Server { base_url, process, count, at, ended };
        let Ok(value) = serde_json::to_vec(&server) else { return };
        // A commit that hangs must not keep the next ones from being tried.
        match timeout(EVERY, HostSpace(storage).change(vec![Change::put(self.key.clone(), value)])).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("other commands are not told that this server runs: {error}"),
            Err(_) => {
                tracing::debug!("other commands are not told that this server runs: the database does not answer")
            }
        }
    }

    /// The server ends.
    pub(super) async fn end(self, storage: &dyn Storage) {
        let _ = timeout(LEAVE, self.say(storage, u64::MAX, true)).await;
    }
}

/// A name that no other process has, nor this one a second time.
pub(super) fn own_name() -> String {
    let mut bytes = [0; 8];
    // Without random numbers processes with the same number are told apart less well.
    let _ = getrandom::fill(&mut bytes);
    format!("{}-{}", std::process::id(), hex::encode(bytes))
}

/// What was found of the servers on a storage.
#[derive(Default)]
pub(super) struct Looked {
    /// Those that run, as people read it.
    pub(super) running: Vec<String>,
    /// The records of all, as they were last read.
    records: Vec<Entry>,
}

impl Looked {
    /// The servers that have begun or have counted since, as people read it.
    ///
    /// # Errors
    /// The storage's.
    pub(super) async fn since(&self, storage: &dyn Storage) -> Result<Vec<String>, StorageError> {
        Ok(alive(&self.records, &records(storage).await?))
    }
}

/// Looks which servers run on the storage. It takes some seconds if there are records, and no time if not.
///
/// # Errors
/// The storage's.
pub(super) async fn look(storage: &dyn Storage) -> Result<Looked, StorageError> {
    let before = records(storage).await?;
    if before.iter().all(has_ended) {
        return Ok(Looked { running: Vec::new(), records: before });
    }
    sleep(LOOKS).await;
    let records = records(storage).await?;
    let running: Vec<Entry> = records.iter().filter(|record| !has_ended(record)).cloned().collect();
    Ok(Looked { running: alive(&before, &running), records })
}

fn has_ended(record: &Entry) -> bool {
    serde_json::from_slice::<Server>(&record.value).is_ok_and(|server| server.ended)
}

/// Whose records are new, or have changed.
fn alive(before: &[Entry], after: &[Entry]) -> Vec<String> {
    let alive = after.iter().filter(|record| !before.contains(record));
    let said = alive.filter_map(|record| serde_json::from_slice::<Server>(&record.value).ok());
    said.map(|server| format!("{} (process {})", server.base_url, server.process)).collect()
}

async fn records(storage: &dyn Storage) -> Result<Vec<Entry>, StorageError> {
    Ok(HostSpace(storage).scan(KeyRange::beginning_with(SERVERS), MOST).await?.entries)
}

async fn forget_old(storage: &dyn Storage, now: u64) -> Result<(), StorageError> {
    let is_old = |record: &Entry| {
        serde_json::from_slice::<Server>(&record.value).map_or(true, |server| now.saturating_sub(server.at) > FORGOTTEN)
    };
    let old: Vec<Change> =
        records(storage).await?.into_iter().filter(is_old).map(|record| Change::Delete(record.key)).collect();
    if old.is_empty() { Ok(()) } else { HostSpace(storage).change(old).await }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::MemoryStorage;

    async fn running(storage: &dyn Storage) -> Vec<String> {
        look(storage).await.unwrap().running
    }

    #[tokio::test(start_paused = true)]
    async fn p9_who_counts_runs_and_who_was_killed_or_has_ended_does_not() {
        let storage = Arc::new(MemoryStorage::default());
        assert!(running(&*storage).await.is_empty());
        let killed = Presence::begin("https://killed.example", &*storage).await;
        let _ = timeout(EVERY * 2, killed.count(&*storage)).await;
        let looked = look(&*storage).await.unwrap();
        assert!(looked.running.is_empty(), "nobody counts in its record any more");
        assert!(looked.since(&*storage).await.unwrap().is_empty());
        let alive = Arc::new(Presence::begin("https://alive.example", &*storage).await);
        let since = looked.since(&*storage).await.unwrap();
        assert!(since.len() == 1 && since[0].contains("https://alive.example (process "), "{since:?}");
        let counting = tokio::spawn({
            let (alive, storage) = (Arc::clone(&alive), Arc::clone(&storage));
            async move { alive.count(&*storage).await }
        });
        let found = running(&*storage).await;
        assert!(found.len() == 1 && found[0].contains("https://alive.example (process "), "{found:?}");
        counting.abort();
        let _ = counting.await;
        let looked = look(&*storage).await.unwrap();
        Arc::into_inner(alive).unwrap().end(&*storage).await;
        assert!(running(&*storage).await.is_empty());
        assert_eq!(looked.since(&*storage).await.unwrap().len(), 1, "it was there meanwhile");

        let left = records(&*storage).await.unwrap();
        assert_eq!(left.len(), 2, "of the one that was killed, and of the one that has ended");
        forget_old(&*storage, SystemClock.now()).await.unwrap();
        assert_eq!(records(&*storage).await.unwrap(), left);
        forget_old(&*storage, SystemClock.now() + 2 * FORGOTTEN).await.unwrap();
        assert!(records(&*storage).await.unwrap().is_empty());
    }
}
