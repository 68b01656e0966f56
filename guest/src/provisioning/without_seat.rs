//! Lists the people who got no seat: the identity provider wanted them to be active while all seats were taken (rules
//! P4 and P5).
//!
//! Each refusal is noted under the userName when it happens. The note is deleted with the change by which the person
//! gets a seat, is deleted or is no longer wanted. A person may also get a seat in other ways, by hand or under another
//! userName, so the list is checked against the members whenever it is read. No more than [`MOST`] notes are kept; the
//! log has all refusals.

pub use insomnia_scim_contract::{PersonWithoutSeat, WithoutSeat};
use serde::{Deserialize, Serialize};

use crate::capability::{Item, Key};
use crate::protocol::document::Document;
use crate::store::{Batch, MemberRecord, Store, StoreError, Stored, decode_entry, keys, own_name, primary_email};
use crate::text::cut;

/// The most notes that are kept.
pub const MOST: u32 = 1_000;
/// The longest text that is kept of each attribute that the identity provider sent, in bytes.
const LONGEST: usize = 1_000;

/// A person who got no seat. Stored as JSON under `without-seat/{SHA-256 of the folded userName}`; times are
/// milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WithoutSeatRecord {
    /// The userName.
    pub user_name: String,
    /// The email address; empty if there is none.
    pub email: String,
    /// The name that people see.
    pub display_name: String,
    /// The id of the deactivated member who should be active again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub member: Option<String>,
    /// The time of the first refusal.
    pub since: u64,
    /// The time of the last refusal.
    pub last: u64,
    /// How many refusals there were.
    pub refusals: u32,
    /// The id of the request that was refused last.
    pub request_id: String,
}

impl From<WithoutSeatRecord> for PersonWithoutSeat {
    fn from(record: WithoutSeatRecord) -> Self {
        let WithoutSeatRecord { user_name, email, display_name, member, since, last, refusals, request_id } = record;
        Self { user_name, email, display_name, member, since, last, refusals, request_id }
    }
}

/// Notes that this request was refused because no seat was free for the user. `member` is the id of the user if it is a
/// member already. An error here never changes the answer to the request.
pub(crate) fn note(store: &Store, user: &Document, member: Option<&str>, request_id: &str) {
    let user_name = user.get("userName").and_then(serde_json::Value::as_str).unwrap_or_default();
    let short = |text: &str| cut(text, LONGEST).to_owned();
    let attempt = || -> Result<(), StoreError> {
        let (key, now) = (keys::without_seat(user_name), store.now());
        let before = store.document::<WithoutSeatRecord>(&key)?;
        if before.is_none() && store.nth_key(&keys::all_without_seat(), MOST - 1)?.is_some() {
            return Ok(());
        }
        let (since, refusals) =
            before.as_ref().map_or((now, 0), |before| (before.record.since, before.record.refusals));
        let record = WithoutSeatRecord {
            user_name: short(user_name),
            email: short(primary_email(user).unwrap_or_default()),
            display_name: short(&own_name(user).unwrap_or_else(|| user_name.to_owned())),
            member: member.map(str::to_owned),
            since,
            last: now,
            refusals: refusals.saturating_add(1),
            request_id: request_id.to_owned(),
        };
        let mut batch = Batch::new();
        batch.replace(key, before.map(|before| before.version), &record)?;
        store.commit(batch).map(drop)
    };
    if let Err(error) = store.transact(attempt) {
        eprintln!("a person without a seat could not be recorded: {error}");
    }
}

/// Deletes, in this batch, the note of a member whose change from `old` to `new` ends the waiting. Only a member
/// without a seat can have a note.
pub(super) fn settle(batch: &mut Batch, old: Option<&MemberRecord>, new: Option<&MemberRecord>) {
    if old.is_some_and(MemberRecord::is_active) {
        return;
    }
    let mut names: Vec<Key> =
        [old, new].into_iter().flatten().map(|record| keys::without_seat(record.user_name())).collect();
    names.dedup();
    for key in names {
        batch.delete(key);
    }
}

/// Deletes the note of a deactivated member whom the identity provider now wants to be deactivated: the member no
/// longer waits for a seat.
///
/// # Errors
/// If the storage can't answer.
pub(super) fn withdraw(store: &Store, member: &MemberRecord) -> Result<(), StoreError> {
    let key = keys::without_seat(member.user_name());
    if member.is_active() || store.item(key.clone())?.is_none() {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.delete(key);
    store.commit(batch).map(drop)
}

/// The people who got no seat and still have none, the last refused first.
///
/// # Errors
/// If the storage can't answer.
pub fn list(store: &Store) -> Result<WithoutSeat, StoreError> {
    let (noted, is_full) = noted(store)?;
    let mut people: Vec<PersonWithoutSeat> =
        noted.into_iter().filter(|note| note.is_true).map(|note| note.record.into()).collect();
    people.sort_by(|one, other| other.last.cmp(&one.last).then_with(|| one.user_name.cmp(&other.user_name)));
    Ok(WithoutSeat { people, is_full })
}

/// Deletes the notes of people who have a seat by now, and of those who were last refused before this time.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn forget_old(store: &Store, before: u64) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for note in noted(store)?.0.into_iter().filter(|note| !note.is_true || note.record.last < before) {
        batch.remove(note.key, Some(note.version));
    }
    if batch.is_empty() {
        return Ok(());
    }
    // If one of them is refused at this moment, the job tries again tomorrow.
    store.commit_unless_changed(batch)
}

struct Note {
    key: Key,
    version: u64,
    record: WithoutSeatRecord,
    /// Whether the note is still true: the person has no seat now, and is still a member if the note names one.
    is_true: bool,
}

/// All notes, and whether the limit of notes is reached.
fn noted(store: &Store) -> Result<(Vec<Note>, bool), StoreError> {
    let mut notes = Vec::new();
    store.scan_all(keys::all_without_seat(), |entry| {
        let record = decode_entry::<WithoutSeatRecord>(&entry)?.record;
        notes.push(Note { key: entry.key, version: entry.version, record, is_true: true });
        Ok(notes.len() < MOST as usize)
    })?;
    let is_full = notes.len() >= MOST as usize;
    let names =
        |note: &Note| [keys::Kind::User.name(&note.record.user_name), keys::member_by_email(&note.record.email)];
    let lookups: Vec<Key> = notes.iter().flat_map(names).collect();
    let found = if lookups.is_empty() { Vec::new() } else { store.items(&lookups)? };
    let id = |item: Option<Item>| item.and_then(|item| String::from_utf8(item.value).ok()).unwrap_or_default();
    let mut found = found.into_iter().map(id);
    let mut ids = Vec::with_capacity(3 * notes.len());
    for note in &notes {
        let (by_name, by_email) = (found.next().unwrap_or_default(), found.next().unwrap_or_default());
        ids.extend([by_name, by_email, note.record.member.clone().unwrap_or_default()]);
    }
    let mut members = store.members(&ids)?.into_iter();
    let has_seat =
        |member: &Option<Stored<MemberRecord>>| member.as_ref().is_some_and(|member| member.record.is_active());
    for note in &mut notes {
        let (by_name, by_email) = (members.next().flatten(), members.next().flatten());
        let own = members.next().flatten();
        let is_gone = note.record.member.is_some() && own.is_none();
        note.is_true = !is_gone && ![&by_name, &by_email, &own].into_iter().any(has_seat);
    }
    Ok((notes, is_full))
}
