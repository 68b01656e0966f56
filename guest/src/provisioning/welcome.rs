//! The initial passphrase of a new member: generated, hashed, and mailed in the commit that adds the member (rule P4).

use super::passphrase;
use crate::store::{Batch, Letter, MemberRecord, Store, StoreError, keys};

/// Adds to `batch` that the member gets an initial passphrase by email; one who is not active yet, at the first
/// activation. Returns whether an email is on its way: there is none for who has no address.
///
/// # Errors
/// As the storage has them.
pub fn welcome(store: &Store, batch: &mut Batch, member: &MemberRecord) -> Result<bool, StoreError> {
    let Some(address) = member.email() else { return Ok(false) };
    if !member.is_active() {
        batch.put(keys::welcome(member.id()), Vec::new());
        return Ok(false);
    }
    let passphrase = store.seal(&passphrase::set_generated(store, batch, member.id())?)?;
    let (member, name) = (member.id().to_owned(), member.display_name());
    store.add_email(batch, address, Letter::InitialPassphrase { member, name, passphrase })?;
    Ok(true)
}

/// As [`welcome`], of a member who becomes active and never was before.
///
/// # Errors
/// As the storage has them.
pub fn welcome_late(store: &Store, batch: &mut Batch, member: &MemberRecord) -> Result<bool, StoreError> {
    if store.item(keys::welcome(member.id()))?.is_none() {
        return Ok(false);
    }
    batch.delete(keys::welcome(member.id()));
    welcome(store, batch, member)
}
