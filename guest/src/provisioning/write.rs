//! Writes members and teams: one batch holds the record, its indexes, and everything else that its change causes.

use super::{Refusal, administrators, census, events, licences, sets};
use crate::store::{Batch, MemberRecord, Moves, OrganizationRecord, Store, StoreError, Stored, TeamRecord};

/// Adds to the batch that a member is created, changed or deleted: the record, the seat, the number of owners, the
/// mark, the event, and the stream events. The caller adds the memberships.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn member(
    store: &Store,
    batch: &mut Batch,
    organization: &OrganizationRecord,
    old: Option<&Stored<MemberRecord>>,
    new: Option<&MemberRecord>,
) -> Result<(), StoreError> {
    store.change_member(batch, old, new)?;
    let old = old.map(|old| &old.record);
    if let Some(record) = new.or(old) {
        store.leave_receipt(batch, record.id(), &record.document)?;
    }
    licences::count(batch, organization, old, new);
    administrators::count(batch, old, new);
    census::count(store, batch, old, new)?;
    events::member(store, batch, old, new)?;
    sets::member(store, batch, organization.options.list_manual, old, new)
}

/// Adds to the batch that a team is created, changed or deleted: the record, the memberships, the events, and the
/// stream events.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn team(
    store: &Store,
    batch: &mut Batch,
    old: Option<&Stored<TeamRecord>>,
    new: Option<&TeamRecord>,
    moves: &mut Moves,
) -> Result<(), StoreError> {
    match (old, new) {
        (Some(old), None) => store.disband(batch, old)?,
        (_, Some(new)) => store.move_members(batch, new.id(), old, moves),
        (None, None) => {}
    }
    store.change_team(batch, old, new)?;
    let old = old.map(|old| &old.record);
    if let Some(record) = new.or(old) {
        store.leave_receipt(batch, record.id(), &record.document)?;
    }
    events::team(store, batch, old, new)?;
    if let Some(new) = new {
        events::membership(store, batch, new, moves)?;
    }
    sets::team(store, batch, old, new, moves)
}

/// Adds to the batch that members join and leave a team whose record stays unchanged: the memberships, the event, and
/// the stream events.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn memberships(
    store: &Store,
    batch: &mut Batch,
    team: &Stored<TeamRecord>,
    moves: &mut Moves,
) -> Result<(), StoreError> {
    let record = &team.record;
    store.move_members(batch, record.id(), Some(team), moves);
    store.leave_receipt(batch, record.id(), &record.document)?;
    events::membership(store, batch, record, moves)?;
    sets::team(store, batch, Some(record), Some(record), moves)
}

/// Commits changes of members. Another request may have taken the last seat meanwhile, or removed another owner.
///
/// # Errors
/// [`Refusal::NoFreeSeat`], [`Refusal::LastOwner`], and those of the storage.
pub(crate) fn commit(store: &Store, batch: Batch, organization: &OrganizationRecord) -> Result<u64, Refusal> {
    store.commit(batch).map_err(|error| Refusal::at_commit(error, organization.seats))
}
