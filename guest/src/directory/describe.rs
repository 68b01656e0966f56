//! Shows a member or a team with all data that is stored about it.

use insomnia_scim_contract::{DescribedMember, DescribedTeam};

use super::error::DirectoryError;
use super::members::member;
use super::named::{find, find_team};
use super::teams::team;
use crate::protocol::document::Document;
use crate::store::{Store, StoreError};

/// The member with this id, userName or email address.
///
/// # Errors
/// [`DirectoryError::NotFound`] if there is none.
pub fn describe_member(store: &Store, name: &str) -> Result<DescribedMember, DirectoryError> {
    let found = find(store, name)?;
    Ok(DescribedMember { member: member(&found), attributes: shown(store, found.record.document)? })
}

/// The team with this id or name.
///
/// # Errors
/// [`DirectoryError::NotFound`] if there is none.
pub fn describe_team(store: &Store, name: &str) -> Result<DescribedTeam, DirectoryError> {
    let found = find_team(store, name)?;
    let size = store.team_size(found.record.id())?;
    Ok(DescribedTeam { team: team(&found, size), attributes: shown(store, found.record.document)? })
}

/// The document without attributes that are never returned.
fn shown(store: &Store, mut document: Document) -> Result<String, StoreError> {
    store.schema_table()?.take_hidden(&mut document);
    // No document has a password. This line makes sure that none is shown if that ever changes.
    document.shift_remove("password");
    Ok(serde_json::Value::Object(document).to_string())
}
