//! Finds out which servers run on a PostgreSQL that several servers share.
//!
//! Every few seconds, each server increases the counter in a record of its own. To find out which servers run, the
//! records are read twice: a server whose record has changed meanwhile is alive, whatever the clocks of the machines
//! say. A server that was killed leaves its record behind. It does not count as running, and its record is removed
//! after a day. A server that ends says so in its record, so that a copy of the storage can see that the server was
//! there meanwhile.

use std::convert::Infallible;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::capability::clock::{Clock as _, SystemClock};
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Entry, Key, KeyRange, Storage, StorageError};

/// The beginning of the records' keys in the host's own space.
const SERVERS: &str = "server/";
/// How often a server increases its counter.
const EVERY: Duration = Duration::from_secs(4);
/// The time between the two readings of the records. A server that is alive has increased its counter within this time.
const LOOKS: Duration = Duration::from_secs(9);
/// How long a server waits at its end until its record says so.
const LEAVE: Duration = Duration::from_secs(2);
/// A record whose counter was not increased for this long is removed, in milliseconds.
const FORGOTTEN: u64 = 24 * 60 * 60 * 1_000;
/// The most records that are read.
const MOST: u32 = 1_000;

/// The record of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Server {
    /// The URL by which the server is reached.
    base_url: String,
    /// The id of its process.
    process: u32,
    /// The counter.
    count: u64,
    /// When the server last increased the counter, in milliseconds since the Unix epoch by its own clock.
    at: u64,
    /// Whether the server has ended in an orderly way.
    #[serde(default)]
    ended: bool,
}

/// Tells others that this server runs.
pub(super) struct Presence {
    base_url: String,
    key: Key,
}

impl Presence {
    /// Writes the record of a server that begins, so that it is found from now on.
    pub(super) async fn begin(base_url: &str, storage: &dyn Storage) -> Self {
        let key = format!("{SERVERS}{}", own_name()).into();
        let presence = Self { base_url: base_url.to_owned(), key };
        presence.say(storage, 0, false).await;
        presence
    }

    /// Increases the counter until this future is dropped. If the database can't be reached, other parts of the server
    /// report it.
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

    /// Notes in the record that the server ends.
    pub(super) async fn end(self, storage: &dyn Storage) {
        let _ = timeout(LEAVE, self.say(storage, u64::MAX, true)).await;
    }
}

/// A name that is used only once: no other process has it, and this process does not get it again.
pub(super) fn own_name() -> String {
    let mut bytes = [0; 8];
    // If there are no random numbers, the name is only the process id, which another process may have as well.
    let _ = getrandom::fill(&mut bytes);
    format!("{}-{}", std::process::id(), hex::encode(bytes))
}

/// The servers that were found on a storage.
#[derive(Default)]
pub(super) struct Looked {
    /// The servers that run, in words for people.
    pub(super) running: Vec<String>,
    /// The records of all servers, as they were last read.
    records: Vec<Entry>,
}

impl Looked {
    /// The servers that have begun or have increased their counter since then, in words for people.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) async fn since(&self, storage: &dyn Storage) -> Result<Vec<String>, StorageError> {
        Ok(alive(&self.records, &records(storage).await?))
    }
}

/// Finds the servers that run on the storage. It takes some seconds if there are records of servers that have not
/// ended.
///
/// # Errors
/// Those of the storage.
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

/// The servers whose records are new or have changed, in words for people.
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
