//! Members in the form in which the backend reads and changes them.

use insomnia_scim_contract::{Act, Face, Member, NewMember, is_address};
use serde_json::{Value, json};

use super::error::DirectoryError;
use crate::protocol::schema::USER;
use crate::provisioning::letters::{Welcome, welcome};
use crate::provisioning::{Members, Refusal, passphrase, write};
use crate::store::{
    Batch, EventSubject, MemberRecord, OrganizationRecord, Origin, Role, Store, StoreError, Stored, keys,
};

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

/// Like [`add_member_by`], for the backend that acts for the organization's owner.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn add_member(store: &Store, new: &NewMember) -> Result<Member, DirectoryError> {
    add_member_by(store, &Act::of_backend(), new)
}

/// Adds a member by hand, who takes a seat. A passphrase from the command line was visible on a terminal, so it must be
/// changed at the first sign-in.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn add_member_by(store: &Store, by: &Act, new: &NewMember) -> Result<Member, DirectoryError> {
    let (email, name) = (new.email.trim(), new.display_name.trim());
    if let Some(why) = misfit(email, name) {
        return Err(DirectoryError::Invalid(why));
    }
    store.transact(|| {
        let organization = organization(store)?;
        let taken = |attribute, id| Refusal::Taken { attribute, value: email.to_owned(), id };
        if let Some(id) = store.id_by_user_name(email)? {
            return Err(taken("userName", id).into());
        }
        if let Some(id) = store.id_by_email(email)? {
            return Err(taken("emails", id).into());
        }
        let id = store.new_id();
        let record = manual(store, &id, (email, name), new.role, true)?;
        let subject = EventSubject { name: Some(email.to_owned()), ..EventSubject::member(&id) };
        store.note(subject, None, Some(json!({"email": email, "role": new.role})));
        let mut batch = Batch::new();
        write::member(store, &mut batch, &organization, None, Some(&record))?;
        match &new.passphrase {
            Some(chosen) => passphrase::set(store, &mut batch, &id, chosen, was_shown(by))?,
            None if organization.options.passphrase_emails => {
                welcome(store, &mut batch, &record, Welcome::of_new(&record, true), Some(&by.actor))?
            }
            None => {}
        }
        let version = write::commit(store, batch, &organization)?;
        Ok(member(&Stored { record, version, touch: None }))
    })
}

/// A new manual member with this address and name.
pub(super) fn manual(
    store: &Store,
    id: &str,
    (email, name): (&str, &str),
    role: Role,
    active: bool,
) -> Result<MemberRecord, StoreError> {
    let document = json!({
        "schemas": [USER],
        "id": id,
        "userName": email,
        "displayName": name,
        "emails": [{"value": email, "type": "work", "primary": true}],
        "active": active,
    });
    let Value::Object(document) = document else { return Err(StoreError::Broken("not an object".into())) };
    let now = store.now();
    Ok(MemberRecord { origin: Origin::Manual, role, created: now, modified: now, document })
}

/// Why a member can't be added with this address and this name; `None` if both are valid.
pub(super) fn misfit(email: &str, name: &str) -> Option<String> {
    if !is_address(email) {
        return Some(format!("'{email}' is not an email address"));
    }
    (name.is_empty() || name.len() > 1_000).then(|| "a display name has 1 to 1,000 bytes".into())
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
        if old.record.role == role {
            return Ok(self::member(&old));
        }
        let record = MemberRecord { role, modified: store.now(), ..old.record.clone() };
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

/// Like [`set_passphrase_by`], for the backend.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn set_passphrase(store: &Store, member: &str, chosen: &str) -> Result<(), DirectoryError> {
    set_passphrase_by(store, &Act::of_backend(), member, chosen)
}

/// Sets a member's passphrase. If it comes from a command line, it must be changed at the next sign-in.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn set_passphrase_by(store: &Store, by: &Act, member: &str, chosen: &str) -> Result<(), DirectoryError> {
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

pub(super) fn find(store: &Store, member: &str) -> Result<Stored<MemberRecord>, DirectoryError> {
    store.find_member(member)?.ok_or_else(|| DirectoryError::NotFound(format!("member '{member}'")))
}

pub(super) fn organization(store: &Store) -> Result<OrganizationRecord, StoreError> {
    Ok(store.organization()?.map(|stored| stored.record).unwrap_or_default())
}
