//! Passphrases of members, as the SCIM page and the backend use them.

use insomnia_scim_contract::{Member, SignedIn};

use super::error::DirectoryError;
use super::members::get_member;
use crate::provisioning::{passphrase, reset};
use crate::store::Store;

/// Checks a member's passphrase, and says whether it must be changed.
///
/// # Errors
/// [`DirectoryError::Passphrase`] says why not.
pub fn sign_in(store: &Store, member: &str, given: &str) -> Result<SignedIn, DirectoryError> {
    let signed_in = passphrase::sign_in(store, member, given)?;
    Ok(SignedIn { member: get_member(store, &signed_in.member)?, must_change: signed_in.must_change })
}

/// Like [`sign_in`], in a browser that is known as the member's; see [`passphrase::sign_in_where_known`].
///
/// # Errors
/// [`DirectoryError::Passphrase`] says why not.
pub fn sign_in_where_known(store: &Store, member: &str, given: &str) -> Result<SignedIn, DirectoryError> {
    let signed_in = passphrase::sign_in_where_known(store, member, given)?;
    Ok(SignedIn { member: get_member(store, &signed_in.member)?, must_change: signed_in.must_change })
}

/// Replaces a member's passphrase by one that the member chose.
///
/// # Errors
/// [`DirectoryError::Passphrase`] says why not.
pub fn change_passphrase(store: &Store, member: &str, current: &str, chosen: &str) -> Result<(), DirectoryError> {
    Ok(passphrase::change(store, member, current, chosen)?)
}

/// Mails a link to choose a new passphrase; see [`reset::request`].
///
/// # Errors
/// [`DirectoryError::Passphrase`] if `page_url` is not a URL.
pub fn request_passphrase_reset(store: &Store, member: &str, page_url: &str) -> Result<(), DirectoryError> {
    Ok(reset::request(store, member, page_url)?)
}

/// Sets the passphrase of the member to whose link this token belongs.
///
/// # Errors
/// [`DirectoryError::Passphrase`] says why not.
pub fn reset_passphrase(store: &Store, token: &str, chosen: &str) -> Result<Member, DirectoryError> {
    get_member(store, &reset::redeem(store, token, chosen)?)
}
