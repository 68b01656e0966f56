//! The mass-deprovisioning guard, as the SCIM page and the backend use it.

use insomnia_scim_contract::{Actor, Decision, Guard};

use super::error::DirectoryError;
use crate::provisioning::administrators::administrator;
use crate::provisioning::guard;
use crate::store::Store;

/// Sets the threshold; `None` switches the guard off and deletes the held removals.
///
/// # Errors
/// [`DirectoryError::Invalid`] if a threshold would hold everything or nothing.
pub fn set_guard(store: &Store, new: Option<Guard>) -> Result<(), DirectoryError> {
    let is_fit = |guard: &Guard| {
        let number = guard.number.is_none_or(|number| number > 0);
        let share = guard.share.is_none_or(|share| (1..=99).contains(&share));
        number && share && (guard.number.is_some() || guard.share.is_some())
    };
    if !new.as_ref().is_none_or(is_fit) {
        let text = "the guard has a number of 1 or more, a share of 1 to 99 percent, or both";
        return Err(DirectoryError::Invalid(text.into()));
    }
    Ok(guard::set(store, new)?)
}

/// Releases or refuses held removals; returns how many. The actor must be an active owner or co-owner.
///
/// # Errors
/// [`DirectoryError::Forbidden`] for anybody else.
pub fn decide_held(
    store: &Store,
    actor: impl Into<Actor>,
    decision: Decision,
    members: &[String],
) -> Result<u32, DirectoryError> {
    if administrator(store, &actor.into())?.is_none() {
        return Err(DirectoryError::Forbidden("only the owner and co-owners of the organization may decide".into()));
    }
    Ok(guard::decide(store, decision, members)?)
}
