//! Members in the form in which the backend reads and changes them.

use insomnia_scim_contract::{Act, Face, Member, NewMember};
use serde_json::json;

use super::decide::{self, NewMemberDecision};
use super::error::DirectoryError;
use super::named::{find, organization};
use crate::provisioning::{Members, letters, passphrase, write};
use crate::store::{Batch, EventSubject, MemberRecord, Role, Store, Stored, keys};

/// The member as the backend sees it.
#[must_use]
pub fn member(stored: &Stored<MemberRecord>) -> Member {
    let record = &stored.record;
    Member {
        id: record.id().to_owned(),
        email: record.email().unwrap_or_default().to_owned(),
        user_name: record.user_name().to_owned(),
        display_name: record.display_name(),
        role: record.role,
        origin: record.origin,
        active: record.is_active(),
        created: record.created,
        last_modified: record.modified.max(stored.touch.map_or(0, |(_, time)| time)),
    }
}

/// Adds a member by hand, who takes a seat. A passphrase from the command line was visible on a terminal, so it must be
/// changed at the first sign-in.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn add_member(store: &Store, by: &Act, new: &NewMember) -> Result<Member, DirectoryError> {
    store.transact(|| {
        let organization = organization(store)?;
        let NewMemberDecision { record, chosen, welcome } = decide::add_member(store, &organization, new)?;
        let (id, email) = (record.id().to_owned(), record.user_name().to_owned());
        let subject = EventSubject { name: Some(email.clone()), ..EventSubject::member(&id) };
        store.note(subject, None, Some(json!({"email": email, "role": record.role})));
        let mut batch = Batch::new();
        write::member(store, &mut batch, &organization, None, Some(&record))?;
        if let Some(chosen) = chosen {
            passphrase::set(store, &mut batch, &id, chosen, was_shown(by))?;
        }
        letters::welcome(store, &mut batch, &record, welcome, Some(&by.actor))?;
        let version = write::commit(store, batch, &organization)?;
        Ok(member(&Stored { record, version, touch: None }))
    })
}

/// The member with this id, userName or email address.
///
/// # Errors
/// [`DirectoryError::NotFound`] if there is none.
pub fn get_member(store: &Store, member: &str) -> Result<Member, DirectoryError> {
    Ok(self::member(&find(store, member)?))
}

/// Removes a member from the organization and from every team. The last active owner can't be removed.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn remove_member(store: &Store, member: &str) -> Result<(), DirectoryError> {
    let id = find(store, member)?.record.id().to_owned();
    let organization = organization(store)?;
    Members::new(store, &organization).delete(&id, &|_| Ok(true))?;
    Ok(())
}

/// Changes a member's role. The last active owner can't lose this role.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn set_role(store: &Store, member: &str, role: Role) -> Result<Member, DirectoryError> {
    store.transact(|| {
        let old = find(store, member)?;
        let Some(record) = decide::set_role(store, &old.record, role)? else { return Ok(self::member(&old)) };
        let (mut batch, organization) = (Batch::new(), organization(store)?);
        write::member(store, &mut batch, &organization, Some(&old), Some(&record))?;
        let version = write::commit(store, batch, &organization)?;
        Ok(self::member(&Stored { record, version, touch: old.touch }))
    })
}

/// Checks a member's passphrase.
///
/// # Errors
/// [`DirectoryError::Passphrase`] says why not.
pub fn verify_passphrase(store: &Store, member: &str, given: &str) -> Result<Member, DirectoryError> {
    let id = passphrase::verify(store, member, given)?;
    get_member(store, &id)
}

/// Sets a member's passphrase. If it comes from a command line, it must be changed at the next sign-in.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn set_passphrase(store: &Store, by: &Act, member: &str, chosen: &str) -> Result<(), DirectoryError> {
    let id = find(store, member)?.record.id().to_owned();
    let mut batch = Batch::new();
    batch.require_exists(keys::Kind::User.document(&id));
    passphrase::set(store, &mut batch, &id, chosen, was_shown(by))?;
    Ok(store.commit(batch).map(drop)?)
}

/// Whether somebody else than the member may have seen a passphrase that is given in this act.
fn was_shown(by: &Act) -> bool {
    by.source.face == Face::CommandLine
}
