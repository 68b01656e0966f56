//! Writes of members and teams: the record and its indexes, and all that a change of one means, in one batch.

use super::{Refusal, administrators, census, events, licences};
use crate::store::{Batch, MemberRecord, OrganizationRecord, Store, StoreError, Stored, TeamRecord};

/// Adds to the batch that a member comes, changes, or goes: the record, the seat, the part in administration, the mark, and
/// the event. The caller sees to memberships.
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
    licences::count(batch, organization, old, new);
    administrators::count(batch, old, new);
    census::count(store, batch, old, new)?;
    events::member(store, batch, old, new)
}

/// Adds to the batch that a team comes, changes, or goes: the record, and the event. The caller sees to memberships.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn team(
    store: &Store,
    batch: &mut Batch,
    old: Option<&Stored<TeamRecord>>,
    new: Option<&TeamRecord>,
) -> Result<(), StoreError> {
    store.change_team(batch, old, new)?;
    events::team(store, batch, old.map(|old| &old.record), new)
}

/// Commits changes of members. Somebody else may have taken the last seat meanwhile, or may have been another owner.
///
/// # Errors
/// [`Refusal::NoFreeSeat`] and [`Refusal::LastOwner`]; what the storage has.
pub(crate) fn commit(store: &Store, batch: Batch, organization: &OrganizationRecord) -> Result<u64, Refusal> {
    store.commit(batch).map_err(|error| Refusal::at_commit(error, organization.seats))
}
