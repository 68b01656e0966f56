//! Administrators: the active owners and co-owners, who set up SCIM and make the decisions. An organization always
//! keeps an active owner (rule P4).

use insomnia_scim_contract::Actor;

use super::Refusal;
use crate::store::{Batch, MemberRecord, Role, Store, StoreError, Stored, delta, keys};

/// An actor who may administer the organization.
pub enum Administrator {
    /// An active owner or co-owner.
    Member(Box<Stored<MemberRecord>>),
    /// The operator of the host.
    Operator,
}

impl Administrator {
    /// How records name the administrator: the member's id, or `operator`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Member(member) => member.record.id().to_owned(),
            Self::Operator => "operator".to_owned(),
        }
    }
}

/// The actor as an administrator; `None` if the actor may not administer the organization.
///
/// # Errors
/// If the storage can't answer.
pub fn administrator(store: &Store, actor: &Actor) -> Result<Option<Administrator>, StoreError> {
    let member = match actor {
        Actor::Operator => return Ok(Some(Administrator::Operator)),
        Actor::Owner => active_owner(store)?,
        Actor::Member(member) => store.find_member(member)?,
    };
    Ok(member.filter(|member| is_administrator(&member.record)).map(|member| Administrator::Member(Box::new(member))))
}

/// Whether the member may administer the organization.
#[must_use]
pub fn is_administrator(member: &MemberRecord) -> bool {
    member.is_active() && member.role != Role::Member
}

/// Whether the member is an active owner. At least one of them always stays.
#[must_use]
pub fn is_active_owner(member: &MemberRecord) -> bool {
    member.is_active() && member.role == Role::Owner
}

/// Requires that at least one active owner is left after the member changes or is deleted. `owners` asks how many
/// active owners there are.
///
/// # Errors
/// [`Refusal::LastOwner`] if none would be left.
pub fn require_owner(
    old: &MemberRecord,
    new: Option<&MemberRecord>,
    owners: impl FnOnce() -> Result<u64, StoreError>,
) -> Result<(), Refusal> {
    if is_active_owner(old) && !new.is_some_and(is_active_owner) && owners()? <= 1 {
        return Err(Refusal::LastOwner);
    }
    Ok(())
}

/// Adds to the batch how the number of active owners changes. The commit fails with [`StoreError::Limit`] at
/// [`keys::OWNERS`] if the last active owner would go.
pub(super) fn count(batch: &mut Batch, old: Option<&MemberRecord>, new: Option<&MemberRecord>) {
    batch.add(keys::OWNERS.to_vec(), delta(old, new, is_active_owner), Some(1), None);
    match (old.filter(|old| is_administrator(old)), new.filter(|new| is_administrator(new))) {
        (None, Some(new)) => batch.put(keys::administrator(new.id()), Vec::new()),
        (Some(old), None) => batch.delete(keys::administrator(old.id())),
        _ => {}
    }
}

/// An active owner; `None` if there is none.
///
/// # Errors
/// If the storage can't answer.
pub fn active_owner(store: &Store) -> Result<Option<Stored<MemberRecord>>, StoreError> {
    let mut owner = None;
    store.scan_all(keys::administrators(), |entry| {
        let member = keys::id_of(&entry.key).map(|id| store.member(&id)).transpose()?.flatten();
        owner = member.filter(|member| is_active_owner(&member.record));
        Ok(owner.is_none())
    })?;
    Ok(owner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Origin;

    fn member(role: Role, active: bool) -> MemberRecord {
        let mut document = crate::protocol::document::Document::new();
        document.insert("active".into(), json!(active));
        MemberRecord { origin: Origin::Manual, role, created: 0, modified: 0, document }
    }

    #[test]
    fn p1_active_owners_and_co_owners_is_administrator_and_nobody_else() {
        let cases = [
            (Role::Owner, true, true),
            (Role::CoOwner, true, true),
            (Role::Member, true, false),
            (Role::Owner, false, false),
            (Role::CoOwner, false, false),
            (Role::Member, false, false),
        ];
        for (role, active, expected) in cases {
            assert_eq!(is_administrator(&member(role, active)), expected, "{role:?} {active}");
        }
    }

    #[test]
    fn p4_the_last_active_owner_stays_active_and_owner() {
        let owner = || member(Role::Owner, true);
        // Each case: the number of active owners, the member before and after, and whether the change is allowed.
        let cases = [
            (1, owner(), None, false),
            (2, owner(), None, true),
            (1, owner(), Some(member(Role::CoOwner, true)), false),
            (1, owner(), Some(member(Role::Owner, false)), false),
            (2, owner(), Some(member(Role::Owner, false)), true),
            (1, owner(), Some(owner()), true),
            (1, member(Role::Owner, false), None, true),
            (1, member(Role::CoOwner, true), None, true),
            (1, member(Role::Member, true), Some(member(Role::Member, false)), true),
        ];
        for (owners, old, new, is_allowed) in cases {
            let verdict = require_owner(&old, new.as_ref(), || Ok(owners));
            let expected = if is_allowed { Ok(()) } else { Err(Refusal::LastOwner) };
            assert_eq!(verdict, expected, "{owners} {old:?} {new:?}");
        }
    }
}
