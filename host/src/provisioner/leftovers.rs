//! What is left in the host's own space of the storage when it has served its time, or when whoever it was about is gone.
//!
//! Sessions, known browsers and remembered requests are removed by the next one of their kind as well; but a host where nobody
//! signs in any more, or an API key that nobody uses any more, has no next one. So they are looked for once an hour, a bounded
//! part in each commit. Several hosts on one storage may do so at the same time: what one has removed is gone for the other.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use super::Provisioner;
use crate::capability::storage::{Entry, KeyRange, OrganizationId, Page, Storage, StorageError, Transaction, Write};

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

/// When it was looked last, in milliseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(crate) struct Leftovers(AtomicU64);

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
        let last = self.0.leftovers.0.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= HOUR || now < last;
        if is_due
            && self.0.leftovers.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && let Err(error) = forget_ended(self.storage(), now).await
        {
            tracing::warn!("what has served its time is left for the next hour: {error}");
        }
    }

    /// Removes sessions and known browsers of an organization that is deleted.
    pub(crate) async fn forget_sessions(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        let of_it = |whose: &Whose| {
            whose.organization == organization.as_str() && whose.generation == organization.generation()
        };
        forget_where(self.storage(), of_it).await?;
        let marks = below(&format!("{SIGNED_OUT}{organization}/"));
        remove(self.storage(), vec![Write::DeleteRange(marks)]).await
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

/// All keys that begin with a text: those of the host's space are ASCII.
fn below(prefix: &str) -> KeyRange {
    KeyRange { start: prefix.into(), end: [prefix.as_bytes(), &[0xff]].concat() }
}

async fn forget_ended(storage: &dyn Storage, now: u64) -> Result<(), StorageError> {
    for prefix in TIMED {
        let ended = KeyRange { start: prefix.into(), end: format!("{prefix}{now:020}/").into() };
        each_page(storage, ended, |_| true).await?;
    }
    let mut requests = below(REQUESTS);
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
    each_page(storage, below(SIGNED_OUT), is_old).await
}

/// Removes what is remembered of requests of an API key that came before this time.
async fn forget_requests(storage: &dyn Storage, key: &str, before: u64) -> Result<(), StorageError> {
    let at = format!("{REQUESTS}{key}/at/");
    loop {
        let range = KeyRange { start: at.clone().into(), end: format!("{at}{before:020}/").into() };
        let entries = scan(storage, range, AT_ONCE).await?;
        if entries.is_empty() {
            return Ok(());
        }
        let write = entries.into_iter().flat_map(|entry| {
            let hash = String::from_utf8_lossy(&entry.value).into_owned();
            let of = |kind: &str| Write::Delete(format!("{REQUESTS}{key}/{kind}/{hash}").into());
            [Write::Delete(entry.key), of("record"), of("answer")]
        });
        remove(storage, write.collect()).await?;
    }
}

async fn forget_where(storage: &dyn Storage, is_gone: impl Fn(&Whose) -> bool) -> Result<(), StorageError> {
    for prefix in TIMED {
        let of_whom = |entry: &Entry| serde_json::from_slice::<Whose>(&entry.value).is_ok_and(|whose| is_gone(&whose));
        each_page(storage, below(prefix), of_whom).await?;
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
        let entries = scan(storage, range.clone(), AT_ONCE).await?;
        let Some(last) = entries.last().map(|entry| entry.key.clone()) else { return Ok(()) };
        let write: Vec<Write> =
            entries.into_iter().filter(|entry| is_gone(entry)).map(|entry| Write::Delete(entry.key)).collect();
        if !write.is_empty() {
            remove(storage, write).await?;
        }
        range.start = [last.as_slice(), &[0]].concat();
    }
}

async fn first_key(storage: &dyn Storage, range: &KeyRange) -> Result<Option<Vec<u8>>, StorageError> {
    Ok(scan(storage, range.clone(), 1).await?.into_iter().next().map(|entry| entry.key))
}

async fn scan(storage: &dyn Storage, range: KeyRange, limit: u32) -> Result<Vec<Entry>, StorageError> {
    let page = Page { range, reverse: false, skip: 0, limit };
    let pages = storage.scan(&OrganizationId::host(), vec![page]).await?;
    Ok(pages.into_iter().flat_map(|page| page.entries).collect())
}

async fn remove(storage: &dyn Storage, write: Vec<Write>) -> Result<(), StorageError> {
    let transaction = Transaction { write, ..Transaction::default() };
    storage.commit(&OrganizationId::host(), transaction).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    const NOW: u64 = 1_800_000_000_000;

    async fn stored(storage: &MemoryStorage) -> Vec<String> {
        let everything = KeyRange { start: Vec::new(), end: vec![0xff; 512] };
        let entries = scan(storage, everything, 4_000).await.unwrap();
        entries.into_iter().map(|entry| String::from_utf8(entry.key).unwrap()).collect()
    }

    async fn put(storage: &MemoryStorage, rows: &[(String, String)]) {
        let write = rows.iter().map(|(key, value)| Write::Put(key.clone().into(), value.clone().into()));
        remove(storage, write.collect()).await.unwrap();
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
