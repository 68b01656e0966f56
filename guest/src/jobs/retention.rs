//! Deletes entries of the SCIM log, events, tokens of streams and parked emails that are older than the organization's
//! retention, 90 days by default (rule P5), and what else has served its time: a bounded part at a time, so that nobody
//! else waits long for the storage.

use insomnia_scim_contract::lasts;

use super::Budget;
use crate::capability::{Host, KeyRange, Page};
use crate::provisioning::{guard, passphrase, without_seat};
use crate::store::{Batch, Letter, Sealed, Sink, Store, StoreError, keys, text};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How many entries are deleted in one commit at the most.
const AT_ONCE: u32 = 1_000;
/// How many commits one run makes at the most.
const COMMITS: u32 = 4;
/// How many parked emails are read at once.
const EMAILS: u32 = 200;
/// How long entries of the audit trail are kept at the least, in days, so that what was done can be told a year later.
const AUDIT_DAYS: u32 = 400;

/// Deletes what nobody takes any more at once, and what is too old once a day; returns when to look again.
pub(super) fn run(_: Host<'_>, store: &Store<'_>, _: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let now = store.now();
    let mut commits = COMMITS;
    if !forget_dropped(store, &mut commits)? || !forget_dropped_streams(store, &mut commits)? {
        return Ok(Some(now));
    }
    let last = store.item(keys::job(keys::RETENTION))?.and_then(|item| text(&item.value)?.parse::<u64>().ok());
    if let Some(next) = last.map(|last| last.saturating_add(DAY)).filter(|next| lasts(*next, now, DAY)) {
        return Ok(Some(next));
    }
    let days = store.settings()?.retention_days();
    let before = now.saturating_sub(u64::from(days) * DAY);
    let audited_before = now.saturating_sub(u64::from(days.max(AUDIT_DAYS)) * DAY);
    let sinks = [Sink::Webhook, Sink::Subscriber].map(|sink| keys::events_due(sink.as_str(), Some(before)));
    let ranges = [
        keys::logs(0, before),
        keys::events(Some(before)),
        keys::events_parked(Some(before)),
        keys::outboxes_parked_before(before),
        keys::audits(0, audited_before),
    ];
    let streams = store.streams()?;
    let tokens = streams.iter().flat_map(|stream| sets_of(&stream.id, Some(before)));
    for range in ranges.into_iter().chain(sinks).chain(tokens) {
        if !delete_some(store, range, &mut commits)? {
            return Ok(Some(now));
        }
    }
    guard::forget_old(store)?;
    without_seat::forget_old(store, before)?;
    forget_secrets(store)?;
    let mut batch = Batch::new();
    batch.put(keys::job(keys::RETENTION), now.to_string().into_bytes());
    store.commit(batch)?;
    Ok(Some(now + DAY))
}

/// Deletes a part of the range; returns whether nothing of it is left.
fn delete_some(store: &Store, mut range: KeyRange, commits: &mut u32) -> Result<bool, StoreError> {
    while *commits > 0 {
        let Some(end) = store.nth_key(&range, AT_ONCE)? else {
            if store.nth_key(&range, 0)?.is_some() {
                let mut batch = Batch::new();
                batch.delete_range(range);
                store.commit(batch)?;
                *commits -= 1;
            }
            return Ok(true);
        };
        let mut batch = Batch::new();
        batch.delete_range(KeyRange { start: range.start, end: end.clone() });
        store.commit(batch)?;
        *commits -= 1;
        range.start = end;
    }
    Ok(false)
}

/// Deletes the marks of events whose webhook or subscriber is gone; returns whether none is left.
fn forget_dropped(store: &Store, commits: &mut u32) -> Result<bool, StoreError> {
    for sink in [Sink::Webhook, Sink::Subscriber] {
        let Some((before, version)) = store.dropped_before(sink)? else { continue };
        let parked = (sink == Sink::Webhook).then(|| keys::events_parked(Some(before)));
        for range in [keys::events_due(sink.as_str(), Some(before))].into_iter().chain(parked) {
            if !delete_some(store, range, commits)? {
                return Ok(false);
            }
        }
        let mut batch = Batch::new();
        batch.remove(keys::job(sink.dropped()), Some(version));
        match store.commit(batch) {
            // Dropped again meanwhile: the next run sees to it.
            Err(StoreError::Conflict) => return Ok(false),
            result => result?,
        };
    }
    Ok(true)
}

/// All that is stored of a stream's tokens, from before this time or altogether.
fn sets_of(stream: &str, before: Option<u64>) -> [KeyRange; 3] {
    [keys::sets_due(stream, before), keys::sets_parked(stream, before), keys::sets(stream, before)]
}

/// Deletes the tokens of streams that were removed; returns whether none is left. A stream is remembered for a day: a change
/// that was under way may have written a token after its removal.
fn forget_dropped_streams(store: &Store, commits: &mut u32) -> Result<bool, StoreError> {
    let page = Page { range: keys::streams_dropped(), reverse: false, skip: 0, limit: AT_ONCE };
    for entry in store.scan_page(page)?.entries {
        let Some(stream) = keys::id_of(&entry.key) else { continue };
        for range in sets_of(&stream, None) {
            if !delete_some(store, range, commits)? {
                return Ok(false);
            }
        }
        let removed = text(&entry.value).and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
        if !lasts(removed.saturating_add(DAY), store.now(), DAY) {
            let mut batch = Batch::new();
            batch.delete(keys::stream(&stream));
            batch.delete(keys::lease(&format!("stream-{stream}")));
            batch.delete(entry.key);
            store.commit(batch)?;
        }
    }
    Ok(true)
}

/// A parked email that can't be sent again needs its secret no more: who has chosen a passphrase since needs no initial
/// one, and a link that has expired is of no use.
fn forget_secrets(store: &Store) -> Result<(), StoreError> {
    let mut after = None::<String>;
    loop {
        let (emails, more) = store.parked_emails(after.as_deref(), EMAILS)?;
        after = emails.last().map(|last| last.record.id.clone());
        let mut batch = Batch::new();
        for stored in emails {
            let (key, version) = (stored.key, Some(stored.version));
            let mut record = stored.record;
            match &mut record.letter {
                Letter::InitialPassphrase { member, .. } if !passphrase::is_initial(store, member)? => {
                    batch.remove(key, version);
                }
                Letter::PassphraseReset { link, expires, .. }
                    if *expires <= store.now() && *link != Sealed::Plain(String::new()) =>
                {
                    *link = Sealed::Plain(String::new());
                    batch.replace(key, version, &record)?;
                }
                _ => {}
            }
        }
        if !batch.is_empty() {
            store.commit(batch)?;
        }
        if !more || after.is_none() {
            return Ok(());
        }
    }
}
