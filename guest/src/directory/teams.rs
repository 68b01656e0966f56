//! Teams as the backend sees and adds them.

use insomnia_scim_contract::Team;
use serde_json::{Value, json};

use super::error::DirectoryError;
use super::members::find;
use crate::protocol::schema::GROUP;
use crate::provisioning::{Refusal, events, write};
use crate::store::keys::Kind;
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
        let mut ids = members
            .iter()
            .map(|member| Ok(find(store, member)?.record.id().to_owned()))
            .collect::<Result<Vec<_>, DirectoryError>>()?;
        ids.sort_unstable();
        ids.dedup();
        let (id, now) = (store.new_id(), store.now());
        let Value::Object(document) = json!({"schemas": [GROUP], "id": id, "displayName": name}) else {
            return Err(StoreError::Broken("not an object".into()).into());
        };
        let record = TeamRecord { origin: Origin::Manual, created: now, modified: now, document };
        let mut batch = Batch::new();
        let additions = store.add_members(&mut batch, &id, &ids)?;
        batch.forget_exists(&Kind::Team.document(&id));
        write::team(store, &mut batch, None, Some(&record))?;
        events::membership(store, &mut batch, &record, &additions.added, &[])?;
        let version = store.commit(batch)?;
        Ok(team(&Stored { record, version, touch: None }, additions.added.len() as u64))
    })
}
