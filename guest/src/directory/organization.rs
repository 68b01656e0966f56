//! The organization itself, and its licences.

use insomnia_scim_contract::{Licences, MarkedMembers};

use super::error::DirectoryError;
use crate::provisioning::census;
use crate::store::{OrganizationRecord, Store, StoreError};

/// The most domains of an organization.
const MOST_DOMAINS: usize = 1_000;
/// The longest name of an organization, in bytes.
const LONGEST_NAME: usize = 1_000;

/// Stores the data that the backend sends about the organization.
///
/// # Errors
/// [`DirectoryError::Invalid`] says which value is not valid.
pub fn put_organization(store: &Store, organization: &OrganizationRecord) -> Result<(), DirectoryError> {
    let invalid = |text: &str| Err(DirectoryError::Invalid(text.to_owned()));
    if organization.name.trim().is_empty() || organization.name.len() > LONGEST_NAME {
        return invalid("the name of an organization has 1 to 1,000 bytes");
    }
    if organization.domains.len() > MOST_DOMAINS {
        return invalid("an organization has at most 1,000 domains");
    }
    if organization.domains.iter().any(|domain| !is_domain(&domain.name)) {
        return invalid("a domain is a name such as 'example.com'");
    }
    Ok(census::put_organization(store, organization)?)
}

/// How many active members are marked, because they can't sign in or their domain is not verified.
///
/// # Errors
/// If the store can't answer.
pub fn count_marked(store: &Store) -> Result<MarkedMembers, StoreError> {
    census::counted(store)
}

/// The seats and how many of them are taken.
///
/// # Errors
/// If the store can't answer.
pub fn get_licences(store: &Store) -> Result<Licences, StoreError> {
    let seats = store.organization()?.map_or(0, |organization| organization.record.seats);
    let (all, scim) = store.seats_taken()?;
    Ok(Licences { seats, manual: all.saturating_sub(scim), scim })
}

fn is_domain(name: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    let is_allowed = |character: char| character.is_alphanumeric() || character == '-' || character == '.';
    name.len() <= 253 && name.contains('.') && name.chars().all(is_allowed) && name.split('.').all(is_label)
}
