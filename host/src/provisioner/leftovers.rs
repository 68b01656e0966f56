//! Removes what is left in the host's own space of the storage: entries that have expired, and entries about organizations and
//! members that no longer exist.
//!
//! The next sign-in or request also removes old sessions, known browsers and remembered requests of its kind. But if nobody
//! signs in any more, or an API key is no longer used, no next one comes. So once an hour the host looks for them and removes
//! a bounded part in each commit. Several hosts on one storage may do this at the same time: an entry that one has removed is
//! gone for the other.
//!
//! Deleted and erased data may stay in the storage's files for a while. The host also removes it from the files here, at most
//! once an hour, because this may take seconds in which nothing can be written.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::Provisioner;
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Entry, KeyRange, OrganizationId, Storage, StorageError, key_after};
use crate::hourly::warn_hourly;

/// How often it is looked, in milliseconds.
const HOUR: u64 = 60 * 60 * 1_000;
const DAY: u64 = 24 * HOUR;
/// How many are looked at, and removed, at once.
const AT_ONCE: u32 = 500;
/// How long a request with an idempotency key is remembered, in milliseconds.
const REMEMBERED: u64 = DAY;
/// How long it is known that all sessions of a member were ended, in milliseconds: longer than any browser is known that was
/// here before (180 days), also by a clock that was wrong.
const ENDED: u64 = 210 * DAY;
/// Where the sessions of the page are, and the browsers that it knows: the key goes on with the time at which it ends.
const TIMED: [&str; 2] = ["session/", "device/"];
/// Where requests with an idempotency key are: the key goes on with the id of the API key.
const REQUESTS: &str = "idempotency/";
/// Where it is kept that all sessions of a member were ended: the key goes on with the organization and the member.
const SIGNED_OUT: &str = "signed-out/";

/// How long after a deletion or an erasure nothing of it is written any more, in milliseconds: the component sweeps once more
/// after three minutes.
pub(crate) const SETTLED: u64 = 10 * 60 * 1_000;
/// As [`SETTLED`], of an erasure that goes on in the background.
pub(crate) const SETTLED_LATE: u64 = HOUR;

/// What is looked for once an hour. All times are in milliseconds since the Unix epoch, and 0 is never.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    /// When it was looked last.
    looked: AtomicU64,
    /// From when on the storage's files are to be rid of what was deleted.
    scour_from: AtomicU64,
    /// From when on they can be rid of all that was deleted until now.
    scour_last: AtomicU64,
    /// When they last were.
    scoured: AtomicU64,
    /// One at a time.
    turn: Mutex<()>,
}

impl Leftovers {
    /// Whether the files are to be rid of what was deleted; from then on it is for whoever was told so.
    fn take_scour(&self, now: u64) -> bool {
        let (from, last) = (self.scour_from.load(Ordering::Relaxed), self.scoured.load(Ordering::Relaxed));
        let is_rested = last == 0 || now.saturating_sub(last) >= HOUR || now < last;
        // A time that is further ahead than can be was set by a clock that was wrong.
        let is_due = from != 0 && (now >= from || from - now > HOUR);
        // What was deleted a moment ago needs another turn.
        let last = self.scour_last.load(Ordering::Relaxed);
        let next = if last > now && last != from { last } else { 0 };
        let is_mine = || self.scour_from.compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        is_due && is_rested && is_mine()
    }

    /// Notes that something was deleted of which nothing is written any more from this time on.
    fn scour_at(&self, time: u64) {
        let _ = self.scour_from.compare_exchange(0, time, Ordering::Relaxed, Ordering::Relaxed);
        self.scour_last.fetch_max(time, Ordering::Relaxed);
    }
}

/// Whose session or browser it is.
#[derive(Deserialize)]
struct Whose {
    organization: String,
    #[serde(default)]
    generation: u64,
    member: String,
}

impl Provisioner {
    /// Removes what has served its time, if an hour has passed since the last look. A failure is logged: the next look finds
    /// the same.
    pub(crate) async fn forget_leftovers(&self) {
        let now = self.clock().now();
        let leftovers = &self.0.leftovers;
        let last = leftovers.looked.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= HOUR || now < last;
        if is_due
            && leftovers.looked.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && let Err(error) = forget_ended(self.storage(), now).await
        {
            warn_hourly!("leftovers"; "what has served its time is left for the next hour: {error}");
        }
        if leftovers.take_scour(now) {
            leftovers.scoured.store(now, Ordering::Relaxed);
            self.scour().await;
        }
    }

    /// As [`Provisioner::forget_leftovers`], while others go on. One at a time: what comes meanwhile is for the next turn.
    pub(crate) fn forget_leftovers_aside(&self) {
        let provisioner = self.clone();
        tokio::spawn(async move {
            if let Ok(_turn) = provisioner.0.leftovers.turn.try_lock() {
                provisioner.forget_leftovers().await;
            }
        });
    }

    /// Has the storage's files be rid of what was deleted, not before so many milliseconds have passed.
    pub(crate) fn scour_after(&self, pause: u64) {
        self.0.leftovers.scour_at(self.clock().now().saturating_add(pause));
    }

    /// Takes what was deleted out of the storage's files at once, if anything was: the process ends.
    pub(super) async fn scour_now(&self) {
        if self.0.leftovers.scour_from.swap(0, Ordering::Relaxed) != 0 {
            self.scour().await;
        }
    }

    /// Takes what was deleted out of the storage's files. Where that fails it is tried again in an hour.
    async fn scour(&self) {
        if let Err(error) = self.storage().scour().await {
            warn_hourly!("scour"; "what was deleted is in the storage's files until they are written again: {error}");
            self.scour_after(HOUR);
        }
    }

    /// Removes sessions and known browsers of an organization that is deleted.
    pub(crate) async fn forget_sessions(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        let of_it = |whose: &Whose| {
            whose.organization == organization.as_str() && whose.generation == organization.generation()
        };
        forget_where(self.storage(), of_it).await?;
        let marks = KeyRange::beginning_with(&format!("{SIGNED_OUT}{organization}/"));
        HostSpace(self.storage()).change(vec![Change::DeleteRange(marks)]).await
    }

    /// Removes sessions and known browsers of a member.
    pub(crate) async fn forget_sessions_of(
        &self,
        organization: &OrganizationId,
        member: &str,
    ) -> Result<(), StorageError> {
        let of_the_member = |whose: &Whose| whose.organization == organization.as_str() && whose.member == member;
        forget_where(self.storage(), of_the_member).await
    }
}

async fn forget_ended(storage: &dyn Storage, now: u64) -> Result<(), StorageError> {
    for prefix in TIMED {
        let ended = KeyRange { start: prefix.into(), end: format!("{prefix}{now:020}/").into() };
        each_page(storage, ended, |_| true).await?;
    }
    let mut requests = KeyRange::beginning_with(REQUESTS);
    // From one API key to the next.
    while let Some(first) = first_key(storage, &requests).await? {
        let text = String::from_utf8_lossy(&first).into_owned();
        let id = text.strip_prefix(REQUESTS).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
        forget_requests(storage, &id, now.saturating_sub(REMEMBERED)).await?;
        // `0` follows `/`.
        requests.start = format!("{REQUESTS}{id}0").into();
    }
    let is_old = |entry: &Entry| {
        let mark = String::from_utf8_lossy(&entry.value);
        let time = mark.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
        time.saturating_add(ENDED) <= now
    };
    each_page(storage, KeyRange::beginning_with(SIGNED_OUT), is_old).await
}

/// Removes what is remembered of requests of an API key that came before this time.
async fn forget_requests(storage: &dyn Storage, key: &str, before: u64) -> Result<(), StorageError> {
    let at = format!("{REQUESTS}{key}/at/");
    loop {
        let range = KeyRange { start: at.clone().into(), end: format!("{at}{before:020}/").into() };
        let entries = HostSpace(storage).scan(range, AT_ONCE).await?.entries;
        if entries.is_empty() {
            return Ok(());
        }
        let changes = entries.into_iter().flat_map(|entry| {
            let hash = String::from_utf8_lossy(&entry.value).into_owned();
            let of = |kind: &str| Change::Delete(format!("{REQUESTS}{key}/{kind}/{hash}").into());
            [Change::Delete(entry.key), of("record"), of("answer")]
        });
        HostSpace(storage).change(changes.collect()).await?;
    }
}

async fn forget_where(storage: &dyn Storage, is_gone: impl Fn(&Whose) -> bool) -> Result<(), StorageError> {
    for prefix in TIMED {
        let of_whom = |entry: &Entry| serde_json::from_slice::<Whose>(&entry.value).is_ok_and(|whose| is_gone(&whose));
        each_page(storage, KeyRange::beginning_with(prefix), of_whom).await?;
    }
    Ok(())
}

/// Removes the entries of the range that are gone, a page at a time.
async fn each_page(
    storage: &dyn Storage,
    mut range: KeyRange,
    is_gone: impl Fn(&Entry) -> bool,
) -> Result<(), StorageError> {
    loop {
        let entries = HostSpace(storage).scan(range.clone(), AT_ONCE).await?.entries;
        let Some(last) = entries.last().map(|entry| entry.key.clone()) else { return Ok(()) };
        let changes: Vec<Change> =
            entries.into_iter().filter(|entry| is_gone(entry)).map(|entry| Change::Delete(entry.key)).collect();
        if !changes.is_empty() {
            HostSpace(storage).change(changes).await?;
        }
        range.start = key_after(last);
    }
}

async fn first_key(storage: &dyn Storage, range: &KeyRange) -> Result<Option<Vec<u8>>, StorageError> {
    Ok(HostSpace(storage).scan(range.clone(), 1).await?.entries.pop().map(|entry| entry.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    const NOW: u64 = 1_800_000_000_000;

    async fn stored(storage: &MemoryStorage) -> Vec<String> {
        let everything = KeyRange { start: Vec::new(), end: vec![0xff; 512] };
        let entries = HostSpace(storage).scan(everything, 4_000).await.unwrap().entries;
        entries.into_iter().map(|entry| String::from_utf8(entry.key).unwrap()).collect()
    }

    async fn put(storage: &MemoryStorage, rows: &[(String, String)]) {
        let changes = rows.iter().map(|(key, value)| Change::put(key.clone().into(), value.clone().into()));
        HostSpace(storage).change(changes.collect()).await.unwrap();
    }

    #[tokio::test]
    async fn p9_what_has_served_its_time_is_removed_also_where_nobody_comes_any_more() {
        let storage = MemoryStorage::new();
        let mut rows = Vec::new();
        for number in 0..1_200 {
            rows.push((format!("session/{:020}/{number}", NOW - 1_000 - number), "{}".to_owned()));
            rows.push((format!("device/{:020}/{number}", NOW - number - 1), "{}".to_owned()));
            let begun = NOW - 2 * DAY + number;
            rows.push((format!("idempotency/gone/at/{begun:020}/{number}"), number.to_string()));
            rows.push((format!("idempotency/gone/record/{number}"), "{}".to_owned()));
            rows.push((format!("idempotency/gone/answer/{number}"), "sealed".to_owned()));
            rows.push((format!("signed-out/acme/{number}"), format!("{} 00", NOW - ENDED)));
        }
        let young = [
            (format!("device/{:020}/x", NOW + 1), "{}".to_owned()),
            (format!("idempotency/used/answer/{}", "x"), "sealed".to_owned()),
            (format!("idempotency/used/at/{:020}/x", NOW - HOUR), "x".to_owned()),
            ("idempotency/used/record/x".to_owned(), "{}".to_owned()),
            (format!("session/{:020}/x", NOW + 1), "{}".to_owned()),
            ("signed-out/acme/x".to_owned(), format!("{} 00", NOW - ENDED + 1)),
            ("something-else".to_owned(), "x".to_owned()),
        ];
        put(&storage, &rows).await;
        put(&storage, &young).await;
        forget_ended(&storage, NOW).await.unwrap();
        assert_eq!(stored(&storage).await, young.map(|(key, _)| key));
    }

    #[test]
    fn p9_the_files_are_scoured_after_something_was_deleted_and_at_most_once_an_hour() {
        let leftovers = Leftovers::default();
        let scour = |now: u64| {
            let is_mine = leftovers.take_scour(now);
            if is_mine {
                leftovers.scoured.store(now, Ordering::Relaxed);
            }
            is_mine
        };
        assert!(!scour(NOW), "nothing was deleted");
        leftovers.scour_at(NOW + SETTLED);
        leftovers.scour_at(NOW + SETTLED + 5);
        assert!(!scour(NOW + SETTLED - 1), "something may still be written");
        assert!(scour(NOW + SETTLED));
        assert!(!scour(NOW + SETTLED + 10), "not twice in an hour");
        assert!(scour(NOW + SETTLED + HOUR), "the second is not forgotten");
        assert!(!scour(NOW + SETTLED + 3 * HOUR), "nothing was deleted since");
    }

    #[tokio::test]
    async fn p9_sessions_and_browsers_go_with_their_organization_or_their_member() {
        let storage = MemoryStorage::new();
        let whose = |organization: &str, generation: u64, member: &str| {
            format!(
                "{{\"organization\":\"{organization}\",\"generation\":{generation},\"member\":\"{member}\",\"more\":1}}"
            )
        };
        let rows = [
            (format!("device/{:020}/a", NOW), whose("acme", 1, "ada")),
            (format!("device/{:020}/b", NOW), whose("acme", 1, "bob")),
            (format!("session/{:020}/c", NOW), whose("acme", 2, "ada")),
            (format!("session/{:020}/d", NOW), whose("other", 1, "ada")),
        ];
        put(&storage, &rows).await;
        forget_where(&storage, |whose| whose.organization == "acme" && whose.member == "bob").await.unwrap();
        assert_eq!(stored(&storage).await.len(), 3);
        forget_where(&storage, |whose| whose.organization == "acme" && whose.generation == 1).await.unwrap();
        assert_eq!(stored(&storage).await.len(), 2);
    }
}
