//! The mass-deprovisioning guard: deactivations and deletions beyond a threshold are held until an owner decides (rule P4).
//!
//! What is held is refused with 503, and the identity provider tries again. An owner lets a held removal through, so that
//! the next try succeeds, or refuses it, so that it is answered 403. Either holds for a week. Until then it stays held, also
//! when the hour is over: else a mass removal would come about in small steps, and the owners be mailed of each.

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::capability::Page;
use crate::store::{Batch, Guard, Letter, MemberRecord, Store, StoreError, Stored, decode, encode, keys};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// How long a decision holds, and a held removal is shown, in milliseconds.
const HOLDS: u64 = 7 * 24 * HOUR;
/// What the identity provider is told to wait, in seconds.
pub const RETRY_AFTER: u32 = 3_600;
/// How many removals are decided upon at once.
const DECIDED_AT_ONCE: u32 = 1_000;

/// What the identity provider wants to do to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Take away access.
    Deactivate,
    /// Remove from the organization.
    Delete,
}

/// What an owner decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The next try succeeds.
    Allowed,
    /// It is answered 403.
    Refused,
}

/// Recent removals. JSON under `guard`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GuardRecord {
    /// The minutes in which there were removals, in milliseconds since the Unix epoch, and how many.
    minutes: Vec<(u64, u32)>,
    /// Since when removals are held and owners know, in milliseconds since the Unix epoch.
    pub holding_since: Option<u64>,
}

/// A removal that waits for an owner, or was decided upon. JSON under `guard-held/{member}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// The member's name.
    pub name: String,
    /// What the identity provider wants.
    pub removal: Removal,
    /// When it last tried, or the decision was made, in milliseconds since the Unix epoch.
    pub time: u64,
    /// What was decided; absent while it waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Decision>,
}

/// A removal with the member's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The member's id.
    pub member: String,
    /// The removal.
    pub record: HeldRecord,
}

/// The guard as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardStatus {
    /// From where on removals are held; `None` if the guard is off.
    pub guard: Option<Guard>,
    /// Since when removals are held, in milliseconds since the Unix epoch.
    pub holding_since: Option<u64>,
    /// Removals that wait, or were decided upon in the last week.
    pub held: Vec<Held>,
    /// The id of the last of `held`, if there are more.
    pub next: Option<String>,
}

/// Lets a removal pass, and counts it in the batch, or refuses it.
///
/// # Errors
/// [`Refusal::Held`] beyond the threshold; [`Refusal::RemovalRefused`] if an owner refused it.
pub(super) fn admit(
    store: &Store,
    batch: &mut Batch,
    guard: Guard,
    member: &Stored<MemberRecord>,
) -> Result<(), Refusal> {
    let (id, now) = (member.record.id(), store.now());
    let held = store.document::<HeldRecord>(&keys::held(id))?.filter(|held| now < held.record.time + HOLDS);
    match held.as_ref().and_then(|held| held.record.decision) {
        Some(Decision::Allowed) => {
            batch.delete(keys::held(id));
            return Ok(());
        }
        Some(Decision::Refused) => return Err(Refusal::RemovalRefused),
        // What is held waits for an owner, and does not slip through when the hour is over.
        None if held.is_some() => return Err(Refusal::Held),
        None => {}
    }
    let stored = store.document::<GuardRecord>(keys::GUARD)?;
    let version = stored.as_ref().map(|stored| stored.version);
    let mut record = stored.map(|stored| stored.record).unwrap_or_default();
    record.minutes.retain(|(minute, _)| minute + HOUR > now);
    let removed: u64 = record.minutes.iter().map(|(_, count)| u64::from(*count)).sum();
    let (_, scim) = store.seats_taken()?;
    if is_beyond(guard, removed, scim) {
        return Err(Refusal::Held);
    }
    let minute = now - now % MINUTE;
    match record.minutes.last_mut() {
        Some((last, count)) if *last == minute => *count = count.saturating_add(1),
        _ => record.minutes.push((minute, 1)),
    }
    batch.require_unchanged(keys::GUARD.to_vec(), version);
    batch.put(keys::GUARD.to_vec(), encode(&record)?);
    // One that waited too long to be remembered is done now.
    batch.delete(keys::held(id));
    Ok(())
}

/// Whether one more removal is too many after so many in this hour, with so many members left. The first one in an hour
/// always passes the share: in a small organization it is a large one.
fn is_beyond(guard: Guard, removed: u64, left: u64) -> bool {
    let by_number = guard.number.is_some_and(|number| removed >= u64::from(number));
    let by_share = guard.share.is_some_and(|share| (removed + 1) * 100 > u64::from(share) * (left + removed));
    by_number || (by_share && removed > 0)
}

/// Notes a removal that was refused, and mails the owners at the first one. Never makes the request fail in another way.
pub(super) fn hold(store: &Store, id: &str, removal: Removal) {
    let attempt = || -> Result<(), StoreError> {
        let Some(member) = store.member(id)? else { return Ok(()) };
        let stored = store.document::<GuardRecord>(keys::GUARD)?;
        let version = stored.as_ref().map(|stored| stored.version);
        let mut record = stored.map(|stored| stored.record).unwrap_or_default();
        let held = HeldRecord { name: member.record.display_name(), removal, time: store.now(), decision: None };
        let mut batch = Batch::new();
        batch.require_exists(keys::Kind::User.document(id));
        batch.put(keys::held(id), encode(&held)?);
        if record.holding_since.is_none() {
            record.holding_since = Some(store.now());
            batch.require_unchanged(keys::GUARD.to_vec(), version);
            batch.put(keys::GUARD.to_vec(), encode(&record)?);
            store.add_email_to_administrators(&mut batch, &Letter::GuardHeld)?;
        }
        store.commit(batch).map(drop)
    };
    if let Err(error) = store.transact(attempt) {
        eprintln!("a held removal could not be noted: {error}");
    }
}

/// Sets from where on removals are held; `None` switches the guard off and forgets what is held.
///
/// # Errors
/// As the storage has them.
pub fn set(store: &Store, guard: Option<Guard>) -> Result<(), StoreError> {
    store.change_settings(|settings, batch| {
        settings.guard = guard;
        if guard.is_none() {
            batch.delete(keys::GUARD.to_vec());
            batch.delete_range(keys::all_held());
        }
        Ok(())
    })
}

/// The guard, and a page of what it holds.
///
/// # Errors
/// As the storage has them.
pub fn status(store: &Store, after: Option<&str>, limit: u32) -> Result<GuardStatus, StoreError> {
    let guard = store.settings()?.guard;
    let holding_since = store.document::<GuardRecord>(keys::GUARD)?.and_then(|stored| stored.record.holding_since);
    let mut range = keys::all_held();
    if let Some(after) = after.filter(|after| keys::is_id(after)) {
        range.start = keys::held(after);
        range.start.push(0);
    }
    let scanned = store.scan_page(Page { range, reverse: false, skip: 0, limit: limit.clamp(1, 500) })?;
    let mut held = Vec::with_capacity(scanned.entries.len());
    for entry in scanned.entries {
        let item = crate::capability::Item { value: entry.value, version: entry.version };
        let Some(member) = keys::id_of(&entry.key) else { continue };
        held.push(Held { member, record: decode(&entry.key, &item)?.record });
    }
    let next = held.last().filter(|_| scanned.more).map(|held| held.member.clone());
    Ok(GuardStatus { guard, holding_since, held, next })
}

/// Lets held removals through or refuses them: those of these members, or all that wait. Returns how many.
///
/// # Errors
/// As the storage has them.
pub fn decide(store: &Store, decision: Decision, members: &[String]) -> Result<u32, StoreError> {
    let wanted: Vec<String> = members.iter().filter(|id| keys::is_id(id)).cloned().collect();
    let (mut decided, mut after) = (0, None::<String>);
    loop {
        let last = after.clone();
        let (count, next) = store.transact(|| {
            let page = status(store, last.as_deref(), DECIDED_AT_ONCE)?;
            let mut batch = Batch::new();
            let mut count = 0;
            let waits = |held: &Held| held.record.decision.is_none();
            let is_wanted = |held: &Held| members.is_empty() || wanted.contains(&held.member);
            for held in page.held.into_iter().filter(|held| waits(held) && is_wanted(held)) {
                let record = HeldRecord { time: store.now(), decision: Some(decision), ..held.record };
                batch.require_exists(keys::held(&held.member));
                batch.put(keys::held(&held.member), encode(&record)?);
                count += 1;
            }
            if page.next.is_none() {
                // The owners have looked: they are mailed again when more is held.
                let stored = store.document::<GuardRecord>(keys::GUARD)?;
                if let Some(mut stored) = stored {
                    stored.record.holding_since = None;
                    batch.require_unchanged(keys::GUARD.to_vec(), Some(stored.version));
                    batch.put(keys::GUARD.to_vec(), encode(&stored.record)?);
                }
            }
            if !batch.is_empty() {
                store.commit(batch)?;
            }
            Ok::<_, StoreError>((count, page.next))
        })?;
        decided += count;
        match next {
            Some(next) => after = Some(next),
            None => return Ok(decided),
        }
    }
}

/// Deletes what was held or decided more than a week ago, a part of it at a time.
///
/// # Errors
/// As the storage has them.
pub fn forget_old(store: &Store) -> Result<(), StoreError> {
    let page = status(store, None, 500)?;
    let mut batch = Batch::new();
    let is_old = |held: &Held| held.record.time + HOLDS <= store.now();
    for held in page.held.iter().filter(|held| is_old(held)) {
        batch.delete(keys::held(&held.member));
    }
    if page.holding_since.is_some() && page.next.is_none() && page.held.iter().all(is_old) {
        // Nothing waits any more: the owners are mailed again when something does.
        if let Some(mut stored) = store.document::<GuardRecord>(keys::GUARD)? {
            stored.record.holding_since = None;
            batch.require_unchanged(keys::GUARD.to_vec(), Some(stored.version));
            batch.put(keys::GUARD.to_vec(), encode(&stored.record)?);
        }
    }
    if batch.is_empty() { Ok(()) } else { store.commit(batch).map(drop) }
}
