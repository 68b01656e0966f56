//! Teams in the form in which the backend reads and changes them.

use insomnia_scim_contract::Team;

use super::decide;
use super::error::DirectoryError;
use super::named::{find_team, organization};
use crate::provisioning::Teams;
use crate::store::{Store, Stored, TeamRecord};

/// The team as the backend sees it.
pub(super) fn team(stored: &Stored<TeamRecord>, members: u64) -> Team {
    let record = &stored.record;
    Team {
        id: record.id().to_owned(),
        name: record.display_name().to_owned(),
        origin: record.origin,
        members,
        created: record.created,
        last_modified: record.modified.max(stored.touch.map_or(0, |(_, time)| time)),
    }
}

/// Adds a team by hand, with these members (ids, userNames or email addresses).
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn add_team(store: &Store, name: &str, members: &[String]) -> Result<Team, DirectoryError> {
    store.transact(|| {
        let decision = decide::add_team(store, name, members)?;
        let size = decision.moves.added.len() as u64;
        Ok(team(&decision.commit(store)?.stored, size))
    })
}

/// The team with this id or name.
///
/// # Errors
/// [`DirectoryError::NotFound`] if there is none.
pub fn get_team(store: &Store, team: &str) -> Result<Team, DirectoryError> {
    let found = find_team(store, team)?;
    let members = store.team_size(found.record.id())?;
    Ok(self::team(&found, members))
}

/// Adds members to a team and removes others from it, by hand, whether people or SCIM manage the team. Members are
/// named by id, userName or email address. A member to add who is in the team already, or one to remove who is not,
/// stays as it is.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn change_team_members(
    store: &Store,
    team: &str,
    add: &[String],
    remove: &[String],
) -> Result<Team, DirectoryError> {
    store.transact(|| {
        let old = find_team(store, team)?;
        let size = store.team_size(old.record.id())?;
        let decision = decide::change_team_members(store, old, add, remove)?;
        let (added, removed) = (decision.moves.added.len() as u64, decision.moves.removed.len() as u64);
        Ok(self::team(&decision.commit(store)?.stored, (size + added).saturating_sub(removed)))
    })
}

/// Removes a team and its memberships, whether people or SCIM manage the team. The members stay in the organization.
///
/// # Errors
/// [`DirectoryError::NotFound`] if there is no such team.
pub fn remove_team(store: &Store, team: &str) -> Result<(), DirectoryError> {
    let id = find_team(store, team)?.record.id().to_owned();
    let organization = organization(store)?;
    Teams::new(store, &organization, "").delete(&id, &|_| Ok(true))?;
    Ok(())
}
