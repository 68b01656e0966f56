//! Writes of members and teams: the record and its indexes, and all that a change of one means, in one batch.

use super::{Refusal, administrators, census, events, licences, sets};
use crate::store::{Batch, MemberRecord, Moves, OrganizationRecord, Store, StoreError, Stored, TeamRecord};

/// Adds to the batch that a member comes, changes, or goes: the record, the seat, the part in administration, the mark, the
/// event, and what streams tell. The caller sees to memberships.
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
    store.leave_receipt(batch, new.or(old).map_or("", MemberRecord::id))?;
    licences::count(batch, organization, old, new);
    administrators::count(batch, old, new);
    census::count(store, batch, old, new)?;
    events::member(store, batch, old, new)?;
    sets::member(store, batch, organization.options.list_manual, old, new)
}

/// Adds to the batch that a team comes, changes, or goes: the record, the memberships, the events, and what streams tell.
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
    store.leave_receipt(batch, new.or(old).map_or("", TeamRecord::id))?;
    events::team(store, batch, old, new)?;
    if let Some(new) = new {
        events::membership(store, batch, new, moves)?;
    }
    sets::team(store, batch, old, new, moves)
}

/// Adds to the batch that members come to a team and leave it, while its record stays: the memberships, the event, and what
/// streams tell.
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
    store.leave_receipt(batch, record.id())?;
    events::membership(store, batch, record, moves)?;
    sets::team(store, batch, Some(record), Some(record), moves)
}

/// Commits changes of members. Somebody else may have taken the last seat meanwhile, or may have been another owner.
///
/// # Errors
/// [`Refusal::NoFreeSeat`], [`Refusal::LastOwner`], and those of the storage.
pub(crate) fn commit(store: &Store, batch: Batch, organization: &OrganizationRecord) -> Result<u64, Refusal> {
    store.commit(batch).map_err(|error| Refusal::at_commit(error, organization.seats))
}
