//! The mass-deprovisioning guard: deactivations and deletions beyond a threshold are held until an owner decides (rule P4).
//!
//! What is held is refused with 503, and the identity provider tries again. It stays held, whatever the next hours have
//! room for, until an owner lets it through, so that the next try succeeds, or refuses it, so that it is answered 403.
//! Either holds for a week. Members who are not held may leave within the threshold of the hour meanwhile. Owners are
//! mailed when the first removal is held, and not again before nothing is.

use insomnia_scim_contract::lasts;
pub use insomnia_scim_contract::{
    Decision, Guard, GuardStatus, HeldCounts, HeldMember, HeldPage, HeldRemoval, Removal,
};
use serde::{Deserialize, Serialize};

use super::{Refusal, letters};
use crate::capability::Page;
use crate::store::{Batch, Letter, MemberRecord, Store, StoreError, Stored, Versioned, decode_entry, keys};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// How long a decision holds, in milliseconds.
const HOLDS: u64 = 7 * 24 * HOUR;
/// How long a removal stays held after its last try, in milliseconds: longer than identity providers go on trying.
const WAITS: u64 = 30 * 24 * HOUR;
/// What the identity provider is told to wait, in seconds.
pub const RETRY_AFTER: u32 = 3_600;
/// How long after the first removal was held owners are mailed, in milliseconds: identity providers send one removal after
/// the other, and the email says how many there are.
const GATHERED: u64 = 30_000;
/// How many held removals are counted for an email.
const MOST_COUNTED: u32 = 5_000;
/// How many members an email names.
const MOST_NAMED: usize = 10;
/// How many removals are counted at the most.
const COUNTED: u32 = 20_000;
/// How many removals are decided upon at once.
const DECIDED_AT_ONCE: u32 = 1_000;

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

impl HeldRecord {
    /// Whether it still holds at this time.
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

/// What the guard holds.
struct Part {
    /// Removals that wait, or were decided upon in the last week.
    held: Vec<Held>,
    /// The id of the last of `held`, if there are more.
    next: Option<String>,
}

/// What would have happened before a removal that is only previewed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead {
    /// How many removals.
    pub removed: u64,
    /// How many active members SCIM would manage more than now, or less.
    pub scim: i64,
}

/// A removal that may pass, and what is to be noted of it when it does.
#[derive(Clone, Debug)]
pub struct Admission {
    member: String,
    /// The version of what was held of it: a decision that is made meanwhile is to be followed, and what is held meanwhile
    /// is held.
    held: Option<u64>,
    /// Recent removals with this one, and the version that they had; `None` where an owner has let it through.
    recent: Option<(GuardRecord, Option<u64>)>,
}

impl Admission {
    /// Whether the removal counts among those of the hour: one that an owner let through does not.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.recent.is_some()
    }

    /// Adds to the batch that the removal passes.
    ///
    /// # Errors
    /// If what is noted can't be encoded.
    pub fn note(self, batch: &mut Batch) -> Result<(), StoreError> {
        batch.require_unchanged(keys::held(&self.member), self.held);
        // One that was decided upon is done now, be it long ago.
        batch.delete(keys::held(&self.member));
        if let Some((record, version)) = self.recent {
            batch.replace(keys::GUARD.to_vec(), version, &record)?;
        }
        Ok(())
    }
}

/// Whether a removal may pass; `None` if the guard is off.
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

/// Whether one more removal is too many after so many in this hour, with so many members left. The first one in an hour
/// always passes the share: in a small organization it is a large one.
fn is_beyond(guard: Guard, removed: u64, left: u64) -> bool {
    let by_number = guard.number.is_some_and(|number| removed >= u64::from(number));
    let by_share = guard.share.is_some_and(|share| (removed + 1) * 100 > u64::from(share) * (left + removed));
    by_number || (by_share && removed > 0)
}

/// Notes a removal that was refused, and mails the owners at the first one. Never makes the request fail in another way.
pub(crate) fn hold(store: &Store, id: &str, removal: Removal) {
    let attempt = || -> Result<(), StoreError> {
        let Some(member) = store.member(id)? else { return Ok(()) };
        let now = store.now();
        let before = store.document::<HeldRecord>(&keys::held(id))?;
        if before.as_ref().is_some_and(|before| before.record.decision.is_some() && before.record.holds(now)) {
            // An owner has decided meanwhile: the next try learns it.
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
        // Written in any case: who finds that nothing is held any more must see that this is.
        batch.replace(keys::GUARD.to_vec(), version, &record)?;
        store.commit(batch).map(drop)
    };
    if let Err(error) = store.transact(attempt) {
        eprintln!("a held removal could not be noted: {error}");
    }
}

/// Sets from where on removals are held; `None` switches the guard off and forgets what is held.
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

/// The guard, and a page of what it holds.
///
/// # Errors
/// If the storage can't answer.
pub fn status(store: &Store, after: Option<&str>, limit: u32) -> Result<GuardStatus, StoreError> {
    let guard = store.settings()?.guard;
    let holding_since = holding_since(store)?;
    let page = held_page(store, after, limit)?;
    Ok(GuardStatus { guard, holding_since, held: page.held.into_iter().map(Into::into).collect(), next: page.next })
}

/// A page of what the guard holds, with the members whom it is about, and how many there are.
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

/// Since when removals are held and the owners know, in milliseconds since the Unix epoch.
///
/// # Errors
/// If the storage can't answer.
pub fn holding_since(store: &Store) -> Result<Option<u64>, StoreError> {
    Ok(store.document::<GuardRecord>(keys::GUARD)?.and_then(|stored| stored.record.holding_since))
}

/// What an email says of the removals that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Since when removals are held, in milliseconds since the Unix epoch.
    pub since: u64,
    /// How many members would be deactivated.
    pub deactivations: u64,
    /// How many would be deleted.
    pub deletions: u64,
    /// Whether there are more than were counted.
    pub more: bool,
    /// The email addresses of the first of them, or names where there is no address.
    pub named: Vec<String>,
}

/// The removals that wait for an owner; `None` if none does any more.
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
        range.start = keys::held(after);
        range.start.push(0);
    }
    let scanned = store.scan_page(Page { range, reverse: false, skip: 0, limit: limit.clamp(1, 500) })?;
    let mut held = Vec::with_capacity(scanned.entries.len());
    for entry in scanned.entries {
        let Some(member) = keys::id_of(&entry.key) else { continue };
        held.push(Held { member, record: decode_entry(&entry)?.record, version: entry.version });
    }
    let next = held.last().filter(|_| scanned.more).map(|held| held.member.clone());
    Ok(Part { held, next })
}

/// Lets held removals through or refuses them: those of these members, or all that wait. Returns how many.
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

/// Ends the holding if nothing waits any more: owners are mailed again when something is held after that.
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

/// Deletes what was decided more than a week ago, and what nobody has tried for a month.
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
            // If one of them is tried again right now, they are looked at tomorrow.
            store.commit_unless_changed(batch)?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return end_holding(store),
        }
    }
}
