//! The members and teams that the backend names: by id, by userName or email address, by a team's name.

use super::error::DirectoryError;
use crate::store::{MemberRecord, OrganizationRecord, Store, StoreError, Stored, TeamRecord, keys};

/// The organization as the backend has sent it.
pub(super) fn organization(store: &Store) -> Result<OrganizationRecord, StoreError> {
    Ok(store.organization()?.map(|stored| stored.record).unwrap_or_default())
}

/// The member with this id, userName or email address.
pub(super) fn find(store: &Store, member: &str) -> Result<Stored<MemberRecord>, DirectoryError> {
    store.find_member(member)?.ok_or_else(|| DirectoryError::NotFound(format!("member '{member}'")))
}

/// The team with this id or name.
pub(super) fn find_team(store: &Store, team: &str) -> Result<Stored<TeamRecord>, DirectoryError> {
    let by_id = if keys::is_id(team) { store.team(team)? } else { None };
    let found = match by_id {
        Some(found) => Some(found),
        None => store.id_by_team_name(team)?.map(|id| store.team(&id)).transpose()?.flatten(),
    };
    found.ok_or_else(|| DirectoryError::NotFound(format!("team '{team}'")))
}

/// The ids of these members, in order and without duplicates.
pub(super) fn ids(store: &Store, members: &[String]) -> Result<Vec<String>, DirectoryError> {
    let found = members.iter().map(|member| Ok(find(store, member)?.record.id().to_owned()));
    let mut ids = found.collect::<Result<Vec<String>, DirectoryError>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
