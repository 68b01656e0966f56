//! The mass-deprovisioning guard: deactivations and deletions beyond a threshold are held until an owner decides (rule
//! P4).
//!
//! A held removal is refused with 503, and the identity provider tries again later. The removal stays held, even if
//! later hours are below the threshold, until an owner decides: after a release the next try succeeds, after a refusal
//! it is answered 403. A decision is valid for a week. Meanwhile other members may be removed within the threshold of
//! each hour. Owners get an email when the first removal is held, and no further one until nothing is held any more.

use insomnia_scim_contract::lasts;
pub use insomnia_scim_contract::{
    Decision, Guard, GuardStatus, HeldCounts, HeldMember, HeldPage, HeldRemoval, Removal,
};
use serde::{Deserialize, Serialize};

use super::{Refusal, letters};
use crate::capability::{Page, key_after};
use crate::store::{Batch, Letter, MemberRecord, Store, StoreError, Stored, Versioned, decode_entry, keys};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// How long a decision is valid, in milliseconds.
const HOLDS: u64 = 7 * 24 * HOUR;
/// How long a removal stays held after its last try, in milliseconds. Identity providers are expected to give up earlier.
const WAITS: u64 = 30 * 24 * HOUR;
/// The value of `Retry-After` for the identity provider, in seconds.
pub const RETRY_AFTER: u32 = 3_600;
/// How long after the first held removal the owners get their email, in milliseconds. Identity providers send removals
/// one after the other, and the email says how many there are.
const GATHERED: u64 = 30_000;
/// The most held removals that are counted for an email.
const MOST_COUNTED: u32 = 5_000;
/// The most members that an email names.
const MOST_NAMED: usize = 10;
/// The most held removals that are counted for a page.
const COUNTED: u32 = 20_000;
/// How many removals one commit decides about.
const DECIDED_AT_ONCE: u32 = 1_000;

/// The recent removals. Stored as JSON under `guard`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GuardRecord {
    /// The minutes in which members were removed, in milliseconds since the Unix epoch, each with the number of
    /// removals.
    minutes: Vec<(u64, u32)>,
    /// Since when removals are held and the owners know about it, in milliseconds since the Unix epoch.
    pub holding_since: Option<u64>,
}

/// A removal that waits for an owner's decision, or has got one. Stored as JSON under `guard-held/{member}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// The member's name.
    pub name: String,
    /// The kind of removal.
    pub removal: Removal,
    /// The time of the last try or of the decision, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The decision; absent while the removal waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Decision>,
}

impl HeldRecord {
    /// Whether the entry is still valid at this time.
    fn holds(&self, now: u64) -> bool {
        match self.decision {
            Some(_) => lasts(self.time.saturating_add(HOLDS), now, HOLDS),
            None => now < self.time.saturating_add(WAITS),
        }
    }
}

/// A removal with the member's id.
struct Held {
    member: String,
    record: HeldRecord,
    /// The version of its key.
    version: u64,
}

impl From<Held> for HeldRemoval {
    fn from(held: Held) -> Self {
        let HeldRecord { name, removal, time, decision } = held.record;
        Self { member: held.member, name, removal, time, decision }
    }
}

/// One page of the entries.
struct Part {
    /// Removals that wait, or that an owner decided about in the last week.
    held: Vec<Held>,
    /// The id of the last of `held`, if there are more.
    next: Option<String>,
}

/// The removals of a preview that would happen before the one that is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead {
    /// How many members would have been removed.
    pub removed: u64,
    /// By how many the number of active members that SCIM manages would have changed.
    pub scim: i64,
}

/// A removal that is allowed, and what must be recorded when it happens.
#[derive(Clone, Debug)]
pub struct Admission {
    member: String,
    /// The version of the held entry. The commit requires it, so that a decision that an owner makes meanwhile is
    /// followed, and a removal that is held meanwhile stays held.
    held: Option<u64>,
    /// The recent removals including this one, and the version that was read; `None` if an owner has released this
    /// removal.
    recent: Option<(GuardRecord, Option<u64>)>,
}

impl Admission {
    /// Whether the removal counts towards the threshold of the hour: one that an owner released does not.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.recent.is_some()
    }

    /// Adds to the batch that the removal happens.
    ///
    /// # Errors
    /// If the record can't be encoded.
    pub fn note(self, batch: &mut Batch) -> Result<(), StoreError> {
        batch.require_unchanged(keys::held(&self.member), self.held);
        // The decision is used up, however old it is.
        batch.delete(keys::held(&self.member));
        if let Some((record, version)) = self.recent {
            batch.replace(keys::GUARD.to_vec(), version, &record)?;
        }
        Ok(())
    }
}

/// Asks the guard whether a removal is allowed; `None` if the guard is off.
///
/// # Errors
/// [`Refusal::Held`] beyond the threshold; [`Refusal::RemovalRefused`] if an owner refused it.
pub fn admit(
    store: &Store,
    member: &Stored<MemberRecord>,
    removal: Removal,
    ahead: Ahead,
) -> Result<Option<Admission>, Refusal> {
    let Some(guard) = store.settings()?.guard else { return Ok(None) };
    let (id, now) = (member.record.id(), store.now());
    let is_held = || Refusal::Held { member: id.to_owned(), removal };
    let stored = store.document::<HeldRecord>(&keys::held(id))?;
    let admission =
        Admission { member: id.to_owned(), held: stored.as_ref().map(|stored| stored.version), recent: None };
    if let Some(held) = stored.filter(|stored| stored.record.holds(now)) {
        return match held.record.decision {
            Some(Decision::Allowed) => Ok(Some(admission)),
            Some(Decision::Refused) => Err(Refusal::RemovalRefused),
            None => Err(is_held()),
        };
    }
    let (version, mut record) = Versioned::or_default(store.document::<GuardRecord>(keys::GUARD)?);
    record.minutes.retain(|(minute, _)| lasts(minute + HOUR, now, HOUR));
    let removed: u64 = record.minutes.iter().map(|(_, count)| u64::from(*count)).sum();
    let (_, scim) = store.seats_taken()?;
    if is_beyond(guard, removed + ahead.removed, scim.saturating_add_signed(ahead.scim)) {
        return Err(is_held());
    }
    let minute = now - now % MINUTE;
    match record.minutes.last_mut() {
        Some((last, count)) if *last == minute => *count = count.saturating_add(1),
        _ => record.minutes.push((minute, 1)),
    }
    Ok(Some(Admission { recent: Some((record, version)), ..admission }))
}

/// Whether one more removal is too many after this number of removals in the hour, with this number of members left.
/// The first removal of an hour is always within the share: in a small organization one member is a large share.
fn is_beyond(guard: Guard, removed: u64, left: u64) -> bool {
    let by_number = guard.number.is_some_and(|number| removed >= u64::from(number));
    let by_share = guard.share.is_some_and(|share| (removed + 1) * 100 > u64::from(share) * (left + removed));
    by_number || (by_share && removed > 0)
}

/// Records a refused removal, and mails the owners if it is the first. An error here never changes the answer to the
/// request.
pub(crate) fn hold(store: &Store, id: &str, removal: Removal) {
    let attempt = || -> Result<(), StoreError> {
        let Some(member) = store.member(id)? else { return Ok(()) };
        let now = store.now();
        let before = store.document::<HeldRecord>(&keys::held(id))?;
        if before.as_ref().is_some_and(|before| before.record.decision.is_some() && before.record.holds(now)) {
            // An owner has decided meanwhile: the next try will follow the decision.
            return Ok(());
        }
        let (version, mut record) = Versioned::or_default(store.document::<GuardRecord>(keys::GUARD)?);
        let held = HeldRecord { name: member.record.display_name(), removal, time: now, decision: None };
        let mut batch = Batch::new();
        batch.require_exists(keys::Kind::User.document(id));
        batch.replace(keys::held(id), before.map(|before| before.version), &held)?;
        if record.holding_since.is_none() {
            record.holding_since = Some(now);
            letters::to_administrators_at(store, &mut batch, &Letter::GuardHeld, now + GATHERED)?;
        }
        // This is written in any case. A commit that ends the holding because nothing is held must fail if this removal
        // is held meanwhile.
        batch.replace(keys::GUARD.to_vec(), version, &record)?;
        store.commit(batch).map(drop)
    };
    if let Err(error) = store.transact(attempt) {
        eprintln!("a held removal could not be recorded: {error}");
    }
}

/// Sets the threshold; `None` switches the guard off and deletes the held removals.
///
/// # Errors
/// If the storage can't answer.
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

/// The guard's threshold, and a page of the held removals.
///
/// # Errors
/// If the storage can't answer.
pub fn status(store: &Store, after: Option<&str>, limit: u32) -> Result<GuardStatus, StoreError> {
    let guard = store.settings()?.guard;
    let holding_since = holding_since(store)?;
    let page = held_page(store, after, limit)?;
    Ok(GuardStatus { guard, holding_since, held: page.held.into_iter().map(Into::into).collect(), next: page.next })
}

/// A page of the held removals with their members, and how many removals are held.
///
/// # Errors
/// If the storage can't answer.
pub fn held(store: &Store, after: Option<&str>, limit: u32) -> Result<HeldPage, StoreError> {
    let page = held_page(store, after, limit)?;
    let ids: Vec<String> = page.held.iter().map(|held| held.member.clone()).collect();
    let mut items = Vec::with_capacity(ids.len());
    for (held, member) in page.held.into_iter().zip(store.members(&ids)?) {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let record = member.as_ref().map(|member| &member.record);
        let (email, user_name) =
            (text(record.and_then(MemberRecord::email)), text(record.map(MemberRecord::user_name)));
        items.push(HeldMember { removal: held.into(), email, user_name });
    }
    Ok(HeldPage { items, next: page.next, counts: counts(store)? })
}

fn counts(store: &Store) -> Result<HeldCounts, StoreError> {
    let (mut counts, mut counted, now) = (HeldCounts::default(), 0, store.now());
    store.scan_all(keys::all_held(), |entry| {
        if counted == COUNTED {
            counts.at_least = true;
            return Ok(false);
        }
        counted += 1;
        let held = decode_entry::<HeldRecord>(&entry)?.record;
        if held.holds(now) {
            let count = match (held.decision, held.removal) {
                (None, Removal::Deactivate) => &mut counts.deactivations,
                (None, Removal::Delete) => &mut counts.deletions,
                (Some(Decision::Allowed), _) => &mut counts.allowed,
                (Some(Decision::Refused), _) => &mut counts.refused,
            };
            *count += 1;
        }
        Ok(true)
    })?;
    Ok(counts)
}

/// Since when removals are held and the owners know about it, in milliseconds since the Unix epoch.
///
/// # Errors
/// If the storage can't answer.
pub fn holding_since(store: &Store) -> Result<Option<u64>, StoreError> {
    Ok(store.document::<GuardRecord>(keys::GUARD)?.and_then(|stored| stored.record.holding_since))
}

/// The content of an email about the waiting removals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Since when removals are held, in milliseconds since the Unix epoch.
    pub since: u64,
    /// How many members would be deactivated.
    pub deactivations: u64,
    /// How many would be deleted.
    pub deletions: u64,
    /// Whether more removals wait than were counted.
    pub more: bool,
    /// The email addresses of the first members; the name of a member who has no address.
    pub named: Vec<String>,
}

/// The removals that wait for an owner; `None` if there are none.
///
/// # Errors
/// If the storage can't answer.
pub fn waiting(store: &Store) -> Result<Option<Waiting>, StoreError> {
    let Some(since) = holding_since(store)? else { return Ok(None) };
    let (mut waiting, mut after, mut first) = (Waiting { since, ..Waiting::default() }, None, Vec::new());
    let mut looked_at = 0;
    loop {
        let page = held_page(store, after.as_deref(), 500)?;
        looked_at += 500;
        let is_waiting = |held: &&Held| held.record.decision.is_none() && held.record.holds(store.now());
        for held in page.held.iter().filter(is_waiting) {
            match held.record.removal {
                Removal::Deactivate => waiting.deactivations += 1,
                Removal::Delete => waiting.deletions += 1,
            }
            if first.len() < MOST_NAMED {
                first.push((held.member.clone(), held.record.name.clone()));
            }
        }
        waiting.more = page.next.is_some();
        match page.next {
            Some(next) if looked_at < MOST_COUNTED => after = Some(next),
            _ => break,
        }
    }
    let ids: Vec<String> = first.iter().map(|(id, _)| id.clone()).collect();
    let members = if ids.is_empty() { Vec::new() } else { store.members(&ids)? };
    for ((_, name), member) in first.into_iter().zip(members) {
        let address = member.and_then(|member| member.record.mail_address().map(str::to_owned));
        waiting.named.push(address.unwrap_or(name));
    }
    Ok((waiting.deactivations + waiting.deletions > 0).then_some(waiting))
}

fn held_page(store: &Store, after: Option<&str>, limit: u32) -> Result<Part, StoreError> {
    let mut range = keys::all_held();
    if let Some(after) = after.filter(|after| keys::is_id(after)) {
        range.start = key_after(keys::held(after));
    }
    let scanned = store.scan_page(Page::first(range, limit.clamp(1, 500)))?;
    let mut held = Vec::with_capacity(scanned.entries.len());
    for entry in scanned.entries {
        let Some(member) = keys::id_of(&entry.key) else { continue };
        held.push(Held { member, record: decode_entry(&entry)?.record, version: entry.version });
    }
    let next = held.last().filter(|_| scanned.more).map(|held| held.member.clone());
    Ok(Part { held, next })
}

/// Releases or refuses held removals: those of these members, or all that wait if there are none. Returns how many.
///
/// # Errors
/// If the storage can't answer.
pub fn decide(store: &Store, decision: Decision, members: &[String]) -> Result<u32, StoreError> {
    let wanted: Vec<String> = members.iter().filter(|id| keys::is_id(id)).cloned().collect();
    let (mut decided, mut after) = (0, None::<String>);
    loop {
        let last = after.clone();
        let (count, next) = store.transact(|| {
            let page = held_page(store, last.as_deref(), DECIDED_AT_ONCE)?;
            let mut batch = Batch::new();
            let mut count = 0;
            let waits = |held: &Held| held.record.decision.is_none();
            let is_wanted = |held: &Held| members.is_empty() || wanted.contains(&held.member);
            for held in page.held.into_iter().filter(|held| waits(held) && is_wanted(held)) {
                let record = HeldRecord { time: store.now(), decision: Some(decision), ..held.record };
                batch.replace(keys::held(&held.member), Some(held.version), &record)?;
                count += 1;
            }
            if !batch.is_empty() {
                store.commit(batch)?;
            }
            Ok::<_, StoreError>((count, page.next))
        })?;
        decided += count;
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    end_holding(store)?;
    Ok(decided)
}

/// Ends the holding if no removal waits any more. The next held removal then mails the owners again.
fn end_holding(store: &Store) -> Result<(), StoreError> {
    store.transact(|| {
        let Some(mut stored) = store.document::<GuardRecord>(keys::GUARD)? else { return Ok(()) };
        if stored.record.holding_since.is_none() {
            return Ok(());
        }
        let (now, mut waits) = (store.now(), false);
        store.scan_all(keys::all_held(), |entry| {
            let held = decode_entry::<HeldRecord>(&entry)?.record;
            waits = held.decision.is_none() && held.holds(now);
            Ok(!waits)
        })?;
        if waits {
            return Ok(());
        }
        stored.record.holding_since = None;
        let mut batch = Batch::new();
        batch.replace(keys::GUARD.to_vec(), Some(stored.version), &stored.record)?;
        store.commit(batch).map(drop)
    })
}

/// Deletes decisions that are older than a week, and removals that were not tried for a month.
///
/// # Errors
/// If the storage can't answer.
pub fn forget_old(store: &Store) -> Result<(), StoreError> {
    let mut after = None::<String>;
    loop {
        let page = held_page(store, after.as_deref(), 500)?;
        let mut batch = Batch::new();
        for held in page.held.iter().filter(|held| !held.record.holds(store.now())) {
            batch.remove(keys::held(&held.member), Some(held.version));
        }
        if !batch.is_empty() {
            // If one of them is tried again at this moment, the job tries tomorrow.
            store.commit_unless_changed(batch)?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return end_holding(store),
        }
    }
}
