//! Erases a person: all data about the person is removed except the member's id, so that histories stay consistent.
//!
//! An erasure first removes the member and the person's waiting deliveries. It then searches events and the audit trail
//! for other names of the person, and finally removes the names from all stored data, a bounded part in each commit.
//! Its progress is stored in the same commit, so it continues after a crash. The caller may run the parts, or leave
//! them to the jobs. A request that was running when the erasure began may still write behind the sweep. For this
//! reason the data that was written since is swept once more when no such request can be running any more.

mod person;
mod scrub;

#[cfg(test)]
mod tests;

use insomnia_scim_contract::{Erasure, lasts};
use serde_json::Value;
use thiserror::Error;

use self::person::{Person, SHORTEST, add_document, add_name, is_long_enough, names_nobody};
use self::scrub::Fate;
use super::{Budget, TURN};
use crate::capability::{Entry, Host, KeyRange, Page};
use crate::provisioning::{Members, Refusal};
use crate::store::{
    Batch, ErasureRecord, ErasureStage, EventSubject, MOST_ERASURES, MemberRecord, Retry, Store, StoreError, Stored,
    Versioned, encode, keys,
};

/// How many entries one commit examines.
const AT_ONCE: u32 = 250;
/// How many commits one call makes at the most.
const STEPS: u32 = 20;
/// How many other names of the person the caller can give.
const MOST_NAMES: usize = 20;
/// The longest name that the caller can give, in bytes.
const LONGEST_NAME: usize = 1_000;
/// This long after its beginning, no request is running any more that was running then, in milliseconds.
const LATE: u64 = 3 * 60 * 1_000;
/// How long before the beginning such a request may have begun, in milliseconds.
const UNDER_WAY: u64 = 2 * 60 * 1_000;
/// How long the names are kept if the host does not report that it has removed its own copies, in milliseconds.
const KEPT: u64 = 7 * 24 * 60 * 60 * 1_000;

/// The reason why a person is not erased. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ErasureError {
    /// A name is too short or too long, or there are too many.
    #[error("{0}")]
    Invalid(String),
    /// A given name is an ordinary word, which occurs in the data of everybody.
    #[error("'{0}' names no person: it is a word that stands in what is kept of everybody")]
    Nobody(String),
    /// A given name belongs to another member or to a team.
    #[error(
        "'{0}' is the name of somebody else, or of a team; name the member to erase by id, userName or email address"
    )]
    SomebodyElse(String),
    /// There is no such erasure in progress.
    #[error("there is no erasure {0} under way")]
    NotFound(String),
    /// Too many erasures are in progress.
    #[error("{MOST_ERASURES} erasures are under way; begin this one when they are done")]
    TooMany,
    /// The member can't be removed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for ErasureError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Refused(error) => error.is_conflict(),
            Self::Store(error) => error.is_conflict(),
            _ => false,
        }
    }
}

/// The kind of data in a part of the organization's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Log,
    Event,
    Audit,
    Email,
    Note,
    Token,
    Operation,
    Outcome,
    Other,
}

/// Begins to erase a person (`directory.erase-person` in `wit/`).
///
/// # Errors
/// [`ErasureError`] says why not.
pub fn erase_person(store: &Store, person: &str, known_as: &[String]) -> Result<Erasure, ErasureError> {
    let person = person.trim();
    let fits = |name: &String| (SHORTEST..=LONGEST_NAME).contains(&name.trim().len());
    if known_as.len() > MOST_NAMES || !known_as.iter().all(fits) || !(1..=LONGEST_NAME).contains(&person.len()) {
        return Err(ErasureError::Invalid(format!(
            "there are at most {MOST_NAMES} other names, each of {SHORTEST} to {LONGEST_NAME} bytes"
        )));
    }
    if let Some(word) = [person].into_iter().chain(known_as.iter().map(String::as_str)).find(|word| names_nobody(word))
    {
        return Err(ErasureError::Nobody(word.to_owned()));
    }
    let id = begin(store, person, known_as)?;
    proceed(store, &id)
}

/// Removes the member, if there is one, and stores the erasure in the same commit.
fn begin(store: &Store, person: &str, known_as: &[String]) -> Result<String, ErasureError> {
    let found = find(store, person)?;
    let under_way = store.erasures()?;
    let id = match &found {
        Some(member) => member.record.id().to_owned(),
        None if keys::is_id(person) => person.to_owned(),
        None => named(&under_way, person).unwrap_or_else(|| store.new_id()),
    };
    refuse_others(store, &id, known_as)?;
    if found.is_none() && person != id {
        refuse_others(store, &id, &[person.to_owned()])?;
    }
    let works = under_way.iter().filter(|erasure| erasure.record.stage < ErasureStage::Late);
    let is_new = under_way.iter().all(|erasure| erasure.record.id != id);
    if is_new && works.count() >= MOST_ERASURES as usize {
        return Err(ErasureError::TooMany);
    }
    store.note(EventSubject::member(&id), None, None);
    let mut record = ErasureRecord { id: id.clone(), began: store.now(), ..ErasureRecord::default() };
    for name in known_as {
        add_name(&mut record, name);
    }
    if let Some(member) = found {
        add_document(&mut record, &member.record.document);
        // The member itself counts as erased, even if there is no history any more.
        record.erased = 1;
        let organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
        store.put_with_first_commit(keys::erasure(&id), encode(&record)?);
        store.wake_with_first_commit(store.now());
        Members::new(store, &organization).delete(&id, &|_| Ok(true))?;
        return Ok(id);
    }
    if person != id {
        if !is_long_enough(person) {
            return Err(ErasureError::Invalid(format!(
                "there is no member '{person}', and a name shorter than {SHORTEST} bytes would also match parts of other words"
            )));
        }
        add_name(&mut record, person);
    }
    store.transact(|| put_record(store, &record))?;
    Ok(id)
}

/// The member with this id or userName, or with this email address, primary or not.
fn find(store: &Store, person: &str) -> Result<Option<Stored<MemberRecord>>, ErasureError> {
    if let Some(member) = store.find_member(person)? {
        return Ok(Some(member));
    }
    match store.ids_by_any_email(person)?.as_slice() {
        [] => Ok(None),
        [id] => Ok(store.member(id)?),
        _ => Err(ErasureError::SomebodyElse(person.to_owned())),
    }
}

/// The id of an erasure in progress for a person with this name. It is needed because the member no longer exists.
fn named(under_way: &[Versioned<ErasureRecord>], person: &str) -> Option<String> {
    under_way
        .iter()
        .find(|erasure| Person::of(&erasure.record).is_in_segment(person))
        .map(|found| found.record.id.clone())
}

/// Refuses the names of another existing member or of a team, since their data would be erased as well.
fn refuse_others(store: &Store, id: &str, names: &[String]) -> Result<(), ErasureError> {
    for name in names.iter().map(|name| name.trim()) {
        let is_other = keys::is_id(name) && name != id && store.member(name)?.is_some();
        if is_other
            || store.ids_called(name)?.iter().any(|called| called != id)
            || store.id_by_team_name(name)?.is_some()
        {
            return Err(ErasureError::SomebodyElse(name.to_owned()));
        }
    }
    Ok(())
}

/// Stores an erasure for a person who is no member, or adds names to an erasure in progress.
fn put_record(store: &Store, record: &ErasureRecord) -> Result<(), StoreError> {
    let earlier = store.erasure(&record.id)?;
    let mut record = record.clone();
    if let Some(Versioned { record: earlier, .. }) = &earlier {
        let is_known = record.names.iter().all(|name| earlier.names.contains(name));
        if is_known && earlier.stage != ErasureStage::Done {
            // A repeated call continues the erasure that is in progress.
            record = earlier.clone();
        }
        // The names that an earlier erasure has found can't be found again, because it has erased them.
        add_missing(&mut record.names, &earlier.names);
        add_missing(&mut record.external_ids, &earlier.external_ids);
        add_missing(&mut record.values, &earlier.values);
    }
    let mut batch = Batch::new();
    store.put_erasure(&mut batch, &record, earlier.map(|earlier| earlier.version))?;
    batch.wake_at(store.now());
    store.commit(batch).map(drop)
}

fn add_missing(to: &mut Vec<String>, from: &[String]) {
    let missing: Vec<String> = from.iter().filter(|text| !to.contains(text)).cloned().collect();
    to.extend(missing);
}

/// Runs a bounded part of an erasure (`directory.continue-erasure`).
///
/// # Errors
/// [`ErasureError::NotFound`] once it has ended.
pub fn proceed(store: &Store, id: &str) -> Result<Erasure, ErasureError> {
    let gone = || ErasureError::NotFound(id.to_owned());
    let until = store.time().saturating_add(TURN);
    let mut record = step(store, id)?.ok_or_else(gone)?;
    for _ in 1..STEPS {
        if record.stage >= ErasureStage::Late || store.time() >= until {
            break;
        }
        record = step(store, id)?.ok_or_else(gone)?;
    }
    Ok(erasure(record))
}

/// Records that the host has removed its own copies (`directory.end-erasure`).
///
/// # Errors
/// If the storage can't answer.
pub fn end_erasure(store: &Store, id: &str) -> Result<(), ErasureError> {
    store.transact(|| {
        let Some(Versioned { mut record, version }) = store.erasure(id)? else { return Ok(()) };
        record.is_acknowledged = true;
        let mut batch = Batch::new();
        store.put_erasure(&mut batch, &record, Some(version))?;
        batch.wake_at(store.now());
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Continues the erasures that are in progress; returns when to check again.
pub(super) fn run(host: Host<'_>, store: &Store<'_>, budget: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let mut next = None::<u64>;
    for erasure in store.erasures()? {
        let mut record = Some(erasure.record);
        for count in 0.. {
            let Some(due) = record.as_ref().map(|record| due(record, store.now())) else { break };
            if due > store.now() {
                next = Some(next.map_or(due, |next| next.min(due)));
                break;
            }
            if count == STEPS || budget.is_turn_over(host) {
                return Ok(Some(store.now()));
            }
            let id = record.map(|record| record.id).unwrap_or_default();
            record = step(store, &id)?;
        }
    }
    Ok(next)
}

/// When an erasure continues, in milliseconds since the Unix epoch. A time further ahead than possible was set by a
/// wrong clock.
fn due(record: &ErasureRecord, now: u64) -> u64 {
    let pause = match record.stage {
        ErasureStage::Waiting | ErasureStage::Collect | ErasureStage::Sweep => return now,
        ErasureStage::Late => LATE,
        ErasureStage::Done if record.is_acknowledged => return now,
        ErasureStage::Done => KEPT,
    };
    let due = record.began.saturating_add(pause);
    if lasts(due, now, pause) { due } else { now }
}

fn erasure(record: ErasureRecord) -> Erasure {
    let ErasureRecord { id, mut names, stage, part, erased, .. } = record;
    // The host searches texts for these names, so short ones are left out.
    names.retain(|name| is_long_enough(name));
    let done = stage >= ErasureStage::Late;
    let is_emailed = stage == ErasureStage::Sweep && part >= EMAILS;
    Erasure { id, names, ready: done || is_emailed, done, erased }
}

/// How many of the first parts of a sweep contain emails.
const EMAILS: usize = 2;

/// The parts of the organization's data that a step examines.
fn parts(record: &ErasureRecord) -> Vec<(KeyRange, Sort)> {
    let since = match record.stage {
        ErasureStage::Late => record.began.saturating_sub(UNDER_WAY),
        _ => 0,
    };
    let events = KeyRange { start: keys::events(Some(since)).end, end: keys::events(None).end };
    let audits = keys::audits(since, u64::MAX);
    match record.stage {
        ErasureStage::Waiting => vec![
            (keys::outboxes(None), Sort::Email),
            (keys::outboxes_parked(), Sort::Email),
            (keys::all_sets(), Sort::Token),
            (keys::all_accepted_operations(), Sort::Operation),
        ],
        ErasureStage::Collect => vec![(events, Sort::Event), (audits, Sort::Audit)],
        ErasureStage::Sweep | ErasureStage::Late => vec![
            (keys::outboxes(None), Sort::Email),
            (keys::outboxes_parked(), Sort::Email),
            (keys::all_without_seat(), Sort::Note),
            (only(keys::SETUP_LINKS), Sort::Other),
            (keys::events_parked(None), Sort::Other),
            (keys::all_sets(), Sort::Token),
            (keys::all_sets_parked(), Sort::Other),
            (keys::all_accepted_operations(), Sort::Operation),
            (keys::all_accepted_outcomes(), Sort::Outcome),
            (keys::all_accepted(), Sort::Other),
            (keys::logs(since, u64::MAX), Sort::Log),
            (events, Sort::Event),
            (audits, Sort::Audit),
        ],
        ErasureStage::Done => Vec::new(),
    }
}

fn only(key: &[u8]) -> KeyRange {
    let start = key.to_vec();
    let end = start.iter().copied().chain([0]).collect();
    KeyRange { start, end }
}

/// Runs the next part of the erasure, if one is due; `None` once it has ended.
fn step(store: &Store, id: &str) -> Result<Option<ErasureRecord>, StoreError> {
    store.transact(|| {
        let Some(Versioned { record, version }) = store.erasure(id)? else { return Ok(None) };
        if due(&record, store.now()) > store.now() {
            return Ok(Some(record));
        }
        let mut batch = Batch::new();
        if record.stage == ErasureStage::Done {
            batch.remove(keys::erasure(id), Some(version));
            store.commit(batch)?;
            return Ok(None);
        }
        let mut next = record.clone();
        look(store, &mut batch, &record, &mut next)?;
        store.put_erasure(&mut batch, &next, Some(version))?;
        batch.wake_at(due(&next, store.now()));
        store.commit(batch)?;
        Ok(Some(next))
    })
}

/// Examines the next entries of the step: adds their changes to the batch, and the progress to `next`.
fn look(store: &Store, batch: &mut Batch, record: &ErasureRecord, next: &mut ErasureRecord) -> Result<(), StoreError> {
    let parts = parts(record);
    let mut left = AT_ONCE;
    while left > 0 {
        let Some((range, sort)) = parts.get(next.part).cloned() else {
            (next.part, next.after) = (0, None);
            next.stage = match record.stage {
                ErasureStage::Waiting => ErasureStage::Collect,
                ErasureStage::Collect => ErasureStage::Sweep,
                ErasureStage::Sweep => ErasureStage::Late,
                ErasureStage::Late | ErasureStage::Done => ErasureStage::Done,
            };
            return Ok(());
        };
        let past = |after: &String| after.bytes().chain([0]).collect();
        let range = KeyRange { start: next.after.as_ref().map_or(range.start, past), end: range.end };
        let scanned = store.scan_page(Page::first(range, left))?;
        left = left.saturating_sub(u32::try_from(scanned.entries.len()).unwrap_or(left));
        let last = scanned.entries.last().map(|entry| String::from_utf8_lossy(&entry.key).into_owned());
        for entry in scanned.entries {
            // Data that is not JSON is not changed here; the due mark of a deleted event has no value.
            let Ok(document) = serde_json::from_slice::<Value>(&entry.value) else { continue };
            if record.stage == ErasureStage::Collect {
                collect(next, &document);
            } else {
                sweep(batch, record, next, sort, entry, document)?;
            }
        }
        if scanned.more && last.is_some() {
            next.after = last;
        } else {
            (next.part, next.after) = (next.part + 1, None);
        }
    }
    Ok(())
}

/// Collects former names of the person from events and the audit trail.
fn collect(next: &mut ErasureRecord, document: &Value) {
    let Some(subject) = document.get("subject") else { return };
    if subject.get("id").and_then(Value::as_str) != Some(next.id.as_str()) {
        return;
    }
    if let Some(name) = subject.get("name").and_then(Value::as_str) {
        add_name(next, name);
    }
    let data = document.get("data").unwrap_or(document);
    for side in ["before", "after"].into_iter().filter_map(|side| data.get(side)?.as_object()) {
        add_document(next, side);
        // The audit trail uses this form.
        if let Some(email) = side.get("email").and_then(Value::as_str) {
            add_name(next, email);
        }
    }
}

/// Adds the change or the deletion of one entry to the batch.
fn sweep(
    batch: &mut Batch,
    record: &ErasureRecord,
    next: &mut ErasureRecord,
    sort: Sort,
    entry: Entry,
    document: Value,
) -> Result<(), StoreError> {
    let person = Person::of(record);
    let fate = match sort {
        Sort::Log => scrub::log(&person, document),
        Sort::Event => scrub::event(&person, document),
        Sort::Audit => scrub::audit(&person, document),
        Sort::Email => scrub::email(&person, document),
        Sort::Note => scrub::note(&person, &document),
        Sort::Token => scrub::token(&person, document),
        Sort::Operation => scrub::operation(&person, document),
        Sort::Outcome => scrub::outcome(&person, document),
        Sort::Other => scrub::other(&person, document),
    };
    let Entry { key, version, .. } = entry;
    match fate {
        Fate::Stays => return Ok(()),
        Fate::Becomes(document) => {
            batch.replace(key, Some(version), &document)?;
        }
        Fate::Goes => {
            batch.remove(key, Some(version));
        }
    }
    next.erased = next.erased.saturating_add(1);
    Ok(())
}
