//! Deletes entries of the SCIM log, events, stream tokens and parked emails that are older than the organization's
//! retention, 90 days by default (rule P5), and other data that is no longer needed. It deletes a bounded part at a
//! time, so that other requests do not wait long for the storage.

use insomnia_scim_contract::lasts;

use super::Budget;
use crate::capability::{Host, KeyRange, Page};
use crate::provisioning::{guard, passphrase, without_seat};
use crate::store::{Batch, Letter, Sealed, Sink, Store, StoreError, keys, number};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// The most entries that one commit deletes.
const AT_ONCE: u32 = 1_000;
/// How many commits one run makes at the most.
const COMMITS: u32 = 4;
/// How many parked emails are read in one call.
const EMAILS: u32 = 200;
/// The shortest time for which entries of the audit trail are kept, in days, so that acts can be traced for a year.
const AUDIT_DAYS: u32 = 400;

/// Deletes dropped deliveries at once, and data that is too old once a day; returns when to run again.
pub(super) fn run(_: Host<'_>, store: &Store<'_>, _: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let now = store.now();
    let mut commits = COMMITS;
    if !forget_dropped(store, &mut commits)? || !forget_dropped_streams(store, &mut commits)? {
        return Ok(Some(now));
    }
    let last = store.item(keys::job(keys::RETENTION))?.and_then(|item| number::<u64>(&item.value));
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

/// Deletes a part of the range; returns whether the range is empty now.
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

/// Deletes the due marks of events whose webhook or subscriber was removed; returns whether none is left.
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
            // More events were dropped meanwhile: the next run deletes them.
            Err(StoreError::Conflict) => return Ok(false),
            result => result?,
        };
    }
    Ok(true)
}

/// The keys of a stream's tokens, all or only those from before this time.
fn sets_of(stream: &str, before: Option<u64>) -> [KeyRange; 3] {
    [keys::sets_due(stream, before), keys::sets_parked(stream, before), keys::sets(stream, before)]
}

/// Deletes the tokens of streams that were removed; returns whether none is left. A removed stream is remembered for a
/// day, because a change that was running at the removal may have written a token after it.
fn forget_dropped_streams(store: &Store, commits: &mut u32) -> Result<bool, StoreError> {
    let page = Page::first(keys::streams_dropped(), AT_ONCE);
    for entry in store.scan_page(page)?.entries {
        let Some(stream) = keys::id_of(&entry.key) else { continue };
        for range in sets_of(&stream, None) {
            if !delete_some(store, range, commits)? {
                return Ok(false);
            }
        }
        let removed = number(&entry.value).unwrap_or(0_u64);
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

/// Deletes the secret of a parked email that can't be sent again: a member who has chosen a passphrase needs no initial
/// one, and an expired link is useless.
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
