//! Writes of members and teams: the record and its indexes, and all that a change of one means, in one batch.

use super::{Refusal, administrators, census, events, licences, sets};
use crate::store::{Batch, MemberRecord, OrganizationRecord, Store, StoreError, Stored, TeamRecord};

/// Who comes to a team and who leaves it, by their ids.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moved<'m> {
    pub(crate) added: &'m [String],
    pub(crate) removed: &'m [String],
}

impl Moved<'_> {
    /// Whether anybody does.
    pub(super) fn any(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }
}

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

/// Adds to the batch that a team comes, changes, or goes: the record, the events, and what streams tell. The caller sees to
/// the memberships, which are told along with it.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn team(
    store: &Store,
    batch: &mut Batch,
    old: Option<&Stored<TeamRecord>>,
    new: Option<&TeamRecord>,
    moved: Moved<'_>,
) -> Result<(), StoreError> {
    store.change_team(batch, old, new)?;
    let old = old.map(|old| &old.record);
    store.leave_receipt(batch, new.or(old).map_or("", TeamRecord::id))?;
    events::team(store, batch, old, new)?;
    if let Some(new) = new {
        events::membership(store, batch, new, moved.added, moved.removed)?;
    }
    sets::team(store, batch, old, new, moved)
}

/// Adds to the batch that members have come to a team or have left it: the event, and what streams tell. The caller sees to
/// the memberships themselves.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn memberships(
    store: &Store,
    batch: &mut Batch,
    team: &TeamRecord,
    moved: Moved<'_>,
) -> Result<(), StoreError> {
    store.leave_receipt(batch, team.id())?;
    events::membership(store, batch, team, moved.added, moved.removed)?;
    sets::team(store, batch, Some(team), Some(team), moved)
}

/// Commits changes of members. Somebody else may have taken the last seat meanwhile, or may have been another owner.
///
/// # Errors
/// [`Refusal::NoFreeSeat`] and [`Refusal::LastOwner`]; what the storage has.
pub(crate) fn commit(store: &Store, batch: Batch, organization: &OrganizationRecord) -> Result<u64, Refusal> {
    store.commit(batch).map_err(|error| Refusal::at_commit(error, organization.seats))
}
