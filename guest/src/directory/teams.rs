//! Teams in the form in which the backend reads and changes them.

use insomnia_scim_contract::Team;
use serde_json::{Value, json};

use super::error::DirectoryError;
use super::members::{find, organization};
use crate::protocol::schema::GROUP;
use crate::provisioning::{Refusal, Teams, write};
use crate::store::keys;
use crate::store::{Batch, Origin, Store, StoreError, Stored, TeamRecord};

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
    let name = name.trim();
    if name.is_empty() || name.len() > 1_000 {
        return Err(DirectoryError::Invalid("a team's name has 1 to 1,000 bytes".into()));
    }
    store.transact(|| {
        if let Some(id) = store.id_by_team_name(name)? {
            return Err(Refusal::Taken { attribute: "displayName", value: name.to_owned(), id }.into());
        }
        let ids = ids(store, members)?;
        let (id, now) = (store.new_id(), store.now());
        let Value::Object(document) = json!({"schemas": [GROUP], "id": id, "displayName": name}) else {
            return Err(StoreError::Broken("not an object".into()).into());
        };
        let record = TeamRecord { origin: Origin::Manual, created: now, modified: now, document };
        let mut batch = Batch::new();
        let mut moves = store.coming(&id, ids)?;
        write::team(store, &mut batch, None, Some(&record), &mut moves)?;
        let version = store.commit(batch)?;
        Ok(team(&Stored { record, version, touch: None }, moves.added.len() as u64))
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
        let id = old.record.id();
        let (add, remove) = (ids(store, add)?, ids(store, remove)?);
        if let Some(both) = add.iter().find(|member| remove.binary_search(member).is_ok()) {
            return Err(DirectoryError::Invalid(format!("'{both}' is to be added and removed at once")));
        }
        let mut batch = Batch::new();
        let mut moves = store.coming(id, add)?;
        moves.removed = store.leaving(id, remove)?;
        let size = store.team_size(id)?;
        if !moves.any() {
            return Ok(self::team(&old, size));
        }
        write::memberships(store, &mut batch, &old, &mut moves)?;
        let version = store.commit(batch)?;
        let size = (size + moves.added.len() as u64).saturating_sub(moves.removed.len() as u64);
        Ok(self::team(&Stored { touch: Some((version, store.now())), ..old }, size))
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
fn ids(store: &Store, members: &[String]) -> Result<Vec<String>, DirectoryError> {
    let found = members.iter().map(|member| Ok(find(store, member)?.record.id().to_owned()));
    let mut ids = found.collect::<Result<Vec<String>, DirectoryError>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
